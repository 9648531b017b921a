package server

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/account"
	"sallyport/server/offline"
)

// Namespaces of what is looked at in messages.
const (
	nsDelay  = "urn:xmpp:delay"
	nsHints  = "urn:xmpp:hints"
	nsStates = "http://jabber.org/protocol/chatstates"
)

// keep puts a message into the offline store (XEP-0160), or says why not.
func (s *Server) keep(u *user, m stanza.Stanza) error {
	keep, err := s.keeps(m)
	if keep {
		_, err = s.put(u, m)
		err = unkept(err)
	}
	return err
}

// keeps reports whether a message is kept, or says why it cannot be.
func (s *Server) keeps(m stanza.Stanza) (bool, error) {
	switch {
	case !worthKeeping(m):
		return false, nil
	case s.cfg.Offline == nil, forbidsKeeping(m):
		return false, refusal(errors.New("nobody is there, and it is not kept"))
	}
	return true, nil
}

// mayWait reports whether a message is kept for who is not there.
func mayWait(m stanza.Stanza) bool {
	t := m.Type()
	return (t == stanza.MessageNormal || t == stanza.MessageChat) && worthKeeping(m) && !forbidsKeeping(m)
}

// keepLater has a message kept with others that are.
func (p *passage) keepLater(i int, m stanza.Stanza) error {
	data, err := stored(m)
	if err != nil {
		return unkept(err)
	}
	p.later, p.data = append(p.later, i), append(p.data, data)
	return nil
}

// keepNow keeps what was to be kept later, in one change of the store, and says so.
func (s *Server) keepNow(u *user, list []coming, p *passage) {
	if len(p.later) == 0 {
		return
	}
	ids, err := s.cfg.Offline.PutOffline(s.ctx, u.bare, s.cfg.Now(), p.data...)
	for n, i := range p.later {
		err := err
		if err == nil && ids[n] == 0 {
			err = offline.ErrFull
		}
		list[i].done(unkept(err))
	}
	clear(p.data)
	p.later, p.data = p.later[:0], p.data[:0]
}

// unkept is what the sender is told.
func unkept(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, offline.ErrFull), errors.Is(err, account.ErrNotFound):
		return refusal(err)
	}
	return Fault(err)
}

func (s *Server) put(u *user, m stanza.Stanza) (uint64, error) {
	data, err := stored(m)
	if err != nil {
		return 0, err
	}
	ids, err := s.cfg.Offline.PutOffline(s.ctx, u.bare, s.cfg.Now(), data)
	switch {
	case err != nil:
		return 0, err
	case ids[0] == 0:
		return 0, offline.ErrFull
	}
	return ids[0], nil
}

// stored is what the store keeps of a message.
func stored(m stanza.Stanza) ([]byte, error) {
	return xmlstream.AppendElement(nil, m.Element(), xmlstream.NSServer)
}

// flying notes that an entry is with a client that has not acknowledged it.
func (u *user) flying(id uint64) {
	if u.flights == nil {
		u.flights = make(map[uint64]bool)
	}
	u.flights[id] = true
}

// worthKeeping: what only tells that somebody types is not, nor what has no text where its sender says so (XEP-0160 §3, XEP-0334 §4).
func worthKeeping(m stanza.Stanza) bool {
	return hasText(m) || m.Element().Child(nsHints, "store") != nil || !onlyTypes(m) && m.Element().Child(nsHints, "no-store") == nil
}

// onlyTypes: it says at most who types.
func onlyTypes(m stanza.Stanza) bool {
	e := m.Element()
	if hasText(m) || e.Child(nsHints, "store") != nil {
		return false
	}
	for c := range e.Children() {
		switch {
		case c.Space() == nsStates, c.Space() == nsHints, c.Is(e.Space(), "thread"), c.Space() == nsLabel, c.Space() == "urn:xmpp:sid:0":
		default:
			return false
		}
	}
	return true
}

func hasText(m stanza.Stanza) bool {
	e := m.Element()
	return e.Child(e.Space(), "body") != nil || e.Child(e.Space(), "subject") != nil
}

// forbidsKeeping is what its sender says (XEP-0334 §4.2). What is to be in no archive (§4.1) may wait all the same.
func forbidsKeeping(m stanza.Stanza) bool { return m.Element().Child(nsHints, "no-store") != nil }

// flush gives a client what waited for the account, in order, and from then on what comes for its bare address. It runs among what
// comes to the account, so nothing passes it.
func (s *Server) flush(r *resource) {
	u := r.user
	u.mu.Lock()
	takes := r.takes()
	u.mu.Unlock()
	if !takes || s.cfg.Offline != nil && !s.flushed(u, r) {
		return // it takes nothing any more, or not now, or the store does not answer: what waits goes on waiting
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	r.open = r.takes()
}

// takes reports whether a client takes what is for the bare address, once it has what waited; user.mu is held.
func (r *resource) takes() bool { return !r.presence.IsZero() && r.priority >= 0 && !r.gone }

// flushAny is flush after a client was lost before it acknowledged what waited.
func (s *Server) flushAny(u *user) {
	for _, r := range u.some(isOpen) {
		if s.flushed(u, r) {
			return
		}
	}
}

func (s *Server) flushed(u *user, r *resource) bool {
	if !r.room(0) {
		return false
	}
	u.drop(s, nil)
	for after := uint64(0); ; {
		page, err := s.cfg.Offline.OfflineAfter(s.ctx, u.bare, after)
		if err != nil {
			s.cfg.Log.Error("messages that wait cannot be read", zap.Stringer("account", u.bare), zap.Error(err))
			return false
		}
		if len(page) == 0 {
			return true
		}
		after = page[len(page)-1].ID
		if !s.flushPage(u, r, page) {
			return false
		}
	}
}

func (s *Server) flushPage(u *user, r *resource, page []offline.Entry) (ok bool) {
	var done []stream.Item
	defer func() { u.drop(s, done) }()
	for _, e := range page {
		if u.flights[e.ID] {
			continue
		}
		m, err := readStanza(e.Stanza)
		if err != nil {
			s.cfg.Log.Error("a message that waits cannot be read", zap.Stringer("account", u.bare), zap.Error(err))
			continue
		}
		c, err := s.kept(s.delayed(m, e.At), r.jid)
		if err != nil || s.blocks(u.bare, m.From()) {
			continue // it goes on waiting: for a reader who is cleared, or until its sender is not blocked any more
		}
		if !r.room(len(e.Stanza)) {
			return false
		}
		item := stream.Item{Token: e.ID<<tokenBits | tokenKept}
		managed := r.session.Managed()
		if !handed(s.give(r, c, item.Token)) {
			return false
		}
		if !managed && !r.session.Managed() { // as in spread
			done = append(done, item)
			continue
		}
		u.flying(e.ID)
	}
	return true
}

// room reports whether a client should be given a message that waits. Who has too many to acknowledge gets the next ones, and what comes
// behind them, once it has: or it would be disconnected for what we have sent it, with all of that again at the next login.
func (r *resource) room(bytes int) bool {
	x, can := r.session.(interface{ Room(bytes int) bool })
	if !can || x.Room(bytes) {
		return true
	}
	r.strain(true) // before it is looked again: an acknowledgement that comes after that finds it
	if x.Room(bytes) {
		r.strain(false)
		return true
	}
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	r.open = false
	return false
}

func (r *resource) strain(is bool) (was bool) {
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	was, r.strained = r.strained, is
	return was
}

// relieve goes on with what waits for a client that has acknowledged something. It is called under the lock of its session.
func (s *Server) relieve(r *resource) {
	if r != nil && r.strain(false) {
		r.user.receive(func() { s.flush(r) })
	}
}

// readStanza reads what was kept.
func readStanza(data []byte) (stanza.Stanza, error) {
	el, err := xmlstream.ParseDocument(data, xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		return stanza.Stanza{}, err
	}
	return stanza.From(el)
}

// drop forgets entries that a client has. What the store does not forget now nobody is given as long as we know of it, and with the next ones
// it is told again.
func (u *user) drop(s *Server, items []stream.Item) {
	if len(items)+len(u.undropped) == 0 {
		return
	}
	ids := make([]uint64, 0, len(u.undropped)+len(items))
	ids = append(ids, u.undropped...)
	for _, it := range items {
		ids = append(ids, it.Token>>tokenBits)
	}
	if err := s.cfg.Offline.DropOffline(s.ctx, u.bare, ids); err != nil {
		s.cfg.Log.Error("messages that were delivered are still kept", zap.Stringer("account", u.bare), zap.Error(err))
		u.undropped = ids
		for _, id := range ids {
			u.flying(id)
		}
		return
	}
	u.undropped = nil
	for _, id := range ids {
		delete(u.flights, id)
	}
}

// delayed says when a message came (XEP-0203), unless we have said it before.
func (s *Server) delayed(m stanza.Stanza, at time.Time) stanza.Stanza {
	e, domain := m.Element(), m.To().Domain()
	nodes := make([]xmlstream.Node, 0, e.NumNodes()+1)
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		if n.Element.Is(nsDelay, "delay") && tree.Value(n.Element, "from") == domain {
			return m
		}
		nodes = append(nodes, n)
	}
	stamp := tree.New(nsDelay, "delay", tree.Attr("from", domain), tree.Attr("stamp", at.UTC().Format("2006-01-02T15:04:05.000Z")))
	out, err := m.WithElement(e.WithNodes(append(nodes, xmlstream.ElementNode(stamp))...))
	if err != nil {
		return m
	}
	return out
}
