package tlsid

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Pin is the SHA-256 digest of a public key (SubjectPublicKeyInfo, RFC 7469 §2.4) or of a whole certificate.
type Pin struct {
	sum         [sha256.Size]byte
	certificate bool
}

// The prefixes of a pin in a configuration.
const (
	pinKeyPrefix  = "spki-sha256:"
	pinCertPrefix = "cert-sha256:"
)

// ParsePin reads "spki-sha256:BASE64" or "cert-sha256:BASE64"; the digest may also be 64 hex digits, with or without colons.
func ParsePin(s string) (Pin, error) {
	var p Pin
	digest, ok := strings.CutPrefix(s, pinKeyPrefix)
	if !ok {
		if digest, p.certificate = strings.CutPrefix(s, pinCertPrefix); !p.certificate {
			return Pin{}, fmt.Errorf("pin %q starts with neither %q nor %q", s, pinKeyPrefix, pinCertPrefix)
		}
	}
	b, err := hex.DecodeString(strings.ReplaceAll(digest, ":", ""))
	if err != nil {
		b, err = base64.StdEncoding.DecodeString(digest)
	}
	if err != nil || len(b) != sha256.Size {
		return Pin{}, fmt.Errorf("pin %q does not hold the 32 bytes of a SHA-256 digest", s)
	}
	copy(p.sum[:], b)
	return p, nil
}

// KeyPin returns the pin of a certificate's public key.
func KeyPin(cert *x509.Certificate) Pin {
	return Pin{sum: sha256.Sum256(cert.RawSubjectPublicKeyInfo)}
}

// CertificatePin returns the pin of a whole certificate.
func CertificatePin(cert *x509.Certificate) Pin {
	return Pin{sum: sha256.Sum256(cert.Raw), certificate: true}
}

// String is the inverse of ParsePin.
func (p Pin) String() string {
	prefix := pinKeyPrefix
	if p.certificate {
		prefix = pinCertPrefix
	}
	return prefix + base64.StdEncoding.EncodeToString(p.sum[:])
}

func (p Pin) matches(cert *x509.Certificate) bool {
	have := KeyPin(cert)
	if p.certificate {
		have = CertificatePin(cert)
	}
	return subtle.ConstantTimeCompare(p.sum[:], have.sum[:]) == 1
}
