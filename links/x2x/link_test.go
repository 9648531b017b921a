package x2x_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/links"
	"sallyport/links/deflate"
	"sallyport/links/x2x"
	"sallyport/peering"
)

func numbered(from, to int) []string {
	var out []string
	for n := from; n <= to; n++ {
		out = append(out, fmt.Sprintf("n%d", n))
	}
	return out
}

// TestLinkBothWays: every mode over every security, both directions over one connection, in order and confirmed.
func TestLinkBothWays(t *testing.T) {
	dict, err := deflate.NewDictionary([]byte("<presence from='u@a.example/r' to='v@b.example'><status>n</status></presence>"))
	if err != nil {
		t.Fatal(err)
	}
	compressed := func(c deflate.Context) func(w *world) {
		return func(w *world) {
			for _, g := range []*gate{w.a, w.b} {
				g.cfg.Compression = &deflate.Config{Dictionary: dict, Context: c}
			}
		}
	}
	rows := []struct {
		name   string
		o      setup
		method peering.Method
	}{
		{"plain, clear", setup{mode: x2x.Plain, clear: true}, peering.SourceAddress},
		{"managed, clear", setup{mode: x2x.Managed, clear: true}, peering.SourceAddress},
		{"custody, clear", setup{mode: x2x.Custody, clear: true}, peering.SourceAddress},
		{"plain, pins", setup{mode: x2x.Plain}, peering.External},
		{"managed, authority", setup{mode: x2x.Managed, pki: true}, peering.External},
		{"custody, pins", setup{mode: x2x.Custody}, peering.External},
		{"custody, compressed", setup{mode: x2x.Custody, edit: compressed(deflate.Fresh)}, peering.External},
		{"custody, compressed, shared context", setup{mode: x2x.Custody, edit: compressed(deflate.Shared)}, peering.External},
		{"plain, compressed", setup{mode: x2x.Plain, edit: compressed(deflate.Fresh)}, peering.External},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, row.o, func(t *testing.T, w *world) {
				wait(time.Second)
				const n = 500
				for i := 1; i <= n; i++ {
					w.a.send(t, i)
					w.b.send(t, i)
				}
				wait(time.Minute)
				for _, g := range []*gate{w.a, w.b} {
					if got := g.arrived(); !slices.Equal(got, numbered(1, n)) {
						t.Errorf("%s got %d: %.100v", g.domain, len(got), got)
					}
					if g.count(links.Delivered) != n {
						t.Errorf("%s: reports %v", g.domain, g.reports)
					}
				}
				if len(w.b.inbound) == 0 {
					t.Fatalf("%s; %s; %+v", w.a.kinds(), w.b.kinds(), w.a.link.Status())
				}
				in := w.b.inbound[0]
				if in.Peer != "a" || in.Domain.Domain() != "a.example" || in.LocalDomain.Domain() != "b.example" || in.Proof.Method != row.method ||
					(in.Frame.Number == 1) != (row.o.mode == x2x.Custody) {
					t.Errorf("%+v", in)
				}
				st := w.a.link.Status()
				if st.State != links.Up || st.Carrier == "" || len(st.Story) != 1 || st.Fingerprint != w.b.link.Status().Fingerprint || w.net.dials.Load() != 1 {
					t.Errorf("%+v", st)
				}
				if w.a.cfg.Compression != nil && st.Traffic.Saved <= 0 {
					t.Errorf("compression saved %d of %d", st.Traffic.Saved, st.Traffic.Plain)
				}
			})
		})
	}
}

// TestO01: whoever is not known is closed before anything is read, and noted.
func TestO01(t *testing.T) {
	pinOf := func(name string) []tlsid.Pin { return []tlsid.Pin{tlsid.KeyPin(certificates().leaves[name].Cert)} }
	rows := []struct {
		name, incident string
		clear          bool
		edit           func(w *world)
	}{
		{"clear, address of nobody", x2x.IncidentSource, true, func(w *world) { w.b.cfg.From = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")} }},
		{"TLS, address of nobody", x2x.IncidentSource, false, func(w *world) { w.b.cfg.From = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")} }},
		{"wrong key", x2x.IncidentCertificate, false, func(w *world) { w.b.cfg.Identity.Pins = pinOf("c.example") }},
		{"authority, another name", x2x.IncidentCertificate, false, func(w *world) {
			w.b.cfg.Identity = tlsid.Policy{Trust: tlsid.NewTrust(certificates().ca.Cert)}
			w.b.cfg.CertificateName = "c.example"
		}},
		{"no certificate", x2x.IncidentCertificate, false, func(w *world) { w.a.cfg.Keys = &tlsid.Keys{} }},
		{"TCP where TLS is spoken", x2x.IncidentHandshake, false, func(w *world) { w.a.cfg.Security = x2x.Clear }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, setup{clear: row.clear, edit: row.edit}, func(t *testing.T, w *world) {
				wait(100 * time.Millisecond)
				w.a.send(t, 1)
				wait(20 * time.Second)
				if got := w.b.arrived(); len(got) != 0 || !strings.Contains(w.b.kinds(), row.incident) {
					t.Errorf("got %v, incidents %s", got, w.b.kinds())
				}
				tale := w.a.link.Status().Story
				last := tale[0]
				if len(last.Steps) < 2 || last.Advice == "" {
					t.Errorf("the story says too little: %+v", tale)
				}
			})
		})
	}
	t.Run("we refuse the server", func(t *testing.T) {
		bubble(t, setup{edit: func(w *world) { w.a.cfg.Identity.Pins = pinOf("c.example") }}, func(t *testing.T, w *world) {
			wait(time.Second)
			st := w.a.link.Status()
			if st.State != links.Waiting || !strings.Contains(st.Story[0].Advice, "pin") || !strings.Contains(w.a.kinds(), x2x.IncidentCertificate) {
				t.Errorf("%+v", st)
			}
		})
	})
}

// TestLoss: what was written and not confirmed when the network breaks, in every mode; the link comes back.
func TestLoss(t *testing.T) {
	rows := []struct {
		name string
		mode x2x.Mode
		want links.Disposition
	}{
		{"plain", x2x.Plain, links.InDoubt},
		{"managed", x2x.Managed, links.InDoubt},
		{"custody", x2x.Custody, links.Returned},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, setup{mode: row.mode}, func(t *testing.T, w *world) {
				wait(time.Second)
				w.b.mu.Lock()
				w.b.keep = true
				w.b.mu.Unlock()
				before := w.a.link.Turn()
				for n := 1; n <= 10; n++ {
					w.a.send(t, n)
				}
				wait(time.Second)
				w.net.cut()
				wait(10 * time.Second)
				if w.a.count(row.want) != 10 {
					t.Errorf("reports %v", w.a.reports)
				}
				if row.mode == x2x.Custody {
					stale := links.Consignment{Released: released(t, "a.example", "b.example", 99), Token: 99, Reporter: w.a, Turn: before, Frame: links.Frame{Epoch: w.a.epoch, Number: 99}}
					w.a.link.Deliver(stale)
					if w.a.tokens[99] != links.Returned || w.a.link.Turn() <= before {
						t.Errorf("an earlier turn: %v, turn %d after %d", w.a.tokens[99], w.a.link.Turn(), before)
					}
				}
				w.b.mu.Lock()
				w.b.keep = false
				w.b.mu.Unlock()
				w.a.send(t, 11)
				wait(time.Minute)
				if w.a.tokens[11] != links.Delivered {
					t.Errorf("after the loss: %v, %+v", w.a.tokens[11], w.a.link.Status())
				}
				if st := w.a.link.Status(); st.State != links.Up || len(st.Story) != 2 || st.Story[0].Ended.IsZero() {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// TestHole: a network that swallows everything is found out, by the keep-alive and by what is not answered.
func TestHole(t *testing.T) {
	for _, traffic := range []bool{false, true} {
		t.Run(fmt.Sprintf("traffic %v", traffic), func(t *testing.T) {
			bubble(t, setup{mode: x2x.Custody, edit: func(w *world) {
				w.a.cfg.Profile.KeepAlive = time.Minute
				w.b.cfg.Profile.KeepAlive = time.Minute
			}}, func(t *testing.T, w *world) {
				wait(time.Second)
				w.net.hole()
				if traffic {
					w.a.send(t, 1)
				}
				wait(100 * time.Second)
				st := w.a.link.Status()
				if len(st.Story) != 2 || !strings.Contains(fmt.Sprint(st.Story[0].Steps), "silent") || st.State != links.Up {
					t.Errorf("%+v", st)
				}
				if traffic && w.a.count(links.Returned) != 1 {
					t.Errorf("reports %v", w.a.reports)
				}
			})
		})
	}
}

// TestIdle: a link on demand opens for the first stanza, closes for want of traffic, and loses nothing in between.
func TestIdle(t *testing.T) {
	bubble(t, setup{mode: x2x.Custody, edit: func(w *world) { w.a.cfg.Profile.IdleClose = time.Minute }}, func(t *testing.T, w *world) {
		wait(time.Hour)
		turn := w.a.link.Turn()
		if w.net.dials.Load() != 0 || w.a.link.Status().State != links.Idle || turn == 0 || w.b.link.Status().State != links.Listening {
			t.Fatalf("%d dials, %+v", w.net.dials.Load(), w.a.link.Status())
		}
		for n := 1; n <= 3; n++ {
			w.a.send(t, n)
			wait(10 * time.Minute)
			if st := w.a.link.Status(); w.net.dials.Load() != int64(n) || st.State != links.Idle || w.net.open() != 0 {
				t.Errorf("%d dials, %d open, %+v", w.net.dials.Load(), w.net.open(), st)
			}
		}
		if got := w.b.arrived(); !slices.Equal(got, numbered(1, 3)) || w.a.count(links.Delivered) != 3 || w.a.link.Turn() != turn {
			t.Errorf("%v, %v, turn %d then %d", got, w.a.reports, turn, w.a.link.Turn())
		}
		w.net.down.Store(true)
		w.a.send(t, 4)
		wait(5 * time.Second)
		if w.a.count(links.Returned) != 1 || w.a.link.Turn() != 0 || w.a.link.Status().State == links.Idle {
			t.Errorf("with the network down: %v, %+v", w.a.reports, w.a.link.Status())
		}
		w.net.down.Store(false)
		wait(5 * time.Minute)
		if w.a.link.Turn() == 0 || !slices.Equal(w.a.changes, []bool{true, false, true}) {
			t.Errorf("turn %d, changes %v", w.a.link.Turn(), w.a.changes)
		}
	})
}

// TestSimultaneousOpen: both ends open at the same moment: each sends on its own connection, nothing is lost or doubled.
func TestSimultaneousOpen(t *testing.T) {
	bubble(t, setup{mode: x2x.Custody, delay: 500 * time.Millisecond, edit: func(w *world) {
		w.a.cfg.Listen = []netip.AddrPort{netip.MustParseAddrPort(portA)}
		w.b.cfg.Connect = []resolve.Target{{Host: addrA, Port: 5270}}
		for _, g := range []*gate{w.a, w.b} {
			g.cfg.Profile.RoundTrip = time.Second
		}
		w.net.listeners[portA] = nil
	}}, func(t *testing.T, w *world) {
		wait(2 * time.Minute) // b began first and was refused
		w.net.cut()           // now both begin again at once
		wait(20 * time.Second)
		const n = 50
		for i := 1; i <= n; i++ {
			w.a.send(t, i)
			w.b.send(t, i)
		}
		wait(time.Minute)
		for _, g := range []*gate{w.a, w.b} {
			if got := g.arrived(); !slices.Equal(got, numbered(1, n)) || g.count(links.Delivered) != n {
				t.Errorf("%s: %v %v", g.domain, got, g.reports)
			}
			if c := g.link.Status().Carrier; w.net.open() == 2 && !strings.Contains(c, "opened by us") {
				t.Errorf("%s sends on %q", g.domain, c)
			}
		}
		if w.net.open() != 2 {
			t.Errorf("%d connections, the test wants two", w.net.open())
		}
	})
}

// TestBackPressure: a sink that does not take stops the sender, link by link, and what was held goes through afterwards.
func TestBackPressure(t *testing.T) {
	bubble(t, setup{mode: x2x.Custody, edit: func(w *world) {
		w.a.cfg.Queue = x2x.QueueLimits{Stanzas: 100}
		w.a.cfg.Window.Items = 50
	}}, func(t *testing.T, w *world) {
		wait(time.Second)
		block := make(chan struct{})
		w.b.mu.Lock()
		w.b.block = block
		w.b.mu.Unlock()
		for n := 1; n <= 150; n++ {
			w.a.send(t, n)
			wait(0)
		}
		r := released(t, "a.example", "b.example", 151)
		begin := time.Now()
		if err := w.a.link.Reserve(t.Context(), r.Local(), r.Remote(), 150); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		wait(10 * time.Minute) // nobody takes the silence of a busy peer for death
		if st := w.a.link.Status(); len(st.Story) != 1 || st.Backlog.Stanzas != 100 || st.Backlog.Unconfirmed != 50 || st.Backlog.Oldest.IsZero() {
			t.Errorf("%+v", st)
		}
		close(block)
		wait(time.Minute)
		if got := w.b.arrived(); !slices.Equal(got, numbered(1, 150)) || w.a.count(links.Delivered) != 150 {
			t.Errorf("%d arrived, %v", len(got), w.a.reports)
		}
	})
}

// TestReload: carriers stay, unless the peer would not be let in any more, or the agreement changed.
func TestReload(t *testing.T) {
	rows := []struct {
		name string
		edit func(c *x2x.Config)
		ends bool
	}{
		{"the same", func(*x2x.Config) {}, false},
		{"more room", func(c *x2x.Config) { c.Queue.Stanzas = 7 }, false},
		{"another pin", func(c *x2x.Config) {
			c.Identity.Pins = []tlsid.Pin{tlsid.KeyPin(certificates().leaves["c.example"].Cert)}
		}, true},
		{"another address", func(c *x2x.Config) { c.From = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")} }, true},
		{"another mode", func(c *x2x.Config) { c.Mode = x2x.Managed }, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, setup{}, func(t *testing.T, w *world) {
				wait(time.Second)
				next := w.b.cfg
				row.edit(&next)
				use, _, err := w.b.Prepare([]x2x.Config{next})
				if err != nil {
					t.Fatal(err)
				}
				use()
				wait(10 * time.Millisecond)
				if down := strings.Contains(w.b.kinds(), x2x.IncidentDown); down != row.ends {
					t.Errorf("ended %v: %s", down, w.b.kinds())
				}
			})
		})
	}
	t.Run("the link goes", func(t *testing.T) {
		bubble(t, setup{}, func(t *testing.T, w *world) {
			wait(time.Second)
			use, _, err := w.b.Prepare(nil)
			if err != nil {
				t.Fatal(err)
			}
			use()
			wait(time.Minute)
			if w.b.Set.Link("sat") != nil || w.net.open() != 0 {
				t.Errorf("%d connections left", w.net.open())
			}
		})
	})
}

// TestWindowOfTime: outside its window a link is down, and comes up by itself.
func TestWindowOfTime(t *testing.T) {
	begin := certificates().begin.UTC()
	clock := func(t time.Time) time.Duration {
		return t.Sub(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC))
	}
	open := links.Window{From: clock(begin.Add(time.Hour)), To: clock(begin.Add(2 * time.Hour))}
	bubble(t, setup{mode: x2x.Custody, edit: func(w *world) { w.a.cfg.Profile.Windows = []links.Window{open} }}, func(t *testing.T, w *world) {
		states := []links.State{links.Down, links.Up, links.Down}
		for i, want := range states {
			wait(30 * time.Minute)
			if st := w.a.link.Status(); st.State != want || (w.a.link.Turn() != 0) != (want == links.Up) {
				t.Errorf("%d: %v, turn %d", i, st.State, w.a.link.Turn())
			}
			wait(30 * time.Minute)
		}
		if !slices.Equal(w.a.changes, []bool{true, false}) {
			t.Errorf("changes %v", w.a.changes)
		}
	})
}

// TestShutdown: every consignment has its report, whatever it waits for.
func TestShutdown(t *testing.T) {
	for _, mode := range []x2x.Mode{x2x.Plain, x2x.Managed, x2x.Custody} {
		for _, down := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, network down %v", mode, down), func(t *testing.T) {
				bubble(t, setup{mode: mode, edit: func(w *world) { w.net.down.Store(down) }}, func(t *testing.T, w *world) {
					wait(time.Second)
					for n := 1; n <= 20; n++ {
						w.a.send(t, n)
					}
					w.stop()
					total := 0
					for _, n := range w.a.reports {
						total += n
					}
					if total != 20 || !down && len(w.b.arrived()) != 20 {
						t.Errorf("%v, %d arrived", w.a.reports, len(w.b.arrived()))
					}
					r := released(t, "a.example", "b.example", 1)
					if err := w.a.link.Reserve(t.Context(), r.Local(), r.Remote(), 1); !errors.Is(err, links.ErrClosed) {
						t.Errorf("after the end: %v", err)
					}
				})
			})
		}
	}
}

// TestValidate: every contradiction of a configuration is told.
func TestValidate(t *testing.T) {
	err := (&x2x.Config{}).Validate()
	for _, want := range []string{"no name", "no peer", "neither listens", "no security", "no domain"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q is not said in %v", want, err)
		}
	}
	clear := x2x.Config{Security: x2x.Clear, Mode: x2x.Plain, Compression: &deflate.Config{Context: deflate.Shared}}
	if err := clear.Validate(); !strings.Contains(err.Error(), "addresses") || len(clear.Warnings()) != 4 {
		t.Errorf("%v, warnings %q", err, clear.Warnings())
	}
}
