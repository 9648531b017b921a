package server

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// onWay keeps the order between what a client says to an account of this server and its presence, which takes a shorter way (RFC 6120
// §10.1): presence waits until the messages before it have arrived. It is under user.mu.
type onWay struct {
	last     jid.JID                   // the account of many
	toLast   int                       // messages for it that have not arrived
	messages map[jid.JID]int           // those for others, by account
	after    map[jid.JID]stanza.Stanza // presence that waits, by address
}

// begin: a message sets off.
func (w *onWay) begin(account jid.JID) {
	switch {
	case w.last == account:
		w.toLast++
	case w.toLast == 0 && w.messages[account] == 0:
		w.last, w.toLast = account.Clone(), 1
	default:
		if w.messages == nil {
			w.messages = make(map[jid.JID]int)
		}
		w.messages[account]++
	}
}

// count is how many messages for an account have not arrived.
func (w *onWay) count(account jid.JID) int {
	if w.last == account {
		return w.toLast
	}
	return w.messages[account]
}

// waits keeps presence for an address until what was said before it has arrived. False: nothing is on the way.
func (w *onWay) waits(to jid.JID, p stanza.Stanza) bool {
	if w.count(to.Bare()) == 0 {
		return false
	}
	if w.after == nil {
		w.after = make(map[jid.JID]stanza.Stanza)
	}
	w.after[to] = p
	return true
}

// arrived gives the presence that has waited for a message.
func (w *onWay) arrived(account jid.JID) map[jid.JID]stanza.Stanza {
	if w.last == account {
		w.toLast--
	} else if w.messages[account]--; w.messages[account] == 0 {
		delete(w.messages, account)
	}
	if len(w.after) == 0 || w.count(account) > 0 {
		return nil
	}
	var list map[jid.JID]stanza.Stanza
	for to, p := range w.after {
		if to.Bare() == account {
			if list == nil {
				list = make(map[jid.JID]stanza.Stanza)
			}
			list[to] = p
			delete(w.after, to)
		}
	}
	return list
}

// submitMessage gives a message of a client into judgement.
func (s *Server) submitMessage(m *sent) {
	to := m.stanza.To().Bare()
	if !s.ours(to) || to.IsDomain() {
		s.submit(m)
		return
	}
	r, u := m.by, m.by.user
	u.mu.Lock()
	r.way.begin(to)
	u.mu.Unlock()
	s.cfg.Gate.Submit(s.saying, m.stanza, m.arrival.Bytes, func() {
		m.settle()
		u.mu.Lock()
		waited := r.way.arrived(to)
		u.mu.Unlock()
		for to, p := range waited {
			tell := func() { s.show(r, to, p) } // he may be blocked by now
			if p.Type() == stanza.PresenceUnavailable {
				tell = func() { s.showWhomever(r, to, p) }
			}
			if !u.say(tell) {
				tell()
			}
		}
	})
}

// waits reports whether presence for an address waits for a message.
func (r *resource) waits(to jid.JID, p stanza.Stanza) bool {
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	return r.way.waits(to, p)
}
