package hostileclient_test

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"strings"
	"testing"

	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/server/c2s"
)

const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

// groupE is TLS and certificates, as far as they are ours to decide.
func groupE() []row {
	return []row{
		{name: "E01_bytes_behind_starttls", n: 2, run: behindStartTLS},
		{name: "E04_old_versions_and_suites", n: 14, run: oldTLS},
		{name: "E07_handshakes_without_end", n: 6, run: slowHandshakes, aside: true},
		{name: "E08_bad_certificates", n: 7, run: badCertificates},
		{name: "E10_identity_in_a_subject", n: 3, run: subjects},
		{name: "E13_other_protocols", n: 1, run: otherALPN},
		{name: "E13_names_of_servers", n: 6, run: serverNames},
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
		b.observed(t, c.from(), c2s.Hostile, "starttls-injection")
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
