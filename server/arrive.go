package server

import (
	"context"
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/tree"
)

// sent is one stanza of a client of ours on its way.
type sent struct {
	by      *resource
	stanza  stanza.Stanza
	arrival stream.Arrival
	settled bool
	after   chan struct{} // no stanza: closed when all before it is dealt with
}

// arrived takes stanzas of a client, in their order. It may wait for room: behind other stanzas of the client, or at the gate.
func (s *Server) arrived(x session, list []stream.Arrival) {
	var (
		r        = s.resource(x, list[0].Pair.Remote)
		all      = make([]sent, len(list))
		messages = make([]*sent, 0, len(list)) // that stand next to each other
		now      = s.cfg.Now()
	)
	for i := range list {
		m := &all[i]
		m.by, m.stanza, m.arrival = r, list[i].Stanza, list[i]
		switch {
		case r == nil, r.left(): // replaced meanwhile; nothing of it counts any more, so nothing of it is acknowledged
		case s.tooFast(m, now):
		case m.isMessage():
			messages = append(messages, m)
		default:
			s.send(r, messages)
			messages = messages[:0]
			if r.line.busy() {
				r.wait(m)
			} else {
				s.deal(m)
			}
		}
	}
	s.send(r, messages)
}

// quickly is within what messages of a client go through the features where nothing is kept on disk. Else those that come next wait in the
// line, so that its reader can go on.
const quickly = 200 * time.Microsecond

// send sends messages of a client behind what it has sent before: at once where nothing is before them and nothing has to be kept.
func (s *Server) send(r *resource, messages []*sent) {
	switch {
	case len(messages) == 0:
	case r.line.quick.Load() && !r.line.busy():
		s.sendMessages(r, messages)
	default:
		r.wait(messages...)
	}
}

func (m *sent) isMessage() bool {
	return m.arrival.Problem == stream.NoProblem && m.after == nil && m.stanza.Kind() == stanza.Message
}

// deal does what one stanza of a client asks for that is no message.
func (s *Server) deal(m *sent) {
	switch {
	case m.arrival.Problem != stream.NoProblem:
		s.malformed(m)
	case m.stanza.Kind() == stanza.Presence:
		s.sendPresence(m)
	default:
		s.sendIQ(m)
	}
}

// settle tells the client that we have taken responsibility, or that there is none to take.
func (m *sent) settle() {
	if !m.settled {
		m.settled = true
		m.by.session.Settled(&m.arrival)
	}
}

// malformed answers what is no stanza.
func (s *Server) malformed(m *sent) {
	defer m.settle()
	if m.arrival.Malformed == nil {
		return
	}
	if reply, ok := m.arrival.Malformed.Reply(m.by.jid.DomainJID(), stanza.ErrorOptions{}); ok {
		s.tell(m.by, reply)
	}
}

// refuse answers a stanza of a client with an error, and settles it.
func (s *Server) refuse(m *sent, c stanza.Condition, opts stanza.ErrorOptions) {
	defer m.settle()
	reply, ok := stanza.ErrorReply(m.stanza, c, opts)
	if !ok || s.tell(m.by, reply) || s.ours(m.stanza.To()) {
		return
	}
	if r, ok := s.cfg.Gate.Refusal(m.stanza, c); ok { // or who asks would wait for ever (RFC 6120 §8.2.3)
		s.give(m.by, released(&r), tokenNothing)
	}
}

// refused is refuse by an error.
func (s *Server) refused(m *sent, err error) {
	opts := stanza.ErrorOptions{}
	var b *Bounce
	if errors.As(err, &b) {
		opts.App = b.App
	}
	s.refuse(m, conditionOf(err), opts)
}

// conditionOf is what the sender is told of an error; what is not a Bounce is a fault of ours.
func conditionOf(err error) stanza.Condition {
	var b *Bounce
	switch {
	case errors.As(err, &b):
		return b.Condition
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return stanza.ResourceConstraint
	}
	return Fault(err).Condition
}

// submit gives a stanza of a client into judgement; the client is told when responsibility has passed on.
func (s *Server) submit(m *sent) {
	s.cfg.Gate.Submit(s.saying, m.stanza, m.arrival.Bytes, m.settle)
}

// sending shows a stanza to the features before it is judged. False: it goes no further, and is settled.
func (s *Server) sending(m *sent) bool {
	out, err := s.passOut(m.by.user.bare, m.stanza)
	return s.seen(m, out, err)
}

// seen is what the features have said of a stanza.
func (s *Server) seen(m *sent, out stanza.Stanza, err error) bool {
	switch {
	case err == nil:
		m.stanza = out
		return true
	case errors.Is(err, ErrTaken):
		m.settle()
	default:
		s.refused(m, err)
	}
	return false
}

// sendMessages are messages of one client (RFC 6121 §8.1.1.1: one without 'to' is for the own account).
func (s *Server) sendMessages(r *resource, list []*sent) {
	p := somePassage.Get().(*passage)
	defer p.free()
	for _, m := range list {
		own := m.by.user.bare
		one := Passing{Account: own, Stanza: m.stanza, Out: true, Self: m.stanza.To().Bare() == own}
		if manyAddresses(m.stanza) {
			one.Err = &Bounce{Condition: stanza.PolicyViolation, Cause: errors.New("too many addresses")}
		}
		p.list = append(p.list, one)
	}
	began := s.cfg.Now()
	s.pass(p.list)
	r.line.quick.Store(s.cfg.Now().Sub(began) < quickly)
	for i, m := range list {
		if s.seen(m, p.list[i].Stanza, p.list[i].Err) {
			s.submitMessage(m)
			s.copySent(m, p.list[i].Kept)
		}
	}
}

// maxAddresses bounds the list of recipients that a message carries (XEP-0033, bad-inputs H12). We send to none of them; somebody else
// may.
const maxAddresses = 20

func manyAddresses(m stanza.Stanza) bool {
	n := 0
	for list := range m.Element().Children() {
		if !list.Is("http://jabber.org/protocol/address", "addresses") {
			continue
		}
		for range list.Children() {
			n++
		}
	}
	return n > maxAddresses
}

// sendIQ answers what is for the own account or a domain of ours, and passes everything else on.
func (s *Server) sendIQ(m *sent) {
	to := m.stanza.To()
	switch {
	case m.stanza.IsRequest() && (to == m.by.user.bare || to.IsDomain() && s.ours(to)):
		s.answerHere(m)
	case m.stanza.IsResponse() && s.answered(m.stanza):
		m.settle()
	case to == m.by.user.bare || to.IsDomain() && s.ours(to): // an answer that nobody waits for
		m.settle()
	case s.blocks(m.by.user.bare, to): // XEP-0191 §3.3
		s.refuse(m, stanza.NotAcceptable, stanza.ErrorOptions{App: tree.New("urn:xmpp:blocking:errors", "blocked")})
	default:
		s.submit(m)
	}
}

// blocks asks the features whether anything passes between an account and somebody.
func (s *Server) blocks(account, other jid.JID) bool {
	for i := range s.features {
		if f := s.features[i].Blocks; f != nil && f(s.ctx, account, other) {
			return true
		}
	}
	return false
}
