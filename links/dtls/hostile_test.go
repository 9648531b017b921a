package dtls_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/dtls/v3"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/links/dtls"
)

// recordedHello is a ClientHello as our endpoints send it.
func recordedHello(t *testing.T) []byte {
	t.Helper()
	var hello []byte
	synctest.Test(t, func(t *testing.T) {
		n := newMemnet(weather{})
		p := dtls.Config{Local: shipAt, Peers: []dtls.Peer{{Name: "shore", Address: shoreAt}}}
		byKey(&p.Peers[0])
		e := open(t, n, p)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if _, err := e.Dial(ctx, "shore"); err == nil {
			t.Error("reached nobody")
		}
		hello = n.packets()[0].data
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if message(hello) != 1 {
		t.Fatalf("% x", hello)
	}
	return hello
}

func anywhere(netip.Addr) bool { return true }

// TestE14 floods with ClientHellos that have no cookie.
func TestE14(t *testing.T) {
	hello := recordedHello(t)
	f, err := dtls.NewFront(dtls.Limits{}, anywhere, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]dtls.Output, 0, 4)
	now := time.Now()
	flood := func(from, n int) {
		for i := from; i < from+n; i++ {
			source := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), uint16(1024+i%60_000)) //nolint:gosec // small
			out = f.Datagram(now, source, hello, out[:0])
			if len(out) != 1 || out[0].Kind != dtls.Answer || out[0].Address != source || len(out[0].Data) > len(hello) || message(out[0].Data) != 3 {
				t.Fatalf("%v for hello %d", out, i)
			}
		}
	}
	flood(0, 100)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	flood(100, 10_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<10 {
		t.Errorf("%d bytes kept after 10,000 hellos", grown)
	}
	if c := f.Counts(); c.Verified != 10_100 || c.Associations != 0 || c.HalfOpen != 0 {
		t.Errorf("%+v", c)
	}
}

// TestE14Bystander: an association goes on while the flood lasts, and nobody gets more bytes than were sent in the name of its address.
func TestE14Bystander(t *testing.T) {
	hello := recordedHello(t)
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, settings{shore: func(c *dtls.Config) { c.Peers = append(c.Peers, openPeer()) }})
		defer p.close()
		ship, shore := p.connect()
		for i := range 10_000 {
			p.net.inject(netip.AddrPortFrom(attackerAt.Addr(), uint16(1024+i)), shoreAt, hello) //nolint:gosec // small
			if i%1000 == 0 {
				synctest.Wait()
				exchange(t, ship, shore, fmt.Sprint(i))
			}
		}
		synctest.Wait()
		c, _ := p.shore.Counts()
		if c.Verified != 10_001 || c.Associations != 1 {
			t.Errorf("%+v", c)
		}
		for i := range 10_000 {
			at := netip.AddrPortFrom(attackerAt.Addr(), uint16(1024+i)) //nolint:gosec // small
			if sent := p.net.sentTo(at); sent == 0 || sent > len(hello) {
				t.Errorf("%d bytes to %v, which sent %d", sent, at, len(hello))
			}
		}
	})
}

// openPeer is a peer that may come from anywhere, with another key.
func openPeer() dtls.Peer {
	return dtls.Peer{Name: "other", Shared: &dtls.SharedKey{Identity: "other", Secret: bytes.Repeat([]byte{9}, 32)}}
}

// exchange sends a message each way.
func exchange(t *testing.T, a, b *dtls.Association, text string) {
	t.Helper()
	for _, way := range []struct{ from, to *dtls.Association }{{a, b}, {b, a}} {
		if err := way.from.Send(t.Context(), 1, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := way.to.Receive(1); err != nil || string(got) != text {
			t.Fatalf("got %q %v, want %q", got, err, text)
		}
	}
}

// TestE15: a certificate proves nothing without the proof of its key.
func TestE15(t *testing.T) {
	ca, err := tlsidtest.NewCAWith(tlsidtest.CAOptions{Name: "bench", NotBefore: ancient, NotAfter: distant})
	if err != nil {
		t.Fatal(err)
	}
	shipLeaf, err := ca.Issue(tlsidtest.Options{DNS: []string{"ship.example"}, NotBefore: ancient, NotAfter: distant})
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	shoreKeys := keysFor(t, ca, "shore.example")
	stolen := shipLeaf.TLS()
	stolen.PrivateKey = other
	for _, row := range []struct {
		name    string
		cert    tls.Certificate
		forge   bool
		without bool
		ok      bool
	}{
		{"as it should be", shipLeaf.TLS(), false, false, true},
		{"as it should be, through the forger", shipLeaf.TLS(), true, false, true},
		{"no CertificateVerify", shipLeaf.TLS(), true, true, false},
		{"CertificateVerify by another key", stolen, false, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newMemnet(weather{})
				shore := open(t, n, dtls.Config{
					Local: shoreAt, Keys: shoreKeys, Domain: "shore.example",
					Peers: []dtls.Peer{{Name: "ship", Domains: []string{"ship.example"}, Identity: tlsid.Policy{Trust: tlsid.NewTrust(ca.Cert)}}},
				})
				conn := newRawConn(t, n, attackerAt, shoreAt)
				f := &forger{without: row.without}
				if row.forge {
					conn.change, conn.saw = f.change, f.saw
				}
				ctx, stop := context.WithTimeout(t.Context(), 8*time.Second)
				defer stop()
				c, err := pion.ClientWithOptions(conn, net.UDPAddrFromAddrPort(shoreAt), rawOptions(pion.WithCertificates(row.cert), pion.WithKeyLogWriter(&f.keys))...)
				if err != nil {
					t.Fatal(err)
				}
				// The forged transcript is not the client's: what counts is what the server makes of it.
				handshaken := make(chan error, 1)
				go func() { handshaken <- c.HandshakeContext(ctx) }()
				finished := false
				p := n.packets
				for range 40 {
					time.Sleep(100 * time.Millisecond)
					synctest.Wait()
					for _, d := range p() {
						for _, r := range recordsOf(d.data) {
							finished = finished || d.from == shoreAt && r[0] == 25 && len(r) > 60 // the server's Finished
						}
					}
				}
				if err := f.failure(); err != nil {
					t.Fatal(err)
				}
				if finished != row.ok {
					t.Errorf("server finished: %v, want %v", finished, row.ok)
				}
				<-handshaken
				_ = c.Close()
				if err := shore.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestE16: application data in clear never gets in.
func TestE16(t *testing.T) {
	clear := []byte{23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 4, 'e', 'v', 'i', 'l'}
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, settings{weather: weather{delay: 5 * time.Millisecond}})
		defer p.close()
		p.net.inject(shipAt, shoreAt, clear) // before
		sent := 1
		p.net.tapped(func(from, to netip.AddrPort, b []byte) []byte { // during: beside each datagram, and in it
			go p.net.inject(from, to, clear)
			sent += 2
			return append(b, clear...)
		})
		ship, shore := p.connect()
		exchange(t, ship, shore, "good")
		p.net.tapped(nil)
		synctest.Wait()
		p.net.inject(shipAt, shoreAt, clear) // after
		sent++
		exchange(t, ship, shore, "better")
		time.Sleep(time.Second)
		a, _ := p.ship.Counts()
		b, _ := p.shore.Counts()
		if got := a.Unprotected + b.Unprotected; got < uint64(sent-4) || got > uint64(sent) { //nolint:gosec // small
			t.Errorf("%d dropped of %d", got, sent)
		}
		if b.Unknown+b.Malformed != 0 {
			t.Errorf("%+v", b)
		}
	})
}

// TestE17: handshake messages that never end, contradict themselves or say nothing.
func TestE17(t *testing.T) {
	fragment := func(seq, typ, total, offset, length int, data []byte) []byte {
		b := []byte{22, 0xFE, 0xFD, 0, 0, 0, 0, 0, byte(seq >> 16), byte(seq >> 8), byte(seq), 0, 0}
		binary.BigEndian.PutUint16(b[11:], uint16(12+len(data))) //nolint:gosec // small
		b = append(b, byte(typ), byte(total>>16), byte(total>>8), byte(total), 0, 1, byte(offset>>16), byte(offset>>8), byte(offset), byte(length>>16), byte(length>>8), byte(length))
		return append(b, data...)
	}
	kilo := bytes.Repeat([]byte{1}, 1000)
	for _, row := range []struct {
		name    string
		count   int
		make    func(i int) []byte
		aborted bool
	}{
		{"a message that never ends", 3000, func(i int) []byte { return fragment(10+i, 11, 1<<24-1, i*1000, 1000, kilo) }, true},
		{"1,001 fragments of a byte", 1001, func(i int) []byte { return fragment(10+i, 11, 5000, i*2, 1, kilo[:1]) }, true},
		{"overlapping, other bytes", 1001, func(i int) []byte { return fragment(10+i, 11, 1500, i%500, 1000, bytes.Repeat([]byte{byte(i)}, 1000)) }, true},
		{"length beyond the total", 1001, func(i int) []byte { return fragment(10+i, 11, 10, 0, 1000, kilo) }, true},
		{"fragment beyond the record", 1001, func(i int) []byte { return fragment(10+i, 11, 5000, 0, 4000, kilo[:10]) }, true},
		{"fragments of nothing", 1001, func(i int) []byte { return fragment(10+i, 11, 10, 0, 0, nil) }, true},
		{"few of them", 100, func(i int) []byte { return fragment(10+i, 11, 5000, i*2, 1, kilo[:1]) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, settings{shore: func(c *dtls.Config) { c.Peers = append(c.Peers, openPeer()) }})
				defer p.close()
				ship, shore := p.connect()
				conn := newRawConn(t, p.net, attackerAt, shoreAt)
				conn.change = func(b []byte) []byte { // a hello, its cookie, and then only fragments
					if message(b) == 1 || message(b) == 3 {
						return b
					}
					return nil
				}
				ctx, stop := context.WithTimeout(t.Context(), time.Second)
				defer stop()
				c, err := pion.ClientWithOptions(conn, net.UDPAddrFromAddrPort(shoreAt), rawOptions(
					pion.WithPSK(func([]byte) ([]byte, error) { return kilo[:32], nil }), pion.WithPSKIdentityHint([]byte("other")),
					pion.WithCipherSuites(pion.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256))...)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.HandshakeContext(ctx); err == nil {
					t.Error("shook hands without a hand")
				}
				_ = c.Close()
				if n, _ := p.shore.Counts(); n.HalfOpen != 1 {
					t.Fatalf("nothing to attack: %+v", n)
				}
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				for i := range row.count {
					p.net.inject(attackerAt, shoreAt, row.make(i))
					synctest.Wait()
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
					t.Errorf("%d bytes held", grown)
				}
				if n, _ := p.shore.Counts(); (n.Flooded == 1) != row.aborted || (n.HalfOpen == 0) != row.aborted {
					t.Errorf("aborted %v: %+v", row.aborted, n)
				}
				exchange(t, ship, shore, "bystander")
			})
		})
	}
}
