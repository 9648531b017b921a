package xmlstream

import "unicode/utf8"

// gap reads between first-level elements, where only white space may stand.
func (d *Decoder) gap() step {
	b := d.buf[:d.end]
	if st := d.skipWhite(b); st != more {
		return st
	}
	i := d.pos
	switch c := b[i]; {
	case c == '<':
		d.begin(i)
		return more
	case c == '&':
		if _, _, st := d.reference(b, i); st != more {
			return st
		}
	case c < ' ':
		return d.fail(NotWellFormed, i, "control character")
	case c >= utf8.RuneSelf:
		if n := sequence(b[i:]); n <= 0 {
			return d.charFault(n, i, "")
		}
	}
	return d.fail(BadFormat, i, "text between elements")
}

// skipWhite reads white space outside of elements. It returns more when another byte stands at pos.
func (d *Decoder) skipWhite(b []byte) step {
	j := spaces(b, d.pos)
	if left := d.lim.WhitespaceBytes - d.white; j-d.pos > left {
		return d.fail(PolicyViolation, d.pos+max(left, 0), "too much white space")
	}
	d.white += j - d.pos
	d.pos = j
	if j == len(b) {
		return short
	}
	return more
}

// begin notes that a first-level element, or the end of the stream, begins with the < at i.
func (d *Decoder) begin(i int) {
	d.start = d.base + int64(i)
	d.bound = d.start + int64(d.lim.ElementBytes)
	d.state = inContent
}

// content reads character data up to the next markup, and that. At the first level it stands at a < always.
func (d *Decoder) content() step {
	b, i := d.buf[:d.end], d.pos
	for {
		j := plain(b, i, stopText)
		d.keep(b[i:j])
		if d.pos = j; j == len(b) {
			return short
		}
		switch c := b[j]; {
		case c == '<':
			return d.markup(b, j)
		case c == '&':
			r, next, st := d.reference(b, j)
			if st != more {
				return st
			}
			d.keepRune(r)
			j = next
		case c == '\r': // XML 1.0 §2.11
			if j++; j == len(b) {
				return short
			}
			if b[j] == '\n' {
				j++
			}
			d.keepRune('\n')
		case c == ']':
			ends, st := d.bracket(b, j)
			if st != more {
				return st
			}
			if ends {
				return d.fail(NotWellFormed, j+2, "]]> in text")
			}
			d.keepRune(']')
			j++
		default:
			return d.charFault(sequence(b[j:]), j, "")
		}
		i = j
	}
}

// markup reads what the < at b[i] begins.
func (d *Decoder) markup(b []byte, i int) step {
	if i+1 == len(b) {
		return short
	}
	switch b[i+1] {
	case '/':
		return d.endTag()
	case '?':
		return d.fail(RestrictedXML, i+1, "processing instruction")
	case '!':
	default:
		return d.startTag()
	}
	if i+2 == len(b) {
		return short
	}
	if b[i+2] != '[' {
		return d.fail(RestrictedXML, i+2, "comment or document type declaration")
	}
	const begin = "<![CDATA["
	for k := 3; k < len(begin); k++ {
		if i+k == len(b) {
			return short
		}
		if b[i+k] != begin[k] {
			return d.fail(NotWellFormed, i+k, "marked section other than CDATA")
		}
	}
	switch {
	case len(d.open) > 0:
	case d.opened:
		return d.fail(BadFormat, i+len(begin)-1, "text between elements")
	default:
		return d.fail(NotWellFormed, i+len(begin)-1, "text before the root")
	}
	d.pos, d.state = i+len(begin), inCDATA
	return more
}

// cdata reads a CDATA section; it becomes ordinary text.
func (d *Decoder) cdata() step {
	b, i := d.buf[:d.end], d.pos
	for {
		j := plain(b, i, stopCDATA)
		d.keep(b[i:j])
		if d.pos = j; j == len(b) {
			return short
		}
		switch b[j] {
		case ']':
			ends, st := d.bracket(b, j)
			if st != more {
				return st
			}
			if ends {
				d.pos, d.state = j+3, inContent
				return more
			}
			d.keepRune(']')
		case '\r':
			if j+1 == len(b) {
				return short
			}
			if b[j+1] == '\n' {
				j++
			}
			d.keepRune('\n')
		default:
			return d.charFault(sequence(b[j:]), j, "")
		}
		i = j + 1
	}
}

// bracket says whether the ] at b[i] begins a ]]>.
func (d *Decoder) bracket(b []byte, i int) (ends bool, st step) {
	switch {
	case i+1 == len(b):
		return false, short
	case b[i+1] != ']':
		return false, more
	case i+2 == len(b):
		return false, short
	}
	return b[i+2] == '>', more
}

// keep takes over bytes that stand for themselves.
func (d *Decoder) keep(b []byte) {
	if !d.discard {
		d.records.text = append(d.records.text, b...)
	}
}

func (d *Decoder) keepRune(r rune) {
	if !d.discard {
		d.records.text = utf8.AppendRune(d.records.text, r)
	}
}

// value reads an attribute value, normalised as XML 1.0 §3.3.3 says, up to its closing quote.
func (d *Decoder) value(b []byte) step {
	i, r := d.pos, &d.records
	keep := !d.discard || d.tag.xmlns
	for {
		j := plain(b, i, stopValue)
		if keep {
			if d.tag.xmlns && d.uriOver(j-i) {
				return d.fail(PolicyViolation, i+d.uriLeft(), "namespace name too long")
			}
			r.text = append(r.text, b[i:j]...)
		}
		if d.pos = j; j == len(b) {
			return short
		}
		char := rune(b[j])
		next := j + 1
		switch c := b[j]; {
		case c == d.tag.quote:
			d.pos = next
			return d.endValue(j)
		case c == '\'' || c == '"':
		case c == '<':
			return d.fail(NotWellFormed, j, "< in an attribute value")
		case class[c]&isSpace != 0:
			if d.tag.xmlns {
				return d.fail(NotWellFormed, j, "control or white space in a namespace name")
			}
			if c == '\r' {
				if next == len(b) {
					return short
				}
				if b[next] == '\n' {
					next++
				}
			}
			char = ' '
		case c == '&':
			var st step
			if char, next, st = d.reference(b, j); st != more {
				return st
			}
		default:
			return d.charFault(sequence(b[j:]), j, "")
		}
		if keep {
			if d.tag.xmlns && d.uriOver(utf8.RuneLen(char)) {
				return d.fail(PolicyViolation, next-1, "namespace name too long")
			}
			r.text = utf8.AppendRune(r.text, char)
		}
		i = next
	}
}

func (d *Decoder) uriLeft() int {
	return d.lim.URIBytes - (len(d.records.text) - int(d.tag.decl.end))
}

func (d *Decoder) uriOver(n int) bool { return n > d.uriLeft() }

// endValue is called with the closing quote at b[at].
func (d *Decoder) endValue(at int) step {
	if d.tag.xmlns {
		return d.declare(at)
	}
	if !d.discard {
		a := &d.records.attrs[len(d.records.attrs)-1]
		a.value = uint32(len(d.records.text)) - a.off - uint32(a.name)
	}
	return more
}

// charFault ends on the byte that sequence or nameChar has refused, or asks for more of it. With n > 0 the character is
// legal but not here.
func (d *Decoder) charFault(n, at int, detail string) step {
	switch {
	case n == 0:
		return short
	case n < 0:
		at += -n - 1
		if d.buf[at] < ' ' {
			detail = "control character"
		} else if detail == "" {
			detail = "not UTF-8, or not a character of XML"
		}
	}
	return d.fail(NotWellFormed, at, detail)
}
