package audit

import (
	"sync"
	"time"
)

// Limits of Throttle.
const (
	throttlePeriod  = time.Minute
	throttleSources = 4096
)

// Throttle allows one record per source and minute for events that hostile input could cause without end, and counts the
// rest. When it knows too many sources, new ones share the source "". The zero value is ready; safe for concurrent use.
type Throttle struct {
	mu      sync.Mutex
	sources map[string]*throttled
	swept   time.Time
}

type throttled struct {
	until      time.Time
	suppressed uint32
}

// Allow tells whether an event of a source may be recorded now. The count for Record.Count is 1 and as many as were
// suppressed since the last record of the source.
func (t *Throttle) Allow(now time.Time, source string) (count uint32, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.source(now, source)
	if now.Before(s.until) && now.After(s.until.Add(-2*throttlePeriod)) { // a clock set back does not silence for long
		if s.suppressed < 1<<32-2 {
			s.suppressed++
		}
		return 0, false
	}
	count = s.suppressed + 1
	*s = throttled{until: now.Add(throttlePeriod)}
	return count, true
}

func (t *Throttle) source(now time.Time, source string) *throttled {
	if t.sources == nil {
		t.sources = map[string]*throttled{}
	}
	if s := t.sources[source]; s != nil {
		return s
	}
	if len(t.sources) >= throttleSources && now.Sub(t.swept).Abs() >= time.Second {
		t.sweep(now)
	}
	if len(t.sources) >= throttleSources {
		source = ""
	}
	s := t.sources[source]
	if s == nil {
		s = &throttled{}
		t.sources[source] = s
	}
	return s
}

// sweep forgets sources whose minute is over; what was suppressed of them counts for the source "". Not more than once
// a second, since it looks at all of them.
func (t *Throttle) sweep(now time.Time) {
	t.swept = now
	var rest uint32
	for name, s := range t.sources {
		if now.Before(s.until) || name == "" {
			continue
		}
		rest = min(rest, 1<<31) + min(s.suppressed, 1<<30)
		delete(t.sources, name)
	}
	if rest > 0 {
		s := t.source(now, "")
		s.suppressed = min(s.suppressed, 1<<30) + rest
	}
}
