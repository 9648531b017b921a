package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// CA is a certificate authority of one test bed.
type CA struct {
	File string // PEM of the root

	dir    string
	root   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

// Pair names the files of a certificate chain and its key, and both in one (which ejabberd wants).
type Pair struct{ Cert, Key, Both string }

// NewCA makes an authority whose files live in dir.
func NewCA(dir string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "testbed root"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("root certificate: %w", err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	c := &CA{File: filepath.Join(dir, "ca.pem"), dir: dir, root: root, key: key, serial: 1}
	return c, os.WriteFile(c.File, pemBlock("CERTIFICATE", der), 0o644)
}

// Issue makes a certificate for the given domains that is valid now.
func (c *CA) Issue(name string, domains ...string) (Pair, error) {
	now := time.Now()
	return c.issue(name, domains, now.Add(-time.Hour), now.Add(12*time.Hour), false)
}

// IssueExpired makes one that ended yesterday.
func (c *CA) IssueExpired(name string, domains ...string) (Pair, error) {
	now := time.Now()
	return c.issue(name, domains, now.Add(-48*time.Hour), now.Add(-24*time.Hour), false)
}

// IssueSelfSigned makes one that no authority vouches for, so that only dialback can prove the domain.
func (c *CA) IssueSelfSigned(name string, domains ...string) (Pair, error) {
	now := time.Now()
	return c.issue(name, domains, now.Add(-time.Hour), now.Add(12*time.Hour), true)
}

func (c *CA) issue(name string, domains []string, from, until time.Time, selfSigned bool) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	c.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(c.serial), Subject: pkix.Name{CommonName: domains[0]},
		NotBefore: from, NotAfter: until, DNSNames: domains,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := c.root, c.key
	if selfSigned {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return Pair{}, fmt.Errorf("certificate for %v: %w", domains, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	return c.write(name, pemBlock("CERTIFICATE", der), pemBlock("PRIVATE KEY", keyDER))
}

func (c *CA) write(name string, cert, key []byte) (Pair, error) {
	base := filepath.Join(c.dir, name)
	p := Pair{Cert: base + ".crt", Key: base + ".key", Both: base + ".pem"}
	for file, content := range map[string][]byte{
		p.Cert: cert, p.Key: key, p.Both: append(append([]byte(nil), cert...), key...),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return Pair{}, err
		}
	}
	return p, nil
}

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
