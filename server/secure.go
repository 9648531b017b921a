package server

import (
	"go.uber.org/zap"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// spread gives a message to clients and remembers who has it, until one has acknowledged it. Those who have it are appended to got, which is
// empty. Where all of them are away it is kept before: their sessions are memory, and its sender is told that it has arrived. An error says
// that it could not be, and then nobody has it.
func (s *Server) spread(u *user, c cleared, targets, got []*resource) ([]*resource, error) {
	if len(targets) == 0 {
		return got, nil
	}
	id := u.messages.next()
	token := id<<tokenBits | tokenMessage
	if idle(c.stanza) {
		token = tokenNothing
	}
	var room [4]bool
	acknowledge, here := room[:0], false
	for _, r := range targets {
		managed, away := r.session.Standing()
		acknowledge, here = append(acknowledge, managed), here || !away
	}
	var entry uint64
	if !here && token != tokenNothing {
		var err error
		if entry, err = s.secure(u, c.stanza); err != nil {
			return got, unkept(err)
		}
	}
	managed, absent := 0, 0
	for i, r := range targets {
		v := s.give(r, c, token)
		if !handed(v) {
			continue
		}
		got = append(got, r)
		if acknowledge[i] || r.session.Managed() { // it may have begun to in between, and then it owes it
			managed++
		}
		if v == stream.SendKept {
			absent++
		}
	}
	if managed == 0 || managed < len(got) || token == tokenNothing { // one has it, as far as anybody can know, or it goes elsewhere
		if entry != 0 {
			u.drop(s, []stream.Item{{Token: entry<<tokenBits | tokenKept}})
		}
		return got, nil
	}
	u.messages.owed(id, owing{managed, s.cfg.Now()})
	if entry == 0 && absent == len(got) { // they have gone in between
		var err error
		if entry, err = s.secure(u, c.stanza); err != nil {
			s.inMemory(u, err)
		}
	}
	if entry != 0 {
		u.messages.secured(id, entry)
		u.flying(entry)
	}
	return got, nil
}

// secure keeps a message that only sessions will hold whose clients are away: memory is not durable. Zero for what is not to be kept.
func (s *Server) secure(u *user, m stanza.Stanza) (entry uint64, err error) {
	if s.cfg.Offline == nil || forbidsKeeping(m) {
		return 0, nil
	}
	entry, err = s.put(u, m)
	if err != nil && m.Type() != stanza.MessageNormal && m.Type() != stanza.MessageChat { // nobody would keep it for who is not there
		s.inMemory(u, err)
		return 0, nil
	}
	return entry, err
}

func (s *Server) inMemory(u *user, err error) {
	s.cfg.Log.Warn("a message for a client that is not there now is in memory only", zap.Stringer("account", u.bare), zap.Error(err))
}

// secureAll is secure for what was written to clients, where nobody has acknowledged it and somebody who held it is away or gone: it may never
// have arrived. Whether another one still has it is not asked: it is forgotten as soon as that one acknowledges it.
func (s *Server) secureAll(u *user, items []stream.Item) {
	if s.cfg.Offline == nil {
		return
	}
	var ids []uint64
	var data [][]byte
	for _, it := range items {
		id := it.Token >> tokenBits
		o, open := u.messages.open[id]
		if !open || u.messages.safe[id] != 0 {
			continue
		}
		m, err := stanza.From(it.Element)
		if err != nil || !mayWait(m) {
			continue
		}
		if one, err := stored(s.delayed(m, o.since)); err == nil {
			ids, data = append(ids, id), append(data, one)
		}
	}
	if len(ids) == 0 {
		return
	}
	entries, err := s.cfg.Offline.PutOffline(s.ctx, u.bare, s.cfg.Now(), data...)
	if err != nil {
		s.inMemory(u, err)
		return
	}
	for i, entry := range entries {
		if entry != 0 {
			u.messages.secured(ids[i], entry)
			u.flying(entry)
		}
	}
}
