package pep

import (
	"context"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels/xep0314"
	"sallyport/server/account"
)

const (
	nsLabel     = "urn:xmpp:sec-label:0"
	nsCatalogue = "urn:xmpp:sec-label:catalog:2" // which the server answers

	// MaxLabelBytes bounds the label of an item, MaxLabels how many different ones an answer has.
	MaxLabelBytes = 8 << 10
	MaxLabels     = 32
)

// label reads the label that is kept with an item; nil for none.
func (i *Item) label() (*xmlstream.Element, error) {
	if i.Label == "" {
		return nil, nil
	}
	return xmlstream.ParseDocument([]byte(i.Label), xmlstream.Options{})
}

// labelled is an items element with the labels of its items, which are in the same order (§5.2).
func labelled(items *xmlstream.Element, label []*xmlstream.Element) (*xmlstream.Element, error) {
	n := 0
	whole := tree.New(xmlstream.NSClient, "iq", tree.With(tree.New(nsPubsub, "pubsub", tree.With(items))))
	whole, err := xep0314.WithLabels(whole, func(*xmlstream.Element) *xmlstream.Element {
		n++
		return label[n-1]
	})
	if err != nil {
		return nil, err
	}
	return whole.Child(nsPubsub, "pubsub").Child(nsPubsub, "items"), nil
}

// way is how somebody comes to read: by a notification, which is judged as a message again, or by the answer to a request.
type way uint8

const (
	told way = iota
	answered
)

// mayRead reports whether somebody may read what has a label, or none, today. What cannot be read at all is nobody's.
func (s *Service) mayRead(owner, reader jid.JID, label *xmlstream.Element, by way) bool {
	in, err := labelled(tree.New(nsPubsub, "items", tree.Attr("node", "-"), tree.With(tree.New(nsPubsub, "item", tree.Attr("id", "-")))), []*xmlstream.Element{label})
	if err != nil {
		return false
	}
	m, err := tree.IQ(stanza.IQResult, owner, reader, "-", tree.New(nsPubsub, "pubsub", tree.With(in)))
	return err == nil && s.MayRead(m, reader) && (by == told || s.MayAnswer != nil && s.MayAnswer(m))
}

// readable are the items that somebody may read.
func (s *Service) readable(owner, reader jid.JID, all []Item, by way) []Item {
	may := make(map[string]bool)
	list := make([]Item, 0, len(all))
	for _, i := range all {
		ok, asked := may[i.Label]
		if !asked {
			label, err := i.label()
			ok = err == nil && s.mayRead(owner, reader, label, by)
			may[i.Label] = ok
		}
		if ok {
			list = append(list, i)
		}
	}
	return list
}

// newest gives the last items of a node that somebody may read, the newest first, as if there were no others.
func (s *Service) newest(ctx context.Context, owner, reader jid.JID, node string, most int, by way) ([]Item, error) {
	for limit := most; ; limit = MaxItems {
		all, err := s.Store.NodeItems(ctx, owner, node, limit)
		if err != nil {
			return nil, err
		}
		list := s.readable(owner, reader, all, by)
		if len(list) >= most || len(all) < limit || limit == MaxItems {
			return list[:min(len(list), most)], nil
		}
	}
}

// item gives one that somebody may read. account.ErrNotFound.
func (s *Service) item(ctx context.Context, owner, reader jid.JID, node, id string) (Item, error) {
	i, err := s.Store.NodeItem(ctx, owner, node, id)
	if err != nil {
		return Item{}, err
	}
	if len(s.readable(owner, reader, []Item{i}, answered)) == 0 {
		return Item{}, account.ErrNotFound
	}
	return i, nil
}
