package thin

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Caps leaves capabilities out of broadcast presence where they are what the same resource said last (XEP-0115 §8.4): the far side keeps
// what it heard. Owned by one goroutine. It must see presence in the order in which it leaves.
type Caps struct {
	limit int
	said  map[capsKey]*xmlstream.Element
}

type capsKey struct{ from, to jid.JID }

// NewCaps makes an empty one, for that many resources at most.
func NewCaps(limit int) *Caps {
	return &Caps{limit: limit, said: map[capsKey]*xmlstream.Element{}}
}

// Leaving takes a stanza that is about to leave, and returns it without capabilities that were said already, and how many bytes that
// saved.
func (c *Caps) Leaving(s stanza.Stanza) (out stanza.Stanza, saved int) {
	if !Paced(s) {
		return s, 0
	}
	key := capsKey{s.From(), s.To()}
	if s.Type() == stanza.PresenceUnavailable {
		delete(c.said, key)
		return s, 0
	}
	root := s.Element()
	caps := root.Child(nsCaps, "c")
	last := c.said[key]
	switch {
	case caps == nil:
		return s, 0
	case last == nil && len(c.said) >= c.limit:
		return s, 0
	case last == nil || !last.Equal(caps):
		c.said[capsKey{key.from.Clone(), key.to.Clone()}] = caps.Clone()
		return s, 0
	}
	e := root.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
		if child.Is(nsCaps, "c") {
			saved += size(child, root.Space())
			return nil
		}
		return child
	})
	out, err := s.WithElement(e)
	if err != nil { // cannot be: children of presence are free
		return s, 0
	}
	return out, saved
}

// Heard is Presence.Heard for capabilities.
func (c *Caps) Heard(s stanza.Stanza) {
	switch s.Type() {
	case stanza.PresenceProbe, stanza.PresenceSubscribe, stanza.PresenceSubscribed, stanza.PresenceUnsubscribe,
		stanza.PresenceUnsubscribed, stanza.PresenceUnavailable, stanza.PresenceError:
		c.forget(s.To().Bare(), s.From().Bare())
	default:
	}
}

// Lost is Presence.Lost for capabilities.
func (c *Caps) Lost(s stanza.Stanza) {
	if s.Kind() == stanza.Presence {
		c.forget(s.From().Bare(), s.To().Bare())
	}
}

func (c *Caps) forget(from, to jid.JID) {
	for key := range c.said {
		if key.from.Bare() == from && key.to == to {
			delete(c.said, key)
		}
	}
}
