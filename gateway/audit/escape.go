package audit

import (
	"unicode"
	"unicode/utf8"
)

// appendEscaped appends s so that it can neither end the field it stands in, nor steer a terminal, nor hide or reorder
// what stands beside it: quotation mark, backslash and everything but letters, digits, punctuation, symbols and the
// plain space is written as a JSON escape. Both renderings use it. Bytes that are not UTF-8 become \ufffd.
func appendEscaped(dst []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r >= ' ' && r < 0x7f:
			dst = append(dst, byte(r))
		case r == utf8.RuneError || !visible(r):
			dst = appendRuneEscape(dst, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// visible excludes controls, formats (bidi, zero width, tags), separators, unassigned and combining marks.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
}

func appendRuneEscape(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	if r > 0xffff {
		r -= 0x10000
		dst = appendRuneEscape(dst, 0xd800+(r>>10))
		return appendRuneEscape(dst, 0xdc00+(r&0x3ff))
	}
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

func appendJSONString(dst []byte, s string) []byte {
	return append(appendEscaped(append(dst, '"'), s), '"')
}
