package ess

import (
	"bytes"
	"cmp"
	"slices"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// encodeCategories returns the content of SET OF SecurityCategory: one category for each tag set and kind, sorted by
// their octets (X.690 section 11.6).
func encodeCategories(values []labels.Value) ([]byte, error) {
	values = slices.Clone(values)
	slices.SortFunc(values, func(a, b labels.Value) int {
		return cmp.Or(cmp.Compare(a.TagSet, b.TagSet), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.LACV, b.LACV))
	})
	values = slices.Compact(values)
	var all [][]byte
	for len(values) > 0 {
		n := 1
		for n < len(values) && values[n].TagSet == values[0].TagSet && values[n].Kind == values[0].Kind {
			n++
		}
		b, err := encodeCategory(values[:n])
		if err != nil {
			return nil, err
		}
		all, values = append(all, b), values[n:]
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
	oid, err := appendOID(nil, syntax)
	if err != nil {
		return nil, bad("category syntax: %v", err)
	}
	set, err := appendOID(nil, values[0].TagSet)
	if err != nil {
		return nil, bad("tag set: %v", err)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
		b.AddASN1(tag1cons, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(set) })
				if values[0].Kind.IsBits() {
					b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes(bitString(values)) })
					return
				}
				// SET OF INTEGER: numbers that ascend also ascend as octets.
				b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
					for _, v := range values {
						b.AddASN1Uint64(uint64(v.LACV))
					}
				})
			})
		})
	})
	return b.Bytes()
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
