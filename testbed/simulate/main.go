// Command simulate is the long form of two proofs, that of the spool (gateway/spool/simulation) and that of the way over radio
// (gateway/radio/simulation): more seeds than a test run has time for, or one seed with all that happened in it.
//
//	go run ./testbed/simulate -seeds 200000
//	go run ./testbed/simulate -seed 845 -fault order-swapped
//	go run ./testbed/simulate -radio -seeds 50000
//	go run ./testbed/simulate -radio -seed 1779
//
// It holds the worlds to the same account as the tests, and ends with 1 when one did not hold. Not in here: the worlds.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/gateway/spool/simulation"
)

func main() {
	count := flag.Uint64("seeds", 200_000, "how many worlds, from seed 1 (or -from) on")
	from := flag.Uint64("from", 1, "the first seed")
	seed := flag.Uint64("seed", 0, "only this one, with the end of its story")
	word := flag.String("fault", simulation.None.String(), "plant a fault: "+faults())
	workers := flag.Int("workers", runtime.GOMAXPROCS(0), "how many at a time")
	overRadio := flag.Bool("radio", false, "two gateways over two nodes and a radio channel, in place of two spools")
	flag.Parse()
	switch {
	case *overRadio && *seed != 0:
		os.Exit(oneOverRadio(os.Stdout, *seed))
	case *overRadio:
		os.Exit(manyOverRadio(os.Stdout, seeds{*from, *count}, *workers))
	}
	fault, err := simulation.ParseFault(*word)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if *seed != 0 {
		r := simulation.Run(*seed, fault)
		fmt.Println(strings.Join(r.Trace, "\n"))
		os.Exit(verdict(os.Stdout, &r))
	}
	os.Exit(many(os.Stdout, seeds{*from, *count}, *workers, fault))
}

func faults() string {
	var words []string
	for _, f := range simulation.Faults() {
		words = append(words, f.String())
	}
	return strings.Join(words, ", ")
}

func verdict(out io.Writer, r *simulation.Result) int {
	if r.Violation != "" {
		fmt.Fprintf(out, "seed %d: VIOLATION: %s\n", r.Seed, r.Violation)
		return 1
	}
	fmt.Fprintf(out, "seed %d: holds\n", r.Seed)
	return 0
}

// seeds are those of the worlds to run.
type seeds struct{ from, count uint64 }

// many runs the worlds and prints the sum. The first violations are printed as they are found. It returns what the command ends with.
func many(out io.Writer, s seeds, workers int, fault simulation.Fault) int {
	var (
		next, bad atomic.Uint64
		mu        sync.Mutex
		sum       simulation.Result
		all       sync.WaitGroup
		began     = time.Now()
	)
	for range max(workers, 1) {
		all.Go(func() {
			for n := next.Add(1); n <= s.count; n = next.Add(1) {
				r := simulation.Run(s.from+n-1, fault)
				mu.Lock()
				sum.Add(&r)
				if r.Violation != "" && bad.Add(1) <= 10 {
					verdict(out, &r)
				}
				if n%10_000 == 0 {
					fmt.Fprintf(out, "%d worlds, %d violations, %v\n", n, bad.Load(), time.Since(began).Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	fmt.Fprintf(out, "%d worlds with fault %s in %v: %d violations\n", s.count, fault, time.Since(began).Round(time.Second), bad.Load())
	fmt.Fprintf(out, "messages: %d said, %d delivered, %d expired, %d superseded, %d bounced, %d refused, %d in doubt\n",
		sum.Said, sum.Delivered, sum.Expired, sum.Superseded, sum.Bounced, sum.Refused, sum.InDoubt)
	fmt.Fprintf(out, "faults: %d repetitions, %d cuts, %d kills, %d power cuts, %d spools stopped, %d full disks\n",
		sum.Repetitions, sum.Cuts, sum.Kills, sum.PowerCuts, sum.Stops, sum.Fulls)
	if bad.Load() > 0 {
		return 1
	}
	return 0
}
