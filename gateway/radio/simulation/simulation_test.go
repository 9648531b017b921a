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
	"sallyport/links/hf"
)

const (
	seeds      = 5000
	shortSeeds = 40
)

var (
	one  = flag.Uint64("seed", 0, "only this world, with its whole story")
	more = flag.Uint64("seeds", seeds, "how many worlds")
)

// few is so many, or with -short a tenth of it.
func few(n uint64) uint64 {
	if testing.Short() {
		return n / 10
	}
	return n
}

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
	if testing.Short() {
		return
	}
	for what, n := range sum.Counts() {
		if n == 0 {
			t.Errorf("%s: none in all worlds", what)
		}
	}
	for _, what := range []string{"rate 75", "rate 300", "rate 1200", "rate 2400", "rate 9600", "mode rcop", "mode stream", "mode compact"} {
		if sum.Noted[what] == 0 {
			t.Errorf("%s: none of all worlds", what)
		}
	}
}

func TestTheSameSeedIsTheSameWorld(t *testing.T) {
	t.Parallel()
	a, b := lab(t), lab(t)
	for seed := uint64(1); seed <= few(40); seed++ {
		x := a.Run(simulation.Draw(seed), nil)
		y := b.Run(simulation.Draw(seed), nil)
		if x.Hash != y.Hash {
			t.Errorf("seed %d: %x and %x", seed, x.Hash, y.Hash)
		}
	}
}

// Each planted fault has to be found, and not once only.
func TestPlantedFaultsAreFound(t *testing.T) {
	t.Parallel()
	l := lab(t)
	least := 3
	if testing.Short() {
		least = 1
	}
	for _, fault := range []simulation.Fault{simulation.AcknowledgedEarly, simulation.RepetitionsKept, simulation.OrderSwapped} {
		t.Run(fault.String(), func(t *testing.T) {
			found, worlds, first := 0, 0, ""
			for seed := uint64(1); found < least && seed <= 2000; seed++ {
				s := simulation.Draw(seed)
				if s.Mode == hf.RCOP || s.Managed { // without custody other things may happen
					continue
				}
				s.Fault = fault
				worlds++
				if r := l.Run(s, nil); r.Violation != "" {
					found++
					first = r.Violation
				}
			}
			if t.Logf("found in %d of %d worlds: %.200s", found, worlds, first); found < least {
				t.Errorf("found in %d of %d worlds only", found, worlds)
			}
		})
	}
}
