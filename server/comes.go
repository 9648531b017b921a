package server

import (
	"errors"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// nsLast is XEP-0012.
const nsLast = "jabber:iq:last"

// ErrClosed is what Deliver says after Close: somebody has to try again when there is a server.
var ErrClosed = errors.New("the server is closed")

// Deliver brings what the gate released to whom it is for. It does not wait; done is called once, by whatever goroutine.
func (s *Server) Deliver(r peering.Released, done Delivered) { s.DeliverWritten(r, nil, done) }

// DeliverWritten is Deliver where form may hold what has been written of the element of r. It is not looked at after done.
func (s *Server) DeliverWritten(r peering.Released, form *xmlstream.Written, done Delivered) {
	to := r.To()
	if err := r.Check(s.cfg.Link, to.DomainJID()); err != nil || !s.ours(to) {
		done(&Bounce{Condition: stanza.InternalServerError, Cause: errors.Join(errors.New("it is not for this server"), err)})
		return
	}
	if s.over.Load() {
		done(ErrClosed)
		return
	}
	if m := r.Stanza(); m.IsResponse() && !to.IsFull() { // of a request of ours, by which somebody in the queue may wait
		s.answered(m)
		done(nil)
		return
	}
	u := s.hold(to.Bare())
	defer u.release()
	if u.in.add(s.cfg.Limits.Deliveries, coming{cleared: released(&r), form: form, done: done}, u) {
		return
	}
	done(&Bounce{Condition: stanza.ResourceConstraint, Cause: errors.New("too much waits for the account")})
}

// coming is one stanza for an account, or a task among them.
type coming struct {
	cleared
	form *xmlstream.Written // of the stanza, for messages
	done Delivered
	do   func() // nil for a stanza
}

// deal deals with what has come to an account, in its order. Messages that stand next to each other go through the features together.
func (u *user) deal(list []coming) {
	for len(list) > 0 {
		n := 0
		for n < min(len(list), maxTogether) && list[n].do == nil && list[n].stanza.Kind() == stanza.Message {
			n++
		}
		switch first := &list[0]; {
		case n > 0:
			u.server.comeTogether(u, list[:n])
		case first.do != nil:
			first.do()
		default:
			first.done(u.server.comes(u, first.cleared))
		}
		list = list[max(n, 1):]
	}
}

// destination is where a stanza for an account goes.
type destination struct {
	fate  fate
	named *resource   // 'to' is its full address
	open  []*resource // take what is for the bare address
}

// forClients: to those that are connected, or kept for them.
func (d *destination) forClients() bool {
	return d.fate == toResource || d.fate == toOpen || d.fate == toKeep
}

// comes is one stanza for an account or a domain of ours, other than a message for its clients.
func (s *Server) comes(u *user, c cleared) error {
	to, err := s.destination(u, c.stanza)
	if err != nil {
		return err
	}
	return s.comesTo(u, c, &to)
}

func (s *Server) destination(u *user, m stanza.Stanza) (to destination, err error) {
	if m.To().IsFull() && !u.bare.IsDomain() {
		to.named = u.named(m.To())
	}
	to.open = u.some(isOpen)
	to.fate = fateOf(m.Type(), m.To(), to.named != nil, len(to.open) > 0)
	if to.fate == toKeep && s.reopen(u) {
		to.open = u.some(isOpen)
		to.fate = fateOf(m.Type(), m.To(), to.named != nil, len(to.open) > 0)
	}
	if m.Kind() == stanza.Message && len(to.open) == 0 && !mayWait(m) { // it need not be behind what waits
		if to.open = u.some(func(r *resource) bool { return r.takes() }); len(to.open) > 0 {
			to.fate = fateOf(m.Type(), m.To(), to.named != nil, true)
		}
	}
	if f := to.fate; f == toKeep || f == toAccount || f == toRoster || f == toProbe {
		there, err := s.exists(u)
		if err != nil {
			return to, &Bounce{Condition: stanza.InternalServerError, Cause: err}
		}
		if !there { // as if nobody were there, or nobody had answered
			to.fate = fateUnknown(m.Type())
		}
	}
	return to, nil
}

// comesTo brings it there.
func (s *Server) comesTo(u *user, c cleared, to *destination) error {
	m := c.stanza
	switch to.fate {
	case toNobody:
		return nil
	case toSender:
		return refusal(errors.New("nobody takes it"))
	case toResource, toOpen, toKeep:
		return s.comesToResource(u, c, to.named)
	case toAvailable:
		s.shown(u, c)
		return nil
	case toRoster:
		return s.comesSubscription(u, c)
	case toProbe:
		return s.comesProbe(u, m)
	case toAccount:
		return s.comesRequest(m, AtOthers)
	case toServer:
		return s.comesToServer(m)
	}
	return refusal(errors.New("no rule for it"))
}

// reopen tries again for clients that could not be given what waited for them. True: there are some.
func (s *Server) reopen(u *user) bool {
	shut := u.some(func(r *resource) bool { return !r.open && isAvailable(r) && r.priority >= 0 })
	for _, r := range shut {
		s.flush(r)
	}
	return len(shut) > 0
}

// refusal is the one answer for everything that nobody takes, so that it says nothing about who is there.
func refusal(cause error) error { return &Bounce{Condition: stanza.ServiceUnavailable, Cause: cause} }

// again clears what the features have made of a stanza.
func (s *Server) again(c cleared, now stanza.Stanza, reader jid.JID) (cleared, error) {
	if now.Element() == c.stanza.Element() {
		return c, nil
	}
	return s.kept(now, reader)
}

// comesToResource is presence or iq for a client that is connected.
func (s *Server) comesToResource(u *user, c cleared, r *resource) error {
	if p := c.stanza.Payload(); p != nil && c.stanza.IsRequest() && pushed(p) { // H09
		s.cfg.Log.Warn("somebody else gave orders to a client", zap.Stringer("from", c.stanza.From()), zap.Stringer("to", r.jid))
		return refusal(errors.New("only the own server says that to a client"))
	}
	if t := c.stanza.Type(); t == stanza.PresenceError || t == stanza.PresenceUnavailable { // §4.6.1: it need not be told when this one goes
		u.mu.Lock()
		delete(r.directed, c.stanza.From())
		u.mu.Unlock()
	}
	if c.stanza.Kind() == stanza.IQ {
		if s.blocks(u.bare, c.stanza.From()) {
			return refusal(errors.New("the account blocks who asks"))
		}
		if p := c.stanza.Payload(); p != nil && c.stanza.IsRequest() && p.Space() == nsLast && !s.mayKnow(u, r, c.stanza.From()) {
			return refusal(errors.New("who asks may not know whether the client is there"))
		}
	} else {
		in, err := s.passIn(u.bare, c.stanza)
		if errors.Is(err, ErrTaken) {
			return nil
		}
		if err == nil {
			c, err = s.again(c, in, u.bare)
		}
		if err != nil {
			return err
		}
	}
	token := tokenNothing
	if c.stanza.IsRequest() {
		token = tokenRequest
	}
	if !handed(s.give(r, c, token)) && token == tokenRequest {
		return refusal(errGone)
	}
	return nil
}

// mayKnow reports whether somebody may know that a client is there (XEP-0012 §4): he sees the presence of its account, or was shown its own.
func (s *Server) mayKnow(u *user, r *resource, who jid.JID) bool {
	if who.Bare() == u.bare || r.shownTo(who) {
		return true
	}
	known, err := u.load(s.ctx)
	return err == nil && shows(known[who.Bare()])
}

// comesToServer is what is for a domain of ours.
func (s *Server) comesToServer(m stanza.Stanza) error {
	if m.IsResponse() {
		s.answered(m)
		return nil
	}
	return s.comesRequest(m, AtServer)
}

// comesRequest answers an iq of somebody else.
func (s *Server) comesRequest(m stanza.Stanza, at Target) error {
	q := newRequest(m, at)
	if at == AtServer {
		q.Account = jid.JID{}
	}
	if q.From.Bare() == q.Account { // of the account itself, by way of the gate
		q.At = AtAccount
	}
	h := s.handler(q)
	if h == nil {
		return refusal(errors.New("no feature answers it"))
	}
	if at == AtOthers && s.blocks(q.Account, q.From) {
		return refusal(errors.New("the account blocks who asks"))
	}
	switch a := h(s.ctx, q); {
	case a.Later:
	case at == AtOthers && a.Condition == stanza.ServiceUnavailable && a.App == nil && a.Text == "":
		return refusal(errors.New("the feature does not answer who asks")) // in the very words in which an address without account does
	default:
		s.reply(q, &a)
	}
	return nil
}

// comesProbe answers a probe (§4.3.2, §4.6.6). Who may not know is told so, whether or not there is an account.
func (s *Server) comesProbe(u *user, m stanza.Stanza) error {
	known, err := u.load(s.ctx)
	if err != nil {
		return &Bounce{Condition: stanza.InternalServerError, Cause: err}
	}
	one := u.named(m.To())
	switch {
	case s.blocks(u.bare, m.From()): // XEP-0191 §3.3: it is not answered
	case shows(known[m.From().Bare()]):
		s.answerProbe(u, m)
	case one != nil && one.shownTo(m.From()): // no more than that it is there
		s.sayTo(u, stanza.PresenceAvailable, m, one.jid, m.From())
	default:
		s.sayTo(u, stanza.PresenceUnsubscribed, m, u.bare, m.From().Bare())
	}
	return nil
}

// answerProbe tells who sees an account what its clients are, or of the one that is asked about no more than that it is there.
func (s *Server) answerProbe(u *user, m stanza.Stanza) {
	told := false
	for _, r := range u.available() {
		if m.To().IsFull() && m.To() != r.jid {
			continue
		}
		p := r.last()
		switch {
		case p.IsZero():
			continue
		case m.To().IsFull():
			s.sayTo(u, stanza.PresenceAvailable, p, r.jid, m.From())
		default:
			u.submit(p.WithAddresses(r.jid, m.From()))
		}
		told = true
	}
	if !told {
		s.sayTo(u, stanza.PresenceUnavailable, m, m.To(), m.From())
	}
}

// sayTo answers a probe with what no client has said in these words; it has the id of the probe, or of the presence that there is (§4.3.2.1).
func (s *Server) sayTo(u *user, t stanza.Type, as stanza.Stanza, from, to jid.JID) {
	if p, err := tree.Presence(t, from, to); err == nil {
		u.submit(p.WithID(as.ID()))
	}
}

// shownTo reports whether a client has sent its presence to an address, or to another of the same bare one, as that of a room.
func (r *resource) shownTo(who jid.JID) bool {
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	for to := range r.directed {
		if to.Bare() == who.Bare() {
			return true
		}
	}
	return false
}
