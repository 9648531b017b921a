package server_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/server"
	"sallyport/server/c2s"
)

// pipes is a listener without a network, so that it lives in a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, errors.New("closed")
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// port is where real streams of clients reach a bed's server.
type port struct {
	*bed
	pipes *pipes
	roots *x509.CertPool
}

func (b *bed) listen() *port {
	b.t.Helper()
	ca := tlsidtest.Must(tlsidtest.NewCA("server"))
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{"im.example"}}))
	certificate := tls.Certificate{Certificate: [][]byte{leaf.Cert.Raw}, PrivateKey: leaf.Key, Leaf: leaf.Cert}
	s, err := c2s.New(c2s.Config{
		Stream: stream.ClientConfig{
			Local: jid.MustParse("im.example"), Rand: rand.Reader, Hosted: func(d jid.JID) bool { return d.Domain() == "im.example" },
			Policy: func(jid.JID) stream.ClientPolicy {
				return stream.ClientPolicy{Mechanisms: []string{sasl.Plain}, SASL2: true, Manage: true, ClientState: true}
			},
			Features: server.StreamFeatures(), Inline: server.InlineFeatures(), Manage: stream.ManageConfig{ResumeFor: time.Minute},
		},
		TLS:      &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }},
		Accounts: b.server, Sessions: b.server,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	p := &port{bed: b, pipes: &pipes{conns: make(chan net.Conn), done: make(chan struct{})}, roots: x509.NewCertPool()}
	p.roots.AddCert(ca.Cert)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.ServeTLS(ctx, p.pipes) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
		s.Close()
	})
	return p
}

// wire is a client that speaks XML.
type wire struct {
	t    *testing.T
	conn net.Conn
	read strings.Builder
	seen int
}

func (p *port) dial() *wire {
	p.t.Helper()
	near, far := net.Pipe()
	p.pipes.conns <- far
	conn := tls.Client(near, &tls.Config{RootCAs: p.roots, ServerName: "im.example", NextProtos: []string{"xmpp-client"}})
	if err := conn.Handshake(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = near.Close() })
	w := &wire{t: p.t, conn: conn}
	return w
}

func (w *wire) say(raw string) {
	w.t.Helper()
	if _, err := io.WriteString(w.conn, raw); err != nil {
		w.t.Fatal(err)
	}
}

// until reads up to the words, and gives what came since the last ones.
func (w *wire) until(words string) string {
	w.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 4096)
	for {
		rest := w.read.String()[w.seen:]
		if at := strings.Index(rest, words); at >= 0 {
			w.seen += at + len(words)
			return rest[:at+len(words)]
		}
		n, err := w.conn.Read(buf)
		w.read.Write(buf[:n])
		if err != nil {
			w.t.Fatalf("%v before %q: %s", err, words, rest)
		}
	}
}

const wireHello = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='im.example' version='1.0'>`

// login is one round trip (XEP-0388), with a session that can be resumed and copies.
func (p *port) login(account string) (w *wire, id string) {
	p.t.Helper()
	w = p.dial()
	w.say(wireHello)
	features := w.until("</stream:features>")
	w.say(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>` +
		base64.StdEncoding.EncodeToString([]byte("\x00"+account+"\x00a long password")) + `</initial-response><user-agent id='` + account + rand.Text() + `'/>` +
		`<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/><enable xmlns='urn:xmpp:carbons:2'/></bind></authenticate>`)
	said := w.until("</success>")
	_, after, ok := strings.Cut(said, "<enabled xmlns='urn:xmpp:sm:3' id='")
	if !ok {
		p.t.Fatalf("no session to resume: %s (offered %s)", said, features)
	}
	if said := w.until("</stream:features>"); !strings.Contains(said, "urn:xmpp:features:rosterver") {
		p.t.Errorf("offered %s", said)
	}
	id, _, _ = strings.Cut(after, "'")
	return w, id
}

func (b *bed) password(account string) {
	b.t.Helper()
	if err := b.directory.SetPassword(b.t.Context(), jid.MustParse(account+"@im.example"), "a long password"); err != nil {
		b.t.Fatal(err)
	}
}

// A client that comes back has everything; what one that does not come back has not acknowledged waits for the next.
func TestResumed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		b.password("juliet")
		p := b.listen()
		romeo := b.online("romeo@im.example/garden")
		w, id := p.login("juliet")
		w.say("<presence/>")
		w.until("<presence")
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		w.until("one</body></message>")
		_ = w.conn.Close()
		synctest.Wait() // until that is noticed
		romeo.say(message("juliet@im.example", "chat", "2", "two"))

		w = p.dial()
		w.say(wireHello)
		w.until("</stream:features>")
		w.say(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>` +
			base64.StdEncoding.EncodeToString([]byte("\x00juliet\x00a long password")) + `</initial-response><resume xmlns='urn:xmpp:sm:3' h='0' previd='` + id + `'/></authenticate>`)
		w.until("<resumed")
		w.until("one</body></message>")
		w.until("two</body></message>")
		romeo.say(message("juliet@im.example", "chat", "3", "three"))
		w.until("three</body></message>")
		if n := b.waiting("juliet@im.example"); n != 2 { // what the connection may not have brought, and what came while there was none, until it is acknowledged
			t.Errorf("%d wait", n)
		}
		w.say("<presence><priority>1</priority></presence>")
		w.until("<priority>1")
		w.say("<a xmlns='urn:xmpp:sm:3' h='2'/>")
		synctest.Wait()
		_ = w.conn.Close()
		time.Sleep(2 * time.Minute) // virtual
		synctest.Wait()
		if n := b.waiting("juliet@im.example"); n != 2 {
			t.Errorf("%d wait", n)
		}
		w, _ = p.login("juliet")
		w.say("<presence/>")
		w.until("two</body><delay")
		w.until("three</body><delay")
		w.say("<r xmlns='urn:xmpp:sm:3'/>")
		w.until("<a xmlns='urn:xmpp:sm:3' h='1'/>")
		w.say("<a xmlns='urn:xmpp:sm:3' h='3'/></stream:stream>")
		w.until("</stream:stream>") // who waits for a lock, as behind a writer that nobody reads from, keeps Wait waiting
		synctest.Wait()
		if n := b.waiting("juliet@im.example"); n != 0 {
			t.Errorf("%d wait", n)
		}
	})
}
