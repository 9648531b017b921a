package labels

import (
	"slices"
	"strings"
)

// MaxMarking bounds a display marking, in characters.
const MaxMarking = 256

// place is the only one so far: a display marking is the bottom line of a page.
const place = "pagebottom"

// Words a marking code may be besides a place. SPIF 2.1; the NATO document spells one of them with one p.
const (
	codeReplacePolicy  = "replacepolicy"
	codeNoName         = "nonamedisplay"
	codeNoMarking      = "nomarkingdisplay"
	codeSuppressClass  = "suppressclassname"
	codeSuppressClass1 = "supressclassname"
)

var modifiers = []string{codeReplacePolicy, codeNoName, codeNoMarking, codeSuppressClass, codeSuppressClass1}

// Marking returns the display marking of a label in a language ("" is the policy's own) and its colours as XEP-0258
// writes them. It is for people: it is never an input to a decision.
func (p *Policy) Marking(l *Label, lang string) (text, fg, bg string) {
	if p == nil || l == nil || l.policy == nil {
		return "", "", ""
	}
	if l.policy != p {
		again, err := p.Label(l.Form())
		if err != nil {
			return "", "", ""
		}
		l = again
	}
	fg, bg = colors(p.classes[l.class].Color)
	var parts []string
	for _, s := range [...]string{p.policyPart(l, lang), p.classPart(l, lang)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	for i := range p.tags {
		if s := p.tagPart(l, i, lang); s != "" {
			parts = append(parts, s)
		}
	}
	separator := qualifier(p.qualifiers, place, lang, Separator)
	if separator == "" {
		separator = " "
	}
	text = strings.Join(parts, separator)
	if _, known := p.privacyMark(l.privacy); known {
		text += " (" + l.privacy + ")"
	}
	text = qualifier(p.qualifiers, place, lang, Prefix) + text + qualifier(p.qualifiers, place, lang, Suffix)
	return shorten(text), fg, bg
}

func shorten(s string) string {
	n := 0
	for i := range s {
		if n == MaxMarking {
			return s[:i]
		}
		n++
	}
	return s
}

// policyPart is the policy's name, or what replaces it: the policy's own phrase, else the class's, else the first
// category's ("COSMIC", "NATO/KFOR").
func (p *Policy) policyPart(l *Label, lang string) string {
	if s, ok := phrase(p.markings, lang, replacesPolicy); ok {
		return s
	}
	if s, ok := phrase(p.classes[l.class].Markings, lang, replacesPolicy); ok {
		return s
	}
	for b := l.bits.next(0); b >= 0; b = l.bits.next(b + 1) {
		if s, ok := phrase(p.cats[b].Markings, lang, replacesPolicy); ok {
			return s
		}
	}
	return p.name
}

func (p *Policy) classPart(l *Label, lang string) string {
	for b := l.bits.next(0); b >= 0; b = l.bits.next(b + 1) {
		if has(p.cats[b].Markings, codeSuppressClass) || has(p.cats[b].Markings, codeSuppressClass1) {
			return ""
		}
	}
	return shown(p.classes[l.class].Name, p.classes[l.class].Markings, lang)
}

func (p *Policy) tagPart(l *Label, ti int, lang string) string {
	t := &p.tags[ti]
	var values []string
	for b := l.bits.next(t.lo); b >= 0 && b < t.hi; b = l.bits.next(b + 1) {
		c := &p.cats[b]
		if s := shown(c.Name, c.Markings, lang); s != "" {
			values = append(values, qualifier(c.Qualifiers, place, lang, Prefix)+s+qualifier(c.Qualifiers, place, lang, Suffix))
		}
	}
	if len(values) == 0 {
		return ""
	}
	separator := qualifier(t.Qualifiers, place, lang, Separator)
	if separator == "" {
		separator = "/"
	}
	return qualifier(t.Qualifiers, place, lang, Prefix) + strings.Join(values, separator) +
		qualifier(t.Qualifiers, place, lang, Suffix)
}

// shown is the phrase for the place, else the name, else nothing where the name is not to be shown.
func shown(name string, ms []MarkingSpec, lang string) string {
	if s, ok := phrase(ms, lang, namesThing); ok {
		return s
	}
	if has(ms, codeNoName) {
		return ""
	}
	return name
}

func replacesPolicy(m *MarkingSpec) bool { return slices.Contains(m.Codes, codeReplacePolicy) }
func namesThing(m *MarkingSpec) bool     { return !replacesPolicy(m) }

// has says whether an entry for the place carries the modifier. One whose phrase is not for output counts too: it may
// say that the name is not to be shown either.
func has(ms []MarkingSpec, modifier string) bool {
	return slices.ContainsFunc(ms, func(m MarkingSpec) bool { return here(&m) && slices.Contains(m.Codes, modifier) })
}

// counts says whether the phrase of an entry is for the place.
func counts(m *MarkingSpec) bool { return here(m) && !slices.Contains(m.Codes, codeNoMarking) }

// here says whether an entry is for the place. One with modifiers and no place is for every place.
func here(m *MarkingSpec) bool {
	elsewhere := false
	for _, c := range m.Codes {
		if c == place || c == "pagetopbottom" {
			return true
		}
		elsewhere = elsewhere || !slices.Contains(modifiers, c)
	}
	return !elsewhere
}

// phrase returns the best phrase among the entries that count: exact language, else its primary subtag, else none
// stated. Each use asks on its own, so that a French phrase does not hide a replacePolicy entry without language.
func phrase(ms []MarkingSpec, lang string, want func(*MarkingSpec) bool) (string, bool) {
	best, found := 0, ""
	for i := range ms {
		m := &ms[i]
		if !m.HasPhrase || !counts(m) || !want(m) {
			continue
		}
		if r := rank(m.Lang, lang); r > best {
			best, found = r, m.Phrase
		}
	}
	return found, best > 0
}

// qualifier returns the best text for a role, "" when there is none. One for another place serves when there is none
// for this place: published policies give a tag its qualifiers for the top of the page alone.
func qualifier(qs []QualifierSpec, place, lang string, role Role) string {
	best, found := 0, ""
	for i := range qs {
		q := &qs[i]
		if q.Role != role {
			continue
		}
		r := rank(q.Lang, lang)
		if r > 0 && (q.Code == place || q.Code == "pagetopbottom" || q.Code == "") {
			r += 3
		}
		if r > best {
			best, found = r, q.Text
		}
	}
	return found
}

// rank says how well an entry's language fits: 0 not at all.
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
