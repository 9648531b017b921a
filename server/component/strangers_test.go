package component_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/component"
)

// from is a connection of somebody at an address.
type from struct {
	net.Conn
	addr netip.Addr
}

func (f from) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(f.addr, 5347)) }

// come connects from an address, as often as asked, and reads until each ends; how many were let in.
func (w *world) come(addr string, n int) (in int) {
	w.Helper()
	for range n {
		ours, theirs := net.Pipe()
		w.Cleanup(func() { _ = ours.Close() })
		if w.all.Start(from{theirs, netip.MustParseAddr(addr)}) {
			in++
			go func() { _, _ = io.Copy(io.Discard, ours) }()
		}
	}
	return in
}

// TestStrangers: who has proven nothing is bounded by address, altogether and in time, and takes nobody's place who has.
func TestStrangers(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		proven := w.login()
		const each = component.MaxStrangersEach
		if n := w.come("192.0.2.1", 3*each); n != each {
			w.Errorf("%d of one address are let in", n)
		}
		if n := w.come("2001:db8::1", each) + w.come("2001:db8::2:1", each); n != each {
			w.Errorf("%d of one network are let in", n)
		}
		all := 2 * each
		for i := 2; all < component.MaxStrangers; i++ {
			all += w.come(fmt.Sprintf("192.0.2.%d", i), each)
		}
		if n := w.come("198.51.100.1", each); n != 0 || all != component.MaxStrangers {
			w.Errorf("%d are let in, and then %d", all, n)
		}
		if got := proven.says("<message to='a@b.example' from='x@" + plays + "'><body>hi</body></message>"); got != "" || len(w.gate.submitted()) != 1 {
			w.Errorf("who has proven a domain is told %q", got)
		}
		time.Sleep(component.HandshakeTimeout + time.Second) // virtual: the time that strangers have
		synctest.Wait()
		if n := w.come("192.0.2.1", each); n != each {
			w.Errorf("%d are let in when those before are gone", n)
		}
		if got := proven.got(); got != "" {
			w.Errorf("who has proven a domain is told %q", got)
		}
	})
}

// TestProvenAreNoStrangers: those that have proven a domain leave their places to others at the same address.
func TestProvenAreNoStrangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.WarnLevel)
		secrets := map[jid.JID]string{}
		for i := range 2 * component.MaxStrangersEach {
			secrets[jid.MustParse(fmt.Sprintf("c%d.example", i))] = secret
		}
		w := &world{T: t, gate: &gate{t: t}}
		var err error
		if w.all, err = component.New(component.Config{Gate: w.gate, Secrets: secrets, Link: "local", Log: zap.New(core)}); err != nil {
			t.Fatal(err)
		}
		defer w.all.Close()
		for d := range secrets {
			c := w.connect()
			_, rest, _ := strings.Cut(c.says(header(d.String())), " id='")
			id, _, _ := strings.Cut(rest, "'")
			if got := c.says("<handshake>" + component.Handshake(id, secret) + "</handshake>"); got != "<handshake/>" {
				t.Fatalf("%s is told %q", d, got)
			}
		}
		for range component.MaxStrangersEach + 5 { // of the same address as those
			ours, theirs := net.Pipe()
			defer ours.Close()
			w.all.Start(theirs)
		}
		if n := logged.FilterMessage("too many connections of components that have proven nothing").Len(); n != 1 {
			t.Errorf("%d lines say that there are too many", n)
		}
	})
}
