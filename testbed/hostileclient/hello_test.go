package hostileclient_test

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"sallyport/server/c2s"
	"sallyport/testbed/hello"
)

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
	for _, tc := range hello.AllRefused("im.example") {
		for _, door := range doors {
			t.Run(tc.Name+" "+door, func(t *testing.T) {
				t.Parallel()
				c := b.atDoor(t, door)
				_, _ = c.conn.Write(tc.Hello.Record()) // what becomes of it is heard
				if got, err := c.alert(); got != tc.Alert {
					t.Errorf("alert %d, want %d (%v)", got, tc.Alert, err)
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
	first := hello.Modern("im.example").Record()
	var all sync.WaitGroup
	for _, door := range doors {
		for _, how := range []string{"silent", "dribbled", "after the hello of the server"} {
			began := time.Now() // not after the server has begun to count
			c := b.atDoor(t, door)
			ended := make(chan struct{})
			switch how {
			case "dribbled":
				all.Go(func() { c.dribble(first, ended) })
			case "after the hello of the server":
				_, _ = c.conn.Write(first)
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
