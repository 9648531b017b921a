package pep

import (
	"context"
	"crypto/rand"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// itemsEvent says that an item was published (XEP-0060 §7.1.2).
func itemsEvent(n *Node, id string, payload *xmlstream.Element) *xmlstream.Element {
	if !n.Options.Payloads {
		payload = nil
	}
	return tree.New(nsEvent, "items", tree.Attr("node", n.Name), tree.With(tree.New(nsEvent, "item", tree.Attr("id", id), tree.With(payload))))
}

// notify tells everybody who is there and wants to know of a node, and may read what has the label, or none.
func (s *Service) notify(ctx context.Context, account jid.JID, n *Node, label, event *xmlstream.Element) {
	s.notifyByAny(ctx, account, n, []*xmlstream.Element{label}, event)
}

// notifyByAny is notify of what has none of these labels by itself: everybody is told under the first that he may read.
func (s *Service) notifyByAny(ctx context.Context, account jid.JID, n *Node, labels []*xmlstream.Element, event *xmlstream.Element) {
	for _, to := range s.wants.of(account, n.Name) {
		for _, label := range labels {
			if s.tell(ctx, account, to, n, label, event) {
				break
			}
		}
	}
}

// labelsIn are those under which the end of a node can be told: none, and those of its items, as they stand now.
func (s *Service) labelsIn(ctx context.Context, account jid.JID, node string) []*xmlstream.Element {
	list := []*xmlstream.Element{nil}
	items, err := s.Store.NodeItems(ctx, account, node, MaxItems)
	if err != nil {
		return list // who removes them is told
	}
	known := map[string]bool{"": true}
	for _, i := range items {
		if known[i.Label] {
			continue
		}
		known[i.Label] = true
		if label, err := i.label(); err == nil {
			list = append(list, label)
		}
	}
	return list
}

// tell tells one client, if it may read the node, and what has the label, now; else it says false. The label is of the message
// (XEP-0314 §6.1).
func (s *Service) tell(ctx context.Context, account, to jid.JID, n *Node, label, event *xmlstream.Element, more ...*xmlstream.Element) bool {
	a := s.access(ctx, account, to, &n.Options)
	if a < reader || !s.mayRead(account, to, label, told) {
		return false
	}
	in := append([]*xmlstream.Element{tree.New(nsEvent, "event", tree.With(event)), label}, more...)
	m, err := tree.Message(stanza.MessageHeadline, account, to, rand.Text(), in...)
	switch {
	case err != nil: // what was published was read, so it can be written
	case a == owner:
		_ = s.Core.Tell(ctx, m) // who is gone is told when it comes again
	default:
		s.Core.Submit(ctx, m)
	}
	return true
}

// last tells a client that has come what was published last (XEP-0163 §4.3.4), in the nodes that it wants to know.
func (s *Service) last(ctx context.Context, account, to jid.JID, nodes map[string]bool) {
	all, err := s.all(ctx, account)
	if err != nil {
		return // it is told when something is published
	}
	for i := range all {
		n := &all[i]
		if !nodes[n.Name] || n.Options.SendLast != onComes || s.access(ctx, account, to, &n.Options) < reader {
			continue
		}
		items, err := s.newest(ctx, account, to, n.Name, 1, told)
		if err != nil || len(items) == 0 {
			continue
		}
		e, err1 := payload(items[0])
		label, err2 := items[0].label()
		if err1 == nil && err2 == nil {
			s.tell(ctx, account, to, n, label, itemsEvent(n, items[0].ID, e), published(account, &items[0]))
		}
	}
}

// published says when it was (XEP-0203): what is told late should be (XEP-0060 §6.1.7).
func published(account jid.JID, i *Item) *xmlstream.Element {
	at := i.Version.Time().UTC().Format("2006-01-02T15:04:05.000Z")
	return tree.New("urn:xmpp:delay", "delay", tree.Attr("from", account.String()), tree.Attr("stamp", at))
}
