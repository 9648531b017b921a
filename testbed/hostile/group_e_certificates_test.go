package hostile_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/internal/tlsid/tlsidtest"
)

// badLogin logs in with a certificate that is not good for domain: EXTERNAL is not offered, fails when asked for all the
// same, and the connection is closed, since a certificate does not get better by asking again.
func (w *world) badLogin(t *testing.T, domain string, cert *tls.Certificate, reason string) {
	t.Helper()
	seq := w.audit.read()
	r := w.dial(t, w.outside)
	r.starttls(domain, "b.example")
	if err := r.secure(tlsConfig("b.example", cert)); err != nil {
		t.Fatalf("handshake: %v", err) // it is refused in the words of XMPP
	}
	r.sayf(header, domain, "b.example")
	if offered := r.hear("</stream:features>"); strings.Contains(offered, "EXTERNAL") {
		t.Errorf("offered %q", offered)
	}
	r.sayf(external, "=")
	if said := r.endPolitely(closeLimit); said != "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>"+goodbye {
		t.Errorf("said %q", said)
	}
	w.audit.await(t, seq, "certificate refused: "+reason, func(e *audit.Entry) bool {
		return e.Rule == "certificate-refused" && e.From == domain && strings.HasPrefix(e.Reason, reason)
	})
}

// goodLogin is the opposite.
func (w *world) goodLogin(t *testing.T, domain string, cert *tls.Certificate) {
	t.Helper()
	r := w.dial(t, w.outside)
	r.authenticated(domain, "b.example", cert)
	id := w.id("welcome")
	r.say(good(domain, "b.example", id))
	w.b.await(t, id)
	r.say(goodbye)
	r.end(closeLimit)
}

// badCertificates: E08, in both directions.
func badCertificates(t *testing.T, w *world) {
	now := time.Now()
	for _, c := range []struct {
		name, reason string
		o            tlsidtest.Options
		ca           *tlsidtest.CA
		cert         *tls.Certificate
	}{
		{name: "expired", reason: "expired", o: tlsidtest.Options{NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}},
		{name: "not_yet_valid", reason: "not-yet-valid", o: tlsidtest.Options{NotBefore: now.Add(time.Hour)}},
		{name: "wrong_usage", reason: "wrong-usage", o: tlsidtest.Options{Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}},
		{name: "unknown_authority", reason: "unknown-ca", ca: tlsidtest.Must(tlsidtest.NewCA("other"))},
		{name: "revoked", reason: "revoked", cert: w.revoked},
		{name: "SHA-1", reason: "weak-signature", o: tlsidtest.Options{Signature: x509.ECDSAWithSHA1}},
		{name: "self-signed", reason: "self-signed", ca: (*tlsidtest.CA)(nil)},
	} {
		cert := c.cert
		if cert == nil {
			c.o.DNS = []string{"*.evil.example", "*.trap.example"}
			ca := c.ca
			if ca == nil && c.name != "self-signed" {
				ca = w.ca
			}
			made := tlsidtest.Must(ca.Issue(c.o)).TLS()
			cert = &made
		}
		t.Run(c.name+"_comes", func(t *testing.T) { w.badLogin(t, w.id("e08")+".evil.example", cert, c.reason) })
		t.Run(c.name+"_is_met", func(t *testing.T) {
			t.Parallel()
			w.spring(t, &trapped{
				said: streamErrorText(streamError("not-authorized")), never: credentials, event: "certificate-refused", reason: c.reason,
				script: func(r *raw, domain string) { w.secureAndOffer(r, domain, cert) },
			})
		})
	}
}

// secureAndOffer goes on to features with everything a server may offer.
func (w *world) secureAndOffer(r *raw, domain string, cert *tls.Certificate) {
	if !w.secureAs(r, domain, cert) {
		return
	}
	r.sayf(stationHeader+"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"+
		"<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>", domain, "b.example")
}

// identityTricks: E09.
func identityTricks(t *testing.T, w *world) {
	const domain = "name.evil.example"
	for _, c := range []struct {
		name, as string
		o        tlsidtest.Options
		good     bool
	}{
		{"common_name_only", domain, tlsidtest.Options{Subject: pkix.Name{CommonName: domain}}, false},
		{"wildcard_two_labels_down", "a.b.evil.example", tlsidtest.Options{DNS: []string{"*.evil.example"}}, false},
		{"wildcard_one_label_up", domain, tlsidtest.Options{DNS: []string{"*.example"}}, false},
		{"wildcard_of_a_top_level_domain", domain, tlsidtest.Options{DNS: []string{"*.com", "*"}}, false},
		{"part_of_a_label", domain, tlsidtest.Options{DNS: []string{"n*.evil.example"}}, false},
		{"NUL", domain, tlsidtest.Options{DNS: []string{domain + "\x00.other.example"}}, false},
		{"IP", domain, tlsidtest.Options{IP: []net.IP{net.IPv4(127, 0, 0, 1)}}, false},
		{"XmppAddr_of_another", domain, tlsidtest.Options{XMPP: []string{"other.evil.example"}}, false},
		{"SRVName_of_another_service", domain, tlsidtest.Options{SRV: []string{"_imaps." + domain}}, false},
		{"exact", domain, tlsidtest.Options{DNS: []string{domain}}, true},
		{"upper_case", domain, tlsidtest.Options{DNS: []string{strings.ToUpper(domain)}}, true},
		{"wildcard_one_label", domain, tlsidtest.Options{DNS: []string{"*.evil.example"}}, true},
		{"XmppAddr", domain, tlsidtest.Options{XMPP: []string{domain}}, true},
		{"SRVName", domain, tlsidtest.Options{SRV: []string{"_xmpp-server." + domain}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.good {
				w.goodLogin(t, c.as, w.leaf(c.o))
				return
			}
			// Another domain each time, or the record would be counted with the one before.
			as := strings.Replace(c.as, "name", w.id("name"), 1)
			for i := range c.o.DNS {
				c.o.DNS[i] = strings.Replace(c.o.DNS[i], domain, as, 1)
			}
			c.o.Subject.CommonName = strings.Replace(c.o.Subject.CommonName, domain, as, 1)
			w.badLogin(t, as, w.leaf(c.o), "")
		})
	}
}

// distinguishedNames: E10.
func distinguishedNames(t *testing.T, w *world) {
	domain := w.id("dn") + ".evil.example"
	subject := pkix.Name{OrganizationalUnit: []string{"CN=" + domain + ","}, CommonName: "mallory"}
	t.Run("without_names", func(t *testing.T) {
		w.badLogin(t, domain, w.leaf(tlsidtest.Options{Subject: subject}), "name-mismatch")
	})
	named := w.leaf(tlsidtest.Options{Subject: subject, DNS: []string{"san.evil.example"}})
	t.Run("name_of_another", func(t *testing.T) {
		w.badLogin(t, strings.Replace(domain, "dn", "dn2", 1), named, "name-mismatch")
	})
	t.Run("its_own_name", func(t *testing.T) { w.goodLogin(t, "san.evil.example", named) })
}

// emptySigner has a public key and signs nothing of worth: nobody needs a real key of 16,384 bits to be a nuisance.
type emptySigner struct{ key *rsa.PublicKey }

func (s emptySigner) Public() crypto.PublicKey { return s.key }

func (s emptySigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, s.key.Size()), nil
}

// expensiveCertificates: E11. What is refused is refused before it costs.
func expensiveCertificates(t *testing.T, w *world) {
	modulus, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 16_384))
	if err != nil {
		t.Fatal(err)
	}
	modulus.SetBit(modulus.SetBit(modulus, 0, 1), 16_383, 1)
	huge := emptySigner{&rsa.PublicKey{N: modulus, E: 65537}}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"*.evil.example", "*.trap.example"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, w.ca.Cert, huge.key, w.ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	long := w.ca
	for i := range 50 {
		long = tlsidtest.Must(long.Intermediate(tlsidtest.CAOptions{Name: fmt.Sprintf("intermediate %d", i)}))
	}
	var names []string
	for i := range 1_000 {
		names = append(names, fmt.Sprintf("n%d.evil.example", i))
	}
	constrained := tlsidtest.Must(w.ca.Intermediate(tlsidtest.CAOptions{Name: "constrained", PermittedDNS: names}))
	for _, c := range []struct {
		name string
		cert tls.Certificate
	}{
		{"key_of_16384_bits", tls.Certificate{Certificate: [][]byte{der}, PrivateKey: huge}},
		{"chain_of_50", tlsidtest.Must(long.Issue(tlsidtest.Options{DNS: []string{"*.evil.example", "*.trap.example"}})).TLS()},
		{"1000_constraints_on_1000_names", tlsidtest.Must(constrained.Issue(tlsidtest.Options{DNS: append(names, "*.evil.example")})).TLS()},
	} {
		t.Run(c.name, func(t *testing.T) {
			domain, seq := w.id("e11")+".evil.example", w.audit.read()
			r := w.dial(t, w.outside)
			r.starttls(domain, "b.example")
			cpu := spentCPU()
			if err := r.secure(tlsConfig("b.example", &c.cert)); err == nil {
				r.sayf(header, domain, "b.example")
				r.sayf(external, "=")
			}
			if said := r.endPolitely(closeLimit); strings.Contains(said, "success") || strings.Contains(said, "EXTERNAL") {
				t.Errorf("said %q", said)
			}
			if cost := spentCPU() - cpu; cost > time.Second && !raceEnabled {
				t.Errorf("%v of CPU", cost)
			}
			w.audit.await(t, seq, "refusal", func(e *audit.Entry) bool {
				return e.Rule == "certificate-refused" && e.From == domain || endOf(r.address())(e)
			})
		})
	}
}

// authorityRemoved: E12. There are no session tickets, so a client that was trusted once comes with its certificate again;
// when its CA is gone it is refused, and what it had open is closed.
func authorityRemoved(t *testing.T, w *world) {
	old, fresh := tlsidtest.Must(tlsidtest.NewCA("old")), tlsidtest.Must(tlsidtest.NewCA("fresh"))
	b := newStation(t, "b2", w.b.cert, &taps{})
	t.Cleanup(b.close)
	s := settings{
		names: []string{"b.example"},
		peers: []peerText{
			{"b", "inside", `"b.example"`, b.address(), `"external"`, ""},
			{"evil", "outside", `"*.evil.example"`, b.address(), `"external"`, ""},
		},
		pairs: [][2]string{{"b", "evil"}},
	}
	n := startNode(t, s, old)
	cert := tlsidtest.Must(old.Issue(tlsidtest.Options{DNS: []string{"*.evil.example"}})).TLS()
	cfg := tlsConfig("b.example", &cert)
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	login := func() *raw {
		r := n.dial(t, n.outside)
		r.starttls("x.evil.example", "b.example")
		if err := r.secure(cfg); err != nil {
			t.Fatal(err)
		}
		if r.conn.(*tls.Conn).ConnectionState().DidResume {
			t.Error("a TLS session was resumed")
		}
		r.sayf(header, "x.evil.example", "b.example")
		return r
	}
	r := login()
	r.hear("EXTERNAL")
	r.sayf(external, base64.StdEncoding.EncodeToString([]byte("x.evil.example")))
	r.hear("<success")
	r.sayf(header, "x.evil.example", "b.example")
	r.hear("</stream:features>")
	seq := n.audit.read()
	if _, err := fresh.WritePEM(n.dir, "ca"); err != nil {
		t.Fatal(err)
	}
	n.reload <- struct{}{}
	n.audit.await(t, seq, "reload", func(e *audit.Entry) bool { return e.Kind == audit.Reload && e.Outcome == "active" })
	if said := r.endPolitely(closeLimit); !strings.Contains(said, streamErrorText(streamError("reset"))) {
		t.Errorf("the stream that was open heard %q", said)
	}
	r = login()
	if offered := r.hear("</stream:features>"); strings.Contains(offered, "EXTERNAL") {
		t.Errorf("offered %q", offered)
	}
	r.sayf(external, "=")
	if said := r.endPolitely(closeLimit); !strings.Contains(said, "<not-authorized/>") {
		t.Errorf("said %q", said)
	}
	n.audit.await(t, seq, "refusal", func(e *audit.Entry) bool {
		return e.Rule == "certificate-refused" && strings.HasPrefix(e.Reason, "unknown-ca")
	})
}
