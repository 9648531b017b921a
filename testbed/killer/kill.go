package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say what is done.
type Options struct {
	Binary   string
	Dir      string // for the gateways
	Gateways int
	Trunk    string // kind of link between gateways; empty: x2x
	Kills    int
	Rate     int // messages a second, each way
	Seed     uint64
	Say      func(format string, args ...any) // progress; nil: nothing
}

// Report is what came of it.
type Report struct {
	sum
	Kills, Early             int // early ones were before the gateway was ready
	Connections, Repetitions uint64
	Cuts                     uint64 // connections that the ends broke themselves
	Took                     time.Duration
	SlowestStart             time.Duration
	Unclean                  []string // what the gateways said of themselves at the end
}

// Held reports whether nothing was lost, doubled or out of order, and everything arrived.
func (r *Report) Held() bool {
	return len(r.Wrong) == 0 && len(r.Missing) == 0 && r.Returned == 0 && len(r.Unclean) == 0
}

// Limits of a run.
const (
	flowTime  = 5 * time.Minute // for some messages to arrive after a kill; who sent datagrams to the dead notices after three seconds
	drainTime = 5 * time.Minute // for all of them at the end
	glance    = 20 * time.Millisecond
	talks     = 8
	early     = 5 // one kill in so many comes before the gateway is ready
)

// Run starts the gateways and the load, kills, and holds the account.
func Run(ctx context.Context, o Options) (Report, error) {
	return perform(ctx, o, func(*chain) error { return nil }, func(ctx context.Context, p *play) error {
		k := killer{o: p.o, c: p.c, b: p.b, dice: p.dice, r: p.r}
		return k.all(ctx)
	})
}

// play is what happens to a chain under load.
type play struct {
	o    Options
	c    *chain
	b    *book
	ends [2]*end
	dice *rand.Rand
	r    *Report
}

// perform starts a chain that was prepared, and the load, lets act do its worst, and holds the account.
func perform(ctx context.Context, o Options, prepare func(*chain) error, act func(context.Context, *play) error) (Report, error) {
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	o.Trunk = cmp.Or(o.Trunk, "x2x")
	c, err := newChain(o)
	if err != nil {
		return Report{}, err
	}
	if err := prepare(c); err != nil {
		return Report{}, errors.Join(err, c.close())
	}
	r, err := run(ctx, o, c, act)
	return r, errors.Join(err, c.close())
}

func run(ctx context.Context, o Options, c *chain, act func(context.Context, *play) error) (Report, error) {
	if err := c.start(); err != nil {
		return Report{}, err
	}
	began := time.Now()
	ctx, cancel := context.WithCancel(ctx)
	b := newBook()
	ends := [2]*end{
		newEnd("left", c.left(0), b, o.Seed),
		newEnd("right", c.right(o.Gateways-1), b, o.Seed),
	}
	var running, loading sync.WaitGroup
	defer running.Wait()
	defer cancel()
	load, quiet := context.WithCancel(ctx)
	defer quiet()
	for _, e := range ends {
		running.Go(func() { e.run(ctx) })
		loading.Go(func() { e.talk(load, o.Rate) })
	}
	var r Report
	err := act(ctx, &play{o, c, b, ends, rand.New(rand.NewPCG(o.Seed, 1)), &r}) //nolint:gosec // dice of a test
	quiet()
	loading.Wait()
	if err == nil {
		await(ctx, drainTime, func() bool {
			return ends[0].waiting()+ends[1].waiting() == 0 && len(b.sum().Missing) == 0
		})
		r.Unclean = c.unclean(ctx)
	}
	r.sum, r.Took = b.sum(), time.Since(began)
	for _, e := range ends {
		e.mu.Lock()
		r.Connections, r.Repetitions, r.Cuts = r.Connections+e.connections, r.Repetitions+e.repetitions, r.Cuts+e.cuts
		e.mu.Unlock()
	}
	return r, err
}

// talk says things in some conversations, each with its own precedence.
func (e *end) talk(ctx context.Context, rate int) {
	other := map[string]string{"left": rightDomain, "right": leftDomain}[e.name]
	mine := e.name + ".test"
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for n := 1; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		talk := n % talks
		id := e.name + "." + strconv.Itoa(talk) + "." + strconv.Itoa(n)
		if e.say(talk%lanes, id, "u"+strconv.Itoa(talk)+"@"+mine, "v"+strconv.Itoa(talk)+"@"+other) {
			n++
		}
	}
}

// killer kills gateways.
type killer struct {
	o    Options
	c    *chain
	b    *book
	dice *rand.Rand
	r    *Report
}

func (k *killer) all(ctx context.Context) error {
	for k.r.Kills < k.o.Kills && ctx.Err() == nil && !k.b.failed() {
		g := k.c.all[k.dice.IntN(len(k.c.all))]
		if err := k.flow(ctx); err != nil {
			return errors.Join(err, g.proc.Trouble(errors.New("may know why")))
		}
		k.kill(g)
		for k.dice.IntN(early) == 0 && k.r.Kills < k.o.Kills {
			if err := g.start(); err != nil {
				return err
			}
			k.wait(ctx, time.Duration(k.dice.IntN(150))*time.Millisecond)
			k.kill(g)
			k.r.Early++
		}
		at := time.Now()
		if err := errors.Join(g.start(), g.await()); err != nil {
			return err
		}
		k.r.SlowestStart = max(k.r.SlowestStart, time.Since(at))
		if k.r.Kills%50 == 0 {
			s := k.b.sum()
			k.o.Say("%d kills, %d messages said, %d delivered", k.r.Kills, s.Said, s.Delivered)
		}
	}
	return ctx.Err()
}

func (k *killer) kill(g *gateway) {
	g.proc.Kill()
	k.r.Kills++
}

// flow waits until some messages have crossed both ways since the last kill, and then for any moment.
func (k *killer) flow(ctx context.Context) error {
	want := 10 + k.dice.IntN(50)
	left, right := k.b.heardBy("left")+want, k.b.heardBy("right")+want
	flows := func() bool {
		return k.b.heardBy("left") >= left && k.b.heardBy("right") >= right || k.b.failed()
	}
	if !await(ctx, flowTime, flows) {
		return fmt.Errorf("after %d kills nothing flows: %d to the left, %d to the right, wanted %d more of each",
			k.r.Kills, k.b.heardBy("left"), k.b.heardBy("right"), want)
	}
	k.wait(ctx, time.Duration(k.dice.IntN(100))*time.Millisecond)
	return nil
}

func (k *killer) wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// await asks again until the answer is yes.
func await(ctx context.Context, limit time.Duration, yes func() bool) bool {
	late := time.After(limit)
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for !yes() {
		select {
		case <-ctx.Done():
			return false
		case <-late:
			return false
		case <-tick.C:
		}
	}
	return true
}

// unclean asks the gateways what is wrong with them: their logs are whole, their counters add up, nothing waits.
func (c *chain) unclean(ctx context.Context) (all []string) {
	for _, g := range c.all {
		if _, err := g.command("audit", "verify"); err != nil {
			all = append(all, err.Error())
		}
		var status string
		clean := func() bool {
			var err error
			status, err = g.command("status")
			return err == nil && !strings.Contains(status, "do not add up")
		}
		if !await(ctx, flowTime, clean) {
			all = append(all, status)
		}
	}
	return all
}
