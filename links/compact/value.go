package compact

import (
	"slices"
	"strings"
	"time"

	"sallyport/internal/xmpp/xmlstream"
)

// Forms of a value that its context does not know.
const (
	formText    uint32 = iota
	formAgain          // stood in this stanza before
	formKnown          // the model knows it from elsewhere
	formAddress        // local@domain, with or without a resource
	formUUID           // of version 4, lower case
	formHex            // lower case
	formNumber
	formTime    // whole seconds of UTC, XEP-0082 §3.2
	formCounted // lower-case hexadecimal digits, a hyphen, and a small number, as libraries make identifiers
	numForms
)

const (
	maxHex       = 255
	minHex       = 6
	maxDigits    = 18
	minDigits    = 3
	maxCount     = 9
	minAgain     = 3
	timeLayout   = "2006-01-02T15:04:05Z"
	uuidTemplate = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
	lowerHex     = "0123456789abcdef"
)

// timeBase is the first time that has its own form: 2020-01-01. 32 bits of seconds follow.
const timeBase = 1577836800

// spokenElements hold what people write, wherever they stand.
var spokenElements = []string{"body", "subject", "status", "reason", "nick", "text", "value"}

func textClass(n xmlstream.Name) class {
	switch {
	case n.Local == "thread":
		return classID
	case slices.Contains(spokenElements, n.Local):
		return classSpoken
	}
	return classValue
}

func attrClass(n xmlstream.Name) class {
	if n.Local == "id" {
		return classID
	}
	return classValue
}

// value codes a value or a text; of is the context that it stands in.
func (x *walk) value(s string, c class, of uint64) string {
	sym, ok := x.choose(x.orNone(x.m.valueSymbol(s)), key(ctxValueAfter, of, x.known), key(ctxValueAfter, of, x.region, 1), key(ctxValue, of))
	if ok {
		if x.mode == decoding {
			s = x.m.value(sym)
		}
		if x.mode == learning {
			x.learnForm(s, c, of)
		}
		x.known = hashValue(s)
		if x.region = x.known; isAddress(s) {
			x.region = hashValue(domainOf(s))
		}
	} else {
		s = x.formed(s, c, of)
	}
	if ok || c != classSpoken {
		x.remember(s)
	}
	x.spendRead(s, ok)
	return s
}

// learnForm learns what would have been coded had the value been unknown: one of the same kind may be, another day.
func (x *walk) learnForm(s string, c class, of uint64) {
	if c != classSpoken && isAddress(s) {
		known, region := x.known, x.region
		x.pick(formAddress, numForms, key(ctxForm, of), key(ctxFormAny, uint64(c)))
		x.parts(s, of)
		x.known, x.region = known, region
	}
}

// spendRead counts what was not spelt; spelling counts for itself.
func (x *walk) spendRead(s string, known bool) {
	if known {
		x.spend(len(s))
	}
}

func (x *walk) remember(s string) {
	if len(s) < minAgain || slices.Contains(x.recent, s) {
		return
	}
	if len(x.recent) == maxRecent {
		x.recent = append(x.recent[:0], x.recent[1:]...)
	}
	x.recent = append(x.recent, s)
}

func (x *walk) formed(s string, c class, of uint64) string {
	form := formText
	if x.mode != decoding {
		form = x.formOf(s, c)
	}
	form = x.pick(form, numForms, key(ctxForm, of), key(ctxFormAny, uint64(c)))
	switch form {
	case formAgain:
		return x.again(s)
	case formKnown:
		return x.knownValue(s)
	case formAddress:
		return x.address(s, of)
	case formUUID:
		return x.nibbles(s, uuidTemplate)
	case formHex:
		return x.hex(s, of)
	case formNumber:
		return x.number(s, of)
	case formTime:
		return x.stamp(s)
	case formCounted:
		return x.counted(s, of)
	}
	return x.spell(c, s)
}

// formOf is the first that fits.
func (x *walk) formOf(s string, c class) uint32 {
	switch {
	case slices.Contains(x.recent, s):
		return formAgain
	case c == classSpoken:
		return formText
	case len(s) > minAgain && x.m.valueSymbol(s) != none:
		return formKnown
	case fits(s, uuidTemplate):
		return formUUID
	case isStamp(s):
		return formTime
	case isNumber(s):
		return formNumber
	case isHex(s):
		return formHex
	case isCounted(s):
		return formCounted
	case isAddress(s):
		return formAddress
	}
	return formText
}

func (x *walk) again(s string) string {
	n := uint32(len(x.recent)) //nolint:gosec // few
	if n == 0 {
		x.failed = x.mode == decoding
		return s
	}
	back := 0
	if x.mode != decoding {
		back = len(x.recent) - 1 - slices.Index(x.recent, s)
	}
	s = x.recent[len(x.recent)-1-int(x.uniform(uint32(back), n))] //nolint:gosec // below n
	x.spend(len(s))
	return s
}

func (x *walk) knownValue(s string) string {
	n := uint32(len(x.m.values)) //nolint:gosec // bounded by the model
	if n == 0 {
		x.failed = x.mode == decoding
		return s
	}
	id := x.uniform(x.orZero(x.m.valueSymbol(s)), n)
	s = x.m.value(id)
	x.spend(len(s))
	return s
}

func (x *walk) orZero(sym uint32) uint32 {
	if x.mode == decoding {
		return 0
	}
	return sym
}

// fits reports whether s has the form of a template: x is a lower-case hexadecimal digit, y one that begins the variant of RFC 9562.
func fits(s, template string) bool {
	if len(s) != len(template) {
		return false
	}
	for i := range len(s) {
		switch template[i] {
		case 'x':
			if strings.IndexByte(lowerHex, s[i]) < 0 {
				return false
			}
		case 'y':
			if strings.IndexByte("89ab", s[i]) < 0 {
				return false
			}
		default:
			if s[i] != template[i] {
				return false
			}
		}
	}
	return true
}

// nibbles codes the digits of a template.
func (x *walk) nibbles(s, template string) string {
	if x.mode == learning {
		return s
	}
	out := []byte(template)
	for i, c := range out {
		digits := lowerHex
		switch c {
		case 'x':
		case 'y':
			digits = "89ab"
		default:
			continue
		}
		v := uint32(0)
		if x.mode == encoding {
			v = uint32(strings.IndexByte(digits, s[i])) //nolint:gosec // it fits
		}
		out[i] = digits[x.uniform(v, uint32(len(digits)))] //nolint:gosec // few
	}
	x.spend(len(out))
	return string(out)
}

func isHex(s string) bool {
	return len(s) >= minHex && len(s) <= maxHex && fits(s, strings.Repeat("x", len(s)))
}

func (x *walk) hex(s string, of uint64) string {
	n := x.pick(uint32(len(s)), maxHex+1, key(ctxLength, of)) //nolint:gosec // bounded by isHex
	return x.nibbles(s, strings.Repeat("x", int(n)))
}

func isCounted(s string) bool {
	digits, count, ok := strings.Cut(s, "-")
	return ok && isHex(digits) && len(count) > 0 && len(count) <= maxCount && (count[0] != '0' || count == "0") && strings.Trim(count, "0123456789") == ""
}

// counted codes digits and a number; 0 is the number without a digit.
func (x *walk) counted(s string, of uint64) string {
	digits, count, _ := strings.Cut(s, "-")
	if count == "0" {
		count = ""
	}
	digits = x.hex(digits, of)
	n := x.pick(uint32(len(count)), maxCount+1, key(ctxLength, of, 11)) //nolint:gosec // bounded by isCounted
	if count = x.decimal(count, int(n)); n == 0 {
		count = "0"
	}
	if x.mode == learning {
		return s
	}
	return digits + "-" + count
}

func isNumber(s string) bool {
	return len(s) >= minDigits && len(s) <= maxDigits && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

func (x *walk) number(s string, of uint64) string {
	n := x.pick(uint32(len(s)), maxDigits+1, key(ctxLength, of, 10)) //nolint:gosec // bounded by isNumber
	return x.decimal(s, int(n))
}

// decimal codes that many digits, the first of which is no zero.
func (x *walk) decimal(s string, n int) string {
	if x.mode == learning {
		return s
	}
	out := make([]byte, n)
	for i := range out {
		low, v := byte('0'), uint32(0)
		if i == 0 {
			low = '1'
		}
		if x.mode == encoding {
			v = uint32(s[i] - low)
		}
		out[i] = low + byte(x.uniform(v, uint32('9'-low)+1)) //nolint:gosec // a digit
	}
	x.spend(len(out))
	return string(out)
}

func isStamp(s string) bool {
	if len(s) != len(timeLayout) {
		return false
	}
	at, err := time.Parse(timeLayout, s)
	return err == nil && at.Format(timeLayout) == s && at.Unix() >= timeBase && at.Unix()-timeBase < 1<<32
}

func (x *walk) stamp(s string) string {
	v := uint32(0)
	if at, err := time.Parse(timeLayout, s); err == nil {
		v = uint32(at.Unix() - timeBase) //nolint:gosec // isStamp has seen to it
	}
	v = x.uniform(v>>16, 1<<16)<<16 | x.uniform(v&0xFFFF, 1<<16)
	if x.mode == learning {
		return s
	}
	x.spend(len(timeLayout))
	return time.Unix(timeBase+int64(v), 0).UTC().Format(timeLayout)
}
