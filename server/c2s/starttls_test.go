package c2s_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"sync"
	"testing"

	"sallyport/internal/sasl"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/c2s"
)

// After STARTTLS the certificate is that of the domain in the header (RFC 6120 §5.4.3), whatever name the client gives to TLS.
func TestCertificateOfTheHeader(t *testing.T) {
	t.Parallel()
	ca := tlsidtest.Must(tlsidtest.NewCA("c2s"))
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{"im.example"}}))
	certificate := tls.Certificate{Certificate: [][]byte{leaf.Cert.Raw}, PrivateKey: leaf.Key, Leaf: leaf.Cert}
	var mu sync.Mutex
	var asked []string
	h := &house{ends: make(chan stream.Closed, 100)}
	s, err := c2s.New(c2s.Config{
		Stream: stream.ClientConfig{
			Local: domain, Rand: rand.Reader, Hosted: func(d jid.JID) bool { return d == domain || d.String() == "second.example" },
			Policy: func(jid.JID) stream.ClientPolicy { return stream.ClientPolicy{Mechanisms: []string{sasl.Plain}} },
		},
		TLS: &tls.Config{
			MinVersion: tls.VersionTLS12,
			GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				mu.Lock()
				defer mu.Unlock()
				asked = append(asked, hello.ServerName)
				return &certificate, nil
			},
		},
		Accounts: h, Sessions: h,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	plainAt, directAt := listens(t, s.Serve), listens(t, s.ServeTLS)
	for _, tc := range []struct{ name, to, sni, want string }{
		{"it gives none", "second.example", "", "second.example"},
		{"it gives that of the host", "second.example", "host.example", "second.example"},
		{"it gives the same", "im.example", "im.example", "im.example"},
		{"direct TLS has nothing else", "", "second.example", "second.example"},
	} {
		at := plainAt
		if tc.to == "" {
			at = directAt
		}
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		c := &client{t: t, conn: conn}
		if tc.to != "" {
			c.say(`<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='` + tc.to + `'>`)
			c.until("</stream:features>")
			c.say(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
			c.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		}
		secured := tls.Client(conn, &tls.Config{ServerName: tc.sni, InsecureSkipVerify: true}) //nolint:gosec // what is asked for is looked at
		if err := secured.HandshakeContext(t.Context()); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		_ = secured.Close()
		mu.Lock()
		if len(asked) != 1 || asked[0] != tc.want {
			t.Errorf("%s: asked for %q, want %s", tc.name, asked, tc.want)
		}
		asked = nil
		mu.Unlock()
	}
}

// listens serves until the test is over.
func listens(t *testing.T, serve func(context.Context, net.Listener) error) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}
