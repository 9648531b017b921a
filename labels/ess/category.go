package ess

import (
	"math/bits"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Category syntaxes.
const (
	oidMISSI           = "2.16.840.1.101.2.1.8.1" // SDN.801c, in labels
	oidSSLPrivileges   = "2.16.840.1.101.2.1.8.2" // in clearances
	oidRestrictive     = "2.16.840.1.101.2.1.8.3.0"
	oidEnumPermissive  = "2.16.840.1.101.2.1.8.3.1"
	oidPermissive      = "2.16.840.1.101.2.1.8.3.2"
	oidInformative     = "2.16.840.1.101.2.1.8.3.3"
	oidEnumRestrictive = "2.16.840.1.101.2.1.8.3.4"
)

// MaxCategories is the number of SecurityCategory values in a label (RFC 2634 section 3.2, ub-security-categories).
const MaxCategories = 64

// where says what the categories belong to. A label must not hold an empty category: it would say nothing and may be
// the remains of something. In a clearance it grants nothing.
type where uint8

const (
	inLabel where = iota
	inClearance
)

// parseCategories reads the content of SET OF SecurityCategory.
func parseCategories(set cryptobyte.String, w where) ([]labels.Value, error) {
	var out []labels.Value
	if set.Empty() && w == inLabel {
		return nil, bad("empty set of categories")
	}
	for n := 0; !set.Empty(); n++ {
		if n == MaxCategories {
			return nil, bad("more than %d categories", MaxCategories)
		}
		var seq, oid, value cryptobyte.String
		var tag asn1.Tag
		if !set.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&oid, tag0) || !seq.ReadAnyASN1(&value, &tag) || !seq.Empty() {
			return nil, bad("broken category")
		}
		syntax, err := parseOID(oid)
		if err != nil {
			return nil, err
		}
		switch tag {
		case tag1cons:
		case tag1: // some toolkits wrap the value in a primitive [1]
			der, err := toDER(value, valueBounds)
			if err != nil {
				return nil, err
			}
			value = der
		default:
			return nil, bad("category without value")
		}
		if out, err = parseCategory(out, syntax, value, w); err != nil {
			return nil, err
		}
		if len(out) > labels.MaxValues {
			return nil, bad("more than %d category values", labels.MaxValues)
		}
	}
	return out, nil
}

// parseCategory appends the values of one category.
func parseCategory(out []labels.Value, syntax string, value cryptobyte.String, w where) ([]labels.Value, error) {
	switch syntax {
	case oidRestrictive:
		return acp145(out, value, labels.Restrictive, labels.NoKind, w)
	case oidPermissive:
		return acp145(out, value, labels.Permissive, labels.NoKind, w)
	case oidEnumRestrictive:
		return acp145(out, value, labels.NoKind, labels.EnumRestrictive, w)
	case oidEnumPermissive:
		return acp145(out, value, labels.NoKind, labels.EnumPermissive, w)
	case oidInformative:
		return acp145(out, value, labels.InformativeBits, labels.InformativeEnum, w)
	case oidMISSI:
		if w == inLabel {
			return missi(out, value)
		}
	case oidSSLPrivileges:
		if w == inClearance {
			return sslPrivileges(out, value)
		}
	}
	return nil, labels.Errorf(labels.CodeUnknown, "category syntax %s is not known", labels.Quote(syntax))
}

// acp145 reads SEQUENCE { tagName OID, BIT STRING or SET OF INTEGER }.
func acp145(out []labels.Value, s cryptobyte.String, bits, enum labels.Kind, w where) ([]labels.Value, error) {
	var seq, oid cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return nil, bad("broken category value")
	}
	set, err := parseOID(oid)
	if err != nil {
		return nil, err
	}
	return group{set, bits, enum, asn1.BIT_STRING, asn1.SET}.append(out, seq, w)
}

// group reads the bits or numbers of one tag under the tags that its syntax gives them. NoKind: not allowed here.
type group struct {
	set          string
	bits, enum   labels.Kind
	bitsT, enumT asn1.Tag
}

func (g group) append(out []labels.Value, s cryptobyte.String, w where) ([]labels.Value, error) {
	var content cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&content, &tag) || !s.Empty() {
		return nil, bad("broken values of a tag")
	}
	before := len(out)
	var err error
	switch {
	case tag == g.bitsT && g.bits != labels.NoKind:
		out, err = g.appendBits(out, content)
	case tag == g.enumT && g.enum != labels.NoKind:
		out, err = g.appendNumbers(out, content)
	default:
		err = bad("values with tag %02x", uint8(tag))
	}
	if err == nil && len(out) == before && w == inLabel {
		err = bad("empty category")
	}
	return out, err
}

func (g group) appendBits(out []labels.Value, content []byte) ([]labels.Value, error) {
	set, err := bitNumbers(content)
	if err != nil {
		return nil, err
	}
	for _, n := range set {
		out = append(out, labels.Value{TagSet: g.set, Kind: g.bits, LACV: n})
	}
	return out, nil
}

func (g group) appendNumbers(out []labels.Value, content cryptobyte.String) ([]labels.Value, error) {
	for n := 0; !content.Empty(); n++ {
		v, err := integer(&content, labels.MaxNumber)
		if err != nil {
			return nil, err
		}
		if n == labels.MaxValues {
			return nil, bad("more than %d category values", labels.MaxValues)
		}
		out = append(out, labels.Value{TagSet: g.set, Kind: g.enum, LACV: v})
	}
	return out, nil
}

// bitNumbers reads the content octets of a BIT STRING: bit 0 is the top bit of the first octet. Trailing zeros are
// free in BER; a bit set among those said to be unused is refused, because ignoring it could lift a restriction.
func bitNumbers(b []byte) ([]uint32, error) {
	if len(b) == 0 || b[0] > 7 || len(b) == 1 && b[0] != 0 {
		return nil, bad("broken BIT STRING")
	}
	if len(b) > 1 && b[len(b)-1]&(1<<b[0]-1) != 0 {
		return nil, bad("BIT STRING with unused bits set")
	}
	count := 0
	for _, c := range b[1:] {
		count += bits.OnesCount8(c)
	}
	if count > labels.MaxValues {
		return nil, bad("BIT STRING with more than %d bits set", labels.MaxValues)
	}
	if count == 0 {
		return nil, nil
	}
	out := make([]uint32, 0, count)
	for i, c := range b[1:] {
		for ; c != 0; c &^= 0x80 >> bits.LeadingZeros8(c) {
			out = append(out, uint32(i*8+bits.LeadingZeros8(c)))
		}
	}
	if out[count-1] > labels.MaxBit {
		return nil, bad("BIT STRING with a bit above %d", labels.MaxBit)
	}
	return out, nil
}
