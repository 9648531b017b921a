package rules

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// textPolicy is a compiled TextSpec.
type textPolicy struct {
	joiners, selectors, marks int
	private, noCompat         bool
	scripts                   []*unicode.RangeTable // nil is all
}

// textState is what a textPolicy says of a text.
type textState uint8

const (
	textForbidden textState = iota
	textDenormal            // allowed, but not NFC
	textClean
)

// fillers are code points that count as graphic and show nothing: each could hide one bit.
var fillers = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034F, Hi: 0x034F, Stride: 1}, // combining grapheme joiner
		{Lo: 0x115F, Hi: 0x1160, Stride: 1}, // Hangul fillers
		{Lo: 0x17B4, Hi: 0x17B5, Stride: 1}, // Khmer inherent vowels
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille blank
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xFFA0, Hi: 0xFFA0, Stride: 1}, // half-width Hangul filler
	},
}

const (
	zwnj = '\u200C'
	zwj  = '\u200D'
)

// check looks at one text. ASCII costs a scan of eight bytes a step and no allocation; anything else is linear too.
func (p *textPolicy) check(s string) textState {
	n := asciiPrefix(s)
	if n == len(s) {
		return textClean
	}
	joiners, selectors, marks := 0, 0, 0
	for _, r := range s[n:] {
		switch {
		case r < 0x7F:
			marks = 0
			continue
		case r == zwj || r == zwnj:
			if joiners++; joiners > p.joiners {
				return textForbidden
			}
			continue // the count of marks goes on: a joiner is no base for a new pile
		case unicode.Is(unicode.Variation_Selector, r):
			if selectors++; selectors > p.selectors {
				return textForbidden
			}
			continue
		case !p.allowed(r):
			return textForbidden
		}
		if !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
		} else if marks++; marks > p.marks {
			return textForbidden
		}
	}
	return p.form(s)
}

// allowed decides about one code point that is neither ASCII nor counted. The list is closed: what is not graphic (all
// controls, formats, surrogates, unassigned, non-characters, line separators) is out.
func (p *textPolicy) allowed(r rune) bool {
	if !unicode.IsGraphic(r) && !(p.private && unicode.Is(unicode.Co, r)) {
		return false
	}
	if unicode.Is(fillers, r) {
		return false
	}
	return p.scripts == nil || unicode.In(r, p.scripts...)
}

func (p *textPolicy) form(s string) textState {
	state := textClean
	if !norm.NFC.IsNormalString(s) {
		state = textDenormal
		if p.noCompat {
			s = norm.NFC.String(s)
		}
	}
	if p.noCompat && !norm.NFKC.IsNormalString(s) {
		return textForbidden
	}
	return state
}

const (
	highBits = 0x8080808080808080
	lowBits  = 0x0101010101010101
	deletes  = 0x7F7F7F7F7F7F7F7F
)

// asciiPrefix returns how many bytes at the start of s are ASCII other than DEL. That it may return less than there are
// costs only time. The control characters that XML allows are tab and the line ends.
func asciiPrefix(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		del := w ^ deletes
		if (w|(del-lowBits)&^del)&highBits != 0 {
			return i
		}
	}
	for ; i < len(s); i++ {
		if s[i] >= 0x7F {
			return i
		}
	}
	return i
}
