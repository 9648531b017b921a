package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// maxAsking bounds how many requests of ours wait for their answers.
const maxAsking = 10_000

// routeKey finds who handles a request.
type routeKey struct {
	at           Target
	space, local string
}

// index makes the table of routes. Two features must not want the same request.
func (s *Server) index() error {
	s.routes = make(map[routeKey]func(context.Context, *Request) Answer)
	for _, f := range s.features {
		for _, route := range f.IQ {
			for _, at := range route.At {
				k := routeKey{at, route.Space, route.Local}
				if s.routes[k] != nil || route.Handle == nil {
					return fmt.Errorf("server: feature %s wants %s %s, which is another's, or does not handle it", f.Name, route.Space, route.Local)
				}
				s.routes[k] = route.Handle
			}
		}
	}
	return nil
}

// handler is who answers a request, nil for nobody.
func (s *Server) handler(q *Request) func(context.Context, *Request) Answer {
	if h := s.routes[routeKey{q.At, q.Payload.Space(), q.Payload.Local()}]; h != nil {
		return h
	}
	return s.routes[routeKey{q.At, q.Payload.Space(), ""}]
}

// answerHere answers a client's request to its own account or to a domain of ours.
func (s *Server) answerHere(m *sent) {
	defer m.settle()
	q := newRequest(m.stanza, AtAccount)
	q.Local = true
	if m.stanza.To().IsDomain() {
		q.At, q.Account = AtServer, jid.JID{}
	}
	h := s.handler(q)
	if h == nil {
		s.refuse(m, stanza.ServiceUnavailable, stanza.ErrorOptions{})
		return
	}
	if a := h(s.ctx, q); !a.Later {
		s.reply(q, &a)
	}
}

func newRequest(m stanza.Stanza, at Target) *Request {
	return &Request{
		Stanza: m, Payload: m.Payload(), Set: m.Type() == stanza.IQSet, At: at,
		From: m.From(), Account: m.To().Bare(), Domain: m.To().DomainJID(),
	}
}

// Answer gives the answer to a request that was left for later.
func (s *Server) Answer(q *Request, a Answer) { s.reply(q, &a) }

// reply says an answer: to a client of ours at once, to everybody else through the gate.
func (s *Server) reply(q *Request, a *Answer) {
	m, err := answerStanza(q, a)
	if err != nil {
		s.cfg.Log.Error("an answer could not be made", zap.Error(err))
		m, _ = stanza.ErrorReply(q.Stanza, stanza.InternalServerError, stanza.ErrorOptions{})
	}
	if !q.Local {
		u := s.hold(q.Stanza.To().Bare())
		u.submit(m)
		u.release()
	} else if r := s.connected(q.From); r != nil && !s.tell(r, m) && a.Condition == stanza.NoCondition {
		if m, ok := stanza.ErrorReply(q.Stanza, stanza.PolicyViolation, stanza.ErrorOptions{}); ok { // he must not see it, but know it
			s.tell(r, m)
		}
	}
	if a.Then != nil {
		a.Then()
	}
}

func (s *Server) connected(full jid.JID) *resource {
	if u := s.find(full.Bare()); u != nil {
		return u.named(full)
	}
	return nil
}

func answerStanza(q *Request, a *Answer) (stanza.Stanza, error) {
	if a.Condition != stanza.NoCondition {
		m, ok := stanza.ErrorReply(q.Stanza, a.Condition, stanza.ErrorOptions{Text: a.Text, App: a.App})
		if !ok {
			return m, errors.New("no error can be made for the request")
		}
		return m, nil
	}
	return tree.IQ(stanza.IQResult, q.Stanza.To(), q.From, q.Stanza.ID(), a.Payload)
}

// ---- requests of ours

// waiter is a request that waits for its answer.
type waiter struct {
	from, to jid.JID
	answer   chan stanza.Stanza
}

// Ask is Core.
func (s *Server) Ask(ctx context.Context, request stanza.Stanza) (stanza.Stanza, error) {
	request = request.WithID(rand.Text())
	w := waiter{request.From(), request.To(), make(chan stanza.Stanza, 1)}
	s.asking.Lock()
	if len(s.waiting) >= maxAsking {
		s.asking.Unlock()
		return stanza.Stanza{}, errors.New("too many requests wait for answers")
	}
	s.waiting[request.ID()] = w
	s.asking.Unlock()
	defer func() {
		s.asking.Lock()
		delete(s.waiting, request.ID())
		s.asking.Unlock()
	}()
	s.Submit(ctx, request)
	select {
	case a := <-w.answer:
		return a, nil
	case <-ctx.Done():
		return stanza.Stanza{}, ctx.Err()
	case <-s.ctx.Done():
		return stanza.Stanza{}, errors.New("the server is closing")
	}
}

// answered gives an answer to who waits for it. An id alone proves nothing (bad-inputs H07).
func (s *Server) answered(m stanza.Stanza) bool {
	s.asking.Lock()
	defer s.asking.Unlock()
	w, ok := s.waiting[m.ID()]
	if !ok || w.to != m.From() || w.from != m.To() {
		return false
	}
	select {
	case w.answer <- m:
	default: // a second one
	}
	return true
}

// unanswered tells who has asked a client something that it will not answer: its session ended before it acknowledged the request
// (XEP-0198 §4). It may be called under the lock of a session.
func (s *Server) unanswered(bare jid.JID, items []stream.Item) {
	for _, it := range items {
		if it.Token&(1<<tokenBits-1) != tokenRequest {
			continue
		}
		m, err := stanza.From(it.Element)
		if err != nil {
			s.cfg.Log.Error("a request that was sent cannot be read again", zap.Error(err))
			continue
		}
		u := s.hold(bare)
		s.bounce(u, m, refusal(errGone))
		u.release()
	}
}

// legacySession answers what RFC 3921 wanted before anything else; there is nothing to do.
func legacySession() Feature {
	return Feature{Name: "session", IQ: []IQRoute{{
		Space: nsLegacySession, Local: "session", At: []Target{AtAccount, AtServer},
		Handle: func(context.Context, *Request) Answer { return Answer{} },
	}}}
}

// pushed are namespaces in which only the own server gives orders to a client (bad-inputs H09).
func pushed(payload *xmlstream.Element) bool {
	switch payload.Space() {
	case nsRoster, nsCarbons, "urn:xmpp:blocking", "jabber:iq:privacy":
		return true
	}
	return false
}
