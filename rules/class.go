package rules

import (
	"slices"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
)

// class is what a text or an attribute value may look like. The zero value allows nothing.
type class struct {
	kind   classKind
	values []string // of an enumeration
}

type classKind uint8

const (
	classNone classKind = iota
	classAny
	classID
	classToken
	classNumber
	classTime
	classLang
	classJID
	classDrop
	classEnum
	classAddress // to, from and type of the stanza itself: checked where the stanza was made
)

var classNames = map[string]classKind{
	"none": classNone, "any": classAny, "id": classID, "token": classToken, "number": classNumber,
	"time": classTime, "lang": classLang, "jid": classJID, "drop": classDrop,
}

// Longest values of the narrow classes, in bytes.
const (
	maxToken  = 64
	maxNumber = 20
	maxTime   = 40
	maxLang   = 16
)

// parseClass reads the name of a class, or an enumeration: words with bars between. One value alone is written with a
// bar at the end, as "true|".
func parseClass(s string) (class, bool) {
	if k, ok := classNames[s]; ok {
		return class{kind: k}, true
	}
	if !strings.Contains(s, "|") {
		return class{}, false
	}
	values := strings.Split(strings.TrimSuffix(s, "|"), "|")
	return class{kind: classEnum, values: values}, !slices.Contains(values, "")
}

// matches reports whether v is of the class. For any and id the Unicode policy and the size limits decide alone.
func (c *class) matches(v string) bool {
	switch c.kind {
	case classAny, classID, classAddress:
		return true
	case classToken:
		return len(v) <= maxToken && only(v, tokenByte)
	case classNumber:
		return len(v) <= maxNumber && isNumber(v)
	case classTime:
		return len(v) <= maxTime && isTime(v)
	case classLang:
		return isLang(v)
	case classJID:
		_, err := jid.Parse(v)
		return err == nil
	case classEnum:
		return slices.Contains(c.values, v)
	case classNone, classDrop:
	}
	return false
}

func only(v string, ok func(byte) bool) bool {
	for i := range len(v) {
		if !ok(v[i]) {
			return false
		}
	}
	return v != ""
}

func letterOrDigit(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
}

// tokenByte: what identifiers made by programs consist of.
func tokenByte(b byte) bool {
	return letterOrDigit(b) || strings.IndexByte("-_.:+/=", b) >= 0
}

func isNumber(v string) bool {
	digits := strings.TrimPrefix(v, "-")
	return only(digits, func(b byte) bool { return b >= '0' && b <= '9' }) && (digits == "0" || digits[0] != '0')
}

// isTime reports a date and time of XEP-0082.
func isTime(v string) bool {
	_, err := time.Parse(time.RFC3339Nano, v)
	return err == nil
}

// isLang reports a short language tag (RFC 5646) without private-use or extension subtags.
func isLang(v string) bool {
	if len(v) > maxLang {
		return false
	}
	for i, sub := range strings.Split(v, "-") {
		if len(sub) < 2 || len(sub) > 8 || !only(sub, letterOrDigit) || i == 0 && len(sub) > 3 {
			return false
		}
	}
	return true
}
