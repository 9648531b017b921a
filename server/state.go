package server

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// held is what waits for somebody to look at a client (XEP-0352): the last presence of each address, and the last word on who types.
type held struct {
	items []heldItem
	at    map[heldKey]int
}

// heldKey is whose presence it is, or who types to whom.
type heldKey struct {
	kind     stanza.Kind
	from, to jid.JID // to: of what is copied
}

type heldItem struct{ c cleared }

// parked: the client has no connection any more, and may come back for its session. It is called under the lock of that.
func (s *Server) parked(r *resource, session *stream.Session) {
	r.user.mu.Lock()
	was := r.facts()
	r.parked = true
	r.user.mu.Unlock()
	var unread []stanza.Stanza
	var live []stream.Item
	for _, it := range session.UnackedItems() {
		switch it.Token & (1<<tokenBits - 1) {
		case tokenMessage:
			live = append(live, it)
		case tokenKept:
		default:
			continue
		}
		if m, err := stanza.From(it.Element); err == nil {
			unread = append(unread, m)
		}
	}
	if len(live) > 0 {
		r.user.receive(func() { s.secureAll(r.user, live) })
	}
	if len(unread) == 0 {
		return
	}
	r.user.say(func() {
		for i := range s.features {
			if f := s.features[i].Away; f != nil {
				f(s.ctx, was, unread)
			}
		}
	})
}

// state is called under the lock of a session.
func (s *Server) state(r *resource, active bool) {
	r.user.mu.Lock()
	r.inactive, r.parked = !active, false
	r.user.mu.Unlock()
	if active {
		r.user.receive(func() {
			r.sending.Lock()
			defer r.sending.Unlock()
			s.giveHeld(r)
		})
	}
}

// holdBack keeps what an inactive client need not know now. r.sending is held.
func (s *Server) holdBack(r *resource, c cleared) bool {
	key, can := idleKey(c.stanza)
	if !can {
		return false
	}
	r.user.mu.Lock()
	inactive := r.inactive
	r.user.mu.Unlock()
	if !inactive || len(r.held.items) >= s.cfg.Limits.Held {
		return false
	}
	if i, ok := r.held.at[key]; ok {
		r.held.items[i].c = cleared{}
	}
	if r.held.at == nil {
		r.held.at = make(map[heldKey]int)
	}
	r.held.at[key] = len(r.held.items)
	c.form = nil
	r.held.items = append(r.held.items, heldItem{c})
	return true
}

// idle is what can wait: presence, and messages that only say who types, copies of them too.
func idle(m stanza.Stanza) bool {
	_, can := idleKey(m)
	return can
}

// idleKey tells what is waiting takes the place of.
func idleKey(m stanza.Stanza) (key heldKey, can bool) {
	key = heldKey{kind: m.Kind(), from: m.From()}
	switch m.Type() {
	case stanza.PresenceAvailable, stanza.PresenceUnavailable:
		return key, true
	case stanza.MessageChat, stanza.MessageNormal:
		if c := carried(m.Element()); c != nil { // of what only says who types
			if f := c.Child(nsForward, "forwarded"); f != nil {
				for inner := range f.Children() {
					if copied, err := stanza.FromCarried(inner); err == nil {
						key.from, key.to = copied.From(), copied.To()
						return key, onlyTypes(copied)
					}
				}
			}
		}
		return key, onlyTypes(m)
	default:
		return key, false
	}
}

// giveHeld writes what was held back, before anything else is written. r.sending is held.
func (s *Server) giveHeld(r *resource) {
	items := r.held.items
	r.held = held{}
	for _, it := range items {
		if !it.c.stanza.IsZero() {
			s.write(r, it.c, tokenNothing)
		}
	}
}
