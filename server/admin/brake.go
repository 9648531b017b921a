package admin

import (
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
)

// Bounds on the records of what was refused, so that nobody fills the audit log by trying.
const (
	triesPerMinute = 5
	maxTriers      = 10_000
)

// brake counts who tries what he may not. It is safe for concurrent use.
type brake struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	tries map[jid.JID]int
}

func newBrake(now func() time.Time) *brake { return &brake{now: now, tries: make(map[jid.JID]int)} }

// lets reports whether a try is still to be recorded.
func (b *brake) lets(who jid.JID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.now(); now.Sub(b.since) >= time.Minute {
		b.since = now
		clear(b.tries)
	}
	if _, known := b.tries[who]; !known && len(b.tries) >= maxTriers {
		return false
	}
	b.tries[who]++
	return b.tries[who] <= triesPerMinute
}
