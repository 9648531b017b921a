package answers

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

const (
	nsCaps  = "http://jabber.org/protocol/caps"
	nsPhoto = "vcard-temp:x:update"
	nsPEP   = "http://jabber.org/protocol/pubsub#event"
)

// sighting is what was last seen in the presence of somebody, so that a change is known for one.
type sighting struct {
	peer string
	who  jid.JID // full: capabilities; bare: photo
}

// Heard takes what came from a peer, as it came, and forgets what it makes untrue. Messages without events, iq and errors say nothing.
func (c *Cache) Heard(peer string, s stanza.Stanza) {
	switch s.Type() {
	case stanza.PresenceAvailable:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.available(peer, s)
	case stanza.PresenceUnavailable:
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.seen, sighting{peer, s.From()})
		c.forget(peer, s.From().Bare(), func(e *entry) bool { return e.key.remote == s.From() })
	case stanza.PresenceSubscribed, stanza.PresenceUnsubscribe, stanza.PresenceUnsubscribed:
		c.mu.Lock()
		defer c.mu.Unlock()
		asker := s.To().Bare()
		c.forget(peer, s.From().Bare(), func(e *entry) bool { return e.key.requester == asker })
	case stanza.MessageNormal, stanza.MessageHeadline:
		if aboutCard(s.Element()) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.forgetCards(peer, s.From().Bare())
		}
	default: // nothing to learn
	}
}

func (c *Cache) available(peer string, s stanza.Stanza) {
	root := s.Element()
	if caps := root.Child(nsCaps, "c"); caps != nil {
		node, _ := caps.Attr("node")
		ver, _ := caps.Attr("ver")
		if c.changed(sighting{peer, s.From()}, node+"#"+ver) {
			c.forget(peer, s.From().Bare(), func(e *entry) bool {
				return e.key.remote == s.From() && (e.key.question.Kind == DiscoInfo || e.key.question.Kind == DiscoItems || e.key.question.Kind == Version)
			})
		}
	}
	if x := root.Child(nsPhoto, "x"); x != nil {
		if photo := x.Child(nsPhoto, "photo"); photo != nil && c.changed(sighting{peer, s.From().Bare()}, photo.Text()) {
			c.forgetCards(peer, s.From().Bare())
		}
	}
}

// changed reports whether something is not what it was, or nobody knows what it was.
func (c *Cache) changed(of sighting, now string) bool {
	was, known := c.seen[of]
	if known && was == now {
		return false
	}
	if len(now) > maxNode {
		delete(c.seen, of)
		return true
	}
	if !known && len(c.seen) >= c.o.MaxEntries {
		for k := range c.seen { // any: what is forgotten counts as changed when it is seen again
			delete(c.seen, k)
			break
		}
	}
	c.seen[sighting{of.peer, of.who.Clone()}] = cloned(now)
	return true
}

func (c *Cache) forgetCards(peer string, bare jid.JID) {
	c.forget(peer, bare, func(e *entry) bool { return e.key.question.Kind == VCard || e.key.question.Kind == VCard4 })
}

// forget drops those entries about somebody that match; what a hash says of itself stays true.
func (c *Cache) forget(peer string, bare jid.JID, match func(*entry) bool) {
	for e := range c.owners[owner{peer, bare}] {
		if !e.key.verified && match(e) {
			c.remove(e)
			c.stats.Forgotten++
		}
	}
}

// ForgetPeer drops everything about a peer: it was taken out, or is another one now.
func (c *Cache) ForgetPeer(peer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.entries {
		if k.peer == peer {
			c.remove(e)
			c.stats.Forgotten++
		}
	}
	for k := range c.asked {
		if k.peer == peer {
			delete(c.asked, k)
		}
	}
	for k := range c.seen {
		if k.peer == peer {
			delete(c.seen, k)
		}
	}
}

// aboutCard recognizes an event about somebody's picture or card (XEP-0084, XEP-0292).
func aboutCard(message *xmlstream.Element) bool {
	event := message.Child(nsPEP, "event")
	if event == nil {
		return false
	}
	for items := range event.Children() {
		switch node, _ := items.Attr("node"); node {
		case "urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data", "urn:xmpp:vcard4":
			return true
		}
	}
	return false
}
