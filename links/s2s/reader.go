package s2s

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
)

// discardTime is how long an element beyond the limits may go on.
const discardTime = 10 * time.Second

// read is the reader: it ends when the connection does.
func (s *serverStream) read() {
	now := time.Now()
	for {
		if l := s.limits.Swap(nil); l != nil {
			s.dec.SetLimits(*l)
		}
		ev, err := s.dec.Next()
		switch {
		case err == nil:
			if !s.event(now, ev) {
				return
			}
		case errors.Is(err, xmlstream.ErrShort):
			if !s.caughtUp() {
				return
			}
			s.limitDiscard(now)
			n, err := s.dec.Fill(s.conn)
			now = time.Now()
			switch {
			case n > 0 || err == nil:
			case errors.Is(err, os.ErrDeadlineExceeded) && !s.discardUntil.IsZero():
				_ = s.wire.SetReadDeadline(time.Time{}) // hangUp sets its own
				s.step(stream.Malformed{Err: &xmlstream.Error{
					Condition: xmlstream.PolicyViolation, Bytes: s.dec.Discarded(), Detail: "an oversized element does not end",
				}})
				_, _ = io.Copy(io.Discard, s.wire)
				return
			default:
				s.step(stream.Lost{Cause: clean(err.Error())})
				return
			}
		default:
			var broken *xmlstream.Error
			if !errors.As(err, &broken) {
				broken = &xmlstream.Error{Condition: "internal-server-error", Detail: "decoder failed"}
			}
			s.step(stream.Malformed{Err: broken})
			_, _ = io.Copy(io.Discard, s.wire) // until the writer has said so and closed; not worth deciphering (A36)
			return
		}
	}
}

// limitDiscard gives a peer discardTime to come to the end of an element that is too large (bad-inputs A15).
func (s *serverStream) limitDiscard(now time.Time) {
	switch discarding := s.dec.Discarded() > 0; {
	case discarding == !s.discardUntil.IsZero():
		return
	case discarding:
		s.discardUntil = now.Add(discardTime)
	default:
		s.discardUntil = time.Time{}
	}
	_ = s.wire.SetReadDeadline(s.discardUntil) // of a closed connection: the next read says so
}

// event takes one event; false ends the reader.
func (s *serverStream) event(now time.Time, ev xmlstream.Event) bool {
	if ev.Kind == xmlstream.ElementEvent {
		s.mu.Lock()
		a, ok := s.m.Receive(now, ev.Element, ev.Bytes)
		var p *proven
		if ok {
			p = s.provenFor(&a)
		}
		f := s.flight
		s.mu.Unlock()
		if ok {
			s.arrive(now, &a, p, f)
			return true
		}
	}
	buffered := s.dec.Buffered()
	if s.version == 0 { // clear text below the decoder counts too; above TLS it is ciphertext of what follows
		buffered += s.wire.buffered()
	}
	s.mu.Lock()
	s.stepLocked(now, stream.Received{Event: ev, Buffered: buffered})
	arrivals, order, f := s.arrivals, s.order, s.flight
	s.arrivals, s.order = nil, nil
	s.mu.Unlock()
	for i := range arrivals {
		s.mu.Lock()
		p := s.provenFor(&arrivals[i])
		s.mu.Unlock()
		s.arrive(now, &arrivals[i], p, f)
	}
	if order != nil {
		return s.secure(*order)
	}
	return true
}

// secure makes TLS in the middle of the stream.
func (s *serverStream) secure(o stream.StartTLS) bool {
	if err := s.flushBefore(); err != nil {
		s.step(stream.Lost{Cause: clean(err.Error())})
		return false
	}
	facts, err := s.handshake(o.Server, o.Local, o.Remote, false)
	if err != nil {
		s.step(stream.SecureFailed{Cause: clean(err.Error())})
		_, _ = io.Copy(io.Discard, s.wire)
		return false
	}
	s.step(stream.Secured{TLS: facts})
	return true
}

// provenFor returns what is known of an arrival's pair. It need not have been announced yet (on a bidirectional stream the responder may
// send as soon as it knows us), and the address to us may be unusable. Caller holds mu.
func (s *serverStream) provenFor(a *stream.Arrival) *proven {
	if s.last != nil && s.lastPair == a.Pair {
		return s.last
	}
	p := s.inbound[a.Pair]
	if p == nil {
		peer := s.link.table().peerOn(s.side, a.Pair.Remote)
		if peer == nil {
			return nil
		}
		p = &proven{peer: peer.Name, proof: s.proof(a.Method, a.Pair.Remote)}
	}
	s.last, s.lastPair = p, stream.Pair{Local: a.Pair.Local.Clone(), Remote: a.Pair.Remote.Clone()}
	return p
}

// arrive hands one arrival up. Nothing is locked: the sink may block.
func (s *serverStream) arrive(now time.Time, a *stream.Arrival, p *proven, f *flight) {
	c := &s.link.counters
	c.StanzasIn.Add(1)
	c.BytesIn.Add(uint64(a.Bytes)) //nolint:gosec // a length
	if a.Problem == stream.NoProblem && s.link.isPong(a.Stanza) {
		s.link.pong(a.Stanza)
		f.Settled(a.Seq)
		return
	}
	if p == nil { // the table was replaced in between; recheck closes the stream
		f.Settled(a.Seq)
		return
	}
	in := links.Inbound{
		Stanza: a.Stanza, Malformed: a.Malformed, Bytes: a.Bytes, Link: s.link.name, Side: s.side, Peer: p.peer,
		Domain: a.Pair.Remote, LocalDomain: a.Pair.Local, Proof: p.proof, Time: now, Receipt: f, Seq: a.Seq,
	}
	switch a.Problem {
	case stream.NoProblem:
	case stream.BadStanza:
		c.BadStanzas.Add(1)
	case stream.Oversize:
		c.Oversize.Add(1)
	case stream.NotHosted:
		c.NotHosted.Add(1)
		in.Stanza, in.Malformed = stanza.Stanza{}, notHosted(a.Stanza)
	}
	s.held.Store(true)
	s.link.sink.Accept(s.ctx, in)
	s.held.Store(false)
}

// notHosted is how a stanza for somebody else's domain is refused: answered, never relayed (H01).
func notHosted(st stanza.Stanza) *stanza.Malformed {
	return &stanza.Malformed{
		Stanza: stanza.ItemNotFound, Kind: st.Kind(), Type: st.Type(), ID: st.ID(), To: st.To(), From: st.From(),
		Detail: "the domain is not hosted on this side", Element: st.Element(),
	}
}

// caughtUp waits until few enough arrivals are unsettled to read on; false when the stream is over.
func (s *serverStream) caughtUp() bool {
	for {
		s.mu.Lock()
		f, over := s.flight, s.closed != nil
		f.paused.Store(true) // before the question, so that no receipt falls between
		wait := !over && s.m.ReadPaused()
		if !wait {
			f.paused.Store(false)
		}
		s.mu.Unlock()
		if over {
			_, _ = io.Copy(io.Discard, s.conn)
			return false
		}
		if !wait {
			return true
		}
		s.held.Store(true)
		select {
		case <-s.resumed:
		case <-s.ctx.Done():
		}
		s.held.Store(false)
		if s.ctx.Err() != nil {
			s.step(stream.Lost{Cause: "cancelled"})
			return false
		}
	}
}

// isPong tells an answer to a ping of ours from all others by an id that nobody can guess.
func (l *Link) isPong(st stanza.Stanza) bool {
	return st.IsResponse() && strings.HasPrefix(st.ID(), l.pingPrefix)
}
