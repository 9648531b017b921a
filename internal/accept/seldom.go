package accept

import (
	"sync"
	"time"
)

// seldomEvery is how often a line in the log says what anybody can bring about as often as he likes. The audit counts the others.
const seldomEvery = time.Minute

// Seldom lets something happen once a minute. Any goroutine may call it.
type Seldom struct {
	mu   sync.Mutex
	last time.Time
}

// May reports whether it may happen now, and if so counts it.
func (s *Seldom) May(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && now.Sub(s.last) < seldomEvery {
		return false
	}
	s.last = now
	return true
}
