package ess

import (
	"bytes"
	"slices"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// missi reads the SDN.801c value: SET OF SEQUENCE { tagSetName OID, SEQUENCE OF SecurityTag }. The security level
// inside a tag has no place in the model of a SPIF and is ignored.
func missi(out []labels.Value, s cryptobyte.String) ([]labels.Value, error) {
	return named(out, s, func(out []labels.Value, set string, tag asn1.Tag, content cryptobyte.String) ([]labels.Value, error) {
		g := group{set: set, bitsT: asn1.BIT_STRING, enumT: asn1.SET}
		switch tag {
		case tag1cons:
			g.bits = labels.Restrictive
		case tag2cons:
			g.enum = labels.Enumerated
		case tag6cons:
			g.bits = labels.Permissive
		case tag7cons:
			g.bits, g.enum = labels.InformativeBits, labels.InformativeEnum
		default:
			return nil, labels.Errorf(labels.CodeUnknown, "SDN.801 tag type %02x is not known", uint8(tag))
		}
		if tag != tag7cons && !content.SkipOptionalASN1(asn1.INTEGER) {
			return nil, bad("broken security level")
		}
		return g.append(out, content, inLabel)
	})
}

// sslPrivileges reads SET OF SEQUENCE { tagSetName OID, SEQUENCE OF [1] bits | [2] numbers | [6] bits }.
func sslPrivileges(out []labels.Value, s cryptobyte.String) ([]labels.Value, error) {
	return named(out, s, func(out []labels.Value, set string, tag asn1.Tag, content cryptobyte.String) ([]labels.Value, error) {
		switch tag {
		case tag1:
			return group{set: set, bits: labels.Restrictive}.appendBits(out, content)
		case tag2cons:
			return group{set: set, enum: labels.Enumerated}.appendNumbers(out, content)
		case tag6:
			return group{set: set, bits: labels.Permissive}.appendBits(out, content)
		}
		return nil, labels.Errorf(labels.CodeUnknown, "privilege with tag %02x is not known", uint8(tag))
	})
}

type tagReader func(out []labels.Value, set string, tag asn1.Tag, content cryptobyte.String) ([]labels.Value, error)

// named reads SET OF SEQUENCE { OID, SEQUENCE OF tag } and hands each tag to the reader.
func named(out []labels.Value, s cryptobyte.String, read tagReader) ([]labels.Value, error) {
	var sets cryptobyte.String
	if !s.ReadASN1(&sets, asn1.SET) || !s.Empty() || sets.Empty() {
		return nil, bad("broken set of named tag sets")
	}
	for !sets.Empty() {
		var seq, oid, tags cryptobyte.String
		if !sets.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
			!seq.ReadASN1(&tags, asn1.SEQUENCE) || !seq.Empty() || tags.Empty() {
			return nil, bad("broken named tag set")
		}
		set, err := parseOID(oid)
		if err != nil {
			return nil, err
		}
		for !tags.Empty() {
			var content cryptobyte.String
			var tag asn1.Tag
			if !tags.ReadAnyASN1(&content, &tag) {
				return nil, bad("broken security tag")
			}
			if out, err = read(out, set, tag, content); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// encodeMISSI writes all values in one category of SDN.801c: for each tag set a list of tags, one a kind.
func encodeMISSI(values []labels.Value, w where) ([]byte, error) {
	var sets [][]byte
	for _, set := range runs(values, sameTagSet) {
		b, err := encodeNamedSet(set, w)
		if err != nil {
			return nil, err
		}
		sets = append(sets, b)
	}
	slices.SortFunc(sets, bytes.Compare)
	syntax := oidMISSI
	if w == inClearance {
		syntax = oidSSLPrivileges
	}
	return category(syntax, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(sets, nil)) })
	})
}

// encodeNamedSet writes SEQUENCE { tagSetName OID, SEQUENCE OF tag }. The one tag for numbers does not say whether they
// restrict or permit, so a tag set with both would not be read as it was meant.
func encodeNamedSet(values []labels.Value, w where) ([]byte, error) {
	oid, err := appendOID(nil, values[0].TagSet)
	if err != nil {
		return nil, bad("tag set: %v", err)
	}
	var tags [][]labels.Value
	numbers := 0
	for _, run := range runs(values, sameTag) {
		switch k := run[0].Kind; {
		case k == labels.NoKind, w == inClearance && k.Type() == labels.TypeInformative:
			return nil, bad("value of kind %s cannot be written in SDN.801c", k)
		case k == labels.EnumRestrictive, k == labels.EnumPermissive, k == labels.Enumerated:
			if numbers++; numbers > 1 {
				return nil, bad("tag set %s has restrictive and permissive numbers; SDN.801c cannot tell them apart", values[0].TagSet)
			}
		}
		tags = append(tags, run)
	}
	slices.SortStableFunc(tags, func(a, b []labels.Value) int { return int(tagNumber(a[0].Kind)) - int(tagNumber(b[0].Kind)) })
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, run := range tags {
				addSecurityTag(b, run, w)
			}
		})
	})
	return b.Bytes()
}

// tagNumber is the tag type of SDN.801c.
func tagNumber(k labels.Kind) uint8 {
	switch k {
	case labels.Restrictive:
		return 1
	case labels.EnumRestrictive, labels.EnumPermissive, labels.Enumerated:
		return 2
	case labels.Permissive:
		return 6
	case labels.InformativeBits, labels.InformativeEnum, labels.NoKind:
	}
	return 7
}

// addSecurityTag writes one tag: in a label around a BIT STRING or SET of its own, in a clearance in place of it.
func addSecurityTag(b *cryptobyte.Builder, values []labels.Value, w where) {
	number, bits := tagNumber(values[0].Kind), values[0].Kind.IsBits()
	content := func(b *cryptobyte.Builder) {
		if bits {
			b.AddBytes(bitString(values))
			return
		}
		addNumbers(b, values)
	}
	inner, constructed := asn1.BIT_STRING, uint8(0)
	if !bits {
		inner, constructed = asn1.SET, 0x20
	}
	if w == inClearance {
		b.AddASN1(asn1.Tag(0x80|constructed|number), content)
		return
	}
	b.AddASN1(asn1.Tag(0xa0|number), func(b *cryptobyte.Builder) { b.AddASN1(inner, content) })
}
