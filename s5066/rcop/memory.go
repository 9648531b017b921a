package rcop

import (
	"crypto/sha256"
	"slices"
	"time"
)

// memory is the latest messages of one sender, as many as a Window can have under way.
type memory struct {
	entries []remembered
	last    time.Time
}

type remembered struct {
	id     uint8
	digest [sha256.Size]byte
	at     time.Time
}

// remember notes a message and reports whether it is known.
func (r *Reassembler) remember(now time.Time, m Message) bool {
	mem := r.seen[m.Sender]
	if mem == nil {
		r.forgetSender()
		mem = &memory{}
		r.seen[m.Sender] = mem
	}
	mem.last = now
	mem.entries = slices.DeleteFunc(mem.entries, func(e remembered) bool { return now.Sub(e.at) >= r.limits.Remember })
	digest := sha256.Sum256(m.Data)
	for i, e := range mem.entries {
		if e.id == m.ID && e.digest == digest {
			mem.entries[i].at = now
			return true
		}
	}
	if len(mem.entries) >= WindowSize {
		mem.entries = slices.Delete(mem.entries, 0, 1)
	}
	mem.entries = append(mem.entries, remembered{m.ID, digest, now})
	return false
}

// forgetSender makes room for another sender: the one that has been silent longest goes.
func (r *Reassembler) forgetSender() {
	if len(r.seen) < r.limits.Senders {
		return
	}
	var oldest Sender
	var last time.Time
	for s, mem := range r.seen {
		k, o := partialKey{s, 0}, partialKey{oldest, 0}
		if last.IsZero() || mem.last.Before(last) || mem.last.Equal(last) && k.compare(o) < 0 {
			oldest, last = s, mem.last
		}
	}
	delete(r.seen, oldest)
}
