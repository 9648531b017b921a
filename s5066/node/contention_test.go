package node_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/sis"
)

// clashes is the longest run of transmissions of which nobody heard any, each pair of them counted once.
func clashes(log []channel.Transmission) (most int) {
	run := 0
	for i, tx := range log {
		lost := !slices.ContainsFunc(tx.Heard, func(r channel.Reception) bool { return r.Outcome == channel.Received || r.Outcome == channel.Pending })
		switch {
		case !lost:
			run = 0
		case i == 0 || !tx.Key.Before(log[i-1].Sent):
			run++
			most = max(most, run)
		}
	}
	return most
}

// Two nodes that key at once find out at once, and the second time one of them waits: which one, their addresses say.
func TestTwoThatKeyAtOnceDoSoOnce(t *testing.T) {
	t.Parallel()
	linked := func(w *world, a, b *client) {
		a.unidata(1, s5066.ConfirmNode, sixty(8))
		w.run(10*time.Minute, func() bool { return len(a.confirmed()) == 1 && len(b.heard()) == 1 })
		w.run(w.radio.KeyUp+time.Minute/2, nil)
	}
	for _, c := range []struct {
		name string
		wave string
		most time.Duration
		lead func(w *world, a, b *client)
	}{
		{"no link, 75", "110a-75-short", 90 * time.Second, nil},
		{"no link, 2400", "110a-2400-short", 20 * time.Second, nil},
		{"a link, 75", "110a-75-short", 70 * time.Second, linked},
		{"a link, 1200", "110a-1200-short", 15 * time.Second, linked},
		{"a link, 2400", "110a-2400-short", 15 * time.Second, linked},
		{"a link, 2400 long", "110a-2400-long", 80 * time.Second, linked},
		{"a link, 9600", "4539-9600-veryshort", 10 * time.Second, linked},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var took []time.Duration
			for seed := range uint64(seeds(20, 100)) {
				w := newWorld(t, worldConfig{stations: 2, wave: c.wave, seed: seed})
				a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
				if c.lead != nil {
					c.lead(w, a, b)
				}
				began, atA, atB := w.now, len(a.heard()), len(b.heard())
				first, second := a, b
				if seed%2 == 1 {
					first, second = b, a
				}
				// within the time that neither can notice the other
				first.unidata(second.s.i, s5066.ConfirmNode, sixty(1))
				w.drain(first.s)
				w.run(time.Duration(seed)*w.unnoticed()/100, nil)
				second.unidata(first.s.i, s5066.ConfirmNode, sixty(2))
				w.run(time.Hour, func() bool { return len(a.heard()) > atA && len(b.heard()) > atB })
				took = append(took, w.now.Sub(began))
				if n := clashes(w.sim.Log()); n > 1 {
					t.Errorf("seed %d: %d collisions one after the other", seed, n)
				}
			}
			slices.Sort(took)
			t.Logf("both there after %v, at most %v", took[len(took)/2], took[len(took)-1])
			if most := took[len(took)-1]; most > c.most {
				t.Errorf("after %v, want %v at most", most, c.most)
			}
		})
	}
}

// unnoticed is how long after one has keyed the other may key as well.
func (w *world) unnoticed() time.Duration { return w.radio.KeyUp + w.wave.Detect() }

// A node that ends an idle link, and one that has something for it at that moment: the link lives on, and the U_PDU is not rejected.
func TestDataWhileALinkEnds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seeds(20, 100)) {
		w := newWorld(t, worldConfig{stations: 2, wave: "110a-2400-short", seed: seed})
		a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
		a.unidata(1, s5066.ConfirmNode, sixty(1))
		w.run(10*time.Minute, func() bool { return len(a.confirmed()) == 1 })
		trains := w.status(0).Stats.Trains
		w.run(time.Hour, func() bool { return w.status(0).Stats.Trains > trains })
		began := w.now
		w.run(time.Duration(seed)*w.unnoticed()/100, nil)
		b.unidata(0, s5066.ConfirmNode, sixty(2))
		w.run(time.Hour, func() bool { return len(a.heard()) == 1 && len(b.confirmed()) == 1 })
		if took := w.now.Sub(began); took > 12*time.Second || len(b.rejected()) > 0 {
			t.Errorf("seed %d: confirmed after %v, rejected %v", seed, took, b.rejected())
		}
		w.run(time.Hour, nil)
		for i := range 2 {
			if n := w.status(i).Links; len(n) != 0 {
				t.Errorf("seed %d: node %d still has %+v", seed, i, n)
			}
		}
	}
}

// With four stations who all have something for each other at once, nobody waits for ever, and collisions stay few.
func TestFourThatKeyAtOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seeds(10, 50)) {
		w := newWorld(t, worldConfig{stations: 4, wave: "110a-1200-short", seed: seed})
		var all []*client
		for _, s := range w.nodes {
			all = append(all, s.bind(6, arq))
		}
		for i, c := range all {
			c.unidata((i+1)%4, s5066.ConfirmNode, sixty(1))
		}
		w.run(time.Hour, func() bool {
			return !slices.ContainsFunc(all, func(c *client) bool { return len(c.confirmed())+len(c.rejected()) == 0 })
		})
		took := w.now.Sub(epoch)
		for i, c := range all {
			if len(c.confirmed()) != 1 {
				t.Errorf("seed %d: node %d: %v", seed, i, c.rejected())
			}
		}
		if n := clashes(w.sim.Log()); n > 6 || took > 5*time.Minute {
			t.Errorf("seed %d: %d collisions in a row, all there after %v", seed, n, took)
		}
	}
}

// Two who write whenever they like, one chat every few seconds from either side: what p99 and the longest of the delays may be.
func TestDelaysOfAConversation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wave      string
		every     time.Duration // at least, at most four times as much
		p99, most time.Duration
	}{
		{"110a-75-short", 30 * time.Second, 20 * time.Second, 30 * time.Second},
		{"110a-1200-short", 3 * time.Second, 10 * time.Second, 14 * time.Second},
		{"110a-2400-short", 3 * time.Second, 9 * time.Second, 13 * time.Second},
		{"4539-9600-veryshort", 2 * time.Second, 5 * time.Second, 8 * time.Second},
	} {
		t.Run(c.wave, func(t *testing.T) {
			t.Parallel()
			var took []time.Duration
			for seed := range uint64(seeds(2, 10)) {
				r := rand.New(rand.NewPCG(seed, 3))
				w := newWorld(t, worldConfig{stations: 2, wave: c.wave, seed: seed})
				ends := []*client{w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)}
				var put [2][]time.Time
				for range 200 {
					from := r.IntN(2)
					put[from] = append(put[from], w.now)
					ends[from].unidata(1-from, s5066.ConfirmNone, sixty(len(put[from])))
					w.run(c.every+time.Duration(r.Int64N(int64(3*c.every))), nil)
				}
				w.run(time.Hour, nil)
				for from, times := range put {
					took = append(took, ends[1-from].delays(times)...)
				}
			}
			slices.Sort(took)
			n := len(took)
			p50, p99, most := took[n/2], took[n*99/100], took[n-1]
			t.Logf("of %d: %v, %v, %v", n, p50, p99, most)
			if p99 > c.p99 || most > c.most {
				t.Errorf("99 of 100 after %v, all after %v, want %v and %v", p99, most, c.p99, c.most)
			}
		})
	}
}

// delays is how long each U_PDU took that was put at these times, in order.
func (c *client) delays(put []time.Time) (took []time.Duration) {
	c.s.w.t.Helper()
	for i, p := range c.got {
		if _, ok := p.(sis.UnidataIndication); ok && len(took) < len(put) {
			took = append(took, c.at[i].Sub(put[len(took)]))
		}
	}
	if len(took) != len(put) {
		c.s.w.t.Fatalf("%d of %d arrived", len(took), len(put))
	}
	return took
}
