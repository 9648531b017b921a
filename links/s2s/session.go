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

// hasParked reports whether a lost session of the pair waits to be resumed.
func (l *Link) hasParked(pair stream.Pair) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for session := range l.parked {
		if session.Owner() == pair {
			return true
		}
	}
	return false
}

// findSession answers a peer that wants its session back: from the park, or from a stream whose loss we have not noticed yet. A session
// that the machine would not take over is not found (D15), and nothing happens to it.
func (l *Link) findSession(s *serverStream, id string) {
	now := time.Now()
	f := l.unpark(now, s, id)
	if f == nil {
		f = l.detach(now, s, id)
	}
	if f == nil { // the old stream may have ended between the two looks
		f = l.unpark(now, s, id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case f == nil:
		s.stepLocked(now, stream.SessionFound{ID: id})
	case s.closed != nil:
		s.returnFlight(now, f)
	default:
		s.resuming = f
		f.owner.Store(s) // the last receipt of the lost stream is what the machine waits for
		s.stepLocked(now, stream.SessionFound{ID: id, Session: f.session})
	}
}

// returnFlight parks a session that could not be resumed after all.
func (s *serverStream) returnFlight(now time.Time, f *flight) {
	f.owner.Store(nil)
	if !s.link.park(now, f) {
		s.abandon(now, f)
	}
}

func (l *Link) unpark(now time.Time, s *serverStream, id string) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	session := l.parkedIDs.Find(now, id)
	if session == nil || !s.m.MayResume(session) {
		return nil
	}
	l.parkedIDs.Take(now, id)
	f := l.parked[session]
	delete(l.parked, session)
	return f
}

func (l *Link) detach(now time.Time, s *serverStream, id string) *flight {
	for _, other := range l.allStreams() {
		if other == s || other.role != stream.Responder {
			continue
		}
		session := other.sessionNamed(id)
		if session == nil {
			continue
		}
		s.mu.Lock() // one stream's lock at a time
		may := s.m.MayResume(session)
		s.mu.Unlock()
		if may {
			return other.giveSession(now, session)
		}
	}
	return nil
}

func (s *serverStream) sessionNamed(id string) *stream.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil || s.flight == nil || s.flight.session.ID() != id || id == "" {
		return nil
	}
	return s.flight.session
}

// giveSession ends this stream, whose session goes on elsewhere.
func (s *serverStream) giveSession(now time.Time, session *stream.Session) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil || s.flight.session != session {
		return nil
	}
	detached, outs := s.m.Detach(now)
	if detached != session {
		s.carryOut(now, outs)
		return nil
	}
	f := s.flight
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
