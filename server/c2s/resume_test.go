package c2s_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/c2s"
)

const enable = `<enable xmlns='urn:xmpp:sm:3' resume='true'/>`

var resumption = regexp.MustCompile(`<enabled xmlns='urn:xmpp:sm:3' id='([^']+)' max='\d+' resume='true'/>`)

// memory is a listener whose connections are pipes, so that time can be simulated around it.
type memory chan net.Conn

func (m memory) Accept() (net.Conn, error) {
	conn, ok := <-m
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (m memory) Close() error {
	defer func() { _ = recover() }() // closed twice
	close(m)
	return nil
}

func (m memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// den is a server without TLS in simulated time.
type den struct {
	*bed
	server *c2s.Server
	ln     memory
	ctx    context.Context
	end    context.CancelFunc // of ctx
	over   chan struct{}      // it has ended
}

func newDen(t *testing.T, change func(*c2s.Config)) *den {
	t.Helper()
	ln := make(memory)
	return newDenOn(t, ln, ln, change)
}

// newDenOn is newDen where something stands before what connections come by.
func newDenOn(t *testing.T, before net.Listener, ln memory, change func(*c2s.Config)) *den {
	t.Helper()
	h := &house{ends: make(chan stream.Closed, 100)}
	cfg := c2s.Config{
		Stream: stream.ClientConfig{
			Local: domain, Rand: rand.Reader, Hosted: func(d jid.JID) bool { return d == domain },
			Policy: func(jid.JID) stream.ClientPolicy {
				return stream.ClientPolicy{TLS: stream.AllowPlain, Mechanisms: []string{sasl.Plain}, SASL2: true, Manage: true}
			},
			Shown: func(client jid.JID, e *xmlstream.Element) *xmlstream.Element { // by whatever goroutine sends
				if client.Resource() == "" {
					t.Errorf("a client without an address is shown %s", e.Local())
				}
				return e
			},
		},
		Accounts: h, Sessions: h,
	}
	if change != nil {
		change(&cfg)
	}
	s, err := c2s.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &den{bed: &bed{t: t, house: h}, server: s, ln: ln, ctx: ctx, end: cancel, over: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(ctx, before)
		close(d.over)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		s.Close()
	})
	return d
}

// from is a pipe that comes from an address.
type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(f.addr), 1024))
}

func (d *den) dial() *client { return d.dialFrom("192.0.2.1") }

func (d *den) dialFrom(address string) *client {
	d.t.Helper()
	ours, theirs := net.Pipe()
	d.ln <- from{theirs, address}
	d.t.Cleanup(func() { _ = ours.Close() })
	return &client{t: d.t, conn: pumped(ours)}
}

// pump reads all that comes, as the network does, so that a client that does not look holds up nobody.
type pump struct {
	net.Conn
	came chan []byte
	rest []byte
}

func pumped(conn net.Conn) *pump {
	p := &pump{Conn: conn, came: make(chan []byte, 10_000)}
	go func() {
		defer close(p.came)
		for {
			buf := make([]byte, 4096)
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			p.came <- buf[:n]
		}
	}()
	return p
}

func (p *pump) SetReadDeadline(time.Time) error { return nil }

func (p *pump) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		p.rest = <-p.came
	}
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// managed logs in and returns the id to resume by.
func (c *client) managed() string {
	c.t.Helper()
	c.login()
	c.say(enable)
	said := c.until("/>")
	found := resumption.FindStringSubmatch(said)
	if found == nil {
		c.t.Fatalf("not enabled: %s", said)
	}
	return found[1]
}

func (c *client) authenticate() {
	c.t.Helper()
	c.say(hello)
	c.until("</stream:features>")
	c.say(plain("open"))
	c.until("<success")
	c.say(hello)
	c.until("</stream:features>")
}

func resume(id string, h int) string {
	return fmt.Sprintf(`<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>`, id, h)
}

func note(t *testing.T, body string) *xmlstream.Element {
	t.Helper()
	raw := `<message from='romeo@im.example/r' to='juliet@im.example/desk'><body>` + body + `</body></message>`
	e, err := xmlstream.ParseDocument([]byte(raw), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// What was not acknowledged when the connection was lost, and what came afterwards, is there after the resumption from
// another address, once each and in order; the session is the same.
func TestResume(t *testing.T) {
	b := newBed(t)
	c := b.dial()
	id := c.managed()
	first := b.house.session()
	c.say(`<message to='romeo@im.example'><body>1</body></message><message to='romeo@im.example'><body>2</body></message>`)
	c.until("<body>2</body></message>")
	_ = c.conn.Close()
	b.house.wait(t, "parked")
	if v := first.Send(note(t, "3"), 3); v != stream.SendKept {
		t.Errorf("send while parked: %v", v)
	}

	c = b.dialFrom("127.0.0.2")
	c.authenticate()
	c.say(resume(id, 1))
	said := c.until("<body>3</body></message>")
	if !strings.Contains(said, "<resumed xmlns='urn:xmpp:sm:3' h='2' previd='"+id+"'/>") || strings.Contains(said, "<body>1</body>") ||
		strings.Count(said, "<body>2</body>") != 1 {
		t.Errorf("got %s", said)
	}
	b.house.wait(t, "resumed")
	if b.house.session() != first || first.Send(note(t, "4"), 4) != stream.SendNow {
		t.Error("not the same session")
	}
	c.until("<body>4</body></message>")
	c.say(`<a xmlns='urn:xmpp:sm:3' h='4'/></stream:stream>`)
	c.until("</stream:stream>")
	if end := <-b.house.ends; end.Cause != stream.ClosedByPeer || len(end.Unconfirmed) > 0 {
		t.Errorf("ended %+v", end)
	}
}

// A connection that still lives loses its session to the one that resumes it; who is somebody else gets nothing (D15, D20).
func TestResumeOfTheLiving(t *testing.T) {
	b := newBed(t)
	c := b.dial()
	id := c.managed()
	d := b.dial()
	d.authenticate()
	d.say(resume("no-such-id", 0))
	unknown := d.until("</failed>")
	d.say(resume(id, 0))
	d.until("<resumed")
	if said := c.until("</stream:stream>"); !strings.Contains(said, "<conflict") {
		t.Errorf("the old connection got %s", said)
	}
	e := b.dial()
	e.say(hello)
	e.until("</stream:features>")
	e.say(strings.Replace(plain("open"), base64.StdEncoding.EncodeToString([]byte("\x00juliet\x00open")), base64.StdEncoding.EncodeToString([]byte("\x00mallory\x00open")), 1))
	e.until("<success")
	e.say(hello)
	e.until("</stream:features>")
	e.say(resume(id, 0))
	if said := e.until("</failed>"); !strings.HasSuffix(said, unknown) {
		t.Errorf("of somebody else: %s, unknown: %s", said, unknown)
	}
	d.say(`<message to='romeo@im.example'><body>still here</body></message>`)
	d.until("<body>still here</body></message>")
}

// TestResumeOfNobody: a session that is gone is asked for by every client when the server has been started again, and is no trouble.
func TestResumeOfNobody(t *testing.T) {
	b := newBed(t)
	c := b.dial()
	c.authenticate()
	for id, troubles := range map[string]int{"no-such-session": 0, "": 1} { // no server names a session so
		before := b.logged.FilterMessage("trouble with a client").Len()
		c.say(resume(id, 0))
		c.until("</failed>")
		if got := b.logged.FilterMessage("trouble with a client").Len() - before; got != troubles {
			t.Errorf("%q: %d lines of trouble, want %d", id, got, troubles)
		}
	}
}

// Authentication and resumption in one round trip (XEP-0388 §5), after which there are no features (XEP-0198 §9.2).
func TestResumeInline(t *testing.T) {
	b := newBed(t)
	c := b.dial()
	id := c.managed()
	_ = c.conn.Close()
	b.house.wait(t, "parked")
	c = b.dial()
	c.say(hello)
	c.until("</stream:features>")
	c.say(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>` +
		base64.StdEncoding.EncodeToString([]byte("\x00juliet\x00open")) + `</initial-response>` + resume(id, 0) + `</authenticate>`)
	if said := c.until("</success>"); !strings.Contains(said, "<resumed xmlns='urn:xmpp:sm:3' h='0' previd='"+id) {
		t.Errorf("got %s", said)
	}
	c.say(`<message to='romeo@im.example'><body>back</body></message>`)
	if said := c.until("<body>back</body></message>"); strings.Contains(said, "features") {
		t.Errorf("got %s", said)
	}
}

func parked(t *testing.T, d *den) (*client, string) {
	t.Helper()
	c := d.dial()
	id := c.managed()
	_ = c.conn.Close()
	synctest.Wait()
	return c, id
}

// Nobody came back in time: the last word has what was never acknowledged.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		_, id := parked(t, d)
		if v := d.house.session().Send(note(t, "1"), 7); v != stream.SendKept {
			t.Fatalf("send: %v", v)
		}
		time.Sleep(5*time.Minute - time.Second)
		synctest.Wait()
		select {
		case end := <-d.house.ends:
			t.Fatalf("too early: %+v", end)
		default:
		}
		time.Sleep(2 * time.Second)
		end := <-d.house.ends
		if end.Cause != stream.ConnLost || len(end.Unconfirmed) != 1 || end.Unconfirmed[0].Token != 7 || end.Resume != nil {
			t.Errorf("ended %+v", end)
		}
		if v := d.house.session().Send(note(t, "2"), 8); v != stream.SendClosed {
			t.Errorf("send after the end: %v", v)
		}
		c := d.dial()
		c.authenticate()
		c.say(resume(id, 0))
		c.until("<item-not-found")
	})
}

// The table is bounded in sessions, in sessions of one account, and in bytes; one that is ended from outside ends at once.
func TestParkLimits(t *testing.T) {
	for _, tc := range []struct {
		name   string
		limits c2s.ParkLimits
		ended  int // of three that were lost
		send   stream.Verdict
	}{
		{"room for all", c2s.ParkLimits{}, 0, stream.SendKept},
		{"one session", c2s.ParkLimits{Sessions: 1}, 2, stream.SendClosed},
		{"two of an account", c2s.ParkLimits{PerAccount: 2}, 1, stream.SendKept},
		{"few bytes", c2s.ParkLimits{Bytes: 50}, 0, stream.SendFull},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDen(t, func(c *c2s.Config) { c.Park = tc.limits })
				for range 3 {
					parked(t, d)
				}
				if n := len(d.house.ends); n != tc.ended {
					t.Errorf("%d ended, want %d", n, tc.ended)
				}
				last := d.house.session()
				if v := last.Send(note(t, "1"), 1); v != tc.send {
					t.Errorf("send: %v, want %v", v, tc.send)
				}
				before := len(d.house.ends)
				last.Close(stream.Close{Condition: stanza.StreamConflict})
				synctest.Wait()
				if n := len(d.house.ends) - before; (n == 1) != (tc.send != stream.SendClosed) {
					t.Errorf("%d ended by Close", n)
				}
			})
		})
	}
}

// A whole server ends: those who wait are told.
func TestCloseEndsParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		parked(t, d)
		d.server.Close()
		if n := len(d.house.ends); n != 1 {
			t.Errorf("%d ended", n)
		}
	})
}
