package server

import (
	"context"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// sendPresence is a presence of a client (RFC 6121 §3, §4).
func (s *Server) sendPresence(m *sent) {
	if labelled(m.stanza.Element()) { // nobody would be shown it, and the client would take itself for available
		s.refuse(m, stanza.PolicyViolation, stanza.ErrorOptions{})
		return
	}
	switch m.stanza.Type() {
	case stanza.PresenceAvailable, stanza.PresenceUnavailable:
		switch {
		case !m.arrival.Undirected:
			s.direct(m)
		case m.stanza.Type() == stanza.PresenceAvailable:
			s.appear(m)
		default:
			s.disappear(m)
		}
	case stanza.PresenceSubscribe, stanza.PresenceSubscribed, stanza.PresenceUnsubscribe, stanza.PresenceUnsubscribed:
		s.subscription(m)
	case stanza.PresenceProbe:
		s.sendProbe(m)
	default:
		if s.sending(m) {
			s.submit(m)
		}
	}
}

// labelled reports whether there is a security label, or a part of one, anywhere in presence, where none has a place (XEP-0258 §5.3).
func labelled(e *xmlstream.Element) bool {
	for c := range e.Children() {
		if c.Space() == nsLabel || labelled(c) {
			return true
		}
	}
	return false
}

// sendProbe is a probe of a client: servers probe for their users, but it is not its fault if it does so itself (§4.3).
func (s *Server) sendProbe(m *sent) {
	u := m.by.user
	u.mu.Lock()
	allowed := u.bucket.take(s.cfg.Now(), s.cfg.Limits.PerMinute)
	u.mu.Unlock()
	switch {
	case m.stanza.To().Bare() == u.bare: // everybody sees himself
		m.settle()
	case !allowed:
		s.refuse(m, stanza.PolicyViolation, stanza.ErrorOptions{Type: stanza.Wait})
	case s.sending(m):
		s.submit(m)
	}
}

// appear is initial presence, or a later one (§4.2, §4.4).
func (s *Server) appear(m *sent) {
	defer m.settle()
	r, u := m.by, m.by.user
	if r.last().IsZero() {
		s.refill(u)
	}
	known, err := u.load(s.ctx)
	if err != nil {
		s.cfg.Log.Error("no roster to send presence by", zap.Error(err))
		s.refuse(m, stanza.InternalServerError, stanza.ErrorOptions{})
		return
	}
	priority, ok := m.stanza.Priority()
	if !ok {
		s.refuse(m, stanza.BadRequest, stanza.ErrorOptions{})
		return
	}
	u.mu.Lock()
	if !u.changes.take(s.cfg.Now(), s.cfg.Limits.Presences) {
		u.mu.Unlock()
		s.refuse(m, stanza.PolicyViolation, stanza.ErrorOptions{Type: stanza.Wait})
		return
	}
	u.mu.Unlock()
	if !s.sending(m) {
		return
	}
	u.mu.Lock()
	first := r.presence.IsZero()
	r.presence, r.word, r.priority = m.stanza, m.stanza, priority
	opens := priority >= 0 && !r.open
	if priority < 0 {
		r.open = false
	}
	here := r.facts()
	u.mu.Unlock()

	s.broadcast(r, known, m.stanza)
	if first {
		s.probe(r, known)
		s.pending(r)
	}
	for i := range s.features {
		if f := s.features[i].Available; f != nil {
			f(s.ctx, here, m.stanza, first)
		}
	}
	if opens {
		u.receive(func() { s.flush(r) })
	}
}

// broadcast sends presence to everybody who sees it: contacts, and the account's own resources (§4.2.2, §4.4.2).
func (s *Server) broadcast(r *resource, known contacts, p stanza.Stanza) {
	for contact, sub := range known {
		if shows(sub) {
			s.show(r, contact, p)
		}
	}
	for _, own := range r.user.available() {
		s.showOwn(r, own)
	}
}

// show sends the presence of a resource to one address: within the server past the record, but not past the gate.
func (s *Server) show(r *resource, to jid.JID, p stanza.Stanza) {
	if !s.blocks(r.user.bare, to) {
		s.showWhomever(r, to, p)
	}
}

// showWhomever also shows it to somebody who is blocked: that nobody is there any more is the last that he is told.
func (s *Server) showWhomever(r *resource, to jid.JID, p stanza.Stanza) {
	if !s.ours(to) {
		s.cfg.Gate.Submit(s.saying, p.WithAddresses(r.jid, to), 0, func() {})
		return
	}
	u := s.find(to.Bare())
	if u == nil || r.waits(to, p) {
		return
	}
	r.telling.Lock() // who is told something older by one goroutine is told the last word by the next
	defer r.telling.Unlock()
	if p.Type() == stanza.PresenceAvailable {
		p = r.lastWord()
	}
	rel, err := s.cfg.Gate.Release(p.WithAddresses(r.jid, to))
	if err != nil {
		s.cfg.Log.Debug("presence not released", zap.Stringer("to", to), zap.Error(err))
		return
	}
	s.shown(u, released(&rel))
}

// shown brings presence to the resources it is for.
func (s *Server) shown(u *user, c cleared) {
	to := c.stanza.To()
	targets := u.some(func(r *resource) bool {
		if to.IsFull() {
			return r.jid == to
		}
		return isAvailable(r)
	})
	if len(targets) == 0 {
		return
	}
	in, err := s.passIn(u.bare, c.stanza)
	if err != nil {
		return
	}
	if c, err = s.again(c, in, u.bare); err != nil {
		return
	}
	for _, r := range targets {
		s.give(r, c, tokenNothing)
	}
}

func (s *Server) probeOne(r *resource, contact jid.JID) {
	if s.ours(contact) {
		s.probeHere(r, contact)
	} else if p, err := tree.Presence(stanza.PresenceProbe, r.user.bare, contact); err == nil { // subscriptions are of bare addresses
		s.cfg.Gate.Submit(s.saying, p, 0, func() {})
	}
}

// showOwn shows a resource the last word of another of its account, or its own.
func (s *Server) showOwn(r, to *resource) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if p := r.lastWord(); !p.IsZero() {
		s.tell(to, p.WithAddresses(r.jid, to.jid))
	}
}

// probe asks for the presence of everybody whom the account sees (§4.3).
func (s *Server) probe(r *resource, known contacts) {
	for contact, sub := range known {
		if sees(sub) {
			s.probeOne(r, contact)
		}
	}
	for _, own := range r.user.available() {
		if own != r {
			s.showOwn(own, r)
		}
	}
}

func (r *resource) lastWord() stanza.Stanza {
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	return r.word
}

// last is what a resource has said of itself.
func (r *resource) last() stanza.Stanza {
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	return r.presence
}

// probeHere shows a new resource the presence of a contact of this server that shows itself to it.
func (s *Server) probeHere(r *resource, contact jid.JID) {
	u := s.find(contact)
	if u == nil {
		return
	}
	there := u.available()
	if len(there) == 0 {
		return
	}
	known, err := u.load(s.ctx)
	if err != nil || !shows(known[r.user.bare]) {
		return
	}
	for _, other := range there {
		if p := other.last(); !p.IsZero() {
			s.show(other, r.jid, p)
		}
	}
}

// left reports whether somebody else has the resource, or nobody.
func (r *resource) left() bool {
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	return r.gone
}

// disappear is unavailable presence of a client that stays connected.
func (s *Server) disappear(m *sent) {
	defer m.settle()
	if !m.by.last().IsZero() && !s.sending(m) {
		return
	}
	s.unavailable(m.by, m.stanza)
}

// unavailable tells everybody who has seen a resource that it is not there (§4.5, §4.6.3). last is what the client said; zero if
// it is lost.
func (s *Server) unavailable(r *resource, last stanza.Stanza) {
	u := r.user
	if last.IsZero() {
		var err error
		if last, err = tree.Presence(stanza.PresenceUnavailable, r.jid, u.bare); err != nil {
			return
		}
	}
	u.mu.Lock()
	was := !r.presence.IsZero()
	directed := r.directed
	r.presence, r.open, r.directed, r.priority, r.word = stanza.Stanza{}, false, nil, 0, last
	known := u.contacts
	here := r.facts()
	u.mu.Unlock()
	if was {
		if known == nil {
			known, _ = u.load(s.ctx) // nobody is told if the store does not answer
		}
		s.broadcast(r, known, last)
		if !r.left() {
			s.showOwn(r, r) // §4.5.2: to who has said it, too
		}
	}
	for to := range directed {
		if !was || !shows(known[to.Bare()]) || to.IsFull() {
			s.show(r, to, last)
		}
	}
	if !was {
		return
	}
	for i := range s.features {
		if f := s.features[i].Unavailable; f != nil {
			f(context.WithoutCancel(s.ctx), here)
		}
	}
}

// direct is presence to one address (§4.6).
func (s *Server) direct(m *sent) {
	r, u, to := m.by, m.by.user, m.stanza.To()
	u.mu.Lock()
	_, known := r.directed[to]
	ok := true
	switch {
	case m.stanza.Type() == stanza.PresenceUnavailable:
		delete(r.directed, to)
	case !known:
		ok = len(r.directed) < s.cfg.Limits.Directed && u.bucket.take(s.cfg.Now(), s.cfg.Limits.PerMinute)
		if ok {
			if r.directed == nil {
				r.directed = make(map[jid.JID]struct{})
			}
			r.directed[to.Clone()] = struct{}{}
		}
	}
	u.mu.Unlock()
	if !ok {
		s.refuse(m, stanza.PolicyViolation, stanza.ErrorOptions{Type: stanza.Wait})
		return
	}
	if s.sending(m) {
		s.submit(m)
	}
}

// Show is Core.
func (s *Server) Show(ctx context.Context, account, contact jid.JID, shown bool) {
	u := s.find(account.Bare())
	if u == nil {
		return
	}
	known, err := u.load(ctx)
	if err != nil || !shows(known[contact.Bare()]) {
		return
	}
	for _, r := range u.available() {
		s.showOne(r, contact, shown)
	}
}

// SeenBy is Core.
func (s *Server) SeenBy(ctx context.Context, account jid.JID) (list []jid.JID) {
	u := s.find(account.Bare())
	if u == nil {
		return nil
	}
	known, err := u.load(ctx)
	if err != nil {
		s.cfg.Log.Error("no roster to tell contacts by", zap.Stringer("account", account), zap.Error(err))
		return nil
	}
	for contact, sub := range known {
		if shows(sub) {
			list = append(list, contact)
		}
	}
	return list
}

// showOne tells a contact what one resource is, or that it is not there.
func (s *Server) showOne(r *resource, contact jid.JID, shown bool) {
	p := r.last()
	if p.IsZero() {
		return
	}
	if !shown {
		var err error
		if p, err = tree.Presence(stanza.PresenceUnavailable, r.jid, contact); err != nil {
			return
		}
		s.showWhomever(r, contact, p)
		return
	}
	s.show(r, contact, p)
}
