package ess

import (
	"strconv"
	"strings"

	"sallyport/labels"
)

// Object identifiers stay dotted text: their arcs may be larger than the integers of encoding/asn1.

// oidText is enough for the text of the usual identifier, which then needs no memory but its own.
const oidText = 64

// parseOID reads the content octets of an OBJECT IDENTIFIER (X.690 section 8.19).
func parseOID(b []byte) (string, error) {
	if len(b) == 0 || b[len(b)-1]&0x80 != 0 {
		return "", labels.Errorf(labels.CodeSyntax, "object identifier ends early")
	}
	out := make([]byte, 0, oidText)
	var arc uint64
	arcs, start := 0, true
	for _, c := range b {
		if start && c == 0x80 {
			return "", labels.Errorf(labels.CodeSyntax, "object identifier with a padded arc")
		}
		if arc >= 1<<56 {
			return "", labels.Errorf(labels.CodeSyntax, "object identifier with an arc of 2^63 or more")
		}
		arc = arc<<7 | uint64(c&0x7f)
		if start = c&0x80 == 0; !start {
			continue
		}
		if arcs == 0 {
			first := min(arc/40, 2)
			out = strconv.AppendUint(out, first, 10)
			arc -= first * 40
			arcs++
		}
		out = strconv.AppendUint(append(out, '.'), arc, 10)
		arc = 0
		if arcs++; arcs > labels.MaxArcs {
			return "", labels.Errorf(labels.CodeSyntax, "object identifier with more than %d arcs", labels.MaxArcs)
		}
	}
	return string(out), nil
}

// appendOID appends the content octets of an identifier that CheckOID accepts.
func appendOID(dst []byte, oid string) ([]byte, error) {
	if err := labels.CheckOID(oid); err != nil {
		return dst, err
	}
	var first uint64
	for i, a := range strings.Split(oid, ".") {
		n, err := strconv.ParseUint(a, 10, 63)
		if err != nil {
			return dst, err
		}
		switch i {
		case 0:
			first = n * 40
			continue
		case 1:
			n += first
		}
		dst = appendBase128(dst, n)
	}
	return dst, nil
}

func appendBase128(dst []byte, n uint64) []byte {
	shift := 0
	for n>>shift >= 0x80 {
		shift += 7
	}
	for ; shift > 0; shift -= 7 {
		dst = append(dst, byte(n>>shift)|0x80)
	}
	return append(dst, byte(n)&0x7f)
}
