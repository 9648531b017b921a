package dtls_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links/dtls"
)

// challengeSize is a challenge under ChaCha20: header with id, 19 bytes, their type, tag.
const challengeSize = 21 + 19 + 1 + 16

// resized gives a record in clear another message body, with all lengths right or as given.
func resized(record, body []byte, claimed int) []byte {
	out := bytes.Clone(record[:25])
	binary.BigEndian.PutUint16(out[lengthAt:], uint16(12+len(body))) //nolint:gosec // small
	out[14], out[15], out[16] = byte(claimed>>16), byte(claimed>>8), byte(claimed)
	out[22], out[23], out[24] = out[14], out[15], out[16]
	return append(out, body...)
}

// TestE18: what a hostile server says to the side that dials.
func TestE18(t *testing.T) {
	cut := func(typ byte, body func(old []byte) []byte) func(r []byte) []byte {
		return func(r []byte) []byte {
			if message(r) != typ {
				return r
			}
			b := body(r[25:])
			return resized(r, b, len(b))
		}
	}
	lie := func(typ byte, claimed int) func(r []byte) []byte {
		return func(r []byte) []byte {
			if message(r) != typ {
				return r
			}
			return resized(r, r[25:], claimed)
		}
	}
	for _, row := range []struct {
		name   string
		change func(r []byte) []byte
	}{
		{"ServerKeyExchange: hint of length 0 and nothing", cut(12, func([]byte) []byte { return []byte{0, 0} })},
		{"ServerKeyExchange: hint consumes all", cut(12, func(b []byte) []byte {
			return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)
		})},
		{"ServerKeyExchange: hint longer than all", cut(12, func(b []byte) []byte { return append([]byte{0xFF, 0xFF}, b...) })},
		{"ServerKeyExchange: hint of 65,534", cut(12, func(b []byte) []byte { return append([]byte{0xFF, 0xFE}, b...) })},
		{"ServerKeyExchange: a byte", cut(12, func([]byte) []byte { return []byte{0} })},
		{"ServerKeyExchange: nothing", cut(12, func([]byte) []byte { return nil })},
		{"ServerKeyExchange: cut key", cut(12, func(b []byte) []byte { return b[:len(b)/2] })},
		{"HelloVerifyRequest: cut", cut(3, func(b []byte) []byte { return b[:len(b)-5] })},
		{"HelloVerifyRequest: no cookie", cut(3, func([]byte) []byte { return []byte{0xFE, 0xFD, 0} })},
		{"HelloVerifyRequest: version alone", cut(3, func(b []byte) []byte { return b[:2] })},
		{"HelloVerifyRequest: nothing", cut(3, func([]byte) []byte { return nil })},
		{"HelloVerifyRequest: claims more", lie(3, 1000)},
		{"ServerHello: cut", cut(2, func(b []byte) []byte { return b[:20] })},
		{"ServerHello: cut before the suite", cut(2, func(b []byte) []byte { return b[:35] })},
		{"ServerHello: cut extensions", cut(2, func(b []byte) []byte { return b[:len(b)-3] })},
		{"ServerHello: nothing", cut(2, func([]byte) []byte { return nil })},
		{"ServerHello: claims more", lie(2, 4000)},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, settings{ship: func(c *dtls.Config) {
					other := c.Peers[0]
					other.Name, other.Address = "evil", attackerAt
					c.Peers = append(c.Peers, other)
					c.Peers[1].Shared = &dtls.SharedKey{Identity: "evil", Secret: secret}
				}})
				defer p.close()
				ship, shore := p.connect()
				evil := dtls.Config{Local: attackerAt, Peers: []dtls.Peer{{Name: "ship", Shared: &dtls.SharedKey{Identity: "evil", Secret: secret}}}}
				e := open(t, p.net, evil)
				changed := 0
				p.net.tapped(func(from, _ netip.AddrPort, b []byte) []byte {
					if from != attackerAt {
						return b
					}
					var out []byte
					for _, r := range recordsOf(b) {
						other := row.change(r)
						if !bytes.Equal(other, r) {
							changed++
						}
						out = append(out, other...)
					}
					return out
				})
				if a, err := p.ship.Dial(t.Context(), "evil"); err == nil {
					t.Errorf("associated with %q", a.Peer())
				}
				if changed == 0 {
					t.Error("nothing was changed")
				}
				exchange(t, ship, shore, "the other one lives")
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestE19: what was recorded and is sent again is not delivered again, and what comes late is.
func TestE19(t *testing.T) {
	for _, row := range []struct {
		name string
		tap  func(n *memnet) func(from, to netip.AddrPort, b []byte) []byte
	}{
		{"each record a thousand times", func(n *memnet) func(from, to netip.AddrPort, b []byte) []byte {
			return func(from, to netip.AddrPort, b []byte) []byte {
				go func() {
					for range 1000 {
						n.inject(from, to, b)
					}
				}()
				return b
			}
		}},
		{"re-ordered by 70", func(n *memnet) func(from, to netip.AddrPort, b []byte) []byte {
			held := map[netip.AddrPort][]packet{}
			return func(from, to netip.AddrPort, b []byte) []byte {
				held[to] = append(held[to], packet{from, to, b})
				if len(held[to]) < 70 {
					if len(held[to]) == 1 {
						time.AfterFunc(50*time.Millisecond, func() {
							n.mu.Lock()
							late := held[to]
							held[to] = nil
							n.mu.Unlock()
							for i := len(late) - 1; i >= 0; i-- { // the last first
								n.inject(late[i].from, to, late[i].data)
							}
						})
					}
				}
				return nil
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, settings{weather: weather{delay: time.Millisecond}})
				defer p.close()
				ship, shore := p.connect()
				p.net.tapped(row.tap(p.net))
				const n = 150
				go func() {
					for i := range n {
						if err := ship.Send(t.Context(), 0, bytes.Repeat([]byte{byte(i)}, 1000)); err != nil {
							t.Error(err)
						}
					}
				}()
				for i := range n {
					if b, err := shore.Receive(0); err != nil || len(b) != 1000 || b[0] != byte(i) || b[999] != byte(i) {
						t.Fatalf("message %d: %.4x %v", i, b, err)
					}
				}
				p.net.tapped(nil)
				time.Sleep(time.Second)
				exchange(t, ship, shore, "nothing came twice")
			})
		})
	}
}

// TestE20: datagrams of every wrong size, and good records beside bad ones.
func TestE20(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, settings{})
		defer p.close()
		ship, shore := p.connect()
		exchange(t, ship, shore, "before")
		var last []byte
		for _, d := range p.net.packets() {
			if d.to == shoreAt && d.data[0] == 25 {
				last = d.data
			}
		}
		beyond := bytes.Clone(last)
		binary.BigEndian.PutUint16(beyond[19:], 60_000)
		forged := bytes.Clone(last)
		forged[len(forged)-1] ^= 1
		stranger := bytes.Clone(last)
		stranger[12] ^= 1
		quiet := p.net.sentTo(shipAt)
		bad := 0
		for _, b := range [][]byte{
			{},
			{25},
			last[:12], last[:13], last[:20], last[:21], make([]byte, 13), make([]byte, 65_507), bytes.Repeat([]byte{25}, 65_507),
			beyond, forged, stranger, bytes.Repeat([]byte{22, 0xFE, 0xFD}, 400), append([]byte{99}, last[1:]...), append([]byte{25, 3, 3}, last[3:]...),
		} {
			for range 100 {
				p.net.inject(shipAt, shoreAt, b)
				p.net.inject(attackerAt, shoreAt, b)
				bad += 2
			}
			synctest.Wait()
		}
		time.Sleep(5 * time.Second)
		// Some bear an id of ours: their address gets one challenge, less than it paid.
		if sent := p.net.sentTo(attackerAt); sent > challengeSize {
			t.Errorf("%d bytes to a stranger", sent)
		}
		if sent := p.net.sentTo(shipAt) - quiet; sent > 200 { // an acknowledgement or two of SCTP
			t.Errorf("%d bytes said about it", sent)
		}
		tails := [][]byte{forged, beyond, {25, 0xFE}, last[:21], {0}}
		i := 0
		p.net.tapped(func(_, _ netip.AddrPort, b []byte) []byte {
			i++
			return append(b, tails[i%len(tails)]...)
		})
		for range 10 {
			exchange(t, ship, shore, "good beside bad")
		}
	})
}

// TestE21: a valid record from another address.
func TestE21(t *testing.T) {
	grab := func(p *pair) (get func() []byte) { // takes the next protected datagram to the shore out of the air
		var got []byte
		p.net.tapped(func(_, to netip.AddrPort, b []byte) []byte {
			if got == nil && to == shoreAt && b[0] == 25 {
				got = b
				return nil
			}
			return b
		})
		return func() []byte {
			synctest.Wait()
			p.net.mu.Lock()
			defer p.net.mu.Unlock()
			return got
		}
	}
	for _, row := range []struct {
		name   string
		change func([]byte) []byte
		held   uint64
	}{
		{"with its connection id", func(b []byte) []byte { return b }, 1},
		{"without", func(b []byte) []byte { return append(append([]byte{23}, b[1:11]...), b[19:]...) }, 0},
		{"with another's", func(b []byte) []byte { b[11] ^= 1; return b }, 0},
	} {
		t.Run("stolen, "+row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, settings{})
				defer p.close()
				ship, shore := p.connect()
				exchange(t, ship, shore, "before")
				get := grab(p)
				if err := ship.Send(t.Context(), 1, []byte("once")); err != nil {
					t.Fatal(err)
				}
				stolen := row.change(get())
				p.net.tapped(nil)
				p.net.inject(attackerAt, shoreAt, stolen)
				synctest.Wait()
				c, _ := p.shore.Counts()
				if c.Held != row.held || c.Moved != 0 || shore.Address() != shipAt {
					t.Errorf("at %v, %+v", shore.Address(), c)
				}
				if sent := p.net.sentTo(attackerAt); sent > len(stolen) || sent > 0 != (row.held > 0) {
					t.Errorf("%d bytes to the thief for %d", sent, len(stolen))
				}
				if b, err := shore.Receive(1); err != nil || string(b) != "once" {
					t.Errorf("%q %v", b, err)
				}
				time.Sleep(time.Minute)
				exchange(t, ship, shore, "nothing twice")
				if shore.Address() != shipAt {
					t.Errorf("moved to %v", shore.Address())
				}
			})
		})
	}
	t.Run("moved for good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, settings{weather: weather{delay: 20 * time.Millisecond}})
			defer p.close()
			ship, shore := p.connect()
			exchange(t, ship, shore, "before")
			p.net.rebind(shipAt, elsewhere)
			before := len(p.net.packets())
			for range 10 {
				exchange(t, ship, shore, "after")
			}
			for _, d := range p.net.packets()[before:] {
				if d.to == elsewhere {
					if len(d.data) != challengeSize {
						t.Errorf("%d bytes went there before it was proven", len(d.data))
					}
					break
				}
			}
			if c, _ := p.shore.Counts(); c.Moved != 1 || shore.Address() != elsewhere {
				t.Errorf("at %v: %+v", shore.Address(), c)
			}
		})
	})
	t.Run("moved to where the peer may not be", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, settings{shore: func(c *dtls.Config) { c.Peers[0].From = []netip.Prefix{netip.PrefixFrom(shipAt.Addr(), 24).Masked()} }})
			defer p.close()
			ship, _ := p.connect()
			p.net.rebind(shipAt, elsewhere)
			if err := ship.Send(t.Context(), 0, []byte("from afar")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			if c, _ := p.shore.Counts(); c.Moved != 0 || c.Strangers == 0 || p.net.sentTo(elsewhere) != 0 {
				t.Errorf("%+v, %d bytes", c, p.net.sentTo(elsewhere))
			}
		})
	})
}

// TestDialCanBeGivenUp: nothing is left of an attempt.
func TestDialCanBeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, settings{weather: weather{drop: 1}})
		defer p.close()
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		if _, err := p.ship.Dial(ctx, "shore"); err == nil {
			t.Error("reached")
		}
		if c, _ := p.ship.Counts(); c.Associations != 0 {
			t.Errorf("%+v", c)
		}
	})
}
