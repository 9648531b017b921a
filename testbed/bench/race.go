package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"slices"
	"strconv"
)

// contender is one server that the generator loads.
type contender struct {
	name    string         // for the table, with what tells it from others of the same program
	process string         // as the generator reports it
	servers netip.AddrPort // where other servers connect
	args    []string       // where and how the generator logs in
	pid     int
}

// samples are what the rounds of one contender gave.
type samples struct {
	rate, cpu []float64 // messages/s; CPU seconds of all its processes per 100,000 messages
	peak      float64   // MiB resident at most, since it was started
}

// What a race is: the fewest messages of a server in a round, the rounds that are not counted, and the seconds that a round of each server
// may take about. Servers differ a hundredfold here, so what is slow is measured with fewer messages.
const (
	leastCount   = 300
	warmRounds   = 2
	roundSeconds = 5
)

// race runs one measurement on all contenders in turn, round by round: what disturbs the machine for a while disturbs all of them. Rounds
// that are not counted come before, and say how many messages the others have of each. An error in any round is one of the whole: a
// message that is lost makes a rate worthless.
func (s *settings) race(ctx context.Context, most int, all []contender, mode string, more ...string) (map[string]*samples, error) {
	got, counts := map[string]*samples{}, map[string]int{}
	for _, c := range all {
		got[c.name], counts[c.name] = &samples{}, leastCount
	}
	for round := range max(1, s.rounds) + warmRounds {
		for i := range all {
			c := all[(i+round)%len(all)]
			n := counts[c.name]
			watch := fmt.Sprintf("%s=%d", c.process, c.pid)
			r, err := s.runLoadOnce(ctx, slices.Concat([]string{mode, "-count", strconv.Itoa(n), "-watch", watch}, c.args, more))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(os.Stderr, "bench: round %d: %s: %d, %.0f/s, %.3g CPU s/100k, %s\n", round, c.name, n, r.rate(), r.cpu(c.process), r.TLS)
			seconds := 1.0
			if round >= warmRounds-1 {
				seconds = roundSeconds
			}
			counts[c.name] = int(max(leastCount, s.scale*min(float64(most), r.rate()*seconds)))
			if round < warmRounds {
				continue
			}
			x := got[c.name]
			x.rate, x.cpu = append(x.rate, r.rate()), append(x.cpu, r.cpu(c.process))
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
	also       string  // another that is, doing work that is more like ours; may be empty
	ofEjabberd float64 // its share of the CPU of the yardstick (DESIGN.md §6); 0: none is set
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
		if b.ofEjabberd > 0 {
			cpu = cpu.under(atMost(b.ofEjabberd))
		}
		rows = append(rows, rate, cpu)
		if also := got[b.also]; also != nil {
			like := figure(what+", CPU, "+c.name, median(g.cpu), "CPU s/100k", b.also, median(also.cpu)).spreading(g.cpu)
			rows = append(rows, like.under(atMost(b.ofEjabberd)))
		}
		rows = append(rows, toBest.under(atMost(ofBest)), peak)
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
