package labels

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxMarking bounds a display marking, in characters.
const MaxMarking = 256

// Words a marking code may be besides a place. SPIF 2.1; the NATO document spells one of them with one p.
const (
	codeReplacePolicy  = "replacepolicy"
	codeNoName         = "nonamedisplay"
	codeNoMarking      = "nomarkingdisplay"
	codeSuppressClass  = "suppressclassname"
	codeSuppressClass1 = "supressclassname"
)

func replacesPolicy(m *MarkingSpec) bool { return slices.Contains(m.Codes, codeReplacePolicy) }
func namesThing(m *MarkingSpec) bool     { return !replacesPolicy(m) }

// bestQualifier returns the best text for a role at a place: by language, then the one for the place before the one for
// every place.
func bestQualifier(qs []QualifierSpec, place, lang string, role Role) (string, bool) {
	best, found := 0, ""
	for i := range qs {
		q := &qs[i]
		here := covers(q.Code, place)
		if q.Role != role || !here && q.Code != "" {
			continue
		}
		r := 2 * rank(q.Lang, lang)
		if r > 0 && here {
			r++
		}
		if r > best {
			best, found = r, q.Text
		}
	}
	return found, best > 0
}

// qualifier returns the text for a role in a tag, "" when there is none. One for the top or bottom of a page serves
// where there is none for the place (ours): published policies give a tag its qualifiers for the top of the page alone,
// and a list without "REL TO" before it says something else.
func qualifier(qs []QualifierSpec, place, lang string, role Role) string {
	if s, ok := bestQualifier(qs, place, lang, role); ok {
		return s
	}
	best, found := 0, ""
	for i := range qs {
		q := &qs[i]
		if q.Role != role || !isPage(q.Code) {
			continue
		}
		if r := rank(q.Lang, lang); r > best {
			best, found = r, q.Text
		}
	}
	return found
}

// rank says how well an entry's language fits (RFC 4647 §3.4, one step: the tag, its primary subtag, none stated): 0 not
// at all.
func rank(has, want string) int {
	primary, _, _ := strings.Cut(want, "-")
	switch {
	case strings.EqualFold(has, want):
		return 3
	case has == "":
		return 1
	case strings.EqualFold(has, primary):
		return 2
	}
	return 0
}

// clean keeps a marking on one line and in reading order: line ends, tabs and other white space become one space each;
// controls, format characters (which turn the direction of text or are not seen) and what is not a character are left
// out. It allocates only when there is something to change.
func clean(s string) string {
	if !strings.ContainsFunc(s, unfit) && utf8.ValidString(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case !unfit(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
}

// unfit says whether a rune has no place in a marking.
func unfit(r rune) bool {
	switch {
	case r >= ' ' && r < 0x7F:
		return false
	case r < 0xA0:
		return true
	}
	return !unicode.IsGraphic(r) || r != ' ' && unicode.IsSpace(r) && r != 0xA0
}

// shorten cuts a marking at its limit and shows that it is cut: a list of countries that ends early says something else.
func shorten(s string) string {
	n, cut := 0, 0
	for i := range s {
		if n == MaxMarking-1 {
			cut = i
		}
		if n == MaxMarking {
			return s[:cut] + "…"
		}
		n++
	}
	return s
}
