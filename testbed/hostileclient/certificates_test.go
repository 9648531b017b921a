package hostileclient_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/server/c2s"
)

// bad shows a certificate that proves nothing, the same five times from one address: EXTERNAL is not offered, is refused when it is asked for all the
// same, and the stream goes on with a password. The audit is told why, of one address once a minute.
func (b *bed) bad(t *testing.T, name, reason string, cert tls.Certificate) {
	t.Helper()
	from, began := freshSource(), time.Now()
	for range 5 {
		cfg := b.tls()
		cfg.Certificates = []tls.Certificate{cert}
		c := b.dialFrom(t, from, b.direct)
		conn := tls.Client(c.conn, cfg)
		if err := conn.Handshake(); err != nil {
			t.Fatalf("%s: %v", name, err) // it is refused in the words of XMPP
		}
		c.conn = conn
		c.say(header)
		if offered := c.until("</stream:features>"); strings.Contains(offered, "EXTERNAL") {
			t.Errorf("%s: offered %s", name, offered)
		}
		c.say(auth("EXTERNAL", "="))
		if said := c.until("</failure>"); said != "<failure"+nsSASL+"><not-authorized/></failure>" {
			t.Errorf("%s: %s", name, said)
		}
		c.say(plain("juliet", password))
		c.until("<success" + nsSASL + "/>")
		_ = c.conn.Close()
	}
	if list := b.observed(t, from, c2s.BadCertificate, reason); b.home != nil && time.Since(began) < time.Minute && len(list) != 1 {
		t.Errorf("%s: %d records of one address within %v", name, len(list), time.Since(began))
	}
}

// badCertificates: E08. None of them logs anybody in.
func badCertificates(t *testing.T, b *bed) {
	juliet := []string{"juliet@im.example"}
	for _, tc := range []struct {
		name   string
		ca     *tlsidtest.CA
		o      tlsidtest.Options
		reason tlsid.Reason
	}{
		{"expired", b.ca, tlsidtest.Options{XMPP: juliet, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}, tlsid.Expired},
		{"not yet valid", b.ca, tlsidtest.Options{XMPP: juliet, NotBefore: time.Now().Add(time.Hour), NotAfter: time.Now().Add(2 * time.Hour)}, tlsid.NotYetValid},
		{"wrong usage", b.ca, tlsidtest.Options{XMPP: juliet, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}, tlsid.WrongUsage},
		{"unknown authority", tlsidtest.Must(tlsidtest.NewCA("somebody else")), tlsidtest.Options{XMPP: juliet}, tlsid.UnknownCA},
		{"SHA-1", b.ca, tlsidtest.Options{XMPP: juliet, Signature: x509.ECDSAWithSHA1}, tlsid.WeakSignature},
		{"self-signed", nil, tlsidtest.Options{XMPP: juliet}, tlsid.SelfSigned},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b.bad(t, tc.name, tc.reason.String(), tlsidtest.Must(tc.ca.Issue(tc.o)).TLS())
		})
	}
	t.Run("revoked", func(t *testing.T) {
		t.Parallel()
		b.bad(t, "revoked", tlsid.Revoked.String(), b.revoked)
	})
}

// emptySigner has a public key and signs nothing of worth: nobody needs a real key of 16,384 bits to be a nuisance.
type emptySigner struct{ key *rsa.PublicKey }

func (s emptySigner) Public() crypto.PublicKey { return s.key }

func (s emptySigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, s.key.Size()), nil
}

// hugeKey is a certificate with a key of 16,384 bits.
func (b *bed) hugeKey(t *testing.T) tls.Certificate {
	t.Helper()
	modulus, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 16_384))
	if err != nil {
		t.Fatal(err)
	}
	modulus.SetBit(modulus.SetBit(modulus, 0, 1), 16_383, 1)
	key := emptySigner{&rsa.PublicKey{N: modulus, E: 65537}}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, b.ca.Cert, key.key, b.ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// expensiveCertificates: E11. What is refused is refused before it costs: somebody else logs in meanwhile, beside twenty of them.
func expensiveCertificates(t *testing.T, b *bed) {
	long := b.ca
	for i := range 50 {
		long = tlsidtest.Must(long.Intermediate(tlsidtest.CAOptions{Name: fmt.Sprintf("intermediate %d", i)}))
	}
	var names []string
	for i := range 1_000 {
		names = append(names, fmt.Sprintf("n%d.im.example", i))
	}
	constrained := tlsidtest.Must(b.ca.Intermediate(tlsidtest.CAOptions{Name: "constrained", PermittedDNS: names}))
	for name, cert := range map[string]tls.Certificate{
		"key of 16384 bits":              b.hugeKey(t),
		"chain of 50":                    tlsidtest.Must(long.Issue(tlsidtest.Options{XMPP: []string{"juliet@im.example"}})).TLS(),
		"1000 constraints on 1000 names": tlsidtest.Must(constrained.Issue(tlsidtest.Options{DNS: names, XMPP: []string{"juliet@im.example"}})).TLS(),
	} {
		for range 20 {
			c := b.dialTCP(t, b.direct)
			cfg := b.tls()
			cfg.Certificates = []tls.Certificate{cert}
			conn := tls.Client(c.conn, cfg)
			_ = c.conn.SetDeadline(time.Now().Add(patience))
			if err := conn.Handshake(); err == nil {
				c.conn = conn
				_, _ = io.WriteString(conn, header+auth("EXTERNAL", "=")+"</stream:stream>")
			}
			if said := c.end(closeLimit); strings.Contains(said, "success") || strings.Contains(said, "EXTERNAL") {
				t.Errorf("%s: %s", name, said)
			}
		}
		b.logsIn(t)
	}
}

// serverNames: E13. Without a name of ours a client is shown the certificate of the first domain, or the handshake ends in an alert; nobody else notices.
func serverNames(t *testing.T, b *bed) {
	for name, sni := range map[string]string{"absent": "", "unknown": "nosuch.example", "of 60 KB": strings.Repeat("a.", 30_000) + "example"} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			cfg := b.tls()
			cfg.ServerName, cfg.InsecureSkipVerify, cfg.MinVersion, cfg.MaxVersion = sni, true, version, version
			c := b.dialTCP(t, b.direct)
			conn := tls.Client(c.conn, cfg)
			_ = c.conn.SetDeadline(time.Now().Add(patience))
			err := conn.Handshake()
			switch {
			case err == nil:
				if err := conn.ConnectionState().PeerCertificates[0].VerifyHostname("im.example"); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			case name == "absent", !strings.HasPrefix(err.Error(), "remote error: tls: "):
				t.Errorf("%s, %s: %v", name, tls.VersionName(version), err)
			default:
				t.Logf("%s, %s: %v", name, tls.VersionName(version), err)
			}
			_ = c.conn.Close()
		}
	}
}
