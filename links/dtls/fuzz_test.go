package dtls_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links/dtls"
)

// recordedHandshake is every datagram of one, and of a message each way.
func recordedHandshake(f *testing.F) (all [][]byte) {
	f.Helper()
	n := newMemnet(weather{})
	record := func(local, peer string, at, to netip.AddrPort) *dtls.Endpoint {
		p := dtls.Peer{Name: peer, Address: to}
		byKey(&p)
		e, err := dtls.Open(f.Context(), dtls.Config{Local: at, Peers: []dtls.Peer{p}}, dtls.Env{Bind: n.bind})
		if err != nil {
			f.Fatal(local, err)
		}
		return e
	}
	ship, shore := record("ship", "shore", shipAt, shoreAt), record("shore", "ship", shoreAt, shipAt)
	ctx, stop := context.WithTimeout(f.Context(), 10*time.Second)
	defer stop()
	go func() { _, _ = shore.Accept(ctx) }()
	a, err := ship.Dial(ctx, "shore")
	if err != nil {
		f.Fatal(err)
	}
	if err := a.Send(ctx, 0, []byte("hello")); err != nil {
		f.Fatal(err)
	}
	for _, p := range n.packets() {
		all = append(all, p.data)
	}
	_ = ship.Close()
	_ = shore.Close()
	return all
}

// FuzzFront feeds a front with datagrams of one's choice: a byte for the source, two for the length, the rest is the datagram.
func FuzzFront(f *testing.F) {
	var all []byte
	for _, d := range recordedHandshake(f) {
		one := binary.BigEndian.AppendUint16([]byte{1}, uint16(len(d))) //nolint:gosec // small
		one = append(one, d...)
		f.Add(one)
		all = append(all, one...)
	}
	f.Add(all)
	limits := dtls.Limits{PerSource: 2, HalfOpen: 3, Candidates: 2, HeldDatagrams: 4, HeldBytes: 8 << 10}
	f.Fuzz(func(t *testing.T, b []byte) {
		front, err := dtls.NewFront(limits, anywhere, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1_800_000_000, 0)
		key, cid, err := front.Dial(now, shoreAt)
		if err != nil {
			t.Fatal(err)
		}
		front.Established(key, time.Second)
		paid := map[netip.AddrPort]int{}
		for len(b) > 3 {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, b[0]}), 5269)
			n := min(int(binary.BigEndian.Uint16(b[1:])), len(b)-3)
			d := bytes.Clone(b[3 : 3+n])
			b = b[3+n:]
			if len(d) > 21 && d[0] == 25 && d[1] == 0xFE && d[9]&1 == 0 { // half of them know the id
				copy(d[11:], cid[:])
			}
			now = now.Add(50 * time.Millisecond)
			paid[from] += len(d)
			for _, o := range front.Datagram(now, from, bytes.Clone(d), nil) {
				switch o.Kind {
				case dtls.Answer:
					if len(o.Data) > len(d) || o.Address != from {
						t.Fatalf("answer of %d bytes to %v for %d from %v", len(o.Data), o.Address, len(d), from)
					}
				case dtls.Challenge:
					if paid[o.Address] < challengeSize {
						t.Fatalf("challenge to %v, which paid %d bytes", o.Address, paid[o.Address])
					}
				case dtls.Deliver:
					if len(o.Data) == 0 || len(o.Data) > len(d) || o.Key == 0 {
						t.Fatalf("delivered %d bytes of %d", len(o.Data), len(d))
					}
				case dtls.Moved:
					t.Fatalf("moved to %v without an answer", o.Address)
				case dtls.Nothing, dtls.Begin, dtls.Expire:
				}
			}
			front.Tick(now, nil)
			if c := front.Counts(); c.HalfOpen > 3 || c.Associations > 5 {
				t.Fatalf("%+v", c)
			}
		}
	})
}

// FuzzHandshake spoils datagrams on their way in both directions: whatever comes of it, nothing panics, ends are found, and what arrives is
// what was sent. Eight bytes a change: which datagram, where in it, what, and how.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte{})
	for i := range byte(12) {
		f.Add([]byte{i, 0, 13, 0xFF, 0, 0, 0, 0, i, 0, 40, 1, 1, 0, 0, 0})
		f.Add([]byte{i, 0, 30, 0, 2, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, changes []byte) {
		if len(changes) > 256 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, settings{})
			defer p.close()
			n := 0
			p.net.tapped(func(_, _ netip.AddrPort, b []byte) []byte {
				b = spoil(b, n, changes)
				n++
				return b
			})
			ctx, stop := context.WithTimeout(t.Context(), 15*time.Second)
			defer stop()
			got := make(chan *dtls.Association, 1)
			go func() {
				a, _ := p.shore.Accept(ctx)
				got <- a
			}()
			ship, err := p.ship.Dial(ctx, "shore")
			if err != nil {
				stop()
				<-got
				return
			}
			if err := ship.Send(ctx, 0, []byte("whole")); err != nil {
				t.Log(err)
			}
			shore := <-got
			if shore == nil {
				return
			}
			time.AfterFunc(5*time.Minute, func() { _ = p.shore.Close() })
			if b, err := shore.Receive(0); err == nil && string(b) != "whole" {
				t.Fatalf("received %q", b)
			}
		})
	})
}

// spoil applies the changes for datagram n.
func spoil(b []byte, n int, changes []byte) []byte {
	for c := changes; len(c) >= 8; c = c[8:] {
		if int(c[0]) != n || len(b) == 0 {
			continue
		}
		at := int(binary.BigEndian.Uint16(c[1:])) % len(b)
		switch c[4] % 4 {
		case 0:
			b[at] ^= c[3]
		case 1:
			b = b[:at]
		case 2:
			b = append(b, b[at:]...)
		case 3:
			b = append(b[:at:at], append([]byte{c[3], c[5], c[6]}, b[at:]...)...)
		}
	}
	return b
}
