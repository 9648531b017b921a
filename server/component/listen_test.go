package component_test

import (
	"net"
	"testing"

	"sallyport/server/component"
	"sallyport/server/servertest"
)

// elsewhere is a listener on an address of others.
type elsewhere struct{ closed bool }

func (*elsewhere) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (e *elsewhere) Close() error            { e.closed = true; return nil }
func (*elsewhere) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }

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
