package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/account"
	"sallyport/server/c2s"
)

var (
	_ c2s.Accounts = (*Server)(nil)
	_ c2s.Sessions = (*Server)(nil)
	_ Core         = (*Server)(nil)
)

// bindWithin is how long a client may take from its resource to its first word.
const bindWithin = time.Minute

// LookUp is c2s.Accounts.
func (s *Server) LookUp(ctx context.Context, q stream.LookUp) (sasl.Reply, error) {
	hash, _ := account.ParseHash(strings.TrimSuffix(strings.TrimPrefix(q.Mechanism, "SCRAM-"), sasl.PlusSuffix)) // else NoHash
	r, err := s.cfg.Directory.Answer(ctx, q.Account, hash, sasl.Question{Want: q.Want, Identity: q.Account.String(), Password: q.Password})
	if err != nil {
		return sasl.Reply{}, fmt.Errorf("login of %s: %w", q.Account, err)
	}
	return r, nil
}

// Bind is c2s.Sessions. A session that has the resource ends for the new one.
func (s *Server) Bind(_ context.Context, x *c2s.Session, want stream.BindWanted) stream.Input {
	return s.bind(x, want)
}

// Arrived is c2s.Sessions.
func (s *Server) Arrived(x *c2s.Session, list []stream.Arrival) { s.arrived(x, list) }

// Event is c2s.Sessions.
func (s *Server) Event(x *c2s.Session, o stream.Output) { s.event(x, o) }

// Closed is c2s.Sessions.
func (s *Server) Closed(x *c2s.Session, end stream.Closed) { s.closed(x, end) }

func (s *Server) bind(x session, want stream.BindWanted) stream.Input {
	full, err := want.Account.WithResource(want.Resource)
	if err != nil || !s.ours(full) {
		return stream.BindRefused{Reason: stream.BindNotAllowed}
	}
	r := &resource{jid: full.Clone(), agent: want.Agent, session: x, bound: s.cfg.Now()}
	u := s.hold(full.Bare())
	r.user = u
	for _, old := range u.all() {
		if old.jid == r.jid || old.agent != "" && old.agent == r.agent {
			s.replaced(old)
		}
	}
	u.mu.Lock()
	var stale []*resource
	for _, old := range u.resources {
		if !old.ready && old.bound.Add(bindWithin).Before(r.bound) {
			stale = append(stale, old)
		}
	}
	crowded := len(u.resources)-len(stale) >= s.limits.Load().Resources
	if !crowded {
		u.resources = append(u.resources, r)
	}
	u.mu.Unlock()
	for _, old := range stale { // it ended before it had a resource, and nothing more will be heard of it
		s.depart(old)
		s.forget(old)
	}
	if crowded {
		u.release()
		return stream.BindRefused{Reason: stream.BindConstraint}
	}
	in := stream.Bound{Resource: r.jid.Resource()}
	if want.Inline {
		s.wishes(r, want.Wishes)
		in.Answers = s.archived(r)
	}
	return in
}

// wishes grants what a client asks for together with its resource (XEP-0386 §3.2), without a word.
func (s *Server) wishes(r *resource, wishes []*xmlstream.Element) {
	for _, w := range wishes {
		if w.Is(nsCarbons, "enable") {
			r.user.mu.Lock()
			r.carbons = true
			r.user.mu.Unlock()
		}
	}
}

// archived says how far the archive goes at this moment (XEP-0386 §3.2), as the feature would that has it: what the client reads there and
// what comes from now on leave no gap. Nothing where nobody knows.
func (s *Server) archived(r *resource) []*xmlstream.Element {
	m, err := tree.IQ(stanza.IQGet, r.jid, r.user.bare, "bind", tree.New("urn:xmpp:mam:2", "metadata"))
	if err != nil {
		return nil
	}
	q := newRequest(m, AtAccount)
	q.Local = true
	h := s.handler(q)
	if h == nil {
		return nil
	}
	if a := h(s.ctx, q); a.Condition == stanza.NoCondition && a.Payload != nil {
		return []*xmlstream.Element{a.Payload}
	}
	return nil
}

// replaced ends a session whose resource another one takes (RFC 6120 §7.7.2.2).
func (s *Server) replaced(r *resource) {
	s.depart(r)
	r.session.Close(stream.Close{Condition: stanza.StreamConflict, Text: "replaced by a new connection"})
}

// event is called under the lock of a session.
func (s *Server) event(x session, o stream.Output) {
	switch o := o.(type) {
	case stream.ClientReady:
		if r := s.resource(x, o.Address); r != nil {
			r.user.mu.Lock()
			r.ready = true
			r.user.mu.Unlock()
		}
	case stream.ClientState:
		if r := s.resource(x, x.Address()); r != nil {
			s.state(r, o.Active)
		}
	case stream.Closed: // and it may come back
		if r := s.resource(x, x.Address()); r != nil && o.Resume != nil {
			s.parked(r, o.Resume)
		}
	case stream.Resumed:
		if r := s.resource(x, x.Address()); r != nil {
			s.state(r, true) // XEP-0352 §5.2
		}
	case stream.Acked:
		s.acked(x.Address().Bare(), o.Items)
		s.relieve(s.resource(x, x.Address()))
	case stream.Unconfirmed:
		s.unconfirmed(x.Address().Bare(), o.Items)
		s.unanswered(x.Address().Bare(), o.Items)
	default: // what was authenticated changes nothing here
	}
}

// resource finds who speaks; nil for a session that was replaced.
func (s *Server) resource(x session, address jid.JID) *resource {
	u := s.find(address.Bare())
	if u == nil {
		return nil
	}
	return u.of(x)
}

// closed is the last word of a session, also of one that was replaced before.
func (s *Server) closed(x session, end stream.Closed) {
	r := s.resource(x, x.Address())
	if r == nil {
		return
	}
	r.line.settle(r)                            // what was said before comes before
	s.unconfirmed(r.user.bare, end.Unconfirmed) // before anything that comes from now on
	s.unanswered(r.user.bare, end.Unconfirmed)
	r.user.receive(func() { r.user.drop(s, nil) }) // or the next one would be given it again
	s.depart(r)
	s.forget(r)
}

// forget lets go of a resource of which nothing more will be heard.
func (s *Server) forget(r *resource) {
	u := r.user
	u.mu.Lock()
	u.leaving = slices.DeleteFunc(u.leaving, func(o *resource) bool { return o == r })
	u.mu.Unlock()
	u.release()
}

// depart takes a resource out and says to whom it matters that it is not there any more. What its client has not acknowledged is
// known only when its session is closed.
func (s *Server) depart(r *resource) {
	u := r.user
	u.mu.Lock()
	if r.gone {
		u.mu.Unlock()
		return
	}
	r.gone = true
	u.resources = slices.DeleteFunc(u.resources, func(o *resource) bool { return o == r })
	u.leaving = append(u.leaving, r)
	u.mu.Unlock()
	s.unavailable(r, stanza.Stanza{})
	u.mu.Lock()
	if len(u.resources) == 0 {
		u.contacts = nil
	}
	u.mu.Unlock()
}
