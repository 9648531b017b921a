package ess

import (
	"bytes"
	"crypto/x509"
	"slices"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// AuthorityConstraints returns the upper bounds that a CA certificate puts on the clearances below it (RFC 5913
// section 3). No extension gives nil: that certificate bounds nothing. With a *PartialError the policies it names are
// bounded to nothing.
func AuthorityConstraints(der []byte) ([]labels.ClearanceForm, error) {
	if len(der) > MaxMessage {
		return nil, bad("certificate of %d octets, at most %d", len(der), MaxMessage)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, bad("certificate: %v", err)
	}
	value, ok := extension(cert, oidConstraints)
	if !ok {
		return nil, nil
	}
	return usable(ParseConstraints(value))
}

// ParseConstraints reads the value of the extension: SEQUENCE SIZE (1..MAX) OF Clearance, one a policy.
func ParseConstraints(b []byte) ([]ClearanceValue, error) {
	der, err := toDER(b, bounds{MaxMessage, maxDepth})
	if err != nil {
		return nil, err
	}
	s := cryptobyte.String(der)
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, bad("broken AuthorityClearanceConstraints")
	}
	var values [][]byte
	for !seq.Empty() {
		var value cryptobyte.String
		var tag asn1.Tag
		if len(values) == maxAttrValues || !seq.ReadAnyASN1Element(&value, &tag) {
			return nil, bad("broken AuthorityClearanceConstraints")
		}
		values = append(values, value)
	}
	return ParseClearanceValues(values)
}

// AppendConstraints appends the DER of the extension's value.
func AppendConstraints(dst []byte, forms []labels.ClearanceForm) ([]byte, error) {
	var all []byte
	for i, f := range forms {
		if slices.ContainsFunc(forms[:i], func(o labels.ClearanceForm) bool { return o.Policy == f.Policy }) {
			return dst, bad("two clearances under policy %s", f.Policy)
		}
		var err error
		if all, err = AppendClearance(all, f); err != nil {
			return dst, err
		}
	}
	if len(forms) == 0 || len(forms) > maxAttrValues || len(all) > MaxMessage-8 {
		return dst, bad("%d clearances of %d octets as constraints", len(forms), len(all))
	}
	return append(appendHeader(dst, byte(asn1.SEQUENCE), len(all)), all...), nil
}

// PathClearance returns what the clearances of the first certificate are worth under all certificates of its path, the
// trust anchor included (RFC 5913 section 4). The path goes from the subject to the trust anchor, as crypto/x509 gives
// it, and must have been verified; a critical constraints extension has to be taken from UnhandledCriticalExtensions
// for that, which this function makes good.
func PathClearance(path []*x509.Certificate) ([]labels.ClearanceForm, error) {
	if len(path) == 0 || path[0] == nil {
		return nil, bad("no certificate")
	}
	values, err := Clearances(path[0])
	if err != nil {
		return nil, err
	}
	return usable(Constrain(values, path))
}

// Constrain bounds clearance values, those of an attribute certificate for instance, by every certificate of a path.
// A policy that a certificate with constraints does not name, or whose bound there cannot be read, has no clearance.
// Two clearances under one policy have in common the classifications and the values that both name.
func Constrain(values []ClearanceValue, path []*x509.Certificate) ([]ClearanceValue, error) {
	values = slices.Clone(values)
	for _, cert := range path {
		if cert == nil {
			return nil, bad("a path with a hole")
		}
		ext, ok := extension(cert, oidConstraints)
		if !ok {
			continue
		}
		limits, err := ParseConstraints(ext)
		if err != nil {
			return nil, err
		}
		kept := values[:0]
		for _, v := range values {
			i := slices.IndexFunc(limits, func(l ClearanceValue) bool { return l.Policy == v.Policy })
			if i < 0 {
				continue
			}
			kept = append(kept, bound(v, limits[i]))
		}
		values = kept
	}
	return values, nil
}

// bound returns what a value has in common with its limit.
func bound(v, limit ClearanceValue) ClearanceValue {
	switch {
	case v.Err != nil:
		return v
	case limit.Err != nil:
		v.Form = labels.ClearanceForm{}
		v.Err = labels.Errorf(labels.CodeUnknown, "its bound in a certificate above cannot be read: %s", detail(limit.Err))
		return v
	}
	v.Form = intersect(v.Form, limit.Form)
	if !bytes.Equal(v.DER, limit.DER) {
		v.DER = nil // no certificate says just this
	}
	return v
}

// intersect keeps what both forms name. Kinds are compared as they are written: a number of SSLPrivileges, of which
// only the policy knows what it is, is not the same as one that says what it is.
func intersect(a, b labels.ClearanceForm) labels.ClearanceForm {
	classes := make(map[uint32]bool, len(b.Classes))
	for _, c := range b.Classes {
		classes[c] = true
	}
	held := make(map[labels.Value]bool, len(b.Values))
	for _, v := range b.Values {
		held[v] = true
	}
	return labels.ClearanceForm{
		Policy:  a.Policy,
		Classes: slices.DeleteFunc(slices.Clone(a.Classes), func(c uint32) bool { return !classes[c] }),
		Values:  slices.DeleteFunc(slices.Clone(a.Values), func(v labels.Value) bool { return !held[v] }),
	}
}
