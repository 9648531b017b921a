package s2s_test

import (
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/s2s"
)

// bubble runs a test of two gates under synctest's clock, on a network in memory.
func bubble(t *testing.T, o setup, f func(t *testing.T, w *world, n *memnet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newMemnet()
		o.env = func(a, b *s2s.Env) { n.env(a); n.env(b) }
		w := newWorld(t, o)
		f(t, w, n)
		w.stop(t)
	})
}

func noManagement(a, b *s2s.Config) {
	a.Peers[0].StreamManagement, b.Peers[0].StreamManagement = false, false
}

// TestHalfOpen: a peer that falls silent without a word is noticed, and its stanzas are accounted for.
func TestHalfOpen(t *testing.T) {
	bubble(t, setup{edit: func(a, _ *s2s.Config) { a.Manage.ResumeFor = time.Minute }}, func(t *testing.T, w *world, n *memnet) {
		w.a.send(t, "a.example", "b.example", 1, 10)
		w.a.rep.wait(t, links.Delivered, 10)
		n.hole()
		n.down.Store(true)
		w.a.send(t, "a.example", "b.example", 11, 20)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if w.a.Counters().Lost.Load() == 0 {
			t.Fatal("the loss was not noticed in five minutes")
		}
		if got := w.a.rep.count(links.InDoubt); got != 10 {
			t.Errorf("%d in doubt, want 10", got)
		}
	})
}

// TestResumeAfterHole is the same with a network that comes back.
func TestResumeAfterHole(t *testing.T) {
	bubble(t, setup{}, func(t *testing.T, w *world, n *memnet) {
		w.a.send(t, "a.example", "b.example", 1, 10)
		w.a.rep.wait(t, links.Delivered, 10)
		n.hole()
		w.a.send(t, "a.example", "b.example", 11, 20)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		inOrder(t, w.b.sink.wait(t, 20), 1, 20)
		w.a.rep.wait(t, links.Delivered, 20)
	})
}

// TestBackOff: attempts grow rarer, stanzas wait for their age and then expire, once.
func TestBackOff(t *testing.T) {
	bubble(t, setup{edit: func(a, _ *s2s.Config) { a.Peers[0].Queue.Age = time.Minute }}, func(t *testing.T, w *world, n *memnet) {
		n.down.Store(true)
		w.a.send(t, "a.example", "b.example", 1, 3)
		time.Sleep(30 * time.Second)
		w.a.send(t, "a.example", "b.example", 4, 4)
		time.Sleep(32 * time.Second)
		synctest.Wait()
		if got := w.a.rep.count(links.Expired); got != 3 {
			t.Errorf("%d expired after their minute, want 3", got)
		}
		if dials := n.dials.Load(); dials < 4 || dials > 9 {
			t.Errorf("%d attempts in a minute", dials)
		}
		n.down.Store(false)
		time.Sleep(time.Hour)
		w.a.send(t, "a.example", "b.example", 5, 5)
		for n := 1; ; n++ { // the fourth may have come before, if an attempt fell into its minute
			if got := w.b.sink.wait(t, n); status(got[n-1]) == "n5" {
				break
			}
		}
	})
}

// TestBackPressureIsNotSilence: a sink that holds the reader for an hour does not make either side believe the other dead.
func TestBackPressureIsNotSilence(t *testing.T) {
	for _, bidi := range []bool{false, true} {
		bubble(t, setup{edit: func(a, b *s2s.Config) { a.Peers[0].Bidi, b.Peers[0].Bidi = bidi, bidi }}, func(t *testing.T, w *world, n *memnet) {
			w.a.send(t, "a.example", "b.example", 1, 1)
			w.b.sink.wait(t, 1)
			gate := make(chan struct{})
			w.b.sink.block.Store(&gate)
			w.a.send(t, "a.example", "b.example", 2, 500)
			if bidi {
				w.b.send(t, "b.example", "a.example", 1, 100)
			}
			time.Sleep(45 * time.Second)
			close(gate)
			w.b.sink.block.Store(nil)
			time.Sleep(5 * time.Second)
			inOrder(t, w.b.sink.wait(t, 500), 1, 500)
			if lost := w.b.Counters().Lost.Load(); lost != 0 {
				t.Errorf("bidi %v: %d streams lost at the side that held itself up", bidi, lost)
			}
			w.a.rep.wait(t, links.Delivered, 500)
		})
	}
}

// TestUnsettledStopsReading: what nobody took responsibility for is bounded, and acknowledged only when it is settled.
func TestUnsettledStopsReading(t *testing.T) {
	bubble(t, setup{edit: func(a, b *s2s.Config) { b.Manage.MaxUnsettled = 50 }}, func(t *testing.T, w *world, _ *memnet) {
		w.b.sink.hold.Store(true)
		w.a.send(t, "a.example", "b.example", 1, 2000)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if got := len(w.b.sink.wait(t, 1)); got >= 2000 {
			t.Errorf("%d arrivals although nothing was settled", got)
		}
		if got := w.a.rep.count(links.Delivered); got != 0 {
			t.Errorf("%d delivered although nothing was settled", got)
		}
		w.b.sink.hold.Store(false)
		w.b.sink.settleHeld()
		inOrder(t, w.b.sink.wait(t, 2000), 1, 2000)
		w.a.rep.wait(t, links.Delivered, 2000)
	})
}

// TestReserveWaits: a full queue holds its feeder back until room is made, and lets go when told to.
func TestReserveWaits(t *testing.T) {
	bubble(t, setup{edit: func(a, _ *s2s.Config) { a.Peers[0].Queue.Stanzas = 2 }}, func(t *testing.T, w *world, n *memnet) {
		n.down.Store(true)
		w.a.send(t, "a.example", "b.example", 1, 2)
		done := make(chan error, 1)
		from, to := jid.MustParse("a.example"), jid.MustParse("b.example")
		go func() { done <- w.a.Reserve(t.Context(), from, to, 100) }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("room in a full queue: %v", err)
		default:
		}
		n.down.Store(false)
		if err := <-done; err != nil {
			t.Errorf("room was made: %v", err)
		}
		w.a.Unreserve(from, to)
		w.b.sink.wait(t, 2)
	})
}

// TestConfirmNone: without stream management and pings a living stream counts as delivery after a while.
func TestConfirmNone(t *testing.T) {
	bubble(t, setup{edit: func(a, b *s2s.Config) {
		noManagement(a, b)
		a.Peers[0].Confirm = s2s.ConfirmNone
	}}, func(t *testing.T, w *world, _ *memnet) {
		w.a.send(t, "a.example", "b.example", 1, 5)
		w.b.sink.wait(t, 5)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := w.a.rep.count(links.Delivered); n != 0 {
			t.Errorf("%d delivered too early", n)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n := w.a.rep.count(links.Delivered); n != 5 {
			t.Errorf("%d delivered, want 5", n)
		}
		if w.a.Counters().Pings.Load() != 0 {
			t.Error("pinged although policy says not to")
		}
	})
}

// TestPingRate: five pings at most each second, however much is sent, and the answer confirms what was before it.
func TestPingRate(t *testing.T) {
	bubble(t, setup{edit: noManagement}, func(t *testing.T, w *world, _ *memnet) {
		for i := range 50 {
			w.a.send(t, "a.example", "b.example", i+1, i+1)
			time.Sleep(100 * time.Millisecond)
		}
		w.a.rep.wait(t, links.Delivered, 50)
		if n := w.a.Counters().Pings.Load(); n < 20 || n > 27 {
			t.Errorf("%d pings in five seconds", n)
		}
	})
}

// TestLostAnswer: the answer to a ping gets lost with the stream that it would have taken. The next ping comes soon; and a peer that is
// slow to answer is not asked so often that its answers always come too late.
func TestLostAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		lose   int // answers
		slow   time.Duration
		within time.Duration
	}{
		"one lost":  {lose: 1, within: 11 * time.Second},
		"two lost":  {lose: 2, within: 31 * time.Second},
		"very slow": {slow: 45 * time.Second, within: 3 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, setup{edit: noManagement}, func(t *testing.T, w *world, _ *memnet) {
				answer, lost := w.b.sink.pong, 0
				over := make(chan struct{}) // pings go on until the link is closed
				defer close(over)
				w.b.sink.pong = func(in links.Inbound) {
					if lost++; lost <= row.lose {
						return
					}
					go func() {
						select {
						case <-time.After(row.slow):
							answer(in)
						case <-over:
						}
					}()
				}
				w.a.send(t, "a.example", "b.example", 1, 5)
				w.b.sink.wait(t, 5)
				time.Sleep(row.within)
				synctest.Wait()
				if n := w.a.rep.count(links.Delivered); n != 5 {
					t.Errorf("%d delivered after %v, want 5", n, row.within)
				}
			})
		})
	}
}

// TestNegotiationTimeout is E07 and A35: who does not get on is closed, in ten seconds during TLS and in sixty before.
func TestNegotiationTimeout(t *testing.T) {
	bubble(t, setup{}, func(t *testing.T, w *world, n *memnet) {
		for _, direct := range []bool{false, true} {
			want := map[bool]time.Duration{false: 60 * time.Second, true: 10 * time.Second}[direct]
			c, err := n.dial(t.Context(), "tcp", w.b.Addresses("net", direct)[0].String())
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			for b := make([]byte, 1000); err == nil; {
				_, err = c.Read(b)
			}
			if took := time.Since(start); took < want-time.Second || took > want+6*time.Second {
				t.Errorf("direct %v: closed after %v, want %v", direct, took, want)
			}
			_ = c.Close()
		}
	})
}

// TestNoRoute: a peer that DNS does not know is refused at once, and whoever comes during the back-off is too.
func TestNoRoute(t *testing.T) {
	bubble(t, setup{}, func(t *testing.T, w *world, _ *memnet) {
		w.a.reload(t, func(c *s2s.Config) { c.Peers[0].Route = []resolve.Target{} })
		w.a.send(t, "a.example", "b.example", 1, 1)
		synctest.Wait()
		if w.a.rep.count(links.Failed) != 1 {
			t.Error("nothing failed")
		}
		from := jid.MustParse("a.example")
		if err := w.a.Reserve(t.Context(), from, jid.MustParse("b.example"), 1); links.Condition(err).String() != "remote-server-not-found" {
			t.Errorf("during the back-off: %v", err)
		}
		if err := w.a.Reserve(t.Context(), from, jid.MustParse("stranger.example"), 1); links.Condition(err).String() != "remote-server-not-found" {
			t.Errorf("to a stranger: %v", err)
		}
	})
}
