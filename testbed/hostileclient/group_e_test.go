package hostileclient_test

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/server/c2s"
)

const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

// groupE is TLS and certificates, as far as they are ours to decide.
func groupE() []row {
	return []row{
		{name: "E01_bytes_behind_starttls", n: 2, run: behindStartTLS},
		{name: "E04_old_versions_and_suites", n: 4, run: oldTLS},
		{name: "E07_handshake_without_end", n: 1, run: slowHandshake},
		{name: "E08_bad_certificates", n: 4, run: badCertificates},
		{name: "E10_identity_in_a_subject", n: 3, run: subjects},
		{name: "E13_other_protocols", n: 1, run: otherALPN},
	}
}

// behindStartTLS: E01. Neither <proceed/> nor an answer to what came too early.
func behindStartTLS(t *testing.T, b *bed) {
	for _, behind := range []string{plain("juliet", password), " \n" + plain("juliet", password)} {
		c := b.dialTCP(t, b.clear)
		c.say(header)
		c.until("</stream:features>")
		c.say(starttls + behind)
		if said := c.end(closeLimit); said != "" {
			t.Errorf("said %q", said)
		}
	}
	if !b.observed(func(o c2s.Observation) bool { return strings.HasPrefix(o.Detail, "starttls-injection") }) {
		t.Error("not observed")
	}
}

// oldTLS: E04.
func oldTLS(t *testing.T, b *bed) {
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.0": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 },
		"TLS 1.1": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 },
		"RC4": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA}
		},
		"no curve of ours": func(c *tls.Config) { c.MaxVersion, c.CurvePreferences = tls.VersionTLS12, []tls.CurveID{19} },
	} {
		cfg := b.tls()
		change(cfg)
		conn := tls.Client(b.dialTCP(t, b.direct).conn, cfg)
		alert := "handshake failure" // 40
		if strings.HasPrefix(name, "TLS ") {
			alert = "protocol version not supported" // 70
		}
		if err := conn.Handshake(); err == nil || err.Error() != "remote error: tls: "+alert {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// slowHandshake: E07.
func slowHandshake(t *testing.T, b *bed) {
	if testing.Short() {
		return // it takes the ten seconds of the limit
	}
	c := b.dialTCP(t, b.direct)
	c.say("\x16\x03\x01")
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v after %v", err, patience)
	}
}

// badCertificates: E08. None of them logs anybody in, and the audit is told why.
func badCertificates(t *testing.T, b *bed) {
	stranger := tlsidtest.Must(tlsidtest.NewCA("somebody else"))
	juliet := []string{"juliet@im.example"}
	for _, tc := range []struct {
		name   string
		ca     *tlsidtest.CA
		o      tlsidtest.Options
		reason tlsid.Reason
	}{
		{"expired", b.ca, tlsidtest.Options{XMPP: juliet, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}, tlsid.Expired},
		{"not yet valid", b.ca, tlsidtest.Options{XMPP: juliet, NotBefore: time.Now().Add(time.Hour), NotAfter: time.Now().Add(2 * time.Hour)}, tlsid.NotYetValid},
		{"unknown authority", stranger, tlsidtest.Options{XMPP: juliet}, tlsid.UnknownCA},
		{"self-signed", nil, tlsidtest.Options{XMPP: juliet}, tlsid.SelfSigned},
	} {
		leaf := tlsidtest.Must(tc.ca.Issue(tc.o))
		cfg := b.tls()
		cfg.Certificates = []tls.Certificate{leaf.TLS()}
		c := b.dialWith(t, cfg)
		c.say(header)
		c.until("</stream:features>")
		c.say(auth("EXTERNAL", "="))
		if said := c.until("</failure>"); !strings.Contains(said, "<not-authorized/>") {
			t.Errorf("%s: %s", tc.name, said)
		}
		if !b.observed(func(o c2s.Observation) bool { return o.What == c2s.BadCertificate && o.Detail == tc.reason.String() }) {
			t.Errorf("%s: not observed as %s", tc.name, tc.reason)
		}
	}
}

// subjects: E10.
func subjects(t *testing.T, b *bed) {
	for name, o := range map[string]tlsidtest.Options{
		"in the name":  {Subject: pkix.Name{CommonName: "juliet@im.example"}},
		"smuggled":     {Subject: pkix.Name{OrganizationalUnit: []string{"CN=juliet@im.example,"}, CommonName: "mallory"}},
		"SAN of other": {Subject: pkix.Name{CommonName: "juliet@im.example"}, XMPP: []string{"mallory@other.example"}},
	} {
		cfg := b.tls()
		cfg.Certificates = []tls.Certificate{tlsidtest.Must(b.ca.Issue(o)).TLS()}
		c := b.dialWith(t, cfg)
		c.say(header)
		c.until("</stream:features>")
		c.say(auth("EXTERNAL", "="))
		if said := c.until("</failure>"); !strings.Contains(said, "<not-authorized/>") {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// otherALPN: E13.
func otherALPN(t *testing.T, b *bed) {
	cfg := b.tls()
	cfg.NextProtos = []string{"http/1.1"}
	err := tls.Client(b.dialTCP(t, b.direct).conn, cfg).Handshake()
	if err == nil || !strings.Contains(err.Error(), "no application protocol") { // alert 120
		t.Errorf("got %v", err)
	}
}
