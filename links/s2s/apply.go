package s2s

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/links"
	"sallyport/peering"
)

// resumeGrace is how long the pairs of a lost bidirectional stream wait for its opener to come back before we dial ourselves, so that
// what was in the air is not overtaken.
const resumeGrace = 5 * time.Second

// enableGrace is how long a responder leaves the opener of a bidirectional stream to turn on stream management or to resume, so that
// what it sends is tracked and does not overtake what is to be sent again.
const enableGrace = time.Second

// parkedGrace is enableGrace where a lost session of the pair waits to be resumed: the opener asks for it only when everything it
// received on it is settled, and what is sent before would overtake it, on a stream that cannot be resumed.
const parkedGrace = 30 * time.Second

// step gives the machine one input and carries out what follows, but for what only the reader can do.
func (s *serverStream) step(in stream.Input) {
	s.mu.Lock()
	s.stepLocked(time.Now(), in)
	s.mu.Unlock()
}

func (s *serverStream) stepLocked(now time.Time, in stream.Input) {
	if s.closed != nil {
		return
	}
	outs := s.m.Step(now, in)
	s.carryOut(now, outs)
}

// carryOut executes outputs in order. Caller holds mu.
func (s *serverStream) carryOut(now time.Time, outs []stream.Output) {
	s.adopt()
	for _, o := range outs {
		s.apply(now, o)
	}
	if d := s.m.Deadline(); s.deadline.IsZero() || d.Before(s.deadline) {
		s.wake() // to set the timer earlier
	}
}

func (s *serverStream) apply(now time.Time, out stream.Output) {
	switch o := out.(type) {
	case stream.Write:
		s.out = append(s.out, o.Data...)
		s.wake()
	case stream.StartTLS:
		s.order = &o
	case stream.RestartDecoder: // follows only from what the reader read
		s.dec.Restart(o.Limits)
	case stream.SetLimits:
		s.limits.Store(&o.Limits)
	case stream.Ready:
		s.onReady(now, o)
	case stream.Authorised:
		s.onAuthorised(now, o)
	case stream.Rejected:
		s.onRejected(o)
	case stream.Deliver: // follows only from what the reader read
		s.arrivals = append(s.arrivals, o.Arrival)
	case stream.VerifyKey:
		s.link.background(func() { s.link.verifyKey(s, o) })
	case stream.KeyAnswer:
		if s.verify != nil {
			s.verify(o)
		}
	case stream.ResumeWanted:
		s.link.background(func() { s.link.findSession(s, o.ID) })
	case stream.Acked:
		s.link.counters.Delivered.Add(uint64(s.tracking().acked(o.Items))) //nolint:gosec // a length
		s.unstick()
	case stream.Unconfirmed:
		s.onUnconfirmed(now, o.Items)
	case stream.Resumed:
		s.link.counters.Resumed.Add(1)
		s.link.counters.Resent.Add(uint64(o.Resent)) //nolint:gosec // a count
	case stream.SessionReturned:
		if f := s.resuming; f != nil && f.session == o.Session {
			s.resuming = nil
			s.returnFlight(now, f)
		}
	case stream.Closed:
		s.onClosed(now, o)
	case stream.Fact:
		s.onFact(o)
	}
}

func (s *serverStream) onReady(now time.Time, o stream.Ready) {
	s.ready, s.isReady = o, true
	s.link.counters.Established.Add(1)
	if s.resuming != nil && !o.Resumed { // refused: nobody will ever confirm these
		s.abandon(now, s.resuming)
		s.resuming = nil
	}
	if s.purpose == stream.ForVerify {
		s.fail(nil)
	}
}

// abandon settles a flight whose session is gone.
func (s *serverStream) abandon(now time.Time, f *flight) { s.link.abandon(now, f, f.tokens()) }

func (s *serverStream) onUnconfirmed(now time.Time, items []stream.Item) {
	f := s.tracking()
	tokens := make([]uint64, len(items))
	for i := range items {
		tokens[i] = items[i].Token
	}
	s.link.abandon(now, f, tokens)
}

// tracking is the flight whose tokens the machine speaks of: that of a session to be resumed, as long as there is one.
func (s *serverStream) tracking() *flight {
	if s.resuming != nil {
		return s.resuming
	}
	return s.flight
}

// onAuthorised notes a proven pair. From here on the stream counts as authenticated.
func (s *serverStream) onAuthorised(now time.Time, o stream.Authorised) {
	p := s.link.table().peerOn(s.side, o.Remote)
	if p == nil { // the table was replaced in between; recheck closes the stream
		return
	}
	s.isProven = true
	s.link.authenticated(s)
	pair := stream.Pair{Local: o.Local.Clone(), Remote: o.Remote.Clone()}
	if o.Direction == stream.Inbound {
		s.inbound[pair] = &proven{peer: p.Name, proof: s.proof(o.Method, o.Remote)}
		limits := s.link.table().limitsFor(p)
		s.limits.Store(&limits)
	} else {
		s.outbound[pair] = o.RemoteProven
		if s.role == stream.Responder && p.StreamManagement && s.holdOff.IsZero() {
			s.holdOff = now.Add(enableGrace)
			if s.link.hasParked(pair) {
				s.holdOff = now.Add(parkedGrace)
			}
		}
		s.serve(s.link.existing(pairKey{pair.Local, pair.Remote}))
		if s.role == stream.Initiator && pair == s.key.pair() {
			s.fail(nil)
		}
	}
	s.log.Info("pair proven", zap.Stringer("direction", o.Direction), zap.Stringer("method", o.Method),
		zap.String("local", o.Local.ShowDomain()), zap.String("remote", o.Remote.ShowDomain()), zap.String("peer", p.Name))
	s.observe(Event{Kind: EventUp, Local: o.Local, Remote: o.Remote, Reason: o.Method.String(), Detail: o.Direction.String()})
}

func (s *serverStream) proof(m stream.Method, remote jid.JID) peering.Proof {
	proof := peering.Proof{TLS: s.version}
	switch m {
	case stream.ByExternal, stream.ByCertificateDialback, stream.ByServerCertificate:
		proof.Method = peering.External
	case stream.ByDialback, stream.ByResolution:
		proof.Method = peering.Dialback
	case stream.NoMethod:
	}
	if s.cert != nil {
		v, reason := s.cert.judge(remote)
		proof.Pinned = reason == tlsid.OK && v.Pinned
	}
	return proof
}

// serve takes over a queue that has no other stream.
func (s *serverStream) serve(q *queue) {
	if q == nil || s.closed != nil || !q.bind(s) {
		return
	}
	for _, l := range s.lanes {
		if l.q == q {
			return
		}
	}
	s.lanes = append(s.lanes, &lane{q: q})
	s.wake()
}

// onRejected: the peer did not accept a pair. On its own stream the caller of dial answers the senders; on a shared one the pair gets a
// stream of its own once, as XEP-0220 §2.5 allows for resource-constraint.
func (s *serverStream) onRejected(o stream.Rejected) {
	err := &links.Bounce{Condition: o.Condition, Cause: fmt.Errorf("peer rejected the pair: %s", o.Said)}
	if s.role == stream.Initiator && o.Pair == s.key.pair() {
		s.fail(err)
		return
	}
	if q := s.link.existing(pairKey{o.Local, o.Remote}); q != nil {
		s.link.alone(q)
	}
}

// onClosed is the end: what waits goes back to its queues, what is in the air is decided, the writer closes the socket.
func (s *serverStream) onClosed(now time.Time, o stream.Closed) {
	s.closed = &o
	l := s.link
	l.counters.Closed.Add(1)
	if !o.Clean {
		l.counters.Lost.Add(1)
	}
	for _, lane := range s.lanes { // the newest back first, what is in the air goes before it
		lane.q.putBack(lane.pending[lane.next:])
		lane.pending, lane.next = nil, 0
	}
	if q := l.existing(s.key); q != nil {
		q.untake(s)
	}
	parked := s.settleFlights(now, o) || s.detached
	for _, lane := range s.lanes {
		l.orphaned(now, lane.q, s, parked)
	}
	for _, p := range o.Pending {
		if q := l.existing(pairKey{p.Local, p.Remote}); q != nil && (s.role != stream.Initiator || p != s.key.pair()) {
			l.alone(q)
		}
	}
	switch o.Cause {
	case stream.AuthFailed:
		l.counters.AuthFailed.Add(1)
	case stream.TLSFailed:
		l.counters.TLSFailed.Add(1)
	case stream.PeerError, stream.OurError:
		l.counters.StreamErrors.Add(1)
	case stream.NoCause, stream.Finished, stream.ClosedByPeer, stream.ConnLost, stream.CloseTimedOut:
	}
	s.log.Info("stream closed", zap.Stringer("cause", o.Cause), zap.Stringer("condition", o.Condition), zap.String("detail", o.Detail))
	pair := s.proven()
	s.observe(Event{Kind: EventDown, Local: pair.Local, Remote: pair.Remote, Reason: reasonOf(o), Detail: o.Detail, Bytes: o.Bytes})
	s.fail(closedError(o))
	s.wake()
}

// proven is the pair a stream was opened for, or what was proven on it: for a stream with many, any one. Zero while nobody is known.
func (s *serverStream) proven() stream.Pair {
	if s.role == stream.Initiator {
		return s.key.pair()
	}
	if s.last != nil {
		return s.lastPair
	}
	for pair := range s.inbound {
		return pair
	}
	return stream.Pair{}
}

// settleFlights decides about everything in the air. It reports whether the session waits in the park for the peer to come back.
func (s *serverStream) settleFlights(now time.Time, o stream.Closed) (parked bool) {
	f := s.flight
	if s.resuming != nil {
		if o.Resume == s.resuming.session && o.Resume != nil {
			f, s.resuming = s.resuming, s.flight
		}
		s.abandon(now, s.resuming)
		s.resuming = nil
	}
	switch {
	case o.Clean:
		s.link.counters.Delivered.Add(uint64(f.landed())) //nolint:gosec // a count
	case o.Resume != nil && o.Resume == f.session:
		s.link.abandon(now, f, f.untrackedTokens())
		f.owner.Store(nil)
		return s.keepSession(now, f)
	default:
		s.abandon(now, f)
	}
	f.owner.Store(nil)
	return false
}

// keepSession remembers a session that can be resumed: the initiator resumes it with its next stream, the responder parks it.
func (s *serverStream) keepSession(now time.Time, f *flight) (parked bool) {
	if s.role == stream.Initiator {
		q := s.link.queue(s.key)
		if q == nil || !q.keep(now, f) {
			s.abandon(now, f)
			return false
		}
		s.link.need(now, q)
		return false
	}
	if !s.link.park(now, f) {
		s.abandon(now, f)
		return false
	}
	return true
}

func (s *serverStream) onFact(o stream.Fact) {
	c := &s.link.counters
	switch o.Kind {
	case stream.FactUnsolicited:
		c.Unsolicited.Add(1)
	case stream.FactSpoof, stream.FactSelfSpoof:
		c.Spoofed.Add(1)
	default:
	}
	s.log.Warn("stream event", zap.Stringer("kind", o.Kind), zap.String("local", o.Local.ShowDomain()),
		zap.String("remote", o.Remote.ShowDomain()), zap.String("detail", o.Detail))
	s.observe(Event{Kind: o.Kind.String(), Local: o.Local, Remote: o.Remote, Detail: o.Detail})
}

func reasonOf(o stream.Closed) string {
	if o.Condition != stanza.NoStreamCondition {
		return o.Condition.String()
	}
	return o.Cause.String()
}

// errStream is wrapped by what dial returns when a stream ended before its pair was proven.
var errStream = errors.New("stream ended")

func closedError(o stream.Closed) error {
	err := fmt.Errorf("%w: %s %s", errStream, reasonOf(o), o.Detail)
	switch o.Condition {
	case stanza.StreamHostUnknown, stanza.StreamHostGone:
		return &links.Bounce{Condition: stanza.RemoteServerNotFound, Cause: err}
	default:
		return fmt.Errorf("%w: %w", links.ErrUnreachable, err)
	}
}

// clean makes a foreign error text fit for one log line.
func clean(text string) string {
	b := make([]byte, 0, min(len(text), stream.MaxLogBytes))
	for i := 0; i < len(text) && len(b) < stream.MaxLogBytes; i++ {
		if c := text[i]; c < ' ' || c >= 0x7F {
			b = append(b, '?')
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
