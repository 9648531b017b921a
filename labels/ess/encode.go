package ess

import (
	"bytes"
	"cmp"
	"slices"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// CategorySyntax says how categories are written. The zero value writes none.
type CategorySyntax uint8

const (
	NoCategorySyntax CategorySyntax = iota
	// ACP145 writes one category for each tag set and kind (ACP-145(A)).
	ACP145
	// SDN801c writes all values in one category: StandardSecurityLabel in a label, SSLPrivileges in a clearance. It is
	// for a peer that needs it: enumerated values lose the knowledge whether they restrict or permit.
	SDN801c
)

func (s CategorySyntax) String() string {
	return [...]string{"none", "acp145", "sdn801c"}[min(s, SDN801c)]
}

// encodeCategories returns the content of SET OF SecurityCategory, sorted by octets (X.690 section 11.6).
func encodeCategories(values []labels.Value, syntax CategorySyntax, w where) ([]byte, error) {
	values = slices.Clone(values)
	slices.SortFunc(values, func(a, b labels.Value) int {
		return cmp.Or(cmp.Compare(a.TagSet, b.TagSet), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.LACV, b.LACV))
	})
	values = slices.Compact(values)
	if len(values) > labels.MaxValues {
		return nil, bad("%d category values cannot be carried", len(values))
	}
	for _, v := range values {
		if v.LACV > labels.MaxNumber || v.Kind.IsBits() && v.LACV > labels.MaxBit {
			return nil, bad("value %d cannot be carried", v.LACV)
		}
	}
	switch {
	case len(values) == 0:
		return nil, nil
	case syntax == ACP145:
		return encodeACP145(values)
	case syntax == SDN801c:
		return encodeMISSI(values, w)
	}
	return nil, bad("no syntax for categories")
}

// runs splits sorted values where the key changes.
func runs(values []labels.Value, same func(a, b labels.Value) bool) [][]labels.Value {
	var out [][]labels.Value
	for len(values) > 0 {
		n := 1
		for n < len(values) && same(values[0], values[n]) {
			n++
		}
		out, values = append(out, values[:n]), values[n:]
	}
	return out
}

func sameTagSet(a, b labels.Value) bool { return a.TagSet == b.TagSet }
func sameTag(a, b labels.Value) bool    { return a.TagSet == b.TagSet && a.Kind == b.Kind }

// encodeACP145 writes one category for each tag set and kind.
func encodeACP145(values []labels.Value) ([]byte, error) {
	var all [][]byte
	for _, run := range runs(values, sameTag) {
		b, err := encodeCategory(run)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	if len(all) > MaxCategories {
		return nil, bad("%d categories cannot be carried", len(all))
	}
	slices.SortFunc(all, bytes.Compare)
	return bytes.Join(all, nil), nil
}

func encodeCategory(values []labels.Value) ([]byte, error) {
	var syntax string
	switch values[0].Kind {
	case labels.Restrictive:
		syntax = oidRestrictive
	case labels.EnumRestrictive:
		syntax = oidEnumRestrictive
	case labels.Permissive:
		syntax = oidPermissive
	case labels.EnumPermissive:
		syntax = oidEnumPermissive
	case labels.InformativeBits, labels.InformativeEnum:
		syntax = oidInformative
	case labels.NoKind, labels.Enumerated:
		return nil, bad("value of kind %s cannot be written", values[0].Kind)
	}
	set, err := appendOID(nil, values[0].TagSet)
	if err != nil {
		return nil, bad("tag set: %v", err)
	}
	return category(syntax, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(set) })
			if values[0].Kind.IsBits() {
				b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes(bitString(values)) })
				return
			}
			b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { addNumbers(b, values) })
		})
	})
}

// category wraps a value: SEQUENCE { type [0], value [1] EXPLICIT }.
func category(syntax string, value func(b *cryptobyte.Builder)) ([]byte, error) {
	oid, err := appendOID(nil, syntax)
	if err != nil {
		return nil, bad("category syntax: %v", err)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
		b.AddASN1(tag1cons, value)
	})
	return b.Bytes()
}

// addNumbers adds the members of SET OF INTEGER: numbers that ascend also ascend as octets.
func addNumbers(b *cryptobyte.Builder, values []labels.Value) {
	for _, v := range values {
		b.AddASN1Uint64(uint64(v.LACV))
	}
}

// bitString returns the content octets of a DER named bit list for sorted values.
func bitString(values []labels.Value) []byte {
	ns := make([]uint32, len(values))
	for i, v := range values {
		ns[i] = v.LACV
	}
	return namedBits(ns)
}

// namedBits encodes sorted bit numbers without trailing zeros (X.690 section 11.2.2).
func namedBits(ns []uint32) []byte {
	if len(ns) == 0 {
		return []byte{0}
	}
	last := ns[len(ns)-1]
	out := make([]byte, 2+last/8)
	out[0] = byte(7 - last%8)
	for _, n := range ns {
		out[1+n/8] |= 0x80 >> (n % 8)
	}
	return out
}
