package server

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// maxTogether bounds how many messages for one account go through the features at once.
const maxTogether = 128

// comeTogether delivers messages that have come to one account, one after the other. What a feature keeps durably, as the archive does,
// is kept before anybody is given any of them.
func (s *Server) comeTogether(u *user, list []coming) {
	p := somePassage.Get().(*passage)
	defer p.free()
	for i := range list {
		m := list[i].stanza
		var to destination
		var err error
		if n := i - 1; n >= 0 && p.errs[n] == nil && p.to[n].fate != toKeep && m.To() == list[n].stanza.To() && m.Type() == list[n].stanza.Type() {
			to = p.to[n] // in the same instant, like the one before
		} else {
			to, err = s.destination(u, m)
		}
		p.to, p.errs = append(p.to, to), append(p.errs, err)
		if err == nil && to.forClients() {
			p.list = append(p.list, Passing{Account: u.bare, Stanza: s.honest(m), Self: m.From().Bare() == u.bare})
		}
	}
	s.pass(p.list)
	next := 0
	for i := range list {
		c, to, err := list[i].cleared, &p.to[i], p.errs[i]
		if len(p.later) > 0 && (to.fate != toKeep || len(u.some(isOpen)) > 0) {
			s.keepNow(u, list, p) // before somebody is given what is behind it
		}
		keep := false
		switch {
		case err != nil:
		case to.forClients():
			c.form = list[i].form
			keep, err = s.comesMessage(u, &c, to, &p.list[next], &p.got)
			next++
		default:
			err = s.comesTo(u, c, to)
		}
		if keep {
			if err = p.keepLater(i, c.stanza); err == nil {
				continue
			}
		}
		list[i].done(err)
	}
	s.keepNow(u, list, p)
}

// comesMessage delivers one message of one account (RFC 6121 §8.5) that the features have seen, into c as they have left it. It may be that
// it has to be kept.
func (s *Server) comesMessage(u *user, c *cleared, to *destination, in *Passing, room *[]*resource) (keep bool, err error) {
	if errors.Is(in.Err, ErrTaken) {
		return false, nil
	}
	if err = in.Err; err == nil {
		*c, err = s.again(*c, in.Stanza, u.bare)
	}
	if err != nil {
		return false, err
	}
	targets := to.open
	if to.named != nil {
		targets = []*resource{to.named}
	}
	got, err := s.spread(u, *c, targets, (*room)[:0])
	if err == nil && len(got) == 0 && (to.named == nil || c.stanza.Type() == stanza.MessageChat) {
		// Its resource is gone (§8.5.3.2.1), or all that there were when it was looked where it goes. Who has come since takes what is
		// behind it, and must not have it before.
		got, err = s.spread(u, *c, u.some(isOpen), got)
	}
	*room = got
	if err != nil {
		return false, err
	}
	s.copyReceived(u, *c, got)
	if len(got) > 0 {
		return false, nil
	}
	switch c.stanza.Type() {
	case stanza.MessageNormal, stanza.MessageChat:
		return s.keeps(c.stanza)
	case stanza.MessageGroupchat:
		return false, refusal(errGone)
	default:
		return false, nil
	}
}

// honest takes out what only this server says to its users, and somebody else has said in its name (bad-inputs H15): copies, results of
// the archive, the time at which a message came.
func (s *Server) honest(m stanza.Stanza) stanza.Stanza {
	e := m.Element().MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		switch {
		case c.Space() == xmlstream.NSServer: // as the body is
		case c.Is(nsCarbons, "received"), c.Is(nsCarbons, "sent"), c.Is("urn:xmpp:mam:2", "result"):
			return nil
		case c.Is(nsDelay, "delay"):
			if by, err := jid.Parse(tree.Value(c, "from")); err == nil && s.ours(by) {
				return nil
			}
		}
		return c
	})
	if e == m.Element() {
		return m
	}
	clean, err := m.WithElement(e)
	if err != nil {
		return m // it was a stanza with them, so it is one without
	}
	return clean
}

// ---- what clients have not acknowledged

// messages are live messages that clients have not acknowledged. Owned by user.in.
type messages struct {
	last uint64
	open map[uint64]owing
	safe map[uint64]uint64 // its entry in the offline store, where it has one
}

// owing is one of them: how many clients hold it, and since when.
type owing struct {
	clients int
	since   time.Time
}

func (m *messages) next() uint64 {
	m.last++
	return m.last
}

func (m *messages) owed(id uint64, o owing) {
	if m.open == nil {
		m.open = make(map[uint64]owing)
	}
	m.open[id] = o
}

func (m *messages) secured(id, kept uint64) {
	if m.safe == nil {
		m.safe = make(map[uint64]uint64)
	}
	m.safe[id] = kept
}

// acked: one client has it, so nobody has to get it again. It gives the entry that keeps it, zero for none.
func (m *messages) acked(id uint64) (kept uint64) {
	kept = m.safe[id]
	delete(m.open, id)
	delete(m.safe, id)
	return kept
}

// lost: one client will not have it. again: nobody else holds it either, and since when it was held; kept is the entry that keeps it,
// zero for none.
func (m *messages) lost(id uint64) (again bool, since time.Time, kept uint64) {
	o, ok := m.open[id]
	if o.clients > 1 {
		o.clients--
		m.open[id] = o
		return false, since, 0
	}
	kept = m.safe[id]
	delete(m.open, id)
	delete(m.safe, id)
	return ok, o.since, kept
}

// acked is called under the lock of a session.
func (s *Server) acked(bare jid.JID, items []stream.Item) {
	live, kept := byToken(items)
	if len(live)+len(kept) == 0 {
		return
	}
	u := s.hold(bare)
	defer u.release()
	u.receive(func() {
		for _, it := range live {
			if entry := u.messages.acked(it.Token >> tokenBits); entry != 0 {
				kept = append(kept, stream.Item{Token: entry<<tokenBits | tokenKept})
			}
		}
		u.drop(s, kept)
	})
}

// unconfirmed is called under the lock of a session, or after its end.
func (s *Server) unconfirmed(bare jid.JID, items []stream.Item) {
	live, kept := byToken(items)
	if len(live)+len(kept) == 0 {
		return
	}
	u := s.hold(bare)
	defer u.release()
	u.receive(func() {
		for _, it := range kept {
			delete(u.flights, it.Token>>tokenBits)
		}
		again, behind := len(kept) > 0, false
		var left []stream.Item // that others still hold
		for _, it := range live {
			switch lost, since, entry := u.messages.lost(it.Token >> tokenBits); {
			case entry != 0:
				delete(u.flights, entry)
				if behind {
					s.putBehind(u, it.Element, since, entry)
				}
				again = true
			case lost:
				if again { // what was before it goes before it
					s.flushAny(u)
					again = false
				}
				behind = s.redeliver(u, it.Element, since) || behind
			default:
				left = append(left, it)
			}
		}
		if again {
			s.flushAny(u)
		}
		s.secureAll(u, left)
	})
}

// byToken copies what has to be remembered of items.
func byToken(items []stream.Item) (live, kept []stream.Item) {
	for _, it := range items {
		switch it.Token & (1<<tokenBits - 1) {
		case tokenMessage:
			live = append(live, it)
		case tokenKept:
			kept = append(kept, it)
		}
	}
	return live, kept
}

// redeliver brings a message that a lost client did not acknowledge to the others, or keeps it, with the time at which it was for that
// one (XEP-0198 §4). kept: it is in the store now.
func (s *Server) redeliver(u *user, e *xmlstream.Element, since time.Time) (kept bool) {
	m, err := stanza.From(e)
	if err != nil {
		s.cfg.Log.Error("a message that was sent cannot be read again", zap.Error(err))
		return false
	}
	switch m.Type() {
	case stanza.MessageNormal, stanza.MessageChat:
	case stanza.MessageGroupchat: // the room has to know that this one is gone
		s.bounce(u, m, refusal(errGone))
		return false
	default:
		return false
	}
	m = s.delayed(m, since)
	if c, err := s.kept(m, u.bare); err == nil {
		if got, err := s.spread(u, c, u.some(isOpen), nil); err == nil && len(got) > 0 {
			return false
		}
	}
	if err := s.keep(u, m); err != nil {
		s.bounce(u, m, err)
		return false
	}
	return true
}

// putBehind keeps a message that is kept already behind one that was said before it, and is kept only now (RFC 6120 §10.1). Where there is
// no room for that it stays where it is.
func (s *Server) putBehind(u *user, e *xmlstream.Element, since time.Time, entry uint64) {
	m, err := stanza.From(e)
	if err == nil {
		_, err = s.put(u, s.delayed(m, since))
	}
	if err != nil {
		s.cfg.Log.Warn("a message that waits comes before what was said before it", zap.Stringer("account", u.bare), zap.Error(err))
		return
	}
	u.drop(s, []stream.Item{{Token: entry<<tokenBits | tokenKept}})
}

// bounce tells the sender of a message that it has not arrived after all.
func (s *Server) bounce(u *user, m stanza.Stanza, cause error) {
	if reply, ok := stanza.ErrorReply(m, conditionOf(cause), stanza.ErrorOptions{}); ok {
		u.submit(reply)
	}
}
