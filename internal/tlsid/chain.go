package tlsid

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"
)

// build finds a path from the leaf to an anchor and asks the revocation lists about it.
func (t *Trust) build(v *Verified, chain []*x509.Certificate, usages []x509.ExtKeyUsage, now time.Time) (Reason, error) {
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	pool := t.pool
	if pool == nil { // x509 would take nil for the system's anchors
		pool = x509.NewCertPool()
	}
	paths, err := withoutSAN(v.Leaf).Verify(x509.VerifyOptions{
		Roots: pool, Intermediates: intermediates, CurrentTime: now, KeyUsages: usages,
	})
	if err != nil {
		return t.reason(err, v.Leaf, now), err
	}
	return t.revocationOf(v, paths, now)
}

// revocationOf takes the best path: one that fresh lists clear, else one that no list forbids.
func (t *Trust) revocationOf(v *Verified, paths [][]*x509.Certificate, now time.Time) (Reason, error) {
	best := revocationRevoked
	for _, path := range paths {
		if len(path) > MaxChain {
			continue
		}
		state := t.crls.checkChain(path, now)
		if state == revocationRevoked || v.Chain != nil && state != revocationGood {
			continue
		}
		v.Chain, best = path, state
		if state == revocationGood {
			break
		}
	}
	switch {
	case v.Chain == nil && len(paths[0]) > MaxChain:
		return ChainTooLong, nil
	case best == revocationRevoked:
		return Revoked, nil
	case best == revocationUnknown && t.revocation == RevocationHard:
		return RevocationUnknown, errors.New("no fresh revocation list of an issuer in the chain")
	}
	v.Unrevoked = best == revocationGood && len(v.Chain) > 1
	v.constrained = slices.ContainsFunc(v.Chain[1:], func(c *x509.Certificate) bool {
		return len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains) > 0
	})
	return OK, nil
}

// withoutSAN returns the certificate without a complaint about its subjectAltName: x509 does not know otherName and so reports a
// critical subjectAltName that holds nothing else as unhandled, but ParseNames has read it. The original is shared and stays as it is.
func withoutSAN(cert *x509.Certificate) *x509.Certificate {
	if !slices.ContainsFunc(cert.UnhandledCriticalExtensions, isSAN) {
		return cert
	}
	c := *cert
	c.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(cert.UnhandledCriticalExtensions), isSAN)
	return &c
}

func isSAN(id asn1.ObjectIdentifier) bool { return id.Equal(oidSAN) }

// reason puts an error of x509 into a word.
func (t *Trust) reason(err error, leaf *x509.Certificate, now time.Time) Reason {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var unhandled x509.UnhandledCriticalExtension
	switch {
	case errors.As(err, &invalid):
		return invalidReason(invalid, now)
	case errors.As(err, &unhandled):
		return UnknownExtension
	case errors.As(err, &unknown):
		if leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil && !t.holds(leaf) {
			return SelfSigned
		}
		return UnknownCA
	}
	return UnknownCA
}

func invalidReason(e x509.CertificateInvalidError, now time.Time) Reason {
	switch e.Reason {
	case x509.Expired:
		if e.Cert != nil && now.Before(e.Cert.NotBefore) {
			return NotYetValid
		}
		return Expired
	case x509.IncompatibleUsage:
		return WrongUsage
	case x509.NotAuthorizedToSign, x509.TooManyIntermediates, x509.CANotAuthorizedForThisName,
		x509.CANotAuthorizedForExtKeyUsage, x509.TooManyConstraints, x509.UnconstrainedName, x509.NameConstraintsWithoutSANs:
		return ConstraintViolated
	default:
		return UnknownCA
	}
}
