package xmlstream

// Bytes are classified by table, so that runs of ASCII cost one look-up a byte. A run ends at the first byte whose class
// has the bit of that run set.
const (
	stopText  = 1 << iota // in character data: < & ] CR, controls, everything above ASCII
	stopCDATA             // in a CDATA section: ] CR, controls, everything above ASCII
	stopValue             // in an attribute value: both quotes, < & TAB LF CR, controls, everything above ASCII
	inName                // may stand in a name, colon not counted (ASCII only)
	firstName             // may begin a name, colon not counted (ASCII only)
	isSpace               // S of XML 1.0 §2.3
	escText               // must be looked at when text is written
	escValue              // must be looked at when an attribute value is written
)

// bytestring is what is scanned: received bytes, or strings of a tree when it is written.
type bytestring interface{ string | []byte }

var class = func() (t [256]uint8) {
	for c := range 256 {
		switch {
		case c == '\t' || c == '\n':
			t[c] = stopValue | isSpace | escValue
		case c == '\r':
			t[c] = stopText | stopCDATA | stopValue | isSpace | escText | escValue
		case c < ' ' || c >= 0x80:
			t[c] = stopText | stopCDATA | stopValue | escText | escValue
		case c == ' ':
			t[c] = isSpace
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_':
			t[c] = inName | firstName
		case '0' <= c && c <= '9' || c == '-' || c == '.':
			t[c] = inName
		case c == '<' || c == '&':
			t[c] = stopText | stopValue | escText | escValue
		case c == ']':
			t[c] = stopText | stopCDATA
		case c == '>':
			t[c] = escText | escValue
		case c == '\'':
			t[c] = stopValue | escValue
		case c == '"':
			t[c] = stopValue
		}
	}
	return t
}()

// run returns the end of the run that begins at b[i] and holds no byte with a stop bit.
func run[T bytestring](b T, i int, stop uint8) int {
	for i < len(b) && class[b[i]]&stop == 0 {
		i++
	}
	return i
}

// spaces returns the end of the white space that begins at b[i].
func spaces(b []byte, i int) int {
	for i < len(b) && class[b[i]]&isSpace != 0 {
		i++
	}
	return i
}

// sequence measures the UTF-8 sequence (RFC 3629 §4) at the start of b, whose first byte is not ASCII.
// n > 0: a character that XML allows, n bytes long. n == 0: so far allowed, more bytes are needed.
// n < 0: the byte at -n-1 cannot stand there.
func sequence[T bytestring](b T) (n int) {
	lo, hi := byte(0x80), byte(0xBF) // bounds of the second byte
	switch c := b[0]; {
	case c < 0xC2:
		return -1 // continuation without lead, or overlong
	case c < 0xE0:
		n = 2
	case c < 0xF0:
		n = 3
		if c == 0xE0 {
			lo = 0xA0 // overlong below
		} else if c == 0xED {
			hi = 0x9F // surrogates above
		}
	case c < 0xF5:
		n = 4
		if c == 0xF0 {
			lo = 0x90 // overlong below
		} else if c == 0xF4 {
			hi = 0x8F // over U+10FFFF above
		}
	default:
		return -1
	}
	for i := 1; i < n; i++ {
		if i == len(b) {
			return 0
		}
		if b[i] < lo || b[i] > hi {
			return -i - 1
		}
		lo, hi = 0x80, 0xBF
		if i == 1 && b[0] == 0xEF && b[1] == 0xBF {
			hi = 0xBD // U+FFFE, U+FFFF
		}
	}
	return n
}

// isChar is production [2] of XML 1.0: what a character reference may stand for.
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	case r < 0xE000:
		return false
	case r < 0x10000:
		return r <= 0xFFFD
	}
	return r <= 0x10FFFF
}
