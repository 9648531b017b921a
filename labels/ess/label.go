package ess

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// MaxClass is the largest classification an ESS label can carry (RFC 2634 section 3.2, ub-integer-options).
const MaxClass = 256

// maxPrintableMark is the size of a privacy mark as PrintableString (RFC 2634 section 3.2).
const maxPrintableMark = 128

// context tags
const (
	tag0     = asn1.Tag(0x80)
	tag0cons = asn1.Tag(0xa0)
	tag1     = asn1.Tag(0x81)
	tag1cons = asn1.Tag(0xa1)
	tag2cons = asn1.Tag(0xa2)
	tag4cons = asn1.Tag(0xa4)
	tag6     = asn1.Tag(0x86)
	tag6cons = asn1.Tag(0xa6)
	tag7cons = asn1.Tag(0xa7)
)

func bad(format string, args ...any) error { return labels.Errorf(labels.CodeSyntax, format, args...) }

// ParseLabel reads a whole label in DER or common BER. Errors are *labels.Error.
func ParseLabel(b []byte) (labels.LabelForm, error) {
	der, err := toDER(b, valueBounds)
	if err != nil {
		return labels.LabelForm{}, err
	}
	s := cryptobyte.String(der)
	var set cryptobyte.String
	if !s.ReadASN1(&set, asn1.SET) || !s.Empty() {
		return labels.LabelForm{}, bad("not a SET")
	}
	return parseMembers(set)
}

// ParseLabelDER is ParseLabel for senders that must use the distinguished encoding.
func ParseLabelDER(b []byte) (labels.LabelForm, error) {
	if err := checkDER(b); err != nil {
		return labels.LabelForm{}, err
	}
	return ParseLabel(b)
}

// parseMembers reads the members of the SET, known by their universal tags, each at most once and in any order.
func parseMembers(set cryptobyte.String) (labels.LabelForm, error) {
	var f labels.LabelForm
	var class, mark, categories bool
	for !set.Empty() {
		var content cryptobyte.String
		var tag asn1.Tag
		whole := set
		if !set.ReadAnyASN1(&content, &tag) {
			return f, bad("broken member")
		}
		var err error
		var twice bool
		switch tag {
		case asn1.OBJECT_IDENTIFIER:
			twice = f.Policy != ""
			f.Policy, err = parseOID(content)
		case asn1.INTEGER:
			twice, class = class, true
			f.Class, err = integer(&whole, MaxClass)
		case asn1.UTF8String, asn1.PrintableString:
			twice, mark = mark, true
			f.PrivacyMark, err = privacyMark(content, tag)
		case asn1.SET:
			twice, categories = categories, true
			f.Values, err = parseCategories(content, inLabel)
		default:
			err = bad("member with tag %02x", uint8(tag))
		}
		if err != nil {
			return f, err
		}
		if twice {
			return f, bad("two members with tag %02x", uint8(tag))
		}
	}
	switch {
	case f.Policy == "":
		return f, bad("no policy identifier")
	case !class:
		return f, bad("no classification")
	}
	return f, nil
}

// integer reads a minimal INTEGER from 0 to limit.
func integer(s *cryptobyte.String, limit int64) (uint32, error) {
	var n int64
	if !s.ReadASN1Integer(&n) {
		return 0, bad("broken, padded or oversized INTEGER")
	}
	if n < 0 || n > limit {
		return 0, bad("INTEGER outside 0 to %d", limit)
	}
	return uint32(n), nil
}

func privacyMark(b []byte, tag asn1.Tag) (string, error) {
	s := string(b)
	limit := labels.MaxPrivacyMark
	if tag == asn1.PrintableString {
		limit = maxPrintableMark
		if strings.ContainsFunc(s, func(r rune) bool { return !printable(r) }) {
			return "", bad("privacy mark is no PrintableString")
		}
	}
	if s == "" || len(s) > limit {
		return "", bad("privacy mark of %d octets", len(s))
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", bad("privacy mark with control characters or broken UTF-8")
	}
	return s, nil
}

// printable has the PrintableString alphabet (X.680 section 41).
func printable(r rune) bool {
	return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" '()+,-./:=?", r))
}

// AppendLabel appends the DER of a label, categories in the syntaxes of ACP-145(A).
func AppendLabel(dst []byte, f labels.LabelForm) ([]byte, error) {
	return AppendLabelAs(dst, f, ACP145)
}

// AppendLabelAs appends the DER of a label. It fails for what the octets cannot carry: a classification above 256, more
// than 64 categories, a privacy mark that no reader takes.
func AppendLabelAs(dst []byte, f labels.LabelForm, syntax CategorySyntax) ([]byte, error) {
	if f.Class > MaxClass {
		return dst, bad("classification %d cannot be carried", f.Class)
	}
	oid, err := appendOID(nil, f.Policy)
	if err != nil {
		return dst, bad("policy identifier: %v", err)
	}
	if f.PrivacyMark != "" {
		if _, err := privacyMark([]byte(f.PrivacyMark), asn1.UTF8String); err != nil {
			return dst, err
		}
	}
	categories, err := encodeCategories(f.Values, syntax, inLabel)
	if err != nil {
		return dst, err
	}
	// Members stand in the order of their tag numbers: 2, 6, 12, 17, 19 (X.690 section 10.3).
	var b cryptobyte.Builder
	b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
		b.AddASN1Uint64(uint64(f.Class))
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
		if f.PrivacyMark != "" {
			b.AddASN1(asn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(f.PrivacyMark)) })
		}
		if len(categories) > 0 {
			b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(categories) })
		}
	})
	out, err := b.Bytes()
	if err != nil {
		return dst, bad("encode label: %v", err)
	}
	if len(out) > MaxBytes {
		return dst, bad("the label takes %d octets", len(out))
	}
	return append(dst, out...), nil
}
