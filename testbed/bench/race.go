package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
)

// contender is one server that the generator loads.
type contender struct {
	name    string   // for the table, with what tells it from others of the same program
	process string   // as the generator reports it
	args    []string // where and how the generator logs in
	pid     int
}

// samples are what the rounds of one contender gave.
type samples struct {
	rate, cpu []float64 // messages/s; CPU seconds of all its processes per 100,000 messages
	peak      float64   // MiB resident at most, since it was started
}

// What a race is: messages of each server in the round that is not counted, and the seconds that a round of each may take about. Servers
// differ a hundredfold here; what is slow is measured with fewer messages.
const (
	firstCount   = 1_000
	leastCount   = 500
	roundSeconds = 5
)

// race runs one measurement on all contenders in turn, round by round: what disturbs the machine for a while disturbs all of them. The
// first round is not counted, but says how many messages the others have of each. An error in any round is one of the whole: a message
// that is lost makes a rate worthless.
func (s *settings) race(ctx context.Context, most int, all []contender, mode string, more ...string) (map[string]*samples, error) {
	got, counts := map[string]*samples{}, map[string]int{}
	for round := range max(1, s.rounds) + 1 {
		for i := range all {
			c := all[(i+round)%len(all)]
			n := firstCount
			if round > 0 {
				n = counts[c.name]
			}
			watch := fmt.Sprintf("%s=%d", c.process, c.pid)
			r, err := s.runLoadOnce(ctx, slices.Concat([]string{mode, "-count", strconv.Itoa(n), "-watch", watch}, c.args, more))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(os.Stderr, "bench: round %d: %s: %d, %.0f/s, %.3g CPU s/100k, %s\n", round, c.name, n, r.MsgsPerS, r.cpu(c.process), r.TLS)
			if round == 0 {
				got[c.name] = &samples{}
				counts[c.name] = int(s.scale * max(leastCount, min(float64(most), r.MsgsPerS*roundSeconds)))
				continue
			}
			x := got[c.name]
			x.rate, x.cpu = append(x.rate, r.MsgsPerS), append(x.cpu, r.cpu(c.process))
			x.peak = r.Processes[c.process].Peak
		}
	}
	return got, nil
}

// median is the middle of the values, spread the distance between the least and the greatest as a share of it.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func spread(values []float64) float64 {
	m := median(values)
	if m == 0 {
		return 0
	}
	return (slices.Max(values) - slices.Min(values)) / m
}

// budgets are what the program under test may spend.
type budgets struct {
	yardstick  string  // the contender that is ejabberd
	ofEjabberd float64 // its share of the CPU of the yardstick (DESIGN.md §6)
}

// ofBest is the share of the CPU of the best of the others.
const ofBest = 1.0 / 5

// raceRows makes the rows of one race. Whoever is called sallyport is judged.
func raceRows(what, unit string, all []contender, got map[string]*samples, b budgets) []Row {
	yard := got[b.yardstick]
	if yard == nil {
		yard = &samples{}
	}
	best, least := "", math.Inf(1)
	for _, c := range all {
		if m := median(got[c.name].cpu); c.process != home && m < least {
			best, least = c.name, m
		}
	}
	var rows []Row
	for _, c := range all {
		g := got[c.name]
		rate := figure(what+", rate, "+c.name, median(g.rate), unit+"/s", b.yardstick, median(yard.rate)).spreading(g.rate)
		cpu := figure(what+", CPU, "+c.name, median(g.cpu), "CPU s/100k", b.yardstick, median(yard.cpu)).spreading(g.cpu)
		peak := figure(what+", peak memory, "+c.name, g.peak, "MiB", b.yardstick, yard.peak)
		if c.process != home || best == "" {
			rows = append(rows, rate, cpu, peak)
			continue
		}
		toBest := figure(what+", CPU, "+c.name, median(g.cpu), "CPU s/100k", "best: "+best, least).spreading(g.cpu)
		rows = append(rows, rate, cpu.under(atMost(b.ofEjabberd)), toBest.under(atMost(ofBest)), peak)
	}
	return rows
}

// users is how the generator logs in everywhere.
func users(at ...string) []string { return append([]string{"-auth", "scram-sha-1"}, at...) }

// register makes accounts on a server that lets everybody.
func (s *settings) register(ctx context.Context, n int, at []string) error {
	_, err := s.runLoadOnce(ctx, append([]string{"register", "-n", strconv.Itoa(n)}, at...))
	if err != nil {
		return fmt.Errorf("make accounts: %w", err)
	}
	return nil
}

// closers end what was started, last first.
type closers []func() error

func (c *closers) add(f func() error) { *c = append(*c, f) }

func (c *closers) close() error {
	var all []error
	for _, f := range slices.Backward(*c) {
		all = append(all, f())
	}
	return errors.Join(all...)
}
