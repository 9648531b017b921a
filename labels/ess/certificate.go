package ess

import (
	"crypto/x509"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// CertificateClearances returns the clearances in a public key certificate (extension subjectDirectoryAttributes,
// RFC 5280 section 4.2.1.8) or in an attribute certificate (RFC 5755 section 4.4.6). None is no error; it is no
// clearance either. With a *PartialError the forms returned are good and other values are not. Signature, path and
// validity are not checked here: a clearance counts only in a certificate that somebody has verified.
func CertificateClearances(der []byte) ([]labels.ClearanceForm, error) {
	return usable(ReadCertificate(der))
}

// ReadCertificate is CertificateClearances with every value, also those that cannot be read, and their octets.
func ReadCertificate(der []byte) ([]ClearanceValue, error) {
	if len(der) > MaxMessage {
		return nil, bad("certificate of %d octets, at most %d", len(der), MaxMessage)
	}
	if isAttributeCertificate(der) {
		ac, err := ParseAttributeCertificate(der)
		if err != nil {
			return nil, err
		}
		return ac.Clearances, nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, bad("certificate: %v", err)
	}
	return Clearances(cert)
}

// Clearances returns the clearance values of a parsed certificate.
func Clearances(cert *x509.Certificate) ([]ClearanceValue, error) {
	value, ok := extension(cert, oidDirectoryAttributes)
	if !ok {
		return nil, nil
	}
	s := cryptobyte.String(value)
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, bad("broken subjectDirectoryAttributes")
	}
	attributes, err := parseAttributes(seq)
	if err != nil {
		return nil, err
	}
	return clearances(attributes)
}

// extension returns the value of an extension; crypto/x509 has refused certificates with two of one kind.
func extension(cert *x509.Certificate, oid string) ([]byte, bool) {
	for _, e := range cert.Extensions {
		if e.Id.String() == oid {
			return e.Value, true
		}
	}
	return nil, false
}
