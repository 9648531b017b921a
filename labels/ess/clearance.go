package ess

import (
	"slices"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// unclassified is the bit of a classList that is absent: DEFAULT {unclassified} (RFC 5755 section 4.4.6).
const unclassified = 1

// ParseClearance reads a whole Clearance with the tags of RFC 5755 or, told apart by the first one, of RFC 3281 and
// X.841. Errors are *labels.Error.
func ParseClearance(b []byte) (labels.ClearanceForm, error) {
	var f labels.ClearanceForm
	der, err := toDER(b, valueBounds)
	if err != nil {
		return f, err
	}
	s := cryptobyte.String(der)
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return f, bad("not a SEQUENCE")
	}
	policy, classes, categories := asn1.OBJECT_IDENTIFIER, asn1.BIT_STRING, asn1.SET
	if seq.PeekASN1Tag(tag0) {
		policy, classes, categories = tag0, tag1, tag2cons
	}
	var oid, list, set cryptobyte.String
	var hasList, hasSet bool
	if !seq.ReadASN1(&oid, policy) || !seq.ReadOptionalASN1(&list, &hasList, classes) ||
		!seq.ReadOptionalASN1(&set, &hasSet, categories) || !seq.Empty() {
		return f, bad("broken clearance")
	}
	if f.Policy, err = parseOID(oid); err != nil {
		return f, err
	}
	f.Classes = []uint32{unclassified}
	if hasList {
		if f.Classes, err = bitNumbers(list); err != nil {
			return f, err
		}
	}
	if hasSet {
		if f.Values, err = parseCategories(set, inClearance); err != nil {
			return f, err
		}
	}
	return f, nil
}

// AppendClearance appends the DER of a clearance with the tags of RFC 5755, categories in the syntaxes of ACP-145(A).
func AppendClearance(dst []byte, f labels.ClearanceForm) ([]byte, error) {
	return AppendClearanceAs(dst, f, ACP145)
}

// AppendClearanceAs appends the DER of a clearance; SDN801c means SSLPrivileges. Informative values have no place there
// and take no part in a decision, but leaving them out would change what is read again, so they are refused.
func AppendClearanceAs(dst []byte, f labels.ClearanceForm, syntax CategorySyntax) ([]byte, error) {
	oid, err := appendOID(nil, f.Policy)
	if err != nil {
		return dst, bad("policy identifier: %v", err)
	}
	classes := slices.Clone(f.Classes)
	slices.Sort(classes)
	classes = slices.Compact(classes)
	if n := len(classes); n > 0 && classes[n-1] > labels.MaxBit {
		return dst, bad("classification %d cannot be carried", classes[n-1])
	}
	categories, err := encodeCategories(f.Values, syntax, inClearance)
	if err != nil {
		return dst, err
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
		if len(classes) != 1 || classes[0] != unclassified { // DER leaves a default out (X.690 section 11.5)
			b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes(namedBits(classes)) })
		}
		if len(categories) > 0 {
			b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(categories) })
		}
	})
	out, err := b.Bytes()
	if err != nil {
		return dst, bad("encode clearance: %v", err)
	}
	if len(out) > MaxBytes {
		return dst, bad("the clearance takes %d octets", len(out))
	}
	return append(dst, out...), nil
}
