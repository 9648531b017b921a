package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/gateway/radio/simulation"
)

// oneOverRadio tells the whole story of one world over radio, and returns what the command ends with.
func oneOverRadio(out io.Writer, seed uint64) int {
	lab, err := simulation.NewLab()
	if err != nil {
		fmt.Fprintln(out, err)
		return 2
	}
	r := lab.Run(simulation.Draw(seed), out)
	fmt.Fprintln(out, r.Setting)
	return radioVerdict(out, &r)
}

func radioVerdict(out io.Writer, r *simulation.Result) int {
	if r.Violation != "" {
		fmt.Fprintf(out, "seed %d: VIOLATION: %s\n", r.Seed, r.Violation)
		return 1
	}
	fmt.Fprintf(out, "seed %d: holds, %v of virtual time in %d steps\n", r.Seed, r.Took.Round(time.Second), r.Steps)
	return 0
}

// manyOverRadio runs worlds over radio and prints the sum. The first violations are printed as they are found.
func manyOverRadio(out io.Writer, s seeds, workers int) int {
	var (
		next, bad atomic.Uint64
		mu        sync.Mutex
		sum       simulation.Result
		all       sync.WaitGroup
		began     = time.Now()
	)
	work := func() error {
		lab, err := simulation.NewLab()
		if err != nil {
			return err
		}
		for n := next.Add(1); n <= s.count; n = next.Add(1) {
			r := lab.Run(simulation.Draw(s.from+n-1), nil)
			mu.Lock()
			sum.Add(&r)
			if r.Violation != "" && bad.Add(1) <= 10 {
				radioVerdict(out, &r)
			}
			if n%10_000 == 0 {
				fmt.Fprintf(out, "%d worlds, %d violations, %v\n", n, bad.Load(), time.Since(began).Round(time.Second))
			}
			mu.Unlock()
		}
		return nil
	}
	var failed atomic.Pointer[error]
	for range max(workers, 1) {
		all.Go(func() {
			if err := work(); err != nil {
				failed.Store(&err)
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		fmt.Fprintln(out, *err)
		return 2
	}
	fmt.Fprintf(out, "%d worlds over radio in %v, %v of virtual time: %d violations\n", s.count, time.Since(began).Round(time.Second), sum.Took.Round(time.Second), bad.Load())
	fmt.Fprintln(out, "sum: "+sum.Words())
	if bad.Load() > 0 {
		return 1
	}
	return 0
}
