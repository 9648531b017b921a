package ess

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"time"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// AttributeCertificate is an attribute certificate of version 2 (RFC 5755 section 4.1) as far as clearances need it.
type AttributeCertificate struct {
	Clearances          []ClearanceValue
	NotBefore, NotAfter time.Time
	SerialNumber        *big.Int

	holder    holder
	issuer    []byte // distinguished name, DER
	algorithm x509.SignatureAlgorithm
	signed    []byte // the octets that are signed
	signature []byte
	critical  []string // critical extensions, none of which is understood here
}

// holder says whose attributes these are. Each part that is there has to fit.
type holder struct {
	issuer  []byte // of the certificate, a distinguished name in DER
	serial  *big.Int
	subject []byte
	other   bool // names of other forms, or a digest
}

// signatureAlgorithms are those that an attribute certificate may be signed with.
var signatureAlgorithms = map[string]x509.SignatureAlgorithm{
	"1.2.840.113549.1.1.11": x509.SHA256WithRSA,
	"1.2.840.113549.1.1.12": x509.SHA384WithRSA,
	"1.2.840.113549.1.1.13": x509.SHA512WithRSA,
	"1.2.840.10045.4.3.2":   x509.ECDSAWithSHA256,
	"1.2.840.10045.4.3.3":   x509.ECDSAWithSHA384,
	"1.2.840.10045.4.3.4":   x509.ECDSAWithSHA512,
	"1.3.101.112":           x509.PureEd25519,
}

// isAttributeCertificate tells the two kinds of certificate apart by what follows the version: a public key
// certificate of version 3 begins with [0], one of version 1 has a signature algorithm where this has the holder, and
// no serial number behind two more values.
func isAttributeCertificate(der []byte) bool {
	s := cryptobyte.String(der)
	var cert, info, skipped cryptobyte.String
	var tag asn1.Tag
	if !s.ReadASN1(&cert, asn1.SEQUENCE) || !cert.ReadASN1(&info, asn1.SEQUENCE) || !info.SkipASN1(asn1.INTEGER) ||
		!info.SkipASN1(asn1.SEQUENCE) || !info.ReadAnyASN1(&skipped, &tag) || !info.SkipASN1(asn1.SEQUENCE) {
		return false
	}
	return info.PeekASN1Tag(asn1.INTEGER)
}

// ParseAttributeCertificate reads one. It checks nothing: see Verify and HeldBy.
func ParseAttributeCertificate(der []byte) (*AttributeCertificate, error) {
	if len(der) > MaxMessage {
		return nil, bad("attribute certificate of %d octets, at most %d", len(der), MaxMessage)
	}
	s := cryptobyte.String(slices.Clone(der))
	var cert, whole, info, algorithm cryptobyte.String
	if !s.ReadASN1(&cert, asn1.SEQUENCE) || !s.Empty() || !cert.ReadASN1Element(&whole, asn1.SEQUENCE) ||
		!cert.ReadASN1Element(&algorithm, asn1.SEQUENCE) {
		return nil, bad("broken attribute certificate")
	}
	ac := &AttributeCertificate{signed: whole, SerialNumber: new(big.Int)}
	if !cert.ReadASN1BitStringAsBytes(&ac.signature) || !cert.Empty() || !whole.ReadASN1(&info, asn1.SEQUENCE) {
		return nil, bad("broken attribute certificate")
	}
	if err := ac.info(info, algorithm); err != nil {
		return nil, err
	}
	return ac, nil
}

// info reads AttributeCertificateInfo. The algorithm is named twice, and must be the same.
func (ac *AttributeCertificate) info(s, algorithm cryptobyte.String) error {
	var version int64
	var holding, issuer, again, validity, attributes cryptobyte.String
	var tag asn1.Tag
	if !s.ReadASN1Integer(&version) || version != 1 {
		return bad("attribute certificate of another version than 2")
	}
	if !s.ReadASN1(&holding, asn1.SEQUENCE) || !s.ReadAnyASN1(&issuer, &tag) || !s.ReadASN1Element(&again, asn1.SEQUENCE) ||
		!s.ReadASN1Integer(ac.SerialNumber) || !s.ReadASN1(&validity, asn1.SEQUENCE) || !s.ReadASN1(&attributes, asn1.SEQUENCE) ||
		!s.SkipOptionalASN1(asn1.BIT_STRING) {
		return bad("broken attribute certificate")
	}
	if !bytes.Equal(algorithm, again) {
		return bad("attribute certificate with two signature algorithms")
	}
	if !validity.ReadASN1GeneralizedTime(&ac.NotBefore) || !validity.ReadASN1GeneralizedTime(&ac.NotAfter) || !validity.Empty() {
		return bad("broken validity of an attribute certificate")
	}
	if err := ac.names(holding, issuer, tag); err != nil {
		return err
	}
	if err := ac.extensions(s); err != nil {
		return err
	}
	var inner, oid cryptobyte.String
	if !algorithm.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return bad("broken signature algorithm")
	}
	name, err := parseOID(oid)
	if err != nil {
		return err
	}
	ac.algorithm = signatureAlgorithms[name]
	parsed, err := parseAttributes(attributes)
	if err != nil {
		return err
	}
	ac.Clearances, err = clearances(parsed)
	return err
}

// names reads Holder and AttCertIssuer. RFC 5755 section 4.2.3 wants the issuer as one distinguished name in v2Form.
func (ac *AttributeCertificate) names(holding, issuer cryptobyte.String, issuerTag asn1.Tag) error {
	var base, entity, digest, names, serial cryptobyte.String
	var hasBase, hasEntity bool
	var err error
	if !holding.ReadOptionalASN1(&base, &hasBase, tag0cons) || !holding.ReadOptionalASN1(&entity, &hasEntity, tag1cons) ||
		!holding.ReadOptionalASN1(&digest, &ac.holder.other, tag2cons) || !holding.Empty() {
		return bad("broken holder of an attribute certificate")
	}
	if hasBase {
		ac.holder.serial = new(big.Int)
		if !base.ReadASN1(&names, asn1.SEQUENCE) || !base.ReadASN1Element(&serial, asn1.INTEGER) ||
			!serial.ReadASN1Integer(ac.holder.serial) || !base.SkipOptionalASN1(asn1.BIT_STRING) || !base.Empty() {
			return bad("broken holder of an attribute certificate")
		}
		if ac.holder.issuer, err = directoryName(names); err != nil {
			return err
		}
	}
	if hasEntity {
		if ac.holder.subject, err = directoryName(entity); err != nil {
			return err
		}
	}
	if issuerTag != tag0cons || !issuer.ReadASN1(&names, asn1.SEQUENCE) || !issuer.Empty() {
		return bad("issuer of an attribute certificate in another form than a name")
	}
	ac.issuer, err = directoryName(names)
	return err
}

// directoryName returns the one distinguished name that GeneralNames has to consist of.
func directoryName(names cryptobyte.String) ([]byte, error) {
	var wrap, name cryptobyte.String
	if !names.ReadASN1(&wrap, tag4cons) || !names.Empty() || !wrap.ReadASN1Element(&name, asn1.SEQUENCE) || !wrap.Empty() {
		return nil, labels.Errorf(labels.CodeUnknown, "a name in an attribute certificate is no distinguished name")
	}
	return name, nil
}

// extensions collects those that are critical.
func (ac *AttributeCertificate) extensions(s cryptobyte.String) error {
	if s.Empty() {
		return nil
	}
	var all cryptobyte.String
	if !s.ReadASN1(&all, asn1.SEQUENCE) || !s.Empty() {
		return bad("broken extensions of an attribute certificate")
	}
	for n := 0; !all.Empty(); n++ {
		var one, oid cryptobyte.String
		var critical bool
		if n == maxAttributes || !all.ReadASN1(&one, asn1.SEQUENCE) || !one.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
			one.PeekASN1Tag(asn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) || !one.SkipASN1(asn1.OCTET_STRING) || !one.Empty() {
			return bad("broken extensions of an attribute certificate")
		}
		name, err := parseOID(oid)
		if err != nil {
			return err
		}
		if critical {
			ac.critical = append(ac.critical, name)
		}
	}
	return nil
}

// Verify says whether the authority signed the certificate and whether it is valid at that time (RFC 5755 section 5,
// rules 2 to 5 and 7). The authority's own path, its right to issue and revocation are the caller's matter. A critical
// extension, such as one that names the servers it is for, refuses.
func (ac *AttributeCertificate) Verify(authority *x509.Certificate, at time.Time) error {
	switch {
	case ac == nil || authority == nil || ac.algorithm == x509.UnknownSignatureAlgorithm:
		return fmt.Errorf("attribute certificate: no authority, or a signature algorithm that is not known")
	case len(ac.critical) > 0:
		return fmt.Errorf("attribute certificate: critical extension %s", ac.critical[0])
	case at.Before(ac.NotBefore) || at.After(ac.NotAfter):
		return fmt.Errorf("attribute certificate: valid from %s to %s only", ac.NotBefore.Format(time.RFC3339), ac.NotAfter.Format(time.RFC3339))
	case !bytes.Equal(ac.issuer, authority.RawSubject):
		return fmt.Errorf("attribute certificate: issued by somebody else")
	}
	if err := authority.CheckSignature(ac.algorithm, ac.signed, ac.signature); err != nil {
		return fmt.Errorf("attribute certificate: %w", err)
	}
	return nil
}

// HeldBy says whether the certificate belongs to the holder of a public key certificate (RFC 5755 section 5, rule 1):
// by its issuer and serial number, by its subject, or by both where both are there. A digest is not understood.
func (ac *AttributeCertificate) HeldBy(cert *x509.Certificate) bool {
	if ac == nil || cert == nil || ac.holder.other || ac.holder.serial == nil && ac.holder.subject == nil {
		return false
	}
	h := ac.holder
	return (h.serial == nil || bytes.Equal(h.issuer, cert.RawIssuer) && h.serial.Cmp(cert.SerialNumber) == 0) &&
		(h.subject == nil || bytes.Equal(h.subject, cert.RawSubject))
}
