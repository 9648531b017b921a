package cable_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"sallyport/testbed/cable"
	"sallyport/testbed/peers"
)

const (
	patience = 60 * time.Second
	moment   = 150 * time.Millisecond // in which nothing must come
)

// free is an address on loopback where nobody listens.
func free(t *testing.T) netip.AddrPort {
	t.Helper()
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	return block.AddrPort(1, 5000)
}

// echo answers everything with itself.
func echo(t *testing.T, network string) netip.AddrPort {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		go func() {
			b := make([]byte, 1500)
			for {
				n, from, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(b[:n], from)
			}
		}()
		return netip.MustParseAddrPort(c.LocalAddr().String())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

func lay(t *testing.T, network string) *cable.Cable {
	t.Helper()
	c, err := cable.Listen(network, free(t), echo(t, network))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func dial(t *testing.T, network string, to netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.Dial(network, to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hears(t *testing.T, c net.Conn, want string, within time.Duration) error {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(want))
	_, err := io.ReadFull(c, b)
	if err == nil && string(b) != want {
		t.Fatalf("heard %q, want %q", b, want)
	}
	return err
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// TestConnections: what is said in silence arrives after it, once; a broken cable ends connections, old and new.
func TestConnections(t *testing.T) {
	t.Parallel()
	line := lay(t, "tcp")
	c := dial(t, "tcp", line.Addr)
	say(t, c, "one")
	if err := hears(t, c, "one", patience); err != nil {
		t.Fatal(err)
	}
	line.Set(cable.Silent)
	say(t, c, "two")
	if err := hears(t, c, "two", moment); !timedOut(err) {
		t.Fatalf("heard in silence: %v", err)
	}
	line.Set(cable.Whole)
	if err := hears(t, c, "two", patience); err != nil {
		t.Fatalf("lost in silence: %v", err)
	}
	line.Set(cable.Broken)
	if err := hears(t, c, "x", patience); err == nil || timedOut(err) {
		t.Errorf("a connection outlives its cable: %v", err)
	}
	if err := hears(t, dial(t, "tcp", line.Addr), "x", patience); err == nil || timedOut(err) {
		t.Errorf("a connection over a broken cable: %v", err)
	}
	line.Set(cable.Whole)
	c = dial(t, "tcp", line.Addr)
	say(t, c, "three")
	if err := hears(t, c, "three", patience); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
	if s := line.Stats(); s.Connections != 2 || s.Bytes != 22 {
		t.Errorf("counted %+v, want 2 connections and 22 bytes", s)
	}
}

// TestDatagrams: what is sent in silence is lost.
func TestDatagrams(t *testing.T) {
	t.Parallel()
	line := lay(t, "udp")
	c := dial(t, "udp", line.Addr)
	for _, row := range []struct {
		name  string
		state cable.State
		comes bool
	}{{"whole", cable.Whole, true}, {"silent", cable.Silent, false}, {"mended", cable.Whole, true}, {"broken", cable.Broken, false}, {"new", cable.Whole, true}} {
		line.Set(row.state)
		lost := line.Stats().Lost
		say(t, c, row.name)
		for end := time.Now().Add(patience); !row.comes && line.Stats().Lost == lost; runtime.Gosched() { // until it is lost, or it could still come
			if time.Now().After(end) {
				t.Fatalf("%s: not lost", row.name)
			}
		}
		err := hears(t, c, row.name, map[bool]time.Duration{true: patience, false: moment}[row.comes])
		if row.comes && err != nil || !row.comes && !timedOut(err) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
