package stream

import "time"

// Park keeps sessions whose streams were lost until somebody resumes them or
// their time is over. Owned by the edge, under its lock: Take removes, so of
// two resumers exactly one wins (D20).
type Park struct {
	byID map[string]*Session
	max  int
}

// NewPark returns a park for at most max sessions.
func NewPark(max int) *Park { return &Park{byID: make(map[string]*Session), max: max} }

// Put parks a session. False: it cannot be resumed or there is no room; its
// items are unconfirmed and must be taken out now.
func (p *Park) Put(now time.Time, s *Session) bool {
	if s == nil || !s.Resumable() || len(p.byID) >= p.max {
		return false
	}
	s.expires = now.Add(s.maxWait)
	p.byID[s.id] = s
	return true
}

// Find returns the session with this id without removing it, or nil: to ask Machine.MayResume first.
func (p *Park) Find(now time.Time, id string) *Session {
	if s := p.byID[id]; s != nil && now.Before(s.expires) {
		return s
	}
	return nil
}

// Take removes and returns the session with this id, or nil.
func (p *Park) Take(now time.Time, id string) *Session {
	s := p.Find(now, id)
	if s != nil {
		delete(p.byID, id)
	}
	return s
}

// Expired removes and returns the sessions whose time is over.
func (p *Park) Expired(now time.Time) []*Session {
	var gone []*Session
	for id, s := range p.byID {
		if !now.Before(s.expires) {
			delete(p.byID, id)
			gone = append(gone, s)
		}
	}
	return gone
}

// Deadline is when the next session expires; zero when none is parked.
func (p *Park) Deadline() time.Time {
	var next time.Time
	for _, s := range p.byID {
		if next.IsZero() || s.expires.Before(next) {
			next = s.expires
		}
	}
	return next
}

// Len is the number of parked sessions.
func (p *Park) Len() int { return len(p.byID) }
