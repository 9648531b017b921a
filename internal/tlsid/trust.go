package tlsid

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// maxTrustFile bounds a file of anchors, in bytes.
const maxTrustFile = 16 << 20

// Revocation says what the absence of a fresh revocation list means.
type Revocation uint8

// The zero value looks at the lists there are and forgives their absence; a certificate on a list is refused under each.
const (
	RevocationSoft Revocation = iota // absent or stale list: pass, and say so in Verified
	RevocationHard                   // absent or stale list: refuse
)

// TrustSpec names the files a Trust is made of.
type TrustSpec struct {
	AnchorFiles []string // PEM, one or more certificates each
	SystemRoots bool     // also what the operating system trusts
	CRLFiles    []string // PEM or DER
	Revocation  Revocation
}

// Trust is a set of anchors and revocation lists. It is immutable; a reload makes another. The zero value trusts nobody.
type Trust struct {
	pool       *x509.CertPool
	anchors    []*x509.Certificate
	crls       crlSet
	revocation Revocation
}

// LoadTrust reads the files. It reports every problem, not only the first.
func LoadTrust(spec TrustSpec) (*Trust, error) {
	t := &Trust{pool: x509.NewCertPool(), revocation: spec.Revocation}
	var problems []error
	if spec.SystemRoots {
		pool, err := x509.SystemCertPool()
		if err != nil {
			problems = append(problems, fmt.Errorf("system trust anchors: %w", err))
		} else {
			t.pool = pool
		}
	}
	for _, path := range spec.AnchorFiles {
		certs, err := loadCertificates(path)
		if err != nil {
			problems = append(problems, fmt.Errorf("trust anchors %q: %w", path, err))
			continue
		}
		t.add(certs...)
	}
	for _, path := range spec.CRLFiles {
		if err := t.crls.load(path); err != nil {
			problems = append(problems, fmt.Errorf("revocation list %q: %w", path, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return t, nil
}

// NewTrust makes a Trust of anchors already in memory, without revocation lists.
func NewTrust(anchors ...*x509.Certificate) *Trust {
	t := &Trust{pool: x509.NewCertPool()}
	t.add(anchors...)
	return t
}

func (t *Trust) add(certs ...*x509.Certificate) {
	for _, c := range certs {
		t.pool.AddCert(c)
		t.anchors = append(t.anchors, c)
	}
}

// holds reports whether the certificate is itself one of the anchors from files.
func (t *Trust) holds(cert *x509.Certificate) bool {
	for _, a := range t.anchors {
		if a.Equal(cert) {
			return true
		}
	}
	return false
}

func loadCertificates(path string) ([]*x509.Certificate, error) {
	data, err := readBounded(path, maxTrustFile)
	if err != nil {
		return nil, err
	}
	return parseCertificates(data)
}

func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(certs)+1, err)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errors.New("no PEM certificate in the file")
	}
	if rest := bytes.TrimSpace(data); bytes.Contains(rest, []byte("-----BEGIN")) {
		return nil, errors.New("damaged PEM block")
	}
	return certs, nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("file of %d bytes, limit %d", info.Size(), limit)
	}
	return os.ReadFile(path) //nolint:gosec // the path is the operator's
}
