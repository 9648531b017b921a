package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// When a node gives memory back: the collector keeps what a burst has left for as long as nothing more is allocated.
const (
	lookEvery   = time.Second
	quietLooks  = 2       // in a row
	quietBytes  = 1 << 20 // allocated between two looks; more is work
	worthBytes  = 16 << 20
	worthOfLive = 2 // or that part of what lives, where that is more
)

// quiet decides when memory that a burst has left is given back. Owned by tend.
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

// How much garbage a node lets lie before it collects it: stanzas live short, so collecting less often is worth the memory, as long as
// that is not a multiple of much. A larger allowance for small nodes saves a twentieth of the processor's time for messages, and costs each
// idle session half its size again, since what lives is spread thin.
const (
	garbageOfLive  = 400     // percent
	mostGarbage    = 1 << 30 // bytes; or as much as lives, where that is more
	worthAChange   = 10      // percent of the percentage
	hundredPercent = 100
)

// percentFor is what the garbage collector is told where so many bytes live: garbage in percent of them.
func percentFor(live uint64) int {
	if live == 0 {
		return garbageOfLive
	}
	return int(min(garbageOfLive, max(mostGarbage, live)*hundredPercent/live)) //nolint:gosec // at most garbageOfLive
}

// tend has garbage collected as percentFor says, unless GOGC says how, and returns memory to the operating system when the node has become
// quiet. An idle node costs nothing by it: nothing is collected twice.
func tend(ctx context.Context) {
	percent, ours := percentFor(0), os.Getenv("GOGC") == ""
	if ours {
		debug.SetGCPercent(percent)
	}
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
		if seen[0].Value.Kind() != metrics.KindUint64 || seen[1].Value.Kind() != metrics.KindUint64 {
			continue
		}
		allocated, live := seen[0].Value.Uint64(), seen[1].Value.Uint64()
		if next := percentFor(live); ours && max(next-percent, percent-next)*hundredPercent > percent*worthAChange {
			percent = next
			debug.SetGCPercent(percent)
		}
		if q.look(allocated, live) {
			debug.FreeOSMemory()
		}
	}
}
