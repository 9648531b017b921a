package simulation_test

import (
	"flag"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sallyport/gateway/radio/simulation"
)

const (
	seeds      = 5000
	shortSeeds = 150
)

var (
	one  = flag.Uint64("seed", 0, "only this world, with its whole story")
	more = flag.Uint64("seeds", seeds, "how many worlds")
)

func lab(t *testing.T) *simulation.Lab {
	t.Helper()
	l, err := simulation.NewLab()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// complain fails with the end of a world's story.
func complain(t *testing.T, r *simulation.Result) {
	t.Helper()
	t.Errorf("%s\n%s\n%.2000s\nagain, with all of it: go test ./gateway/radio/simulation -run Everything -v -seed %d", r.Setting, strings.Join(r.Trace, "\n"), r.Violation, r.Seed)
}

// TestEverythingHoldsOverRadio: thousands of worlds.
func TestEverythingHoldsOverRadio(t *testing.T) {
	if *one != 0 {
		if r := lab(t).Run(simulation.Draw(*one), os.Stdout); r.Violation != "" {
			t.Errorf("%s\n%s", r.Setting, r.Violation)
		}
		return
	}
	n := *more
	if testing.Short() {
		n = min(n, shortSeeds)
	}
	var next atomic.Uint64
	var mu sync.Mutex
	var sum simulation.Result
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		l := lab(t)
		all.Go(func() {
			for seed := next.Add(1); seed <= n && !t.Failed(); seed = next.Add(1) {
				r := l.Run(simulation.Draw(seed), nil)
				if r.Violation != "" {
					complain(t, &r)
				}
				mu.Lock()
				sum.Add(&r)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	t.Log(sum.Words())
	for what, n := range sum.Counts() {
		if n == 0 && !testing.Short() {
			t.Errorf("%s: none in all worlds", what)
		}
	}
}

func TestTheSameSeedIsTheSameWorld(t *testing.T) {
	t.Parallel()
	a, b := lab(t), lab(t)
	for seed := uint64(1); seed <= 40; seed++ {
		x := a.Run(simulation.Draw(seed), nil)
		y := b.Run(simulation.Draw(seed), nil)
		if x.Hash != y.Hash {
			t.Errorf("seed %d: %x and %x", seed, x.Hash, y.Hash)
		}
	}
}

// Worlds further out in which something was once lost, doubled, spoilt or stuck.
func TestFoundBefore(t *testing.T) {
	t.Parallel()
	l := lab(t)
	for seed, what := range map[uint64]string{
		103:   "a managed stream waited for ever for a peer that had been started anew",
		1779:  "an end took its own greeting, sent back to it, for that of a peer that had lost its spool",
		4220:  "an end's own stream, sent back to it, spoilt what the peer said",
		7230:  "what was left of a stream that never began became part of the next one",
		15251: "half an hour of silence was held to be the fault of a flash message, and its class stood still",
		23518: "an acknowledgement for a stream that was over counted for another one",
	} {
		if r := l.Run(simulation.Draw(seed), nil); r.Violation != "" {
			t.Error(what)
			complain(t, &r)
		}
	}
}
