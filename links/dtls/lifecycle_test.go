package dtls_test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/links"
	"sallyport/links/dtls"
)

// TestIdentity: who gets in, and who does not.
func TestIdentity(t *testing.T) {
	shipCert, shoreCert := certificates(t, "ship.example", "shore.example")
	_, strange := certificates(t, "ship.example", "shore.example") // of another authority
	both := func(fs ...func(*dtls.Config)) func(*dtls.Config) {
		return func(c *dtls.Config) {
			for _, f := range fs {
				f(c)
			}
		}
	}
	for _, row := range []struct {
		name        string
		ship, shore func(*dtls.Config)
		ok          bool
	}{
		{"shared key", nil, nil, true},
		{"another key", func(c *dtls.Config) {
			c.Peers[0].Shared = &dtls.SharedKey{Identity: "ship", Secret: bytes.Repeat([]byte{8}, 32)}
		}, nil, false},
		{"an identity that nobody has", func(c *dtls.Config) {
			c.Peers[0].Shared = &dtls.SharedKey{Identity: "submarine", Secret: secret}
		}, nil, false},
		{"certificates", shipCert, shoreCert, true},
		{"certificate of another authority", shipCert, strange, false},
		{"certificate for another domain", shipCert, both(shoreCert, func(c *dtls.Config) { c.Peers[0].Domains = []string{"boat.example"} }), false},
		{"we expect another domain", both(shipCert, func(c *dtls.Config) { c.Peers[0].Domains = []string{"coast.example"} }), shoreCert, false},
		{"peer without anchors", shipCert, both(shoreCert, func(c *dtls.Config) { c.Peers[0].Identity = tlsid.Policy{} }), false},
		{"a certificate where a key is asked for", shipCert, nil, false},
		{"a key where a certificate is asked for", nil, shoreCert, false},
		{"a key, and the peer may have another one by certificate", nil, both(shoreCert, func(c *dtls.Config) {
			p := dtls.Peer{Name: "keyed"}
			byKey(&p)
			c.Peers = append(c.Peers, p)
		}), true},
		{"from where the peer may be", nil, func(c *dtls.Config) {
			c.Peers[0].Address, c.Peers[0].From = netip.AddrPort{}, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}, true},
		{"from where nobody may be", nil, func(c *dtls.Config) {
			c.Peers[0].Address, c.Peers[0].From = netip.AddrPort{}, []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")}
		}, false},
		{"from where another peer may be", nil, func(c *dtls.Config) {
			c.Peers[0].Address, c.Peers[0].From = netip.AddrPort{}, []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")}
			c.Peers = append(c.Peers, openPeer())
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, settings{ship: row.ship, shore: row.shore})
				defer p.close()
				accepted := make(chan string, 1)
				ctx, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				go func() {
					if a, err := p.shore.Accept(ctx); err == nil {
						accepted <- a.Peer()
					}
				}()
				_, err := p.ship.Dial(ctx, "shore")
				if (err == nil) != row.ok {
					t.Errorf("dialling: %v", err)
				}
				time.Sleep(40 * time.Second)
				if got := len(accepted) == 1; got != row.ok {
					t.Errorf("accepted: %v", got)
				}
				if c, _ := p.shore.Counts(); c.HalfOpen != 0 || (c.Associations == 1) != row.ok {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

// TestPinned: a pin stands in for an authority, and the proof says so.
func TestPinned(t *testing.T) {
	ca, err := tlsidtest.NewCAWith(tlsidtest.CAOptions{Name: "bench", NotBefore: ancient, NotAfter: distant})
	if err != nil {
		t.Fatal(err)
	}
	keys := keysFor(t, ca, "node.example")
	pin := tlsid.KeyPin(keys.For("node.example").Leaf)
	side := func(c *dtls.Config) {
		c.Keys, c.Domain = keys, "node.example"
		c.Peers[0].Shared, c.Peers[0].Domains = nil, []string{"node.example"}
		c.Peers[0].Identity = tlsid.Policy{Pins: []tlsid.Pin{pin}}
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, settings{ship: side, shore: side})
		defer p.close()
		a, b := p.connect()
		if !a.Proof().Pinned || !b.Proof().Pinned {
			t.Errorf("%+v %+v", a.Proof(), b.Proof())
		}
	})
}

// TestBackPressure: who does not read is not written to without end, and the other lanes go on.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := links.Profile{BitsPerSecond: 1_000_000, RoundTrip: 200 * time.Millisecond}
		p := newPair(t, settings{weather: weather{delay: 100 * time.Millisecond}, profile: slow})
		defer p.close()
		ship, shore := p.connect()
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		sent := 0
		for ; ; sent += 10_000 {
			if err := ship.Send(ctx, 0, make([]byte, 10_000)); err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				break
			}
		}
		if sent > 1<<20 {
			t.Errorf("%d bytes for somebody who does not read", sent)
		}
		for got := 0; got < sent; got += 10_000 {
			if b, err := shore.Receive(0); err != nil || len(b) != 10_000 {
				t.Fatalf("%d %v", len(b), err)
			}
		}
		exchange(t, ship, shore, "goes on")
	})
}

// TestSilence: a neighbour that is gone is noticed, when something waits for it or is asked, and not before.
func TestSilence(t *testing.T) {
	for _, row := range []struct {
		name    string
		profile links.Profile
		shore   time.Duration // keep-alive of the other end
		send    bool
		gone    bool
	}{
		{"nothing to say", links.Profile{}, 0, false, false},
		{"something unanswered", links.Profile{}, 0, true, true},
		{"keep-alive", links.Profile{KeepAlive: time.Minute}, time.Minute, false, true},
		{"keep-alive of one end", links.Profile{KeepAlive: time.Minute}, 0, false, true},
		{"keep-alive of the other end", links.Profile{}, time.Minute, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, settings{profile: row.profile, shore: func(c *dtls.Config) { c.Peers[0].Profile.KeepAlive = row.shore }})
				defer p.close()
				ship, shore := p.connect()
				time.Sleep(10 * time.Minute)
				if ship.Err() != nil || shore.Err() != nil {
					t.Fatalf("ended while the neighbour was there: %v, %v", ship.Err(), shore.Err())
				}
				p.net.tapped(func(_, _ netip.AddrPort, _ []byte) []byte { return nil })
				if row.send {
					if err := ship.Send(t.Context(), 0, []byte("hello?")); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if gone := ship.Err() != nil; gone != row.gone {
					t.Errorf("gone: %v, %v", gone, ship.Err())
				}
			})
		})
	}
}

// TestClose: an orderly end loses nothing that was sent, and both sides hear of it.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, settings{weather: weather{delay: 50 * time.Millisecond, drop: 0.1, seed: 8}})
		defer p.close()
		ship, shore := p.connect()
		got := make(chan int)
		go func() {
			n := 0
			for {
				if _, err := shore.Receive(2); err != nil {
					got <- n
					return
				}
				n++
			}
		}()
		for range 50 {
			if err := ship.Send(t.Context(), 2, make([]byte, 2000)); err != nil {
				t.Fatal(err)
			}
		}
		if err := ship.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := <-got; n != 50 {
			t.Errorf("%d of 50 arrived", n)
		}
		<-shore.Done()
		if shore.Err() == nil || ship.Err() == nil {
			t.Errorf("%v %v", ship.Err(), shore.Err())
		}
		if err := ship.Send(t.Context(), 0, []byte("x")); err == nil {
			t.Error("sent after the end")
		}
	})
}

// TestBothDial: when both sides dial at the same moment there is one association.
func TestBothDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, settings{weather: weather{delay: 100 * time.Millisecond}, shore: func(c *dtls.Config) { c.Peers[0].Name = "ship" }})
		defer p.close()
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		results := make(chan error, 4)
		for _, e := range []struct {
			end  *dtls.Endpoint
			peer string
		}{{p.ship, "shore"}, {p.shore, "ship"}} {
			go func() { _, err := e.end.Dial(ctx, e.peer); results <- err }()
			go func() { _, err := e.end.Accept(ctx); results <- err }()
		}
		good := 0
		for range 4 {
			if <-results == nil {
				good++
			}
		}
		if good != 2 {
			t.Errorf("%d good ends of one association", good)
		}
	})
}

// TestTooBig: messages have a bound on both sides, and a neighbour cannot open more lanes.
func TestTooBig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, settings{shore: func(c *dtls.Config) { c.Lanes, c.MaxMessage = 2, 1000 }})
		defer p.close()
		ship, shore := p.connect()
		if err := ship.Send(t.Context(), 0, make([]byte, dtls.DefaultMaxMessage+1)); !errors.Is(err, dtls.ErrTooBig) {
			t.Error(err)
		}
		if err := ship.Send(t.Context(), 0, make([]byte, 1001)); err != nil {
			t.Error(err)
		}
		if _, err := shore.Receive(0); err == nil {
			t.Error("received more than may be")
		}
		if err := ship.Send(t.Context(), 3, []byte("a lane too many")); err != nil {
			t.Error(err)
		}
		<-shore.Done()
	})
}

// TestValidate names what is wrong with a configuration.
func TestValidate(t *testing.T) {
	good := dtls.Peer{Name: "a", Shared: &dtls.SharedKey{Identity: "a", Secret: secret}}
	for _, row := range []struct {
		name string
		c    dtls.Config
		ok   bool
	}{
		{"good", dtls.Config{Peers: []dtls.Peer{good}}, true},
		{"nameless", dtls.Config{Peers: []dtls.Peer{{Shared: good.Shared}}}, false},
		{"twice", dtls.Config{Peers: []dtls.Peer{good, good}}, false},
		{"no proof at all", dtls.Config{Peers: []dtls.Peer{{Name: "a"}}}, false},
		{"short key", dtls.Config{Peers: []dtls.Peer{{Name: "a", Shared: &dtls.SharedKey{Identity: "a", Secret: secret[:15]}}}}, false},
		{"no identity", dtls.Config{Peers: []dtls.Peer{{Name: "a", Shared: &dtls.SharedKey{Secret: secret}}}}, false},
		{"certificate without one of ours", dtls.Config{Peers: []dtls.Peer{{Name: "a", Domains: []string{"a.example"}}}}, false},
		{"lanes without end", dtls.Config{Lanes: 65, Peers: []dtls.Peer{good}}, false},
	} {
		if err := row.c.Validate(); (err == nil) != row.ok {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
