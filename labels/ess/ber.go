package ess

import "sallyport/labels"

// Limits on octets from outside.
const (
	MaxBytes    = 8192      // a label or clearance; NATO's "Releasable" alone takes 1251
	MaxMessage  = 256 << 10 // a certificate or a CMS message
	maxDepth    = 16        // of values inside each other in a label or clearance
	maxWrapping = 12        // of values around a label in a CMS message
)

// bounds are the limits of one kind of input.
type bounds struct{ bytes, depth int }

var (
	valueBounds   = bounds{MaxBytes, maxDepth}
	messageBounds = bounds{MaxMessage, maxDepth + maxWrapping}
)

// toDER rewrites definite-length and indefinite-length BER as definite minimal lengths, and leaves the order and the
// content of primitives alone. It returns b itself when nothing had to change.
func toDER(b []byte, max bounds) ([]byte, error) {
	if len(b) > max.bytes {
		return nil, labels.Errorf(labels.CodeSyntax, "%d octets, at most %d", len(b), max.bytes)
	}
	if end, ok := minimal(b, max.depth); ok && end == len(b) {
		return b, nil
	}
	out, rest, err := normaliser(max).element(make([]byte, 0, len(b)), b, 0)
	switch {
	case err != nil:
		return nil, err
	case len(rest) > 0:
		return nil, labels.Errorf(labels.CodeSyntax, "%d octets after the value", len(rest))
	}
	return out, nil
}

// minimal says where the first value of b ends, and whether it and all values inside it have minimal definite lengths.
// It is the usual case and allocates nothing; the normaliser reads everything else, and finds the words for errors.
func minimal(b []byte, depth int) (end int, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f || depth < 0 {
		return 0, false
	}
	length, header := int(b[1]), 2
	if length >= 0x80 {
		count := length & 0x7f
		if count == 0 || count > 3 || len(b) < 2+count || b[2] == 0 {
			return 0, false
		}
		length, header = 0, 2+count
		for _, c := range b[2:header] {
			length = length<<8 | int(c)
		}
		if length < 0x80 {
			return 0, false
		}
	}
	end = header + length
	if end > len(b) {
		return 0, false
	}
	if b[0]&0x20 == 0 {
		return end, true
	}
	for at := header; at < end; {
		n, ok := minimal(b[at:end], depth-1)
		if !ok {
			return 0, false
		}
		at += n
	}
	return end, true
}

// normaliser rewrites values within its bounds.
type normaliser bounds

func broken(what string) error { return labels.Errorf(labels.CodeSyntax, "BER: %s", what) }

// element appends one TLV of b to dst and returns what follows it.
func (n normaliser) element(dst, b []byte, depth int) (out, rest []byte, err error) {
	if depth > n.depth {
		return nil, nil, broken("nested too deep")
	}
	if len(b) < 2 {
		return nil, nil, broken("ends inside a tag or length")
	}
	tag := b[0]
	if tag&0x1f == 0x1f {
		return nil, nil, broken("tag number above 30")
	}
	length, header, indefinite, err := n.length(b[1:])
	if err != nil {
		return nil, nil, err
	}
	b = b[1+header:]
	constructed := tag&0x20 != 0
	if indefinite {
		if !constructed {
			return nil, nil, broken("indefinite length of a primitive")
		}
		return n.indefinite(dst, b, tag, depth)
	}
	if length > len(b) {
		return nil, nil, broken("length runs beyond the end")
	}
	content, rest := b[:length], b[length:]
	if !constructed {
		return append(appendHeader(dst, tag, length), content...), rest, nil
	}
	var inner []byte
	for len(content) > 0 {
		if inner, content, err = n.element(inner, content, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return append(appendHeader(dst, tag, len(inner)), inner...), rest, nil
}

// indefinite reads up to the end-of-contents octets.
func (n normaliser) indefinite(dst, b []byte, tag byte, depth int) (out, rest []byte, err error) {
	var inner []byte
	for {
		if len(b) >= 2 && b[0] == 0 && b[1] == 0 {
			return append(appendHeader(dst, tag, len(inner)), inner...), b[2:], nil
		}
		if inner, b, err = n.element(inner, b, depth+1); err != nil {
			return nil, nil, err
		}
	}
}

// length reads the length octets and says how many they are.
func (n normaliser) length(b []byte) (length, octets int, indefinite bool, err error) {
	first := b[0]
	switch {
	case first < 0x80:
		return int(first), 1, false, nil
	case first == 0x80:
		return 0, 1, true, nil
	}
	count := int(first & 0x7f)
	if count > len(b)-1 || first == 0xff {
		return 0, 0, false, broken("ends inside a length")
	}
	for _, c := range b[1 : 1+count] {
		length = length<<8 | int(c)
		if length > n.bytes {
			return 0, 0, false, broken("length runs beyond the end")
		}
	}
	return length, 1 + count, false, nil
}

// appendHeader appends a tag and a minimal length; MaxMessage fits into three octets.
func appendHeader(dst []byte, tag byte, length int) []byte {
	switch {
	case length < 0x80:
		return append(dst, tag, byte(length))
	case length < 0x100:
		return append(dst, tag, 0x81, byte(length))
	case length < 0x10000:
		return append(dst, tag, 0x82, byte(length>>8), byte(length))
	}
	return append(dst, tag, 0x83, byte(length>>16), byte(length>>8), byte(length))
}
