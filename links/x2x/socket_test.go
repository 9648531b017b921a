package x2x_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/x2x"
)

// TestSockets: the same over real TCP and TLS on loopback, with an orderly end of everything.
func TestSockets(t *testing.T) {
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	w := &world{t: t, net: newNetwork()}
	o := setup{mode: x2x.Custody, pki: true}
	w.a, w.b = w.gate("a.example", "b.example", portA, o), w.gate("b.example", "a.example", portB, o)
	w.b.cfg.Listen = []netip.AddrPort{loopback}
	for _, g := range []*gate{w.a, w.b} {
		g.cfg.From = nil
	}
	for _, g := range []*gate{w.b, w.a} {
		if g == w.a {
			at := w.b.Address(loopback).(*net.TCPAddr)
			g.cfg.Connect = []resolve.Target{{Host: "127.0.0.1", Port: at.AddrPort().Port()}}
		}
		set, err := x2x.New([]x2x.Config{g.cfg}, g, x2x.Env{Observer: g, Watcher: g, Custodian: g})
		if err != nil {
			t.Fatal(err)
		}
		g.Set, g.link = set, set.Link("sat")
		if err := set.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	defer w.stop()
	until := func(what string, ok func() bool) {
		t.Helper()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		deadline := time.After(2 * time.Minute)
		for !ok() {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%s: %s; %s; %+v", what, w.a.kinds(), w.b.kinds(), w.a.link.Status())
			}
		}
	}
	until("up", func() bool { return w.a.link.Turn() != 0 && w.b.link.Turn() != 0 })
	until("measured", func() bool {
		q := w.a.link.Status().Quality
		return q.LossMeasured && q.Loss < 0.1 && q.RoundTrip > 0 // a machine that pauses sends some twice
	})
	const n = 2000
	for i := 1; i <= n; i++ {
		w.a.send(t, i)
		w.b.send(t, i)
	}
	for _, g := range []*gate{w.a, w.b} {
		until(g.domain, func() bool { return g.count(links.Delivered) == n })
		if got := g.arrived(); !slices.Equal(got, numbered(1, n)) {
			t.Errorf("%s: %d arrived", g.domain, len(got))
		}
	}
	next := w.b.cfg // b looks closer: the link ends, and a hears that it is refused
	next.Identity = tlsid.Policy{Pins: []tlsid.Pin{tlsid.KeyPin(certificates().leaves["c.example"].Cert)}}
	use, _, err := w.b.Prepare([]x2x.Config{next})
	if err != nil {
		t.Fatal(err)
	}
	use()
	until("refused", func() bool {
		tale := w.a.link.Status().Story
		return w.b.link.Counters().RefusedCertificate.Load() > 0 && len(tale) > 1 && tale[1].Advice != ""
	})
}

// BenchmarkStream is one stanza through two streams, without and with custody: encoded, decoded, checked, acknowledged.
func BenchmarkStream(b *testing.B) {
	for _, mode := range []x2x.Mode{x2x.Plain, x2x.Custody} {
		b.Run(mode.String(), func(b *testing.B) {
			from := streamFor(mode, func(c *x2x.StreamConfig) { c.Epoch, c.Remote, c.Local = 0xA, only("b.example"), only("a.example") })
			to := streamFor(mode)
			e := element(b, good)
			var spare, back []byte
			now := epoch0
			b.ReportAllocs()
			for n := uint64(1); b.Loop(); n++ {
				if v, err := from.Send(now, x2x.Item{Element: e, Token: n, Frame: links.Frame{Epoch: 0xA, Number: n}}); v != custody.Transmit {
					now = now.Add(time.Hour) // plain: it has lived long enough
					from.Tick(now)
					events(from, now)
					if err != nil {
						b.Fatal(v, err)
					}
				}
				spare = from.Output(spare)
				to.Feed(now, spare)
				for ev := to.Next(now); ev.Kind != x2x.None; ev = to.Next(now) {
					if ev.Kind == x2x.Arrived {
						to.Settled(now, ev.Seq)
					}
				}
				to.Tick(now)
				back = to.Output(back)
				from.Feed(now, back)
				for ev := from.Next(now); ev.Kind != x2x.None; ev = from.Next(now) {
					if ev.Kind == x2x.Ended {
						b.Fatalf("%+v", ev)
					}
				}
			}
		})
	}
}
