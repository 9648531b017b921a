package dispatch_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/gateway/dispatch"
	"sallyport/links"
)

// TestNothingLostNothingTwice: whatever links and disk do, in the end everything that was accepted has arrived once, in the order of its
// conversation, over links it may use, or was ended with a word why.
func TestNothingLostNothingTwice(t *testing.T) {
	t.Parallel()
	for name, custody := range map[string]bool{"our own gateway": true, "another server": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) { course(r, custody) })
		})
	}
}

func course(r *rapid.T, custody bool) {
	n := rapid.IntRange(1, 3).Draw(r, "links")
	o := dispatch.Options{Custody: custody, Hold: 10 * time.Second, PoisonAfter: 1 << 30}
	for i := range n {
		o.Links = append(o.Links, dispatch.Link{
			Name: string(rune('a' + i)), Priority: rapid.IntRange(0, 2).Draw(r, "priority"),
			Profile: links.Profile{
				BitsPerSecond: rapid.SampledFrom([]int64{0, 2400}).Draw(r, "rate"),
				Budgets:       [links.Lanes]links.Budget{{Bytes: rapid.SampledFrom([]int{0, 100, 5000}).Draw(r, "budget"), Period: time.Second}},
			},
		})
	}
	w := newWorld(o)
	link := func(r *rapid.T) int { return rapid.IntRange(0, n-1).Draw(r, "link") }
	r.Repeat(map[string]func(*rapid.T){
		"": func(r *rapid.T) {
			if len(w.bad) > 0 {
				r.Fatal(w.bad)
			}
		},
		"accept": func(r *rapid.T) {
			may := dispatch.Set(rapid.IntRange(1, 1<<n-1).Draw(r, "may"))
			talks := rapid.SliceOfNDistinct(rapid.Uint64Range(1, 4), 1, 3, rapid.ID).Draw(r, "talks")
			w.accept(uint8(rapid.IntRange(0, 1).Draw(r, "lane")), talks[0], may, rapid.IntRange(10, 2000).Draw(r, "bytes"), talks[1:]...)
		},
		"arrive":  func(r *rapid.T) { w.arrive(link(r)) },
		"confirm": func(r *rapid.T) { w.confirm(link(r)) },
		"cut": func(r *rapid.T) {
			if i := link(r); w.links[i].up {
				w.cut(i)
			}
		},
		"raise": func(r *rapid.T) {
			if i := link(r); !w.links[i].up {
				w.raise(i)
			}
		},
		"refuse": func(*rapid.T) { w.refuse() },
		"disk":   func(r *rapid.T) { w.disk(rapid.IntRange(0, 4).Draw(r, "ok") > 0) },
		"pass":   func(r *rapid.T) { w.pass(time.Duration(rapid.IntRange(0, 90).Draw(r, "seconds")) * time.Second) },
	})
	w.drain()
	if len(w.bad) > 0 {
		r.Fatal(w.bad)
	}
	if len(w.main)+len(w.aside)+w.p.Len()+w.p.LenAside() > 0 {
		r.Fatalf("left over: %d queued, %d aside; the scheduler has %d and %d", len(w.main), len(w.aside), w.p.Len(), w.p.LenAside())
	}
	for _, g := range w.got {
		switch how := w.ended[g.id]; {
		case how == dispatch.Delivered:
		case how == dispatch.InDoubt && !custody:
		default:
			r.Fatalf("%d arrived and ended as %s", g.id, how)
		}
	}
	delivered := 0
	for _, how := range w.ended {
		if how == dispatch.Delivered {
			delivered++
		}
	}
	if custody && delivered != len(w.got) || delivered > len(w.got) {
		r.Fatalf("%d delivered, %d arrived", delivered, len(w.got))
	}
}
