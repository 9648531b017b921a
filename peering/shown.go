package peering

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels/xep0314"
	"sallyport/rules"
)

// ToClients says what the clients of the server of this node are shown of labels. The server itself is sent all of them (SendAlways), so that
// what it keeps is read by the label that it came with. The zero value is what the server has.
type ToClients struct {
	NoLabels  bool // they know none
	FirstLine bool // text begins with the marking
	// Unless they say that they know labels (XEP-0258 §2): those are shown what the server has.
	WhereKnown bool
}

// Shown returns what a client is shown of a stanza that was released to it, as the ToClients of its server say: labels taken away, markings in
// the first line of text, in what is wrapped too. Text whose marking cannot be told is left out; what is in items of pubsub is data, and has no
// line. knows is asked whether the client knows labels, where that matters; nil: it does not.
func (p *Policy) Shown(server string, e *xmlstream.Element, knows func() bool) *xmlstream.Element {
	to := p.peers.byName[server]
	if to == nil || !to.Clients.NoLabels && !to.Clients.FirstLine || to.Clients.WhereKnown && knows != nil && knows() {
		return e
	}
	s, err := stanza.From(e)
	switch {
	case err != nil || s.IsError():
		return e
	case s.Kind() == stanza.Message:
		return p.shown(to, e)
	case to.Clients.NoLabels && holdsItems(s):
		return bare(e)
	}
	return e
}

// bare is an element without labels, and without what points to them: those of items are in it or beside it (XEP-0314 §5.2). Where one may
// stand is not asked, so that none stays because it stood elsewhere.
func bare(e *xmlstream.Element) *xmlstream.Element {
	for i := e.NumAttrs() - 1; i >= 0; i-- {
		if name := e.AttrAt(i).Name; name.Space == xep0314.NS {
			e = e.WithoutAttr(name)
		}
	}
	return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if c.Space() == nsLabel {
			return nil
		}
		return bare(c)
	})
}

// shownInside shows the messages that a stanza carries.
func (p *Policy) shownInside(to *Peer, e *xmlstream.Element) *xmlstream.Element {
	return rules.MapWrapped(e, func(inner *xmlstream.Element, _ rules.Carrier) *xmlstream.Element {
		if inner.Local() == "message" {
			return p.shown(to, inner)
		}
		return p.shownInside(to, inner)
	})
}

// shown is Shown of one message, and of those in it.
func (p *Policy) shown(to *Peer, e *xmlstream.Element) *xmlstream.Element {
	e = p.shownInside(to, e)
	if to.Clients.NoLabels {
		e = e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
			if c.Is(nsPubSubEvent, "event") {
				return bare(c)
			}
			return c
		})
	}
	label := e.Child(nsLabel, "securitylabel")
	if label == nil {
		return e
	}
	if to.Clients.NoLabels {
		e = with(e, label, nil)
	}
	if !to.Clients.FirstLine {
		return e
	}
	if read := to.reader.ReadLabel(label); read.Label != nil {
		if marked, ok := marked(e, read.Label, to.Language); ok {
			return marked
		}
	}
	return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if c.Is(e.Space(), "body") || c.Is("http://jabber.org/protocol/xhtml-im", "html") {
			return nil
		}
		return c
	})
}
