package c2s

import "time"

// restsAtOnce is how often a reader rests after a while in which it did not, as somebody does who logs in. Who goes on talking has it rest once a
// second.
const restsAtOnce = 8

// rest says when a reader goes on on another goroutine: a stack that stanzas were handed up on is twice as large as one that only waits for
// them, and does not get smaller. Owned by the reader.
type rest struct {
	deep bool   // something was handed up
	now  bool   // it is time
	used uint8  // of restsAtOnce
	last uint32 // when it was last asked for, in seconds
}

// due is asked before the reader waits for more.
func (r *rest) due(at time.Time) bool {
	if !r.deep {
		return false
	}
	if now := uint32(at.Unix()); now != r.last { //nolint:gosec // what was long ago is as good as recent
		r.used -= uint8(min(now-r.last, uint32(r.used))) //nolint:gosec // as much as there is, at most
		r.last = now
	}
	if r.used == restsAtOnce {
		return false
	}
	r.used++
	r.deep, r.now = false, true
	return true
}
