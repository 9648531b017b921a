package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// When a node gives memory back: gcPercent keeps what a burst has left for as long as nothing more is allocated.
const (
	lookEvery   = time.Second
	quietLooks  = 2       // in a row
	quietBytes  = 1 << 20 // allocated between two looks; more is work
	worthBytes  = 16 << 20
	worthOfLive = 2 // or that part of what lives, where that is more
)

// quiet decides when memory that a burst has left is given back. Owned by giveBack.
type quiet struct {
	last  uint64 // allocated in all, at the last look
	given uint64 // and when memory was given back
	looks int
}

// look is told how much was allocated in all and how much lives, in bytes. True: it is time.
func (q *quiet) look(allocated, live uint64) bool {
	if allocated-q.last < quietBytes {
		q.looks++
	} else {
		q.looks = 0
	}
	q.last = allocated
	if q.looks < quietLooks || allocated-q.given < max(worthBytes, live/worthOfLive) {
		return false
	}
	q.given = allocated
	return true
}

// giveBack returns memory to the operating system when the node has become quiet. An idle node costs nothing by it: nothing
// is collected twice.
func giveBack(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var q quiet
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		seen := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
		metrics.Read(seen)
		if seen[0].Value.Kind() == metrics.KindUint64 && seen[1].Value.Kind() == metrics.KindUint64 &&
			q.look(seen[0].Value.Uint64(), seen[1].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}
