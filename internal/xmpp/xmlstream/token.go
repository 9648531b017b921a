package xmlstream

import "unicode/utf8"

// plain returns the end of the run at b[i] in which every character stands for itself: none has the stop bit, and what
// is above ASCII is legal.
func plain[T bytestring](b T, i int, stop uint8) int {
	for {
		if i = run(b, i, stop); i == len(b) || b[i] < utf8.RuneSelf {
			return i
		}
		n := sequence(b[i:])
		if n <= 0 {
			return i
		}
		i += n
	}
}

// nameChar measures the character at b[i] as sequence does, but it must be one for a name. Colons are not.
func nameChar[T bytestring](b T, i int, first bool) int {
	if i == len(b) {
		return 0
	}
	want := uint8(inName)
	if first {
		want = firstName
	}
	if b[i] < utf8.RuneSelf {
		if class[b[i]]&want != 0 {
			return 1
		}
		return -1
	}
	n := sequence(b[i:])
	if n > 0 {
		if r, _ := utf8.DecodeRuneInString(string(b[i : i+n])); !isNameRune(r, first) {
			return -n
		}
	}
	return n
}

// name reads the name that begins at b[i]: an NCName, or two with a colon between (Namespaces in XML §4). It returns
// more only when another byte stands at end.
func (d *Decoder) name(b []byte, i int) (end, colon int, st step) {
	j, first := i, true
	colon = -1
	if j < len(b) && class[b[j]]&firstName != 0 { // the usual case: all ASCII, no prefix
		j, first = nameRun(b, j+1), false
		if j < len(b) && b[j] < utf8.RuneSelf && b[j] != ':' && j-i <= d.lim.NameBytes {
			return j, colon, more
		}
	}
	for {
		if !first {
			j = nameRun(b, j)
		}
		if j-i > d.lim.NameBytes {
			return 0, 0, d.fail(PolicyViolation, i+d.lim.NameBytes, "name too long")
		}
		if j == len(b) {
			return 0, 0, short
		}
		if !first && b[j] < utf8.RuneSelf {
			if b[j] != ':' {
				return j, colon, more
			}
			if colon >= 0 {
				return 0, 0, d.fail(NotWellFormed, j, "two colons in a name")
			}
			colon, first = j, true
			j++
			continue
		}
		n := nameChar(b, j, first)
		if n <= 0 {
			return 0, 0, d.charFault(n, j, "impossible character in a name")
		}
		j += n
		first = false
	}
}

// nameRun returns the end of the run of ASCII name characters at b[i].
func nameRun[T bytestring](b T, i int) int {
	for i < len(b) && class[b[i]]&inName != 0 {
		i++
	}
	return i
}

// reference reads the reference at b[i]. On more it stands for r, and next is the place after it. Only the five
// predefined entities exist (RFC 6120 §11.1).
func (d *Decoder) reference(b []byte, i int) (r rune, next int, st step) {
	if i+1 == len(b) {
		return 0, 0, short
	}
	if b[i+1] == '#' {
		return d.charReference(b, i)
	}
	end, colon, st := d.name(b, i+1)
	switch {
	case st != more:
		return 0, 0, st
	case colon >= 0:
		return 0, 0, d.fail(NotWellFormed, colon, "colon in the name of an entity")
	case b[end] != ';':
		return 0, 0, d.fail(NotWellFormed, end, "reference without ;")
	}
	switch string(b[i+1 : end]) {
	case "lt":
		r = '<'
	case "gt":
		r = '>'
	case "amp":
		r = '&'
	case "quot":
		r = '"'
	case "apos":
		r = '\''
	default:
		return 0, 0, d.fail(RestrictedXML, end, "undefined entity")
	}
	return r, end + 1, more
}

func (d *Decoder) charReference(b []byte, i int) (r rune, next int, st step) {
	k, base := i+2, rune(10)
	if k < len(b) && b[k] == 'x' {
		k, base = k+1, 16
	}
	for first := k; ; k++ {
		if k == len(b) {
			return 0, 0, short
		}
		if k-i >= d.lim.ReferenceBytes {
			return 0, 0, d.fail(PolicyViolation, k, "character reference too long")
		}
		c := b[k]
		if c == ';' && k > first && isChar(r) {
			return r, k + 1, more
		}
		v := digit(c)
		if v >= base {
			return 0, 0, d.fail(NotWellFormed, k, "impossible character reference")
		}
		if r = r*base + v; r > utf8.MaxRune {
			return 0, 0, d.fail(NotWellFormed, k, "character reference out of range")
		}
	}
}

// digit returns the value of a hexadecimal digit, or 16.
func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		return rune(c - 'A' + 10)
	}
	return 16
}
