package dtls_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links"
	"sallyport/links/deflate"
	"sallyport/links/dtls"
)

// drained waits in virtual time until nothing is left to send.
func (x *bridge) drained() bool {
	for range 3600 {
		if x.a.waiting()+x.b.waiting() == 0 {
			return true
		}
		time.Sleep(time.Second)
	}
	return false
}

// more gives a station n further entries, from number first on.
func (s *station) more(first, n int) {
	s.mu.Lock()
	for i := range n {
		s.out[(first+i)%links.Lanes] = append(s.out[(first+i)%links.Lanes], entry{uint64(first + i + 1), "again"}) //nolint:gosec // small
	}
	s.mu.Unlock()
	s.wake()
}

// becomes waits until a link is in a state.
func becomes(t *testing.T, l *dtls.Link, want links.State, within time.Duration) {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		switch got := l.Status().State; {
		case got == want:
			return
		case time.Now().After(end):
			t.Fatalf("%v after %v, want %v", got, within, want)
		}
	}
}

// TestIdle: a link on demand has no association before the first stanza, and none after the last. The turn outlives both.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBridge(t, settings{
			weather: weather{delay: 50 * time.Millisecond}, profile: links.Profile{RoundTrip: 100 * time.Millisecond, IdleClose: time.Minute, KeepAlive: 20 * time.Second},
		})
		defer x.stop()
		x.a.link.Start()
		x.b.link.Start()
		time.Sleep(10 * time.Minute)
		if s := x.a.link.Status(); s.State != links.Idle || x.a.link.Turn() != 1 || len(x.net.packets()) != 0 {
			t.Fatalf("%v, turn %d, %d packets without traffic", s.State, x.a.link.Turn(), len(x.net.packets()))
		}
		for i := range 3 {
			x.a.more(40*i, 40)
			if i == 1 {
				becomes(t, x.a.link, links.Up, time.Minute)
				x.b.more(0, 40) // the other end's traffic counts, too
			}
			if !x.drained() {
				t.Fatal("not delivered on demand")
			}
			if s := x.a.link.Status(); s.State != links.Up {
				t.Fatalf("%v after traffic", s.State)
			}
			becomes(t, x.a.link, links.Idle, 70*time.Second)
			becomes(t, x.b.link, links.Listening, 10*time.Second)
		}
		if s := x.a.link.Status(); x.a.link.Turn() != 1 || len(s.Story) != 3 || s.Story[0].Ended.IsZero() {
			t.Errorf("turn %d, story %+v", x.a.link.Turn(), s.Story)
		}
		if x.a.delivered != 120 || x.a.returned != 0 || x.b.arrived() != 120 || x.a.arrived() != 40 {
			t.Errorf("%d confirmed, %d returned, %d and %d arrived", x.a.delivered, x.a.returned, x.b.arrived(), x.a.arrived())
		}
		if c, _ := x.shore.Counts(); c.Associations != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestIdleUnreachable: demand that finds nobody is given back, and the link is tried until it is there.
func TestIdleUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBridge(t, settings{profile: links.Profile{IdleClose: time.Minute}})
		defer x.stop()
		x.net.mu.Lock()
		x.net.weather.drop = 1
		x.net.mu.Unlock()
		x.a.link.Start()
		x.b.link.Start()
		x.a.more(0, 10)
		becomes(t, x.a.link, links.Waiting, time.Minute)
		if x.a.link.Turn() != 0 || x.a.returned != 10 {
			t.Fatalf("turn %d, %d returned", x.a.link.Turn(), x.a.returned)
		}
		x.net.mu.Lock()
		x.net.weather.drop = 0
		x.net.mu.Unlock()
		if !x.drained() || x.b.arrived() != 10 {
			t.Errorf("%d arrived", x.b.arrived())
		}
	})
}

// TestWindow: outside its times of day the link carries nothing, whoever opens it; what was under way when a window ends is not lost.
func TestWindow(t *testing.T) {
	day := links.Profile{Windows: []links.Window{{From: time.Hour, To: 2 * time.Hour}, {From: 3 * time.Hour, To: 4 * time.Hour}}}
	for _, row := range []struct {
		name string
		idle time.Duration
	}{{"kept open", 0}, {"on demand", time.Minute}} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // virtual time begins at midnight UTC
				p := day
				p.IdleClose = row.idle
				x := newBridge(t, settings{profile: p, weather: weather{delay: 20 * time.Millisecond}})
				defer x.stop()
				x.a.link.Start()
				x.b.link.Start()
				x.a.more(0, 40)
				time.Sleep(59 * time.Minute)
				if n := len(x.net.packets()); n != 0 || x.a.link.Status().State != links.Down || x.b.link.Status().State != links.Down || x.a.link.Turn() != 0 {
					t.Fatalf("%d packets before the window, %v", n, x.a.link.Status().State)
				}
				time.Sleep(2 * time.Minute)
				if x.a.waiting() != 0 {
					t.Fatal("not delivered within the window")
				}
				time.Sleep(59*time.Minute - 100*time.Millisecond)
				x.a.more(40, 2000) // the window ends upon these
				time.Sleep(time.Minute)
				if a, b := x.a.link.Status().State, x.b.link.Status().State; a != links.Down || b != links.Down || x.a.link.Turn() != 0 {
					t.Fatalf("%v and %v after the window", a, b)
				}
				if c, _ := x.shore.Counts(); c.Associations != 0 {
					t.Errorf("%+v", c)
				}
				time.Sleep(time.Hour + time.Minute)
				if x.a.waiting() != 0 || x.b.arrived() != 2040 || x.a.delivered != 2040 {
					t.Errorf("%d wait, %d arrived, %d confirmed", x.a.waiting(), x.b.arrived(), x.a.delivered)
				}
			})
		})
	}
}

// TestCompression: with compression at both ends stanzas cross as without, in fewer bytes, over losses and breaks; ends that differ say so
// in their fingerprints, and carry nothing.
func TestCompression(t *testing.T) {
	dictionary, err := deflate.NewDictionary([]byte("<presence from='u@a.example/r' to='v@b.example'><status>a1</status></presence>"))
	if err != nil {
		t.Fatal(err)
	}
	with := func(z deflate.Config) func(*dtls.LinkConfig) {
		return func(c *dtls.LinkConfig) { c.Compression = &z }
	}
	for _, row := range []struct {
		name string
		link func(*dtls.LinkConfig)
		most float64 // of the plain bytes that may be left
	}{
		{"fresh", with(deflate.Config{}), 0.95},
		{"fresh with a dictionary", with(deflate.Config{Dictionary: dictionary}), 0.4},
		{"shared", with(deflate.Config{Context: deflate.Shared}), 0.3},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 400
				x := newBridge(t, settings{link: row.link, weather: weather{delay: 50 * time.Millisecond, drop: 0.05, seed: 9}})
				defer x.stop()
				x.a.load(n)
				x.b.load(n)
				x.a.link.Start()
				x.b.link.Start()
				if !x.drained() {
					t.Fatal("not delivered")
				}
				checkArrivals(t, x.a, x.b, n)
				checkArrivals(t, x.b, x.a, n)
				a, b := x.a.link.Status(), x.b.link.Status()
				left := 1 - float64(a.Traffic.Saved)/float64(a.Traffic.Plain)
				if a.Traffic.StanzasOut < n || a.Traffic.Plain == 0 || left > row.most {
					t.Errorf("%+v: %.2f left", a.Traffic, left)
				}
				var wire uint64
				for _, u := range a.Usage {
					if !u.Inbound {
						wire += u.Wire
					}
				}
				if wire == 0 || wire > a.Traffic.BytesOut {
					t.Errorf("%d bytes are accounted for, %d left: %+v", wire, a.Traffic.BytesOut, a.Usage)
				}
				if a.Fingerprint != b.Fingerprint || a.Fingerprint == "" {
					t.Errorf("fingerprints %q and %q", a.Fingerprint, b.Fingerprint)
				}
			})
		})
	}
}

// TestCompressionDiffers: of two ends that were not configured alike, the one that compresses gets nothing across, and their fingerprints
// tell.
func TestCompressionDiffers(t *testing.T) {
	dictionary, err := deflate.NewDictionary([]byte("<presence"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name     string
		opener   *deflate.Config
		listener *deflate.Config
	}{
		{"one end only", &deflate.Config{}, nil},
		{"the other end only", nil, &deflate.Config{}},
		{"another dictionary", &deflate.Config{Dictionary: dictionary}, &deflate.Config{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := newBridge(t, settings{link: func(c *dtls.LinkConfig) {
					if c.Compression = row.listener; c.Dial {
						c.Compression = row.opener
					}
				}})
				defer x.stop()
				from, to := x.a, x.b
				if row.opener == nil {
					from, to = x.b, x.a
				}
				from.more(0, 8)
				x.a.link.Start()
				x.b.link.Start()
				time.Sleep(time.Minute)
				a, b := x.a.link.Status(), x.b.link.Status()
				if to.arrived() != 0 || a.Fingerprint == b.Fingerprint {
					t.Errorf("%d arrived, fingerprints %q and %q", to.arrived(), a.Fingerprint, b.Fingerprint)
				}
				if n := len(a.Story); n == 0 || n > 12 || a.Story[0].Ended.IsZero() {
					t.Errorf("%+v", a.Story)
				}
			})
		})
	}
}

// TestQuality: what the operator is shown of loss, round trip and rate is what the network does.
func TestQuality(t *testing.T) {
	for _, row := range []struct {
		name      string
		drop      float64
		low, high float64
	}{
		{"no loss", 0, 0, 0},
		{"1 %", 0.01, 0.002, 0.03},
		{"5 %", 0.05, 0.03, 0.08},
		{"20 %", 0.20, 0.14, 0.27},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, settings{weather: weather{delay: 100 * time.Millisecond, drop: row.drop, seed: 5}, profile: links.Profile{RoundTrip: 200 * time.Millisecond}})
				defer p.close()
				ship, shore := p.connect()
				messages := 2000
				if testing.Short() {
					messages = 1000
				}
				for lane := range ship.Lanes() {
					go func() {
						for range messages / ship.Lanes() {
							if ship.Send(t.Context(), lane, make([]byte, 900)) != nil {
								return
							}
						}
					}()
				}
				var read sync.WaitGroup
				for lane := range ship.Lanes() {
					read.Go(func() {
						for range messages / ship.Lanes() {
							if _, err := shore.Receive(lane); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				read.Wait()
				q := ship.Quality()
				if q.Loss < row.low || q.Loss > row.high || !q.LossMeasured {
					t.Errorf("loss %.3f, want %.3f to %.3f", q.Loss, row.low, row.high)
				}
				if q.RoundTrip < 150*time.Millisecond || q.RoundTrip > 500*time.Millisecond || q.BitsPerSecond <= 0 || q.Since.IsZero() {
					t.Errorf("%+v", q)
				}
			})
		})
	}
}
