package config

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Reading of the text itself: keys, strings, blanks. Values are passed over.

// dottedKey reads a key. It returns nothing where there is none.
func (x *index) dottedKey() []string {
	var parts []string
	for {
		x.skipSpace()
		part, ok := x.keyPart()
		if !ok {
			return parts
		}
		parts = append(parts, part)
		if len(parts) > maxSegments {
			x.tooDeep = x.line
			return nil
		}
		x.skipSpace()
		if x.peek() != '.' {
			return parts
		}
		x.pos++
	}
}

func (x *index) keyPart() (string, bool) {
	start := x.pos
	switch x.peek() {
	case '"':
		x.skipString()
		return unescape(unquote(x.text[start:x.pos])), true
	case '\'':
		x.skipString()
		return unquote(x.text[start:x.pos]), true
	}
	for x.pos < len(x.text) && isBare(x.text[x.pos]) {
		x.pos++
	}
	return string(x.text[start:x.pos]), x.pos > start
}

// unquote takes one quote away on each side; the last may be missing.
func unquote(b []byte) string {
	s := string(b[1:])
	if s != "" && s[len(s)-1] == b[0] {
		s = s[:len(s)-1]
	}
	return s
}

// unescape reads the escapes of a TOML string; what is none stays.
func unescape(s string) string {
	var b strings.Builder
	for s != "" {
		if strings.HasPrefix(s, `\e`) {
			b.WriteByte(0x1b)
			s = s[2:]
			continue
		}
		if strings.HasPrefix(s, `\x`) { // a code point, not a byte as in Go
			s = `\u00` + s[2:]
		}
		r, _, rest, err := strconv.UnquoteChar(s, '"')
		if err != nil {
			r, rest = rune(s[0]), s[1:]
		}
		b.WriteRune(r)
		s = rest
	}
	return b.String()
}

// skipString passes over one of the four kinds of strings.
func (x *index) skipString() {
	quote := x.text[x.pos : x.pos+1]
	triple := slices.Concat(quote, quote, quote)
	end := quote
	if bytes.HasPrefix(x.text[x.pos:], triple) {
		end = triple
	}
	x.pos += len(end)
	for x.pos < len(x.text) {
		switch c := x.text[x.pos]; {
		case c == '\\' && quote[0] == '"':
			x.pos++
			if x.pos < len(x.text) && x.text[x.pos] == '\n' {
				x.line++
			}
			x.pos = min(x.pos+1, len(x.text))
			continue
		case bytes.HasPrefix(x.text[x.pos:], end):
			x.pos += len(end)
			for len(end) == 3 && x.peek() == quote[0] { // up to two more belong to the text
				x.pos++
			}
			return
		case c == '\n':
			if len(end) == 1 {
				return // unfinished; the library will say so
			}
			x.line++
		}
		x.pos++
	}
}

func (x *index) peek() byte {
	if x.pos < len(x.text) {
		return x.text[x.pos]
	}
	return 0
}

func (x *index) skipSpace() {
	for x.peek() == ' ' || x.peek() == '\t' {
		x.pos++
	}
}

// skipBlank passes over spaces, line ends and comments.
func (x *index) skipBlank() {
	for x.pos < len(x.text) {
		switch x.text[x.pos] {
		case ' ', '\t', '\r':
			x.pos++
		case '\n':
			x.pos++
			x.line++
		case '#':
			x.skipLine()
		default:
			return
		}
	}
}

// skipLine goes to the end of the line.
func (x *index) skipLine() {
	if i := bytes.IndexByte(x.text[min(x.pos, len(x.text)):], '\n'); i >= 0 {
		x.pos += i
	} else {
		x.pos = len(x.text)
	}
}
