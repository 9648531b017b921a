package hostileclient_test

import (
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// client is an attacker: it says bytes.
type client struct {
	t    testing.TB
	conn net.Conn
	text string // heard and not yet asked for
	desk string // its resource
}

// from is where it comes from.
func (c *client) from() net.IP { return c.conn.LocalAddr().(*net.TCPAddr).IP }

func (b *bed) dialTCP(t testing.TB, to string) *client {
	t.Helper()
	return b.dialFrom(t, freshSource(), to)
}

func (b *bed) dialFrom(t testing.TB, from net.IP, to string) *client {
	t.Helper()
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: from}}
	conn, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, conn: conn}
}

func (b *bed) tls() *tls.Config {
	return &tls.Config{RootCAs: b.roots, ServerName: "im.example", NextProtos: []string{"xmpp-client"}}
}

// dial is a connection with TLS.
func (b *bed) dial(t testing.TB) *client { return b.dialWith(t, b.tls()) }

func (b *bed) dialWith(t testing.TB, cfg *tls.Config) *client {
	t.Helper()
	c := b.dialTCP(t, b.direct)
	conn := tls.Client(c.conn, cfg)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	c.conn = conn
	return c
}

func (c *client) say(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, raw); err != nil {
		c.t.Fatal(err)
	}
}

// until reads up to one of the words.
func (c *client) until(words ...string) string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 16<<10)
	for {
		for _, w := range words {
			if at := strings.Index(c.text, w); at >= 0 {
				said := c.text[:at+len(w)]
				c.text = c.text[at+len(w):]
				return said
			}
		}
		n, err := c.conn.Read(buf)
		c.text += string(buf[:n])
		if err != nil {
			c.t.Fatalf("%v before %q: %.2000s", err, words, c.text)
		}
	}
}

// end reads to the end of the connection, which must come in time, and says goodbye when it is said.
func (c *client) end(limit time.Duration) string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(limit))
	buf := make([]byte, 16<<10)
	polite := false
	for {
		if !polite && strings.Contains(c.text, "</stream:stream>") {
			polite = true
			_, _ = io.WriteString(c.conn, "</stream:stream>") // if anybody still listens
		}
		n, err := c.conn.Read(buf)
		c.text += string(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Errorf("still connected after %v", limit)
		}
		if err != nil {
			said := c.text
			c.text = ""
			return said
		}
	}
}

// authenticated is a client after SASL and the new header.
func (b *bed) authenticated(t testing.TB) *client {
	t.Helper()
	return b.authenticatedAs(t, "juliet")
}

func (b *bed) authenticatedAs(t testing.TB, who string) *client {
	t.Helper()
	c := b.opened(t)
	c.say(plain(who, password))
	c.until("<success" + nsSASL + "/>")
	return c
}

// login is a client with a resource.
func (b *bed) login(t testing.TB) *client {
	t.Helper()
	return b.loginAs(t, "juliet")
}

func (b *bed) loginAs(t testing.TB, who string) *client {
	t.Helper()
	c := b.authenticatedAs(t, who)
	c.say(header)
	c.until("</stream:features>")
	c.desk = b.id("desk")
	c.say(strings.Replace(bindDesk, "desk", c.desk, 1))
	c.until("</iq>")
	return c
}

// split is how bytes are cut into writes.
type split string

const (
	whole    split = "whole"
	bytewise split = "bytewise"
	random   split = "random"
)

// splits are those of this run; -short has the worst one.
func splits() []split {
	if testing.Short() {
		return []split{bytewise}
	}
	return []split{whole, bytewise, random}
}

// edge is how much of a long input is cut into single bytes; the rest goes in about as many pieces.
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
			n = min(n, len(b)/edge+1)
			if len(out) < edge {
				n = 1
			}
		case random:
			n = 1 + rnd.IntN(1+len(b)/6)
		}
		out = append(out, b[:n])
		b = b[n:]
	}
	return out
}

// sayIn says the text in pieces, as far as the other side reads it.
func (c *client) sayIn(s split, text string) {
	for _, piece := range s.cut([]byte(text)) {
		if _, err := c.conn.Write(piece); err != nil {
			return
		}
	}
}
