package ess

import "sallyport/labels"

// Limits on octets from outside.
const (
	MaxBytes = 8192 // a label or clearance; NATO's "Releasable" alone takes 1251
	maxDepth = 16
)

// toDER rewrites definite-length and indefinite-length BER as definite minimal lengths, and leaves the order and the
// content of primitives alone. It returns b itself when nothing had to change.
func toDER(b []byte) ([]byte, error) {
	if len(b) > MaxBytes {
		return nil, labels.Errorf(labels.CodeSyntax, "%d octets, at most %d", len(b), MaxBytes)
	}
	var n normaliser
	out, rest, err := n.element(make([]byte, 0, len(b)), b, 0)
	switch {
	case err != nil:
		return nil, err
	case len(rest) > 0:
		return nil, labels.Errorf(labels.CodeSyntax, "%d octets after the value", len(rest))
	case !n.changed:
		return b, nil
	}
	return out, nil
}

type normaliser struct{ changed bool }

func broken(what string) error { return labels.Errorf(labels.CodeSyntax, "BER: %s", what) }

// element appends one TLV of b to dst and returns what follows it.
func (n *normaliser) element(dst, b []byte, depth int) (out, rest []byte, err error) {
	if depth > maxDepth {
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
func (n *normaliser) indefinite(dst, b []byte, tag byte, depth int) (out, rest []byte, err error) {
	n.changed = true
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
func (n *normaliser) length(b []byte) (length, octets int, indefinite bool, err error) {
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
		if length > MaxBytes {
			return 0, 0, false, broken("length runs beyond the end")
		}
	}
	if length < 0x80 || b[1] == 0 {
		n.changed = true
	}
	return length, 1 + count, false, nil
}

// appendHeader appends a tag and a minimal length.
func appendHeader(dst []byte, tag byte, length int) []byte {
	switch {
	case length < 0x80:
		return append(dst, tag, byte(length))
	case length < 0x100:
		return append(dst, tag, 0x81, byte(length))
	}
	return append(dst, tag, 0x82, byte(length>>8), byte(length)) // MaxBytes fits
}
