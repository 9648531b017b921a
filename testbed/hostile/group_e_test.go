package hostile_test

import (
	"bytes"
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

// groupE is TLS and certificates.
func groupE() []row {
	return []row{
		{"E01_behind_starttls", behindStartTLS},
		trapRow("E02_behind_proceed", trapped{
			name: "1", never: append(credentials, "</stream:stream>"), event: "starttls-injection",
			script: func(r *raw, domain string) {
				r.sayf(stationHeader+offerTLS, domain, "b.example")
				r.hear("<starttls")
				r.hear(">")
				r.say(proceed + "<stream:features/><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			},
		}),
		trapRow("E03_no_tls",
			trapped{
				name: "not_offered", never: credentials, said: streamErrorText(streamError("policy-violation")), event: "downgrade",
				script: func(r *raw, domain string) { r.sayf(stationHeader+"<stream:features/>", domain, "b.example") },
			},
			trapped{
				name: "only_dialback", never: credentials, said: streamErrorText(streamError("policy-violation")), event: "downgrade",
				script: func(r *raw, domain string) {
					r.sayf(stationHeader+"<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>", domain, "b.example")
				},
			},
			trapped{
				name: "failure", never: credentials, said: streamErrorText(streamError("policy-violation")), event: "downgrade",
				script: func(r *raw, domain string) {
					r.sayf(stationHeader+offerTLS, domain, "b.example")
					r.hear("<starttls")
					r.hear(">")
					r.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
				},
			}),
		{"E04_old_and_poor_hellos", oldHellos},
		{"E05_renegotiation", renegotiation},
		{"E06_key_updates", keyUpdates},
		{"E07_slow_handshakes", slowHandshakes},
		{"E07_many_from_one_address", manyFromOne},
		{"E08_bad_certificates", badCertificates},
		{"E09_identity_tricks", identityTricks},
		{"E10_names_in_distinguished_names", distinguishedNames},
		{"E11_expensive_certificates", expensiveCertificates},
		{"E12_authority_removed", authorityRemoved},
	}
}

// behindStartTLS: E01.
func behindStartTLS(t *testing.T, w *world) {
	for name, behind := range map[string]string{
		"auth":    fmt.Sprintf(external, "="),
		"header":  fmt.Sprintf(header, "x.evil.example", "b.example"),
		"message": good("x.evil.example", "b.example", "e01"),
		"blank":   " ",
	} {
		t.Run(name, func(t *testing.T) {
			seq := w.audit.read()
			r := w.dial(t, w.outside)
			r.sayf(header, "x.evil.example", "b.example")
			r.hear("</stream:features>")
			r.say(starttls + behind)
			if said := r.end(closeLimit); said != "" {
				t.Errorf("said %q", said)
			}
			w.audit.await(t, seq, "injection", func(e *audit.Entry) bool { return e.StanzaID == r.address() && e.Rule == "starttls-injection" })
		})
	}
}

// oldHellos: E04, at both doors.
func oldHellos(t *testing.T, w *world) {
	good := []uint16{0xC02B, 0xC02F, 0xC02C}
	curves := []uint16{23, 24}
	for _, c := range []struct {
		name  string
		hello clientHello
		want  byte
	}{
		{"TLS_1.0", clientHello{0x0301, good, curves}, 70},
		{"TLS_1.1", clientHello{0x0302, good, curves}, 70},
		{"SSL_3.0", clientHello{0x0300, good, nil}, 70},
		{"RC4", clientHello{0x0303, []uint16{0x0005, 0xC007, 0xC011}, curves}, 40},
		{"3DES", clientHello{0x0303, []uint16{0x000A, 0xC008, 0xC012}, curves}, 40},
		{"CBC", clientHello{0x0303, []uint16{0xC009, 0xC013, 0xC023, 0xC027, 0x002F}, curves}, 40},
		{"secp192r1", clientHello{0x0303, good, []uint16{19}}, 40},
	} {
		for _, door := range []string{"starttls", "direct"} {
			t.Run(c.name+"_"+door, func(t *testing.T) {
				t.Parallel()
				seq := w.audit.read()
				r := w.dial(t, map[string]string{"starttls": w.outside, "direct": w.direct}[door])
				if door == "starttls" {
					r.starttls("x.evil.example", "b.example")
				}
				r.write(c.hello.record())
				if got, err := alert(r.tcp); got != c.want {
					t.Errorf("alert %d, want %d (%v)", got, c.want, err)
				}
				w.audit.await(t, seq, "end of the stream", func(e *audit.Entry) bool {
					return endOf(r.address())(e) && strings.HasPrefix(e.Reason, "tls-failed")
				})
			})
		}
	}
}

// renegotiation: E05. The list wants the alert no_renegotiation; crypto/tls says unexpected_message to a ClientHello where
// no renegotiation was ever possible. It is refused all the same, by an alert that is fatal, and costs nothing.
func renegotiation(t *testing.T, w *world) {
	f := w.forge(t, tls.VersionTLS12)
	hello := f.seal(clientHello{0x0303, []uint16{0xC02B}, []uint16{23}}.handshake())
	cpu, began := spentCPU(), time.Now()
	if _, err := f.tcp.Write(hello); err != nil {
		t.Fatal(err)
	}
	_ = f.tcp.SetReadDeadline(deadline(closeLimit))
	if _, err := io.ReadAll(f.conn); err == nil || !strings.Contains(err.Error(), "unexpected message") {
		t.Errorf("got %v, want an alert", err)
	}
	t.Logf("closed after %v, %v of CPU with the test and the bystanders", time.Since(began), spentCPU()-cpu)
	r := w.dial(t, w.outside) // life goes on
	r.encrypted("x.evil.example", "b.example", w.evilCert)
}

// keyUpdates: E06.
func keyUpdates(t *testing.T, w *world) {
	keyUpdate := []byte{24, 0, 0, 1, 0}
	t.Run("10000_records", func(t *testing.T) {
		f := w.forge(t, tls.VersionTLS13)
		n := 0
		for ; n < 10_000; n++ {
			if _, err := f.tcp.Write(f.seal(keyUpdate)); err != nil {
				break
			}
			if err := f.update(); err != nil {
				t.Fatal(err)
			}
		}
		_ = f.tcp.SetReadDeadline(deadline(closeLimit))
		if _, err := io.ReadAll(f.tcp); isTimeout(err) {
			t.Errorf("open after %d key updates", n)
		}
		t.Logf("%d written before the end", n)
	})
	t.Run("several_in_one_record", func(t *testing.T) {
		f := w.forge(t, tls.VersionTLS13)
		if _, err := f.tcp.Write(f.seal(bytes.Repeat(keyUpdate, 3))); err != nil {
			t.Fatal(err)
		}
		_ = f.tcp.SetReadDeadline(deadline(closeLimit))
		if _, err := io.ReadAll(f.tcp); isTimeout(err) {
			t.Error("open")
		}
	})
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// handshakeLimit is what the configuration of the node gives a handshake.
const handshakeLimit = time.Second

// slowHandshakes: E07. Each must be gone when its time is over; the configuration says one second instead of ten.
func slowHandshakes(t *testing.T, w *world) {
	hello := clientHello{0x0303, []uint16{0xC02B}, []uint16{23}}.record()
	for _, door := range []string{"starttls", "direct"} {
		for _, how := range []string{"silent", "dribbled", "after_server_hello"} {
			t.Run(how+"_"+door, func(t *testing.T) {
				t.Parallel()
				r := w.dial(t, map[string]string{"starttls": w.outside, "direct": w.direct}[door])
				if door == "starttls" {
					r.starttls("x.evil.example", "b.example")
				}
				began := time.Now()
				switch how {
				case "dribbled":
					stop := make(chan struct{})
					defer close(stop)
					go func() {
						tick := time.NewTicker(handshakeLimit / 10)
						defer tick.Stop()
						for _, b := range hello {
							select {
							case <-tick.C:
								r.write([]byte{b})
							case <-stop:
								return
							}
						}
					}()
				case "after_server_hello":
					r.write(hello)
				}
				r.end(closeLimit)
				if took := time.Since(began); took < handshakeLimit*9/10 || took > handshakeLimit+1500*time.Millisecond {
					t.Errorf("closed after %v, limit %v", took, handshakeLimit)
				}
			})
		}
	}
}

// manyFromOne: E07. Fifty that nobody knows may come from one address, handshakes included.
func manyFromOne(t *testing.T, w *world) {
	const limit = 50
	source, seq := freshSource(), w.audit.read()
	var open []*raw
	for range limit {
		r := w.dialFrom(t, source, w.outside)
		r.sayf(header, "x.evil.example", "b.example")
		r.hear("</stream:features>")
		open = append(open, r)
	}
	open[0].say(starttls)
	open[0].hear(proceed) // one of them shakes hands
	for _, door := range []string{w.outside, w.direct} {
		if said := w.dialFrom(t, source, door).end(closeLimit); said != "" {
			t.Errorf("the 51st heard %q", said)
		}
	}
	w.audit.await(t, seq, "limit", func(e *audit.Entry) bool {
		return e.Rule == "source-limit" && strings.HasPrefix(e.StanzaID, source.String()+":")
	})
	r := w.dial(t, w.outside) // from elsewhere
	r.sayf(header, "x.evil.example", "b.example")
	r.hear("</stream:features>")
	open[1].say(goodbye)
	open[1].end(closeLimit)
	eventually(t, closeLimit, "a place is free again", func() bool {
		r := w.dialFrom(t, source, w.outside)
		defer r.close()
		r.sayf(header, "x.evil.example", "b.example")
		_ = r.more(deadline(patience))
		return strings.Contains(r.text, "<stream:stream")
	})
	for _, r := range open {
		r.close()
	}
}

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
			if cost := spentCPU() - cpu; cost > 100*time.Millisecond && !raceEnabled {
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
