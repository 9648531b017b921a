package c2s_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/internal/sasl"
	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/c2s"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var domain = jid.MustParse("im.example")

const (
	hello = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='im.example' version='1.0'>`
	bind  = `<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind></iq>`
)

// house takes everybody whose password is "open", and sends every message back.
type house struct {
	mu     sync.Mutex
	looked int
	told   []string
	tokens []sasl.Token
	ends   chan stream.Closed
	last   *c2s.Session // the one that told the last event
	said   int          // messages, ever
	slow   bool         // what arrives waits for settle
	unsaid []func()
}

// session is the one that told the last event but a login.
func (h *house) session() *c2s.Session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// wait waits for an event.
func (h *house) wait(t *testing.T, event string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); runtime.Gosched() {
		h.mu.Lock()
		found := slices.Contains(h.told, event)
		h.mu.Unlock()
		if found {
			return
		}
	}
	t.Fatalf("no event %q", event)
}

// times is how often an event was told.
func (h *house) times(event string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, told := range h.told {
		if told == event {
			n++
		}
	}
	return n
}

func (h *house) LookUp(_ context.Context, q stream.LookUp) (sasl.Reply, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looked++
	r := sasl.Reply{Standing: sasl.Good, Right: q.Password == "open"}
	if q.Want == sasl.WantSecret {
		r.Secret = secretOf("open")
	}
	return r, nil
}

func (h *house) Bind(_ context.Context, _ *c2s.Session, want stream.BindWanted) stream.Input {
	if want.Resource == "taken" {
		return stream.BindRefused{Reason: stream.BindConflict}
	}
	return stream.Bound{Resource: want.Resource}
}

func (h *house) Arrived(s *c2s.Session, list []stream.Arrival) {
	for _, a := range list {
		if h.holds(s, &a) { // each has its own
			continue
		}
		if a.Stanza.Kind() == stanza.Message {
			s.Send(a.Stanza.WithAddresses(a.Stanza.From(), s.Address()).Element(), 1)
		}
		s.Settled(&a)
	}
}

func (h *house) Grant(_ context.Context, q stream.TokenWanted) (stream.TokenGranted, error) {
	return stream.TokenGranted{Token: "token for " + q.Mechanism, Expiry: "2026-03-12T14:36:15Z"}, nil
}

func (h *house) Event(s *c2s.Session, o stream.Output) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := o.(stream.Authenticated); !ok {
		h.last = s
	}
	switch o := o.(type) {
	case stream.Authenticated:
		h.told = append(h.told, "authenticated "+o.Mechanism)
	case stream.ClientReady:
		h.told = append(h.told, "ready "+o.Address.String())
	case stream.Acked:
		h.told = append(h.told, "acked")
	case stream.Closed:
		h.told = append(h.told, "parked")
	case stream.Resumed:
		h.told = append(h.told, "resumed")
	}
}

func (h *house) Closed(_ *c2s.Session, end stream.Closed) { h.ends <- end }

// bed is a server on loopback and how to reach it.
type bed struct {
	t     *testing.T
	house *house
	addr  string
	roots *x509.CertPool

	logged      *observer.ObservedLogs
	ca          *tlsidtest.CA
	server      *c2s.Server
	certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

func newBed(t *testing.T) *bed { return newBedWith(t, func(*stream.ClientPolicy) {}) }

func newBedWith(t *testing.T, change func(*stream.ClientPolicy)) *bed {
	t.Helper()
	policy := stream.ClientPolicy{
		Mechanisms: []string{sasl.External, sasl.ScramSHA256, sasl.Plain}, SASL2: true, Manage: true, Tokens: true,
	}
	change(&policy)
	ca := tlsidtest.Must(tlsidtest.NewCA("c2s"))
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{domain.Domain()}}))
	clients := &tlsid.Policy{Trust: tlsid.NewTrust(ca.Cert)}
	certificate := tls.Certificate{Certificate: [][]byte{leaf.Cert.Raw}, PrivateKey: leaf.Key, Leaf: leaf.Cert}
	h := &house{ends: make(chan stream.Closed, 100)}
	core, logged := observer.New(zap.WarnLevel)
	s, err := c2s.New(c2s.Config{
		Log: zap.New(core),
		Stream: stream.ClientConfig{
			Local: domain, Rand: rand.Reader, Hosted: func(d jid.JID) bool { return d == domain },
			Policy: func(jid.JID) stream.ClientPolicy { return policy },
		},
		TLS: &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil },
		},
		Accounts: h, Tokens: h, Sessions: h, Clients: func() *tlsid.Policy { return clients },
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.ServeTLS(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	})
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	return &bed{
		logged: logged, ca: ca, t: t, house: h, addr: ln.Addr().String(), roots: roots, server: s,
		certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil },
	}
}

// client speaks raw XML.
type client struct {
	t    *testing.T
	conn net.Conn
	read string
}

func (b *bed) dial() *client { return b.dialFrom("127.0.0.1") }

func (b *bed) tls() *tls.Config {
	return &tls.Config{RootCAs: b.roots, ServerName: "im.example", NextProtos: []string{"xmpp-client"}}
}

func (b *bed) dialFrom(address string) *client { return b.dialWith(b.tls(), address) }

func (b *bed) dialWith(cfg *tls.Config, address string) *client {
	b.t.Helper()
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := tls.DialWithDialer(from, "tcp", b.addr, cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return &client{t: b.t, conn: conn}
}

func (c *client) say(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, raw); err != nil {
		c.t.Fatal(err)
	}
}

// until reads up to the words.
func (c *client) until(words string) string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 4096)
	for {
		if at := strings.Index(c.read, words); at >= 0 {
			said := c.read[:at+len(words)]
			c.read = c.read[at+len(words):]
			return said
		}
		n, err := c.conn.Read(buf)
		c.read += string(buf[:n])
		if err != nil {
			c.t.Fatalf("%v before %q: %s", err, words, c.read)
		}
	}
}

func plain(password string) string {
	return `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>` + base64.StdEncoding.EncodeToString([]byte("\x00juliet\x00"+password)) + `</auth>`
}

func (c *client) login() {
	c.t.Helper()
	c.say(hello)
	c.until("</stream:features>")
	c.say(plain("open"))
	c.until("<success")
	c.say(hello)
	c.until("</stream:features>")
	c.say(bind)
	c.until("<jid>juliet@im.example/desk</jid>")
}

func TestLogin(t *testing.T) {
	b := newBed(t)
	c := b.dial()
	c.say(hello)
	if said := c.until("</stream:features>"); !strings.Contains(said, "SCRAM-SHA-256-PLUS") || !strings.Contains(said, "tls-exporter") || !strings.Contains(said, "tls-server-end-point") || strings.Contains(said, "tls-unique") {
		t.Errorf("offered on TLS 1.3: %s", said)
	}
	c.say(plain("wrong"))
	c.until("<not-authorized")
	c.say(plain("open"))
	c.until("<success")
	c.say(hello)
	c.until("</stream:features>")
	c.say(strings.Replace(bind, "desk", "taken", 1))
	c.until("<conflict")
	c.say(bind + `<message to='romeo@im.example' id='1'><body>o</body></message>`) // in one breath
	c.until("<jid>juliet@im.example/desk</jid>")
	c.until("to='juliet@im.example/desk'><body>o</body></message>")
	c.say(`</stream:stream>`)
	c.until(`</stream:stream>`)
	if end := <-b.house.ends; end.Cause != stream.ClosedByPeer {
		t.Errorf("ended %+v", end)
	}
	if said := b.logged.FilterMessage("trouble with a client").All(); len(said) != 1 || said[0].ContextMap()["account"] != "juliet@im.example" {
		t.Errorf("the log says of the wrong password: %+v", said)
	}
}

// What came before bad bytes is handed up and answered, the error is read, and the connection ends.
func TestBadBytes(t *testing.T) {
	b := newBed(t)
	c := b.dial()
	c.login()
	c.say(`<message to='romeo@im.example' id='1'><body>o</body></message><!-- -->`)
	c.until("<body>o</body></message>")
	c.until("<restricted-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
	if end := <-b.house.ends; end.Cause != stream.OurError || end.Condition != stanza.StreamRestrictedXML {
		t.Errorf("ended %+v", end)
	}
}

// D13: the 51st connection of an address that has not logged in is closed; who has logged in counts no more.
func TestTooManyPending(t *testing.T) {
	b := newBed(t)
	b.dial().login()
	var held []*client
	for range c2s.MaxPending {
		c := b.dial()
		held = append(held, c)
	}
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes for one too many", n)
	}
	held[0].login()
	b.dial().login() // there is room again
}

// One round trip: SASL2 with a resource, stream management and a token; nothing is promised that is not kept.
func TestSASL2(t *testing.T) {
	b := newBed(t)
	c := b.dial()
	c.say(hello)
	c.until("</stream:features>")
	c.say(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>` + base64.StdEncoding.EncodeToString([]byte("\x00juliet\x00open")) +
		`</initial-response><user-agent id='agent'/><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/>` +
		`<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind></authenticate>`)
	said := c.until("</stream:features>")
	if !strings.Contains(said, "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='") || !strings.Contains(said, "token='token for HT-SHA-256-EXPR'") {
		t.Errorf("got %s", said)
	}
	c.say(`<message to='romeo@im.example'><body>o</body></message>`)
	c.until("</message>")
	c.until("<r xmlns='urn:xmpp:sm:3'/>")
	c.say(`<a xmlns='urn:xmpp:sm:3' h='1'/></stream:stream>`)
	c.until("</stream:stream>")
	<-b.house.ends
	b.house.mu.Lock()
	defer b.house.mu.Unlock()
	if len(b.house.told) != 3 || b.house.told[0] != "authenticated PLAIN" || !strings.HasPrefix(b.house.told[1], "ready juliet@im.example/") || b.house.told[2] != "acked" {
		t.Errorf("told %q", b.house.told)
	}
}

// A wrong ALPN protocol is refused in the handshake (E13), a lost client is noticed.
func TestEnds(t *testing.T) {
	b := newBed(t)
	if conn, err := tls.Dial("tcp", b.addr, &tls.Config{RootCAs: b.roots, ServerName: "im.example", NextProtos: []string{"http/1.1"}}); err == nil {
		_ = conn.Close()
		t.Error("ALPN http/1.1 accepted")
	}
	c := b.dial()
	c.login()
	_ = c.conn.Close()
	if end := <-b.house.ends; end.Cause != stream.ConnLost && end.Cause != stream.ClosedByPeer {
		t.Errorf("ended %+v", end)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := c2s.New(c2s.Config{}); err == nil {
		t.Error("a server without accounts")
	}
	h := &house{}
	if _, err := c2s.New(c2s.Config{Accounts: h, Sessions: h, TLS: &tls.Config{}}); err == nil {
		t.Error("TLS without a certificate")
	}
	s, err := c2s.New(c2s.Config{Accounts: h, Sessions: h})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ServeTLS(t.Context(), nil); err == nil {
		t.Error("direct TLS without a certificate")
	}
}
