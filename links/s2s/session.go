package s2s

import (
	"context"
	"time"

	"sallyport/internal/xmpp/stream"
)

// park keeps the session of a lost inbound stream until its opener resumes it; false when there is no room.
func (l *Link) park(now time.Time, f *flight) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing || !l.parkedIDs.Put(now, f.session) {
		return false
	}
	l.parked[f.session] = f
	return true
}

// findSession answers a peer that wants its session back: from the park, or from a stream whose loss we have not noticed yet. A session
// of somebody else is not found (D15), and nothing happens to it.
func (l *Link) findSession(s *serverStream, id string) {
	now := time.Now()
	f := l.unpark(now, s, id)
	if f == nil {
		f = l.detach(now, s, id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		s.stepLocked(now, stream.SessionFound{ID: id})
		return
	}
	s.resuming = f
	s.stepLocked(now, stream.SessionFound{ID: id, Session: f.session})
}

func (l *Link) unpark(now time.Time, s *serverStream, id string) *flight {
	l.mu.Lock()
	defer l.mu.Unlock()
	for session, f := range l.parked {
		if session.ID() != id || !s.owns(session) {
			continue
		}
		if l.parkedIDs.Take(now, id) == nil {
			return nil
		}
		delete(l.parked, session)
		return f
	}
	return nil
}

// owns reports whether the pair that a session belongs to was proven on this stream. The owner of a parked session never changes,
// and pairs are only added, so the answer needs no lock that the caller may not take: it comes from a copy.
func (s *serverStream) owns(session *stream.Session) bool {
	pairs := s.provenPairs.Load()
	if pairs == nil {
		return false
	}
	for _, p := range *pairs {
		if p == session.Owner() {
			return true
		}
	}
	return false
}

func (l *Link) detach(now time.Time, s *serverStream, id string) *flight {
	for _, other := range l.allStreams() {
		if other == s || other.role != stream.Responder {
			continue
		}
		if f := other.giveSession(now, s, id); f != nil {
			return f
		}
	}
	return nil
}

// giveSession ends this stream, whose session goes on elsewhere.
func (s *serverStream) giveSession(now time.Time, to *serverStream, id string) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil || s.flight.session == nil || s.flight.session.ID() != id || !to.owns(s.flight.session) {
		return nil
	}
	f := s.flight
	session, outs := s.m.Detach(now)
	if session != f.session {
		s.carryOut(now, outs)
		return nil
	}
	s.link.abandon(now, f, f.untrackedTokens())
	f.owner.Store(nil)
	s.flight, s.detached = nil, true
	s.carryOut(now, outs)
	return f
}

// verifyKey asks the authoritative server of the claimed domain about a dialback key, over a stream of its own (XEP-0220 §2.3: never
// the one the key came in on).
func (l *Link) verifyKey(s *serverStream, o stream.VerifyKey) {
	outcome := stream.Unreachable
	if l.enterVerify() {
		outcome = l.askAuthority(s, o)
		l.leaveVerify()
	}
	if outcome == stream.KeyValid {
		l.counters.Verified.Add(1)
	}
	s.step(stream.Verified{Local: o.Local, Remote: o.Remote, ID: o.ID, Outcome: outcome})
}

func (l *Link) askAuthority(s *serverStream, o stream.VerifyKey) stream.Outcome {
	t := l.table()
	p := t.peerOn(s.side, o.Remote)
	if p == nil {
		return stream.BelowPolicy
	}
	limit := t.timing.Dialback
	if limit <= 0 {
		limit = stream.DefaultTiming().Dialback
	}
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	answer := make(chan stream.Outcome, 1)
	var v *serverStream
	err := l.dial(ctx, pairKey{o.Local, o.Remote}, p, func(made *serverStream) {
		v = made
		v.purpose = stream.ForVerify
		v.verify = func(k stream.KeyAnswer) {
			select {
			case answer <- k.Outcome:
			default:
			}
		}
		v.setup(nil)
	})
	if err != nil {
		return stream.Unreachable
	}
	defer v.step(stream.Close{})
	v.step(stream.Verify{Local: o.Local, Remote: o.Remote, ID: o.ID, Key: o.Key})
	select {
	case outcome := <-answer:
		return outcome
	case <-v.dead:
	case <-ctx.Done():
	}
	return stream.NoAnswer
}

func (l *Link) enterVerify() bool {
	limit := l.table().limits.Verifies
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.verifies >= limit {
		return false
	}
	l.verifies++
	return true
}

func (l *Link) leaveVerify() {
	l.mu.Lock()
	l.verifies--
	l.mu.Unlock()
}
