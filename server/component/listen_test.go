package component_test

import (
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"

	"sallyport/server/component"
	"sallyport/server/servertest"
)

// elsewhere is a listener on an address of others.
type elsewhere struct{ closed bool }

func (*elsewhere) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (e *elsewhere) Close() error            { e.closed = true; return nil }
func (*elsewhere) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }

// short is a listener of a machine that is out of descriptors, and is closed when it is asked again.
type short struct{ asked int }

func (s *short) Accept() (net.Conn, error) {
	if s.asked++; s.asked == 1 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return nil, net.ErrClosed
}
func (*short) Close() error   { return nil }
func (*short) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// TestOutOfDescriptors: components can connect again when there are some.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := component.New(component.Config{Gate: &servertest.Gate{}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ln := &short{}
		if err := c.Serve(ln); err != nil || ln.asked != 2 {
			t.Errorf("asked %d times, %v", ln.asked, err)
		}
	})
}

func TestWithoutTLSOnlyHere(t *testing.T) {
	t.Parallel()
	c, err := component.New(component.Config{Gate: &servertest.Gate{}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ln := &elsewhere{}
	if err := c.Serve(ln); err == nil || !ln.closed {
		t.Errorf("it listens: %v", err)
	}
}
