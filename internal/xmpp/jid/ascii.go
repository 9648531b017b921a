package jid

import "strings"

// The classes of an ASCII byte in a part that is already canonical.
const (
	inLocal    uint8 = 1 << iota // IdentifierClass without the eight characters of RFC 7622 §3.3.1, no upper case
	inDomain                     // letter, digit, hyphen; no upper case
	inResource                   // FreeformClass: printable ASCII and space
)

// classes gives the classes of each byte; bytes above 0x7E and control characters are in none.
var classes = classTable()

func classTable() (t [256]uint8) {
	for c := 0x20; c < 0x7F; c++ {
		t[c] = inResource
		if c > ' ' && !strings.ContainsRune(forbiddenInLocal, rune(c)) && (c < 'A' || c > 'Z') {
			t[c] |= inLocal
		}
		if c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' {
			t[c] |= inDomain
		}
	}
	return t
}

// parseCanonical recognises an address that is ASCII and needs no change. It may say no to one that is fine; the slow
// path decides then. It never says yes to one that the slow path would refuse or change (FuzzParse holds it to that).
func parseCanonical(s string) (JID, bool) {
	bare := s
	if before, after, ok := strings.Cut(s, "/"); ok {
		bare = before
		if r := after; !asciiPart(r, inResource) {
			return JID{}, false
		}
	}
	domain, local := bare, 0
	if i := strings.IndexByte(bare, '@'); i >= 0 {
		domain, local = bare[i+1:], i
		if !asciiPart(bare[:i], inLocal) {
			return JID{}, false
		}
	}
	if !asciiDomain(domain) {
		return JID{}, false
	}
	return JID{s: s, local: uint16(local), domain: uint16(len(bare))}, true
}

// asciiPart reports whether s is 1 to MaxPart bytes, each of the given class.
func asciiPart(s string, class uint8) bool {
	if len(s) == 0 || len(s) > MaxPart {
		return false
	}
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// asciiDomain reports whether s is a sequence of plain NR-LDH labels in lower case (RFC 5890 §2.3.1) whose last label
// does not begin with a digit, so that it cannot be an address literal of any kind.
func asciiDomain(s string) bool {
	if len(s) == 0 || len(s) > MaxPart {
		return false
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if classes[s[i]]&inDomain == 0 {
				return false
			}
			continue
		}
		if !ldhLabel(s[start:i]) {
			return false
		}
		if i < len(s) {
			start = i + 1
		}
	}
	return s[start] > '9'
}

// ldhLabel checks the hyphens and the length of a label whose bytes are known to be lower case letters, digits and
// hyphens.
func ldhLabel(l string) bool {
	n := len(l)
	return n > 0 && n <= maxLabel && l[0] != '-' && l[n-1] != '-' && (n < 4 || l[2] != '-' || l[3] != '-')
}
