package simulation_test

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sallyport/gateway/spool/simulation"
)

const (
	seeds      = 5000
	shortSeeds = 300
)

func TestNothingIsLostOrDoubled(t *testing.T) {
	n := uint64(seeds)
	if testing.Short() {
		n = shortSeeds
	}
	var next atomic.Uint64
	var mu sync.Mutex
	var sum simulation.Result
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := next.Add(1); seed <= n && !t.Failed(); seed = next.Add(1) {
				r := simulation.Run(seed, simulation.None)
				if r.Violation != "" {
					t.Errorf("seed %d: %s\n%s", seed, r.Violation, strings.Join(r.Trace, "\n"))
				}
				mu.Lock()
				sum.Add(&r)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	t.Logf("%+v", sum)
	for what, n := range map[string]int{
		"delivered": sum.Delivered, "in doubt": sum.InDoubt, "expired": sum.Expired, "superseded": sum.Superseded,
		"bounced": sum.Bounced, "refused": sum.Refused, "repetitions": sum.Repetitions, "kills": sum.Kills,
		"power cuts": sum.PowerCuts, "cuts": sum.Cuts, "stops": sum.Stops, "full disks": sum.Fulls,
	} {
		if n == 0 {
			t.Errorf("%s: none in all worlds", what)
		}
	}
}

// Worlds further out in which something was once lost, doubled or stuck.
func TestFoundBefore(t *testing.T) {
	for seed, what := range map[uint64]string{
		40545:  "who repeats what is not yet committed heard nothing of the commit",
		55780:  "who repeats what is not yet committed heard nothing of the commit, in another world",
		41333:  "marks went with a segment of which the first write was torn",
		121037: "what was taken out came back after a crash, behind the mark of what was sent after it",
	} {
		t.Run(what, func(t *testing.T) {
			if r := simulation.Run(seed, simulation.None); r.Violation != "" {
				t.Errorf("seed %d: %s\n%s", seed, r.Violation, strings.Join(r.Trace, "\n"))
			}
		})
	}
}

// Each planted fault has to be found among the first of the same seeds, and not once only.
func TestPlantedFaultsAreFound(t *testing.T) {
	const worlds, least = 200, 5
	for _, fault := range simulation.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			found, first := 0, ""
			for seed := uint64(1); seed <= worlds; seed++ {
				if r := simulation.Run(seed, fault); r.Violation != "" {
					found++
					if first == "" {
						first = r.Violation
					}
				}
			}
			t.Logf("found in %d of %d worlds, first: %s", found, worlds, first)
			if found < least {
				t.Errorf("found in %d of %d worlds only", found, worlds)
			}
		})
	}
}

func TestTheSameSeedIsTheSameWorld(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		a, b := simulation.Run(seed, simulation.None), simulation.Run(seed, simulation.None)
		if a.Hash != b.Hash {
			t.Errorf("seed %d: %x and %x", seed, a.Hash, b.Hash)
		}
	}
}
