package links

import "time"

// Bounds of a story.
const (
	maxSteps    = 24
	maxAttempts = 12
	maxWords    = 300 // bytes of one step
)

// Attempt is one try to get a carrier, or to take one that was opened to us, told in plain words.
type Attempt struct {
	At      time.Time
	Address string // host and port
	Inbound bool   // the neighbour opened
	Steps   []Step
	// Up says that it became a carrier. Advice says what the operator can do, when it did not.
	Up     bool
	Advice string
	Ended  time.Time // zero while it goes on
}

// Step is one thing that happened.
type Step struct {
	After time.Duration // since the attempt began
	Words string
}

// Say adds a step; beyond a bound the last one is replaced.
func (a *Attempt) Say(now time.Time, words string) {
	s := Step{After: now.Sub(a.At), Words: oneLine(words)}
	if len(a.Steps) == maxSteps {
		a.Steps[maxSteps-1] = s
		return
	}
	a.Steps = append(a.Steps, s)
}

// Fail ends the attempt with its last step and what to do about it.
func (a *Attempt) Fail(now time.Time, words, advice string) {
	a.Say(now, words)
	a.Advice, a.Ended = advice, now
}

// Story is the latest attempts. The zero value is an empty one. Whoever owns it guards it.
type Story struct{ attempts []*Attempt }

// Begin adds an attempt and forgets the oldest beyond a bound.
func (s *Story) Begin(a *Attempt) {
	if len(s.attempts) == maxAttempts {
		s.attempts = append(s.attempts[:0], s.attempts[1:]...)
	}
	s.attempts = append(s.attempts, a)
}

// Tell returns copies, oldest first.
func (s *Story) Tell() []Attempt {
	out := make([]Attempt, 0, len(s.attempts))
	for _, a := range s.attempts {
		c := *a
		c.Steps = append([]Step(nil), a.Steps...)
		out = append(out, c)
	}
	return out
}

// oneLine makes a foreign text fit for one line.
func oneLine(text string) string {
	b := make([]byte, 0, min(len(text), maxWords))
	for i := 0; i < len(text) && len(b) < maxWords; i++ {
		c := text[i]
		if c < ' ' || c >= 0x7F {
			c = '?'
		}
		b = append(b, c)
	}
	return string(b)
}
