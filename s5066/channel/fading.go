package channel

import (
	"math/rand/v2"
	"time"
)

// forgotten is after how many mean times of a state the process no longer knows where it was, and is drawn anew.
const forgotten = 64

// fading is the state of one path over time. It is asked in the order of time, by the Sim that owns it, and draws from a generator of its own.
type fading struct {
	profile Profile
	rng     *rand.Rand
	bad     bool
	since   time.Time // begin of the state
	until   time.Time // its end
	before  []span    // bad spans that ended, as far back as one block may begin
}

type span struct{ from, to time.Time }

// memory is how far back a share may be asked for: more than the deepest block.
const memory = 30 * time.Second

func newFading(p Profile, seed, path uint64, now time.Time) *fading {
	f := &fading{profile: p, rng: rand.New(rand.NewPCG(seed, path))} //nolint:gosec // a simulation is to be repeatable
	f.bad = f.rng.Float64() < p.BadShare()
	f.since, f.until = now, f.end(now)
	return f
}

// end draws when the state that began at t ends.
func (f *fading) end(t time.Time) time.Time {
	rate := f.profile.ToBad
	if f.bad {
		rate = f.profile.ToGood
	}
	if rate <= 0 {
		return t.Add(1 << 62)
	}
	return t.Add(time.Duration(min(f.rng.ExpFloat64()/rate, 1e9) * float64(time.Second)))
}

// advance draws states until one reaches beyond now.
func (f *fading) advance(now time.Time) {
	if slow := min(f.profile.ToBad, f.profile.ToGood); slow > 0 {
		if gap := time.Duration(forgotten / slow * float64(time.Second)); now.Sub(f.until) > gap {
			f.before, f.bad = nil, f.rng.Float64() < f.profile.BadShare()
			f.since = now.Add(-memory)
			f.until = f.end(now)
		}
	}
	for !f.until.After(now) {
		if f.bad {
			f.before = append(f.before, span{f.since, f.until})
		}
		f.bad = !f.bad
		f.since, f.until = f.until, f.end(f.until)
	}
	old := 0
	for old < len(f.before) && now.Sub(f.before[old].to) > memory {
		old++
	}
	f.before = f.before[old:]
}

// share is the part of the time from a to b, which is now, that the path was bad.
func (f *fading) share(a, b time.Time) float64 {
	f.advance(b)
	if !a.Before(b) {
		if f.bad {
			return 1
		}
		return 0
	}
	var bad time.Duration
	for _, s := range f.before {
		bad += overlap(s, a, b)
	}
	if f.bad {
		bad += overlap(span{f.since, f.until}, a, b)
	}
	return float64(bad) / float64(b.Sub(a))
}

func overlap(s span, a, b time.Time) time.Duration {
	if s.from.After(a) {
		a = s.from
	}
	if s.to.Before(b) {
		b = s.to
	}
	return max(0, b.Sub(a))
}
