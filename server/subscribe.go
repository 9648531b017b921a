package server

import (
	"crypto/rand"
	"errors"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/presence"
	"sallyport/server/roster"
)

// Bounds on what others can put into a roster.
const (
	maxRequest = 4096 // bytes that are kept of a request
	maxPending = 200  // requests that wait, of whom is not in the roster otherwise
)

// errSame ends a change that changes nothing.
var errSame = errors.New("nothing changes")

// change is what a subscription stanza did to one contact.
type change struct {
	item   roster.Item
	effect presence.Effect
	shown  bool // clients have it in the roster, or had it
}

// subscription is one of a client's four types of presence (RFC 6121 §3).
func (s *Server) subscription(m *sent) {
	u, contact, t := m.by.user, m.stanza.To().Bare(), m.stanza.Type()
	m.stanza = m.stanza.WithAddresses(u.bare, contact)
	u.mu.Lock()
	allowed := u.bucket.take(s.cfg.Now(), s.cfg.Limits.PerMinute)
	u.mu.Unlock()
	switch {
	case contact == u.bare: // everybody sees himself
		m.settle()
		return
	case !allowed:
		s.refuse(m, stanza.PolicyViolation, stanza.ErrorOptions{Type: stanza.Wait})
		return
	case !s.sending(m):
		return
	}
	c, err := u.subscribe(contact, func(was presence.State) (presence.State, presence.Effect) { return was.Sends(t) }, nil, nil)
	if err != nil {
		s.refused(m, rosterFault(err))
		return
	}
	switch {
	case c.effect.Vanish: // §3.2.2: it is gone while it is seen, and then is seen no more
		last := func() {
			s.turn(u, contact, c.effect)
			s.submit(m)
		}
		if !u.say(last) {
			last()
		}
	case c.effect.Route:
		s.cfg.Gate.Submit(s.saying, m.stanza, m.arrival.Bytes, func() {
			m.settle()
			u.say(func() { s.turn(u, contact, c.effect) })
		})
	default:
		m.settle()
	}
}

// turn shows the account's presence to a contact, or takes it away.
func (s *Server) turn(u *user, contact jid.JID, e presence.Effect) {
	if !e.Appear && !e.Vanish {
		return
	}
	for _, r := range u.available() {
		s.showOne(r, contact, e.Appear)
	}
	for i := range s.features {
		if f := s.features[i].Appears; f != nil && e.Appear {
			f(s.ctx, u.bare, contact)
		}
	}
}

// subscribe changes one contact as the state machine says, and tells the clients; first is done before that. keep is the stanza that asks,
// if it has to be kept.
func (u *user) subscribe(contact jid.JID, step func(presence.State) (presence.State, presence.Effect), keep []byte, first func(change)) (change, error) {
	u.rosters.Lock()
	defer u.rosters.Unlock()
	var c change
	var err error
	c.item, err = u.server.cfg.Book.Change(u.server.ctx, u.bare, contact, func(i *roster.Item) error {
		was := stateOf(i)
		var next presence.State
		if next, c.effect = step(was); next == was {
			return errSame
		}
		c.shown = !i.Version.IsZero() && !i.Hidden
		apply(i, next, keep)
		c.shown = c.shown || !i.Hidden
		return nil
	})
	same := errors.Is(err, errSame)
	if err != nil && !same {
		return change{}, err
	}
	if first != nil {
		first(c)
	}
	if !same {
		u.learn(c.item)
		if c.shown {
			u.server.push(u, c.item)
		}
	}
	return c, nil
}

// stateOf reads the state of appendix A out of an item.
func stateOf(i *roster.Item) presence.State {
	return presence.State{
		To: sees(i.Subscription), From: shows(i.Subscription), PendingOut: i.Ask, PendingIn: i.Request != nil, Approved: i.Approved,
	}
}

// apply writes a state into an item. One that is kept for a request alone is hidden, and goes with the request.
func apply(i *roster.Item, next presence.State, request []byte) {
	fresh := i.Version.IsZero()
	switch {
	case next.To && next.From:
		i.Subscription = roster.Both
	case next.To:
		i.Subscription = roster.To
	case next.From:
		i.Subscription = roster.From
	default:
		i.Subscription = roster.None
	}
	i.Ask, i.Approved = next.PendingOut, next.Approved
	switch {
	case !next.PendingIn:
		i.Request = nil
	case i.Request == nil:
		i.Request = request
	}
	bare := !next.To && !next.From && !next.PendingOut && !next.Approved
	i.Hidden = bare && (i.Hidden || fresh)
	i.Removed = i.Hidden && !next.PendingIn
}

// rosterFault is what the client is told of a change that could not be made.
func rosterFault(err error) error {
	switch {
	case errors.Is(err, roster.ErrFull):
		return &Bounce{Condition: stanza.ResourceConstraint, Cause: err}
	case errors.Is(err, roster.ErrItem):
		return &Bounce{Condition: stanza.NotAcceptable, Cause: err}
	}
	return err
}

// comesSubscription is one of a contact's four types of presence.
func (s *Server) comesSubscription(u *user, c cleared) error {
	if c.stanza.To().IsFull() { // it is for the account all the same (§3.1.3)
		whole, err := s.again(c, c.stanza.WithAddresses(c.stanza.From(), u.bare), u.bare)
		if err != nil {
			return err
		}
		c = whole
	}
	m := c.stanza
	contact, t := m.From().Bare(), m.Type()
	in, err := s.passIn(u.bare, m)
	if errors.Is(err, ErrTaken) || contact == u.bare {
		return nil
	}
	if err == nil {
		c, err = s.again(c, in, u.bare)
	}
	if err != nil {
		return err
	}
	if t == stanza.PresenceSubscribe && s.crowded(u, contact) {
		s.cfg.Log.Warn("too many requests wait for an account, one is left out", zap.Stringer("account", u.bare), zap.Stringer("contact", contact))
		return nil // as of an account that does not answer
	}
	did, err := u.subscribe(contact, func(was presence.State) (presence.State, presence.Effect) { return was.Comes(t) }, requestBytes(m),
		func(did change) { s.showSubscription(u, c, did.effect) })
	if err != nil { // whether the account exists is nobody's business, so a full roster looks like one that does not answer
		s.cfg.Log.Warn("a subscription could not be kept", zap.Stringer("account", u.bare), zap.Stringer("contact", contact), zap.Error(err))
		return nil
	}
	if did.effect.Answer != stanza.NoType {
		if p, err := tree.Presence(did.effect.Answer, u.bare, contact); err == nil {
			u.submit(p)
		}
	}
	u.say(func() { s.turn(u, contact, did.effect) })
	return nil
}

// crowded reports whether somebody who is not in the roster has to wait until others have their answers. Who is in it need not.
func (s *Server) crowded(u *user, contact jid.JID) bool {
	items, _, err := s.cfg.Book.Store.Roster(s.ctx, u.bare)
	if err != nil {
		return false // whoever writes next says so
	}
	hidden := 0
	for _, i := range items {
		if i.Contact == contact {
			return false
		}
		if i.Hidden {
			hidden++
		}
	}
	return hidden >= maxPending
}

// showSubscription hands what a contact has said to the clients whom it concerns (§3.1.3, §3.1.6).
func (s *Server) showSubscription(u *user, c cleared, e presence.Effect) {
	if !e.Show {
		return
	}
	is := isInterested
	if c.stanza.Type() == stanza.PresenceSubscribe {
		is = isAvailable
	}
	for _, r := range u.some(is) {
		s.give(r, c, tokenNothing)
	}
}

// requestBytes is a request as it is kept: whole, or without what makes it too long.
func requestBytes(m stanza.Stanza) []byte {
	m = m.WithAddresses(m.From().Bare(), m.To().Bare())
	data, err := xmlstream.AppendElement(nil, m.Element(), xmlstream.NSServer)
	if err == nil && len(data) <= maxRequest {
		return data
	}
	bare, err := tree.Presence(stanza.PresenceSubscribe, m.From(), m.To())
	if err != nil {
		return nil
	}
	if data, err = xmlstream.AppendElement(nil, bare.Element(), xmlstream.NSServer); err != nil {
		return nil
	}
	return data
}

// pending shows a client the requests that wait for an answer (§3.1.3), and asks again for what others have not answered: it may never
// have come to them (§3.1.2).
func (s *Server) pending(r *resource) {
	items, _, err := s.cfg.Book.Store.Roster(s.ctx, r.user.bare)
	if err != nil {
		s.cfg.Log.Error("requests that wait cannot be read", zap.Stringer("account", r.user.bare), zap.Error(err))
		return
	}
	for _, i := range items {
		if i.Ask && !s.ours(i.Contact) && !s.blocks(r.user.bare, i.Contact) {
			if p, err := tree.Presence(stanza.PresenceSubscribe, r.user.bare, i.Contact); err == nil {
				r.user.submit(p.WithID(rand.Text()))
			}
		}
		if i.Request == nil || s.blocks(r.user.bare, i.Contact) { // XEP-0191 §3.3
			continue
		}
		m, err := readStanza(i.Request)
		if err != nil {
			s.cfg.Log.Error("a request that waits cannot be read", zap.Stringer("account", r.user.bare), zap.Error(err))
			continue
		}
		if c, err := s.kept(m, r.user.bare); err == nil {
			s.give(r, c, tokenNothing)
		}
	}
}
