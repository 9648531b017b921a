package gateway

import (
	"sync"
	"time"

	"sallyport/peering"
	"sallyport/rules"
)

// rates keeps the token buckets that rules read. The lock is held from the reading of
// levels to the taking of tokens, a judgement between them, so that a bucket is never
// overdrawn; without rate rules nobody comes here.
type rates struct {
	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

// maxBuckets bounds the table. Beyond it, buckets that are full again go first, since
// forgetting those changes nothing.
const maxBuckets = 100_000

type bucketKey struct {
	rule     string
	from, to string // domains; from is a bare address where each sender has his own
}

type bucket struct {
	tokens float64
	at     time.Time
}

// judge fills the levels, judges, and takes what the verdict takes.
func (r *rates) judge(p *peering.Policy, a *peering.Arrival, v *peering.Verdict) {
	defined := p.Buckets()
	if len(defined) == 0 {
		p.JudgeInto(a, v)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.buckets == nil {
		r.buckets = make(map[bucketKey]*bucket)
	}
	a.Facts.Levels = make([]uint32, len(defined))
	for i := range defined {
		a.Facts.Levels[i] = uint32(r.level(&defined[i], a).tokens)
	}
	p.JudgeInto(a, v)
	if v.Outcome != peering.Release {
		return
	}
	for _, n := range v.Effects.Take[:v.Effects.NTake] {
		r.level(&defined[n], a).tokens--
	}
}

// ask judges without taking anything.
func (r *rates) ask(p *peering.Policy, a *peering.Arrival, v *peering.Verdict) {
	defined := p.Buckets()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.buckets == nil {
		r.buckets = make(map[bucketKey]*bucket)
	}
	for i := range defined {
		a.Facts.Levels = append(a.Facts.Levels, uint32(r.level(&defined[i], a).tokens))
	}
	p.JudgeInto(a, v)
}

// level is the bucket of a rule for this stanza, filled up to now.
func (r *rates) level(d *rules.Bucket, a *peering.Arrival) *bucket {
	key := bucketKey{d.Rule, a.Stanza.From().Domain(), a.Stanza.To().Domain()}
	if d.PerSender {
		key.from = a.Stanza.From().Bare().String()
	}
	full := float64(d.Burst)
	b := r.buckets[key]
	if b == nil {
		if len(r.buckets) >= maxBuckets {
			r.evict(a.Time)
		}
		b = &bucket{tokens: full, at: a.Time}
		r.buckets[key] = b
		return b
	}
	if since := a.Time.Sub(b.at); since > 0 {
		b.tokens += since.Minutes() * float64(d.PerMinute)
		b.at = a.Time
	}
	b.tokens = min(full, b.tokens) // also of a burst that a reload has lowered
	return b
}

// evict forgets the buckets nobody has drawn from for an hour, which fills any; if there
// are none, all of them, which gives everybody one more burst.
func (r *rates) evict(now time.Time) {
	before := len(r.buckets)
	for key, b := range r.buckets {
		if now.Sub(b.at) > time.Hour {
			delete(r.buckets, key)
		}
	}
	if len(r.buckets) == before {
		clear(r.buckets)
	}
}
