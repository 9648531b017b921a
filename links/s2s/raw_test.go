package s2s_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/internal/tlsid/tlsidtest"
)

const (
	head = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
		"xmlns:db='jabber:server:dialback' version='1.0' from='%s' to='%s'>"
	starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	proceed  = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	external = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
)

// raw is a peer that says exactly what the test says.
type raw struct {
	t    testing.TB
	conn net.Conn
	text string // heard and not yet asked for
	all  string
}

func dialRaw(t testing.TB, g *gate, direct bool) *raw {
	t.Helper()
	c, err := net.Dial("tcp", g.Addresses("net", direct)[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &raw{t: t, conn: c}
}

func (r *raw) say(format string, args ...any) {
	r.t.Helper()
	if _, err := fmt.Fprintf(r.conn, format, args...); err != nil {
		r.t.Logf("say: %v", err)
	}
}

// hear reads until the text comes, and drops everything up to its end.
func (r *raw) hear(want string) {
	r.t.Helper()
	b := make([]byte, 64<<10)
	_ = r.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, after, ok := strings.Cut(r.text, want); ok {
			r.text = after
			return
		}
		n, err := r.conn.Read(b)
		r.text += string(b[:n])
		r.all += string(b[:n])
		if err != nil {
			r.t.Fatalf("waiting for %q: %v; heard %q", want, err, r.all)
		}
	}
}

// end reads to the end of the connection and returns everything not yet asked for.
func (r *raw) end() string {
	r.t.Helper()
	_ = r.conn.SetReadDeadline(time.Now().Add(patience))
	rest, err := io.ReadAll(r.conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		r.t.Errorf("the connection stays open; heard %q", rest)
	}
	return r.text + string(rest)
}

// secure makes TLS as the peer with that certificate.
func (r *raw) secure(cert *tlsidtest.Leaf, name string) *tls.Conn {
	r.t.Helper()
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: name}
	if cert != nil {
		cfg.Certificates = []tls.Certificate{cert.TLS()}
	}
	c := tls.Client(r.conn, cfg)
	if err := c.Handshake(); err != nil {
		r.t.Fatalf("handshake: %v", err)
	}
	r.conn, r.text = c, ""
	return c
}

// login opens a stream to b as a.example with EXTERNAL.
func login(t testing.TB, w *world) *raw {
	t.Helper()
	r := dialRaw(t, w.b, false)
	r.say(head, "a.example", "b.example")
	r.hear("</stream:features>")
	r.say(starttls)
	r.hear("<proceed")
	r.secure(w.aCert, "b.example")
	r.say(head, "a.example", "b.example")
	r.hear("EXTERNAL")
	r.say(external)
	r.hear("<success")
	r.say(head, "a.example", "b.example")
	r.hear("<stream:features")
	return r
}

// server is a raw peer that gets dialled.
func server(t testing.TB, g *gate, play func(r *raw)) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		play(&raw{t: t, conn: c})
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	g.pointAt(t, uint16(ln.Addr().(*net.TCPAddr).Port), false)
}
