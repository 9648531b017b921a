package hostileclient_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"sallyport/server/c2s"
)

// clientHello is a ClientHello (RFC 5246 §7.4.1.2) as old or poor as a test wants it.
type clientHello struct {
	version uint16
	suites  []uint16
	groups  []uint16
}

// record is the message in a record of its own.
func (h clientHello) record() []byte {
	var b []byte
	put16 := func(v ...uint16) {
		for _, v := range v {
			b = binary.BigEndian.AppendUint16(b, v)
		}
	}
	put16(h.version)
	b = append(b, bytes.Repeat([]byte{7}, 32)...)
	b = append(b, 0)
	put16(uint16(2 * len(h.suites)))
	put16(h.suites...)
	b = append(b, 1, 0)
	if h.version > 0x0300 {
		const name = "im.example"
		put16(uint16(4+5+len(name)+4+2+2*len(h.groups)+4+2+4+4+2), 0, uint16(5+len(name)), uint16(3+len(name)))
		b = append(append(b, 0, 0, byte(len(name))), name...)
		put16(10, uint16(2+2*len(h.groups)), uint16(2*len(h.groups)))
		put16(h.groups...)
		put16(13, 6, 4, 0x0403, 0x0401) // ECDSA and RSA with SHA-256
		b = append(b, 0, 11, 0, 2, 1, 0)
	}
	b = append([]byte{1, 0, byte(len(b) >> 8), byte(len(b))}, b...)
	outer := min(h.version, 0x0301)
	return append([]byte{22, byte(outer >> 8), byte(outer), byte(len(b) >> 8), byte(len(b))}, b...)
}

// doors are the ways to TLS.
var doors = []string{"direct", "starttls"}

// atDoor is a client of which a handshake is expected.
func (b *bed) atDoor(t *testing.T, door string) *client {
	t.Helper()
	if door == "direct" {
		return b.dialTCP(t, b.direct)
	}
	c := b.dialTCP(t, b.clear)
	c.say(header)
	c.until("</stream:features>")
	c.say(starttls)
	c.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	return c
}

// alert is what the other side says to a hello in clear: the description of its alert, and then the end.
func (c *client) alert() (description byte, err error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	said, err := io.ReadAll(c.conn)
	if len(said) != 7 || said[0] != 21 || said[5] != 2 {
		return 0, fmt.Errorf("no alert: % x (%w)", said, err)
	}
	return said[6], nil
}

// oldTLS: E04.
func oldTLS(t *testing.T, b *bed) {
	fine, curves := []uint16{0xC02B, 0xC02F, 0xC02C}, []uint16{23, 24}
	for _, tc := range []struct {
		name  string
		hello clientHello
		want  byte
	}{
		{"SSL 3.0", clientHello{0x0300, fine, nil}, 70},
		{"TLS 1.0", clientHello{0x0301, fine, curves}, 70},
		{"TLS 1.1", clientHello{0x0302, fine, curves}, 70},
		{"RC4", clientHello{0x0303, []uint16{0x0005, 0xC007, 0xC011}, curves}, 40},
		{"3DES", clientHello{0x0303, []uint16{0x000A, 0xC008, 0xC012}, curves}, 40},
		{"CBC", clientHello{0x0303, []uint16{0xC009, 0xC013, 0xC023, 0xC027, 0x002F}, curves}, 40},
		{"secp192r1", clientHello{0x0303, fine, []uint16{19}}, 40},
	} {
		for _, door := range doors {
			t.Run(tc.name+" "+door, func(t *testing.T) {
				t.Parallel()
				c := b.atDoor(t, door)
				_, _ = c.conn.Write(tc.hello.record()) // what becomes of it is heard
				if got, err := c.alert(); got != tc.want {
					t.Errorf("alert %d, want %d (%v)", got, tc.want, err)
				}
				b.observed(t, c.from(), c2s.TLSFailed, "tls: ")
			})
		}
	}
}

// handshakeLimit is how long a handshake may take.
const handshakeLimit = 10 * time.Second

// slowHandshakes: E07. Each is gone when its time is over, and not before. They wait all at once, and take the place of no other test.
func slowHandshakes(t *testing.T, b *bed) {
	if testing.Short() {
		return // it takes the ten seconds of the limit
	}
	hello := clientHello{0x0303, []uint16{0xC02B}, []uint16{23}}.record()
	var all sync.WaitGroup
	for _, door := range doors {
		for _, how := range []string{"silent", "dribbled", "after the hello of the server"} {
			began := time.Now() // not after the server has begun to count
			c := b.atDoor(t, door)
			ended := make(chan struct{})
			switch how {
			case "dribbled":
				all.Go(func() { c.dribble(hello, ended) })
			case "after the hello of the server":
				_, _ = c.conn.Write(hello)
			}
			all.Go(func() {
				defer close(ended)
				c.end(patience)
				if took, late := time.Since(began), b.calm.yardstick.limit(); took < handshakeLimit*9/10 || took > handshakeLimit+late {
					t.Errorf("%s, %s: closed after %v, limit %v", how, door, took, handshakeLimit)
				}
			})
		}
	}
	all.Wait()
}

// dribble says a byte a second.
func (c *client) dribble(text []byte, ended <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range text {
		select {
		case <-tick.C:
			_, _ = c.conn.Write(text[i : i+1])
		case <-ended:
			return
		}
	}
}
