package hf_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links"
	"sallyport/links/hf"
)

// pair is two gates of a mode that run.
type pair struct {
	air   *air
	a, b  *gate
	stops [2]func()
}

func (p *pair) stop() {
	p.stops[0]()
	p.stops[1]()
	p.a.node.stop()
	p.b.node.stop()
}

func bubble(t *testing.T, mode hf.Mode, edit func(*hf.Config), f func(t *testing.T, p *pair)) {
	t.Helper()
	releaser()
	synctest.Test(t, func(t *testing.T) {
		p := &pair{air: newAir(1)}
		p.a, p.b = newGate(t, p.air, "a.example", "b.example", mode, edit), newGate(t, p.air, "b.example", "a.example", mode, edit)
		p.stops = [2]func(){p.a.run(), p.b.run()}
		defer p.stop()
		f(t, p)
	})
}

func numbers(from, to uint64) (all []uint64) {
	for n := from; n <= to; n++ {
		all = append(all, n)
	}
	return all
}

// TestAFewCross: the usual case of each mode, both ways.
func TestAFewCross(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			bubble(t, mode, nil, func(t *testing.T, p *pair) {
				p.a.offer(0, 1, 2, 3)
				p.b.offer(0, 1)
				time.Sleep(3 * time.Minute)
				p.a.offer(0, 4)
				time.Sleep(3 * time.Minute)
				if got, want := fmt.Sprint(p.b.came(), p.a.came()), "[n1 n2 n3 n4] [n1]"; got != want {
					t.Errorf("came %s, want %s; %v %v", got, want, p.a.bad, p.b.kinds)
				}
				if d := p.a.count(links.Delivered); d != 4 || p.b.count(links.Delivered) != 1 {
					t.Errorf("reports %v %v", p.a.reports, p.b.reports)
				}
			})
		})
	}
}

// TestExactlyOnceOverEverything: numbers of four classes both ways, while the nodes refuse, confirmations are lost, U_PDUs come twice, nodes
// and processes die: everything arrives once, in the order of its lane.
func TestExactlyOnceOverEverything(t *testing.T) {
	each := uint64(1500)
	if testing.Short() {
		each = 400
	}
	for _, mode := range modes {
		if mode == hf.RCOP {
			continue // it keeps no custody
		}
		t.Run(mode.String(), func(t *testing.T) { everything(t, mode, each) })
	}
}

func everything(t *testing.T, mode hf.Mode, each uint64) {
	bubble(t, mode, func(c *hf.Config) { c.Profile.BitsPerSecond, c.Profile.RoundTrip = 9600, 2*time.Second }, func(t *testing.T, p *pair) {
		dice := rand.New(rand.NewPCG(5, 5)) //nolint:gosec // dice of a test
		p.air.mu.Lock()
		p.air.refuse, p.air.lose, p.air.twice, p.air.shuffle = 0.05, 0.05, 0.05, true
		p.air.mu.Unlock()
		var sent [2][links.Lanes][]uint64
		gates := [2]*gate{p.a, p.b}
		for i := range gates {
			for n := uint64(1); n <= each; n++ {
				lane := dice.IntN(links.Lanes)
				sent[i][lane] = append(sent[i][lane], n)
			}
		}
		offer := func(part, of int) { // a part of everything
			for i, g := range gates {
				for lane := range sent[i] {
					all := sent[i][lane]
					g.offer(lane, all[len(all)*part/of:len(all)*(part+1)/of]...)
				}
			}
		}
		arrivedAll := func() bool {
			n := 0
			for _, g := range gates {
				g.mu.Lock()
				for lane := range g.got {
					n += len(g.got[lane])
				}
				g.mu.Unlock()
			}
			return n >= int(2*each) //nolint:gosec // small
		}
		const troubles = 40
		trouble := 0
		for begin := time.Now(); !arrivedAll(); {
			if trouble < troubles {
				offer(trouble, troubles)
				trouble++
			}
			time.Sleep(time.Duration(1+dice.IntN(90)) * time.Second)
			if trouble < troubles {
				i := dice.IntN(2)
				if dice.IntN(2) == 0 {
					gates[i].node.stop()
					time.Sleep(time.Duration(dice.IntN(20)) * time.Second)
					gates[i].node.start(t)
				} else {
					p.stops[i]()
					gates[i].crash()
					p.stops[i] = gates[i].run()
				}
			}
			if time.Since(begin) > 40*time.Hour {
				t.Fatalf("no end: %+v %+v\n%v %v", p.a.link.Status().Backlog, p.b.link.Status().Backlog, p.a.kinds, p.b.kinds)
			}
		}
		for i, g := range gates {
			other := gates[1-i]
			if len(other.bad) > 0 {
				t.Errorf("%s: %.300v", g.domain, other.bad)
			}
			for lane := range sent[i] {
				if !slices.Equal(other.got[lane], sent[i][lane]) {
					t.Errorf("%s, lane %d: %d arrived of %d, or not in order", g.domain, lane, len(other.got[lane]), len(sent[i][lane]))
				}
			}
		}
		t.Logf("%d troubles; %v %v", trouble, p.a.kinds, p.b.kinds)
	})
}
