package login_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/testbed/imserver"
)

// byCertificate lets people in whom an authority vouches for, on all ways in.
const byCertificate = `
[server.login]
mechanisms = ["EXTERNAL", "SCRAM-SHA-256"]
trust = ["people.pem"]
crl = ["people.crl"]
crl-required = true

[server.web]
listen = ["ADDRESS"]
bosh = true
certificates = true
`

// authority issues certificates to people, and takes them back.
type authority struct {
	t  *testing.T
	ca *tlsidtest.CA
	h  *imserver.Home
}

func (a authority) revokes(certs ...*x509.Certificate) {
	a.t.Helper()
	list := tlsidtest.Must(a.ca.CRL(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), certs...))
	if err := os.WriteFile(filepath.Join(a.h.Dir, "people.crl"), list, 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a authority) issues(o tlsidtest.Options) *tlsidtest.Leaf {
	a.t.Helper()
	o.Usages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return tlsidtest.Must(a.ca.Issue(o))
}

func naming(names ...string) tlsidtest.Options {
	var o tlsidtest.Options
	for _, n := range names {
		o.XMPP = append(o.XMPP, n+"@"+imserver.Domain)
	}
	return o
}

// entrance is a way in: what is offered to who shows a certificate, and what he is told who wants to be somebody by it.
type entrance func(cert *tls.Certificate, as string) (offered, told string)

// entrances are by TLS at once and by STARTTLS, each by both profiles of SASL, by WebSocket and by BOSH.
func (a authority) entrances(web string) map[string]entrance {
	ways := map[string]entrance{"WebSocket": a.inSocket(web), "BOSH": a.inRequests(web)}
	for _, direct := range []bool{true, false} {
		for _, two := range []bool{true, false} {
			ways[fmt.Sprintf("direct %v, SASL2 %v", direct, two)] = func(cert *tls.Certificate, as string) (offered, told string) {
				cfg := only(tls.VersionTLS13)
				if cert != nil {
					cfg.Certificates = []tls.Certificate{*cert}
				}
				s := connects(a.t, a.h, direct, cfg)
				s.say(profile{two: two}.external(as))
				return s.features, s.until("</success>", "</failure>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			}
		}
	}
	return ways
}

// external asks to be somebody, or whoever the certificate says.
func (p profile) external(as string) string {
	if as == "" && !p.two {
		return "<auth" + p.space() + " mechanism='EXTERNAL'>=</auth>"
	}
	return p.auth("EXTERNAL", []byte(as))
}

// browser makes requests to the domain, which is at an address.
func (a authority) browser(web string, cert *tls.Certificate) *http.Client {
	a.t.Helper()
	pem, err := os.ReadFile(a.h.CA)
	if err != nil {
		a.t.Fatal(err)
	}
	cfg := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: imserver.Domain, MinVersion: tls.VersionTLS13}
	cfg.RootCAs.AppendCertsFromPEM(pem)
	if cert != nil {
		cfg.Certificates = []tls.Certificate{*cert}
	}
	transport := &http.Transport{TLSClientConfig: cfg, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{LocalAddr: source()}).DialContext(ctx, "tcp", web)
	}}
	a.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func (a authority) inSocket(web string) entrance {
	return func(cert *tls.Certificate, as string) (offered, told string) {
		client := a.browser(web, cert)
		client.Timeout = 0 // the library has its own way
		ctx, cancel := context.WithTimeout(a.t.Context(), patience)
		defer cancel()
		conn, answer, err := websocket.Dial(ctx, "wss://"+imserver.Domain+"/ws", &websocket.DialOptions{Subprotocols: []string{"xmpp"}, HTTPClient: client})
		if err != nil {
			a.t.Fatal(err)
		}
		if answer.Body != nil {
			_ = answer.Body.Close()
		}
		defer func() { _ = conn.CloseNow() }()
		asks := func(say, words string) string {
			if err := conn.Write(ctx, websocket.MessageText, []byte(say)); err != nil {
				a.t.Fatal(err)
			}
			for {
				_, m, err := conn.Read(ctx)
				if err != nil {
					a.t.Fatal(err)
				}
				if strings.HasPrefix(string(m), words) {
					return string(m)
				}
			}
		}
		offered = asks("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='"+imserver.Domain+"' version='1.0'/>", "<features")
		return offered, asks(profile{}.external(as), "")
	}
}

func (a authority) inRequests(web string) entrance {
	return func(cert *tls.Certificate, as string) (offered, told string) {
		c := &asker{t: a.t, http: a.browser(web, cert)}
		offered = c.begin("hold='1' wait='5'")
		told = c.ask(1, "", profile{}.external(as))
		c.ask(1, "type='terminate'", "")
		return offered, told
	}
}

// Who shows a good certificate is the account that it names, on every way in; until it is revoked. Who shows none, or a bad one, is not even offered it.
func TestCertificates(t *testing.T) {
	h := running(t, "", "juliet", "romeo")
	a := authority{t, tlsidtest.Must(tlsidtest.NewCA("people")), h}
	tlsidtest.Must(a.ca.WritePEM(h.Dir, "people"))
	a.revokes()
	web := net.JoinHostPort(h.Clients.Addr().String(), "5443")
	if err := h.Restart(strings.Replace(byCertificate, "ADDRESS", web, 1)); err != nil {
		t.Fatal(err)
	}
	strangers := authority{t, tlsidtest.Must(tlsidtest.NewCA("strangers")), h}
	hers := a.issues(naming("juliet"))
	const her, his = "juliet@" + imserver.Domain, "romeo@" + imserver.Domain
	past := naming("juliet")
	past.NotBefore, past.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	cases := []struct {
		name    string
		leaf    *tlsidtest.Leaf // nil: none
		as      string
		offered bool
		told    string
	}{
		{"hers", hers, "", true, "success"},
		{"hers, as herself", hers, her, true, "success"},
		{"hers, as him", hers, his, true, "invalid-authzid"},
		{"of both, as him", a.issues(naming("juliet", "romeo")), his, true, "success"},
		{"of both, as whoever", a.issues(naming("juliet", "romeo")), "", true, "invalid-authzid"},
		{"without an account", a.issues(naming("nobody")), "", true, "not-authorized"},
		{"of another domain", a.issues(tlsidtest.Options{XMPP: []string{"juliet@elsewhere.test"}}), her, false, "not-authorized"},
		{"of the domain", a.issues(tlsidtest.Options{DNS: []string{imserver.Domain}}), her, false, "not-authorized"},
		{"of another authority", strangers.issues(naming("juliet")), her, false, "not-authorized"},
		{"expired", a.issues(past), her, false, "not-authorized"},
		{"none", nil, her, false, "not-authorized"},
	}
	for way, enter := range a.entrances(web) {
		for _, tc := range cases {
			var cert *tls.Certificate
			if tc.leaf != nil {
				c := tc.leaf.TLS()
				cert = &c
			}
			offered, told := enter(cert, tc.as)
			if strings.Contains(offered, ">EXTERNAL<") != tc.offered || !strings.Contains(told, "<"+tc.told) {
				t.Errorf("%s, %s: offered %s, told %s", way, tc.name, offered, told)
			}
		}
	}
	a.revokes(hers.Cert)
	if _, err := h.Command("reload"); err != nil {
		t.Fatal(err)
	}
	cert := hers.TLS()
	for way, enter := range a.entrances(web) {
		if offered, told := enter(&cert, ""); strings.Contains(offered, ">EXTERNAL<") || !strings.Contains(told, "<not-authorized") {
			t.Errorf("%s, revoked: offered %s, told %s", way, offered, told)
		}
	}
}
