package hf_test

import (
	"slices"
	"testing"
	"time"

	"sallyport/links"
	"sallyport/links/hf"
)

// TestGreetingsTellEverything: every greeting tells of all lanes what is on disk by then, since one that is silent of a lane says that
// nothing of it is held: what broke the last stream would be taken out although it arrived.
func TestGreetingsTellEverything(t *testing.T) {
	for _, row := range []struct {
		name  string
		mode  hf.Mode
		again func(t *testing.T, p *pair)
	}{
		{"compact, a began anew", hf.Compact, aAnew},
		{"stream, a began anew", hf.Stream, aAnew},
		{"stream, the node of b began anew", hf.Stream, nodeAnew},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, row.mode, nil, func(t *testing.T, p *pair) {
				for lane := range links.Lanes {
					p.b.offer(lane, 1, 2)
				}
				time.Sleep(time.Hour)
				want := p.a.Marks("")
				if len(want) != links.Lanes {
					t.Fatalf("a holds %v", want)
				}
				row.again(t, p)
				before := len(p.b.greetings())
				p.a.offer(0, 1)
				p.b.offer(1, 3)
				time.Sleep(time.Hour)
				after := p.b.greetings()[before:]
				if len(after) == 0 {
					t.Fatal("no greeting")
				}
				for _, said := range after {
					for _, m := range want {
						if !slices.ContainsFunc(said, func(s links.Mark) bool { return s.Lane == m.Lane && s.Epoch == m.Epoch && s.Number >= m.Number }) {
							t.Errorf("%v is not in the greeting %v", m, said)
						}
					}
				}
			})
		})
	}
}

// aAnew is a process that was killed.
func aAnew(_ *testing.T, p *pair) {
	p.stops[0]()
	p.a.crash()
	p.stops[0] = p.a.run()
	time.Sleep(time.Minute)
}

// nodeAnew is the node of b that was; the link of a goes on.
func nodeAnew(t *testing.T, p *pair) {
	p.b.node.stop()
	time.Sleep(time.Minute)
	p.b.node.start(t)
	time.Sleep(time.Minute)
}
