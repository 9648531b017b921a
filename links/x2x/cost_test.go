package x2x_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/links"
	"sallyport/links/x2x"
)

// TestFromNothing: round trips and bytes from nothing to the first stanza at the other end, over a path of two seconds there and back:
// TCP costs one round trip, TLS 1.3 one more; a ticket saves bytes, not round trips. The stanza itself is half a round trip.
func TestFromNothing(t *testing.T) {
	const oneWay = time.Second
	rows := []struct {
		name    string
		o       setup
		warm    bool
		trips   float64 // with the half of the stanza
		bytes   int64   // at most, both ways, above TCP
		resumed bool
		classic bool
	}{
		{"TCP, plain", setup{mode: x2x.Plain, clear: true}, false, 1.5, 100, false, false},
		{"TCP, custody", setup{mode: x2x.Custody, clear: true}, false, 1.5, 500, false, false},
		{"TLS cold, plain", setup{mode: x2x.Plain}, false, 2.5, 6000, false, false},
		{"TLS cold, custody", setup{mode: x2x.Custody}, false, 2.5, 6500, false, false},
		{"TLS resumed, plain", setup{mode: x2x.Plain}, true, 2.5, 4500, true, false},
		{"TLS resumed, custody", setup{mode: x2x.Custody}, true, 2.5, 5000, true, false},
		{"TLS cold, custody, X25519 alone", setup{mode: x2x.Custody}, false, 2.5, 3000, false, true},
		{"TLS resumed, custody, X25519 alone", setup{mode: x2x.Custody}, true, 2.5, 2400, true, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.o.delay = oneWay
			row.o.edit = func(w *world) {
				for _, g := range []*gate{w.a, w.b} {
					g.cfg.Profile = links.Profile{RoundTrip: 2 * oneWay, IdleClose: 10 * time.Minute}
					g.cfg.Classical = row.classic
				}
			}
			bubble(t, row.o, func(t *testing.T, w *world) {
				wait(time.Millisecond)
				if row.warm {
					w.a.send(t, 1)
					wait(time.Hour)
				}
				before, had := w.net.bytes.Load(), len(w.b.arrived())
				begin := time.Now()
				w.a.send(t, 2)
				for len(w.b.arrived()) == had {
					wait(10 * time.Millisecond)
					if time.Since(begin) > time.Minute {
						t.Fatal("it does not arrive")
					}
				}
				trips := float64(time.Since(begin).Round(100*time.Millisecond)) / float64(2*oneWay)
				bytes := w.net.bytes.Load() - before
				t.Logf("%.1f round trips, %d bytes both ways above TCP", trips, bytes)
				if trips > row.trips || bytes > row.bytes {
					t.Errorf("%.2f round trips and %d bytes, budget %.1f and %d", trips, bytes, row.trips, row.bytes)
				}
				carrier := w.a.link.Status().Carrier
				if strings.Contains(carrier, "resumed") != row.resumed || (w.b.link.Counters().Resumed.Load() > 0) != row.resumed {
					t.Errorf("carrier %q", carrier)
				}
			})
		})
	}
}
