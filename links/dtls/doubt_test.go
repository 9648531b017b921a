package dtls_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/dtls"
)

// TestNeighbourStartedAgain: a neighbour that was killed, and that only we can dial, is served again soon after it is there, with nothing
// lost and nothing twice; and every greeting tells of all lanes, since one that is silent of a lane says that it holds nothing of it.
func TestNeighbourStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 600
		x := newBridge(t, settings{weather: weather{delay: 20 * time.Millisecond}, link: func(c *dtls.LinkConfig) { c.QueueStanzas = 40 }})
		defer x.stop()
		x.a.load(n)
		x.b.load(n)
		x.a.link.Start()
		x.b.link.Start()
		for x.b.lanesHeard() < links.Lanes || x.a.lanesHeard() < links.Lanes {
			time.Sleep(time.Millisecond)
		}
		x.a.load(n) // they cannot be confirmed in the instant that is left
		x.b.load(n)
		limbo := netip.MustParseAddrPort("240.0.0.1:1")
		x.net.rebind(shoreAt, limbo)
		x.net.tapped(func(from, to netip.AddrPort, b []byte) []byte {
			if from == limbo || to == limbo {
				return nil
			}
			return b
		})
		again := dtls.Config{Local: shoreAt, Peers: []dtls.Peer{{Name: "ship", Address: shipAt}}}
		byKey(&again.Peers[0])
		e := open(t, x.net, again)
		x.b.link.Shutdown()
		is := func(want string) func(jid.JID) bool { return func(j jid.JID) bool { return j.Domain() == want } }
		link, err := dtls.NewLink(e, dtls.LinkConfig{
			Name: "udp", Side: "out", Peer: "ship", Local: is("b.example"), Remote: is("a.example"),
		}, x.b, dtls.LinkEnv{Custodian: x.b, Watcher: x.b})
		if err != nil {
			t.Fatal(err)
		}
		x.b.swap(link)
		x.a.mu.Lock()
		x.a.greetings = nil
		x.a.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		serving.Go(func() { dtls.Serve(ctx, e, link) })
		link.Start()
		began := time.Now()
		for x.a.waiting()+x.b.waiting() > 0 && time.Since(began) < 10*time.Minute {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(began); took > 6*time.Second { // RTO.Max, two round trips, and what there was to say
			t.Errorf("it took %v until all was across", took)
		}
		checkArrivals(t, x.a, x.b, 2*n)
		checkArrivals(t, x.b, x.a, 2*n)
		x.a.mu.Lock()
		if len(x.a.greetings) == 0 {
			t.Error("no greeting")
		}
		for _, marks := range x.a.greetings {
			if len(marks) != links.Lanes {
				t.Errorf("a greeting with the marks %v", marks)
			}
		}
		x.a.mu.Unlock()
		cancel()
		link.Shutdown()
		serving.Wait()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// lanesHeard is of how many lanes anything has arrived.
func (s *station) lanesHeard() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, got := range s.got {
		if len(got) > 0 {
			n++
		}
	}
	return n
}

// TestNothingWasAsked: how long it was silent while nothing waited for an answer says nothing of a neighbour far away.
func TestNothingWasAsked(t *testing.T) {
	for _, row := range []struct {
		name string
		keep time.Duration
		send bool
	}{
		{"something said after a long silence", 0, true},
		{"keep-alive after a long silence", time.Minute, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				profile := links.Profile{RoundTrip: 1200 * time.Millisecond, KeepAlive: row.keep}
				p := newPair(t, settings{weather: weather{delay: 600 * time.Millisecond}, profile: profile})
				defer p.close()
				ship, shore := p.connect()
				time.Sleep(10 * time.Minute)
				if row.send {
					if err := ship.Send(t.Context(), 0, []byte("hello?")); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if ship.Err() != nil || shore.Err() != nil {
					t.Errorf("ended: %v, %v", ship.Err(), shore.Err())
				}
			})
		})
	}
}
