package c2s_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/server/c2s"
)

// crowded is a listener of a machine that is out of descriptors for some connections.
type crowded struct {
	memory
	left *atomic.Int32
}

func (c crowded) Accept() (net.Conn, error) {
	if c.left.Load() > 0 {
		c.left.Add(-1)
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: c.Addr(), Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return c.memory.Accept()
}

// Who has used up all descriptors of the machine has disconnected nobody by that, and people can come again when there are some.
func TestOutOfDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, ln := atomic.Int32{}, make(memory)
		d := newDenOn(t, crowded{ln, &left}, ln, nil)
		c := d.dial()
		c.managed()
		left.Store(20) // when it looks the next time
		d.dial()
		time.Sleep(time.Minute) // virtual: to be tried again as often as it fails
		if n := left.Load(); n > 0 {
			t.Errorf("%d times it was not tried again", n)
		}
		c.say(`<message to='romeo@im.example'><body>o</body></message>`)
		c.until("<body>o</body></message>")
		d.dial().login()
	})
}

// D13 for IPv6: who has one address there has 2^64 of them.
func TestCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		for i := range c2s.MaxPending {
			d.dialFrom(fmt.Sprintf("2001:db8:1:2::%x", i+1))
		}
		synctest.Wait()
		conn := d.dialFrom("2001:db8:1:2:ffff::1").conn
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("one too many of a network is let in")
		}
		d.dialFrom("2001:db8:1:3::1").login()
	})
}

// What nobody has asked for is one line in the log, not as many as somebody likes who has not even logged in; and who goes on ends by it.
func TestFloodOfFacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.WarnLevel)
		d := newDen(t, func(c *c2s.Config) { c.Log = zap.New(core) })
		c := d.dial()
		c.say(hello)
		c.until("</stream:features>")
		for range 20 {
			if _, err := c.conn.Write([]byte(strings.Repeat("<a xmlns='urn:xmpp:sm:3' h='0'/>", 1100))); err != nil {
				break
			}
			time.Sleep(time.Second) // virtual: to be read before more is said
		}
		c.until("<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>")
		if n := logged.FilterMessage("trouble with a client").Len(); n == 0 || n > 20 {
			t.Errorf("%d lines in the log", n)
		}
	})
}
