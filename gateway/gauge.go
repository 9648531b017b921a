package gateway

import "sync/atomic"

// gauge counts what comes and what goes in two numbers, each beside others that the same step writes: a processor that writes one does not
// take the other from the processor that writes that. See Counters for what stands together.
type gauge struct {
	came atomic.Int64
	_    [56]byte
	went atomic.Int64
}

// Add counts n that come, or -n that go.
func (g *gauge) Add(n int64) {
	if n < 0 {
		g.went.Add(-n)
		return
	}
	g.came.Add(n)
}

// Load is how many are there; never less than there are among those that will come no more.
func (g *gauge) Load() int64 {
	went := g.went.Load() // first: who comes after is not taken for gone
	return g.came.Load() - went
}
