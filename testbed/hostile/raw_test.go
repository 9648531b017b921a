package hostile_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	nsStreams = "urn:ietf:params:xml:ns:xmpp-streams"
	nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"

	header = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
		"xmlns:db='jabber:server:dialback' version='1.0' from='%s' to='%s'>"
	starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	external = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>%s</auth>"
	goodbye  = "</stream:stream>"
)

// closeLimit is how long the product may take from an error to the end of the connection, on a machine that others use as well.
const closeLimit = 30 * time.Second

// raw is an attacker: it says bytes.
type raw struct {
	t    testing.TB
	tcp  net.Conn
	conn net.Conn // tcp, or TLS above it
	tap  *tap
	taps *taps
	text string // heard and not yet asked for
	wmu  sync.Mutex
}

// addresses gives each connection a source of its own, so that what is counted by source is not shared between cases.
var addresses atomic.Uint32

func freshSource() net.IP {
	n := addresses.Add(1)
	return net.IPv4(127, byte(16+n>>16&15), byte(n>>8), byte(n))
}

// dial connects from an address of its own.
func (n *node) dial(t testing.TB, to string) *raw { return n.dialFrom(t, freshSource(), to) }

func (n *node) dialFrom(t testing.TB, source net.IP, to string) *raw {
	t.Helper()
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: source}}
	c, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	r := &raw{t: t, tcp: c, conn: c, taps: &n.taps, tap: n.taps.add("attacker " + c.LocalAddr().String())}
	t.Cleanup(r.close)
	return r
}

func (r *raw) close() {
	_ = r.tcp.Close()
	r.taps.drop(r.tap)
}

// address is how the audit log names this connection.
func (r *raw) address() string { return r.tcp.LocalAddr().String() }

// say writes; the other side may have hung up in the middle, which is for the caller to hear.
func (r *raw) say(text string) { r.write([]byte(text)) }

func (r *raw) sayf(format string, args ...any) { r.say(fmt.Sprintf(format, args...)) }

func (r *raw) write(b []byte) bool {
	r.wmu.Lock()
	defer r.wmu.Unlock()
	_ = r.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := r.conn.Write(b)
	return err == nil
}

// more reads once.
func (r *raw) more(limit time.Time) error {
	b := make([]byte, 32<<10)
	_ = r.conn.SetReadDeadline(limit)
	n, err := r.conn.Read(b)
	r.text += string(b[:n])
	_, _ = r.tap.Write(b[:n])
	return err
}

// hear reads until the text comes and returns what stood before it; all of it is then asked for.
func (r *raw) hear(want string) string {
	r.t.Helper()
	limit := time.Now().Add(patience)
	for {
		if before, after, ok := strings.Cut(r.text, want); ok {
			r.text = after
			return before
		}
		if err := r.more(limit); err != nil && !strings.Contains(r.text, want) {
			r.t.Fatalf("waiting for %q: %v; heard %.2000q", want, err, r.text)
		}
	}
}

// end reads to the end of the connection, within limit, and returns everything not yet asked for.
func (r *raw) end(limit time.Duration) string {
	r.t.Helper()
	at := time.Now().Add(limit)
	for {
		err := r.more(at)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			r.t.Errorf("the connection is open after %v; heard %.2000q", limit, r.text)
			return r.text
		case err != nil:
			return r.text
		}
	}
}

// endPolitely is end, but for the answer that a close tag deserves. Without it the product waits before it hangs up, which
// D05 looks at.
func (r *raw) endPolitely(limit time.Duration) string {
	r.t.Helper()
	at := time.Now().Add(limit)
	for !strings.Contains(r.text, goodbye) {
		if err := r.more(at); err != nil {
			break
		}
	}
	if strings.Contains(r.text, goodbye) {
		go r.say(goodbye) // behind what else is being said
	}
	return r.end(limit)
}

// secure makes TLS with that certificate.
func (r *raw) secure(cfg *tls.Config) error {
	c := tls.Client(r.tcp, cfg)
	_ = r.tcp.SetDeadline(time.Now().Add(patience))
	if err := c.Handshake(); err != nil {
		return err
	}
	_ = r.tcp.SetDeadline(time.Time{})
	r.conn, r.text = c, ""
	return nil
}

func tlsConfig(name string, cert *tls.Certificate) *tls.Config {
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: name}
	if cert != nil {
		cfg.Certificates = []tls.Certificate{*cert}
	}
	return cfg
}

// upTo STARTTLS: the stream is in clear and <proceed/> was heard.
func (r *raw) starttls(from, to string) {
	r.t.Helper()
	r.sayf(header, from, to)
	r.hear("</stream:features>")
	r.say(starttls)
	r.hear("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
}

// encrypted makes TLS after STARTTLS; no header has been said inside it yet.
func (r *raw) encrypted(from, to string, cert *tls.Certificate) {
	r.t.Helper()
	r.starttls(from, to)
	if err := r.secure(tlsConfig(to, cert)); err != nil {
		r.t.Fatalf("handshake: %v", err)
	}
}

// authenticated goes on to the last header with SASL EXTERNAL.
func (r *raw) authenticated(from, to string, cert *tls.Certificate) {
	r.t.Helper()
	r.encrypted(from, to, cert)
	r.sayf(header, from, to)
	r.hear("</stream:features>")
	r.sayf(external, "=")
	r.hear("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	r.sayf(header, from, to)
	r.hear("</stream:features>")
}

// split is a way to cut bytes into writes, each of which becomes a TLS record and a segment.
type split string

// The three ways that every case of the groups A to C goes.
const (
	whole    split = "whole"
	bytewise split = "bytes"
	random   split = "random"
)

var allSplits = []split{whole, bytewise, random}

// edge is how much of a long input is cut into single bytes, at either end.
const edge = 700

func (s split) cut(b []byte) [][]byte {
	var out [][]byte
	rnd := rand.New(rand.NewPCG(7, uint64(len(b))))
	for len(b) > 0 {
		n := len(b)
		switch s {
		case whole:
			n = min(n, 16<<10)
		case bytewise:
			n = 1
			if rest := len(b) - edge; rest > 0 && len(out) > edge {
				n = min(1460, rest)
			}
		case random:
			n = 1 + rnd.IntN(1+len(b)/6)
		}
		out = append(out, b[:n])
		b = b[n:]
	}
	return out
}

// saySplit writes in pieces until all is said or the other side hangs up.
func (r *raw) saySplit(s split, b []byte) {
	for _, piece := range s.cut(b) {
		if !r.write(piece) {
			return
		}
	}
}

// discard reads and forgets until the connection ends, so that the other side is never blocked by us.
func (r *raw) discard() { _, _ = io.Copy(r.tap, r.conn) }
