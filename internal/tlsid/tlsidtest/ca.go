// Package tlsidtest makes private certificate authorities, certificates with XMPP names and revocation lists, for tests and the demo.
// Nothing it makes is fit for use outside a test bench.
package tlsidtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Lifetime is how long certificates live when nothing else is said.
const Lifetime = 365 * 24 * time.Hour

// CA is a certificate authority with its key in memory.
type CA struct {
	Cert   *x509.Certificate
	Key    crypto.Signer
	Parent *CA // nil for a root
}

// CAOptions say how an authority departs from the usual.
type CAOptions struct {
	Name                string
	NotBefore, NotAfter time.Time
	PermittedDNS        []string // name constraints
	ExcludedDNS         []string
}

// NewCA makes a root.
func NewCA(name string) (*CA, error) { return newCA(nil, CAOptions{Name: name}) }

// NewCAWith makes a root with options.
func NewCAWith(o CAOptions) (*CA, error) { return newCA(nil, o) }

// Intermediate makes an authority below ca.
func (ca *CA) Intermediate(o CAOptions) (*CA, error) { return newCA(ca, o) }

func newCA(parent *CA, o CAOptions) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: o.Name, Organization: []string{"Sallyport test bench"}},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomains: o.PermittedDNS, ExcludedDNSDomains: o.ExcludedDNS,
		PermittedDNSDomainsCritical: len(o.PermittedDNS)+len(o.ExcludedDNS) > 0,
	}
	t.NotBefore, t.NotAfter = validity(o.NotBefore, o.NotAfter)
	ca := &CA{Key: key, Parent: parent}
	ca.Cert, err = sign(t, key.Public(), parent, key)
	return ca, err
}

// sign issues a certificate; without a parent it is self-signed.
func sign(t *x509.Certificate, pub crypto.PublicKey, parent *CA, own crypto.Signer) (*x509.Certificate, error) {
	issuer, signer := t, own
	if parent != nil {
		issuer, signer = parent.Cert, parent.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, issuer, pub, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
}

func validity(from, to time.Time) (time.Time, time.Time) {
	if from.IsZero() {
		from = time.Now().Add(-time.Hour)
	}
	if to.IsZero() {
		to = from.Add(Lifetime)
	}
	return from, to
}

// PEM returns the authority's certificate.
func (ca *CA) PEM() []byte { return pemBlock("CERTIFICATE", ca.Cert.Raw) }

// WritePEM writes the authority's certificate to dir/name.pem and returns the path.
func (ca *CA) WritePEM(dir, name string) (string, error) {
	path := filepath.Join(dir, name+".pem")
	return path, os.WriteFile(path, ca.PEM(), 0o644) //nolint:gosec // a public certificate
}

// CRL signs a revocation list of those certificates, valid from thisUpdate to nextUpdate, in PEM.
func (ca *CA) CRL(thisUpdate, nextUpdate time.Time, revoked ...*x509.Certificate) ([]byte, error) {
	list := &x509.RevocationList{Number: big.NewInt(thisUpdate.UnixNano()), ThisUpdate: thisUpdate, NextUpdate: nextUpdate}
	for _, c := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: thisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.Cert, ca.Key)
	if err != nil {
		return nil, err
	}
	return pemBlock("X509 CRL", der), nil
}

// Leaf is an end-entity certificate with its key and the intermediates that lead to its root.
type Leaf struct {
	Cert  *x509.Certificate
	Key   crypto.Signer
	Chain []*x509.Certificate // leaf first, without the root
}

// TLS returns the leaf as crypto/tls wants it.
func (l *Leaf) TLS() tls.Certificate {
	c := tls.Certificate{PrivateKey: l.Key, Leaf: l.Cert}
	for _, x := range l.Chain {
		c.Certificate = append(c.Certificate, x.Raw)
	}
	return c
}

// WritePEM writes dir/name.pem (chain) and dir/name.key (mode 0600) and returns both paths.
func (l *Leaf) WritePEM(dir, name string) (certFile, keyFile string, err error) {
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	var chain []byte
	for _, c := range l.Chain {
		chain = append(chain, pemBlock("CERTIFICATE", c.Raw)...)
	}
	if err = os.WriteFile(certFile, chain, 0o644); err != nil { //nolint:gosec // a public certificate
		return "", "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(l.Key)
	if err != nil {
		return "", "", err
	}
	return certFile, keyFile, os.WriteFile(keyFile, pemBlock("PRIVATE KEY", der), 0o600)
}

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Must is for tests and tables: it returns v and panics on an error.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
