package labels

import (
	"slices"
	"strings"
)

// MarkingText is a marking as people see it. It is never an input to a decision.
type MarkingText struct {
	Text                   string // one line of at most MaxMarking characters, none of them a control
	Foreground, Background string // as XEP-0258 writes colours; "" when the policy gives none
	Header                 string // at XHeader the name of the header, "" when the policy gives none
}

// Marking returns the display marking of a label in a language ("" is the policy's own) and its colours as XEP-0258
// writes them.
func (p *Policy) Marking(l *Label, lang string) (text, fg, bg string) {
	m := p.MarkingAt(l, PageBottom, lang)
	return m.Text, m.Foreground, m.Background
}

// MarkingAt returns the marking of a label at a place in a language (Open XML SPIF 2.1, markingData and
// markingQualifier): policy, classification and the values of each tag in the order of the policy, joined by the
// separator and between prefix and suffix of the policy.
//
// Where the standard is silent (ours): a policy that has nothing for the first line of a text uses the bottom of the
// page; a privacy mark is shown in parentheses and only when the policy lists it. A nil label has no marking.
func (p *Policy) MarkingAt(l *Label, place Place, lang string) MarkingText {
	if p == nil || l == nil || l.policy == nil || place.code() == "" {
		return MarkingText{}
	}
	if l.policy != p {
		again, err := p.Label(l.Form())
		if err != nil {
			return MarkingText{}
		}
		l = again
	}
	if place == FirstLineOfText && !p.hasPlace(place.code()) {
		place = PageBottom
	}
	w := marker{p: p, l: l, place: place.code(), lang: lang}
	m := MarkingText{Text: shorten(clean(w.text()))}
	m.Foreground, m.Background = colors(p.classes[l.class].Color)
	if place == XHeader {
		m.Header = w.header()
	}
	return m
}

// marker writes one marking.
type marker struct {
	p           *Policy
	l           *Label
	place, lang string
}

func (w marker) text() string {
	var parts []string
	for _, s := range [...]string{w.policyPart(), w.classPart()} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	for i := range w.p.tags {
		if s := w.tagPart(i); s != "" {
			parts = append(parts, s)
		}
	}
	own := w.p.qualifiers
	separator := " "
	if s, ok := w.qualifier(own, Separator); ok {
		separator = s
	}
	text := strings.Join(parts, separator) + w.privacyPart()
	prefix, _ := w.qualifier(own, Prefix)
	suffix, _ := w.qualifier(own, Suffix)
	if w.place == placeCodes[XHeader] { // there a prefix for the place names the header
		prefix, _ = bestQualifier(own, "", w.lang, Prefix)
	}
	return prefix + text + suffix
}

// policyPart is the policy's name, or what replaces it: the policy's own phrase, else the class's, else the first
// category's ("COSMIC", "NATO/KFOR").
func (w marker) policyPart() string {
	if s, ok := w.phrase(w.p.markings, replacesPolicy); ok {
		return s
	}
	if s, ok := w.phrase(w.p.classes[w.l.class].Markings, replacesPolicy); ok {
		return s
	}
	for b := w.l.bits.next(0); b >= 0; b = w.l.bits.next(b + 1) {
		if s, ok := w.phrase(w.p.cats[b].Markings, replacesPolicy); ok {
			return s
		}
	}
	return w.p.name
}

func (w marker) classPart() string {
	for b := w.l.bits.next(0); b >= 0; b = w.l.bits.next(b + 1) {
		if ms := w.p.cats[b].Markings; w.has(ms, codeSuppressClass) || w.has(ms, codeSuppressClass1) {
			return ""
		}
	}
	c := &w.p.classes[w.l.class]
	return w.between(c.Qualifiers, w.shown(c.Name, c.Markings))
}

func (w marker) tagPart(ti int) string {
	t := &w.p.tags[ti]
	var values []string
	for b := w.l.bits.next(t.lo); b >= 0 && b < t.hi; b = w.l.bits.next(b + 1) {
		c := &w.p.cats[b]
		if s := w.between(c.Qualifiers, w.shown(c.Name, c.Markings)); s != "" {
			values = append(values, s)
		}
	}
	if len(values) == 0 {
		return ""
	}
	separator := qualifier(t.Qualifiers, w.place, w.lang, Separator)
	if separator == "" {
		separator = "/"
	}
	return qualifier(t.Qualifiers, w.place, w.lang, Prefix) + strings.Join(values, separator) +
		qualifier(t.Qualifiers, w.place, w.lang, Suffix)
}

// privacyPart shows a privacy mark that the policy lists; any other is free text of the sender.
func (w marker) privacyPart() string {
	m, known := w.p.privacyMark(w.l.privacy)
	if w.l.privacy == "" || !known {
		return ""
	}
	s := w.between(m.Qualifiers, w.shown(m.Name, m.Markings))
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// header returns the name of the header that carries the marking: the prefix for that place, if it can be one
// (RFC 5322 §2.2: printable, no colon).
func (w marker) header() string {
	var own []QualifierSpec
	for _, q := range w.p.qualifiers {
		if q.Code == w.place {
			own = append(own, q)
		}
	}
	s, _ := bestQualifier(own, w.place, w.lang, Prefix)
	s = strings.TrimSuffix(strings.TrimSpace(s), ":")
	if len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == ':' || r > '~' }) {
		return ""
	}
	return s
}

// shown is the phrase for the place, else the name, else nothing where the name is not to be shown.
func (w marker) shown(name string, ms []MarkingSpec) string {
	if s, ok := w.phrase(ms, namesThing); ok {
		return s
	}
	if w.has(ms, codeNoName) {
		return ""
	}
	return name
}

// between puts a text between the prefix and suffix of what it names. Nothing stays nothing.
func (w marker) between(qs []QualifierSpec, text string) string {
	if text == "" || len(qs) == 0 {
		return text
	}
	prefix, _ := w.qualifier(qs, Prefix)
	suffix, _ := w.qualifier(qs, Suffix)
	return prefix + text + suffix
}

func (w marker) qualifier(qs []QualifierSpec, role Role) (string, bool) {
	return bestQualifier(qs, w.place, w.lang, role)
}

// phrase returns the best phrase among the entries that count here: exact language, else its primary subtag, else none
// stated. Each use asks on its own, so that a French phrase does not hide a replacePolicy entry without language.
func (w marker) phrase(ms []MarkingSpec, want func(*MarkingSpec) bool) (string, bool) {
	best, found := 0, ""
	for i := range ms {
		m := &ms[i]
		if !m.HasPhrase || !w.counts(m) || !want(m) {
			continue
		}
		if r := rank(m.Lang, w.lang); r > best {
			best, found = r, m.Phrase
		}
	}
	return found, best > 0
}

// has says whether an entry for the place carries the modifier. One whose phrase is not for output counts too: it may
// say that the name is not to be shown either.
func (w marker) has(ms []MarkingSpec, modifier string) bool {
	for i := range ms {
		if w.here(&ms[i]) && slices.Contains(ms[i].Codes, modifier) {
			return true
		}
	}
	return false
}

// counts says whether the phrase of an entry is for the place. noMarkingDisplay is for a user who composes: such a
// phrase is shown where a label is chosen and nowhere else.
func (w marker) counts(m *MarkingSpec) bool {
	return w.here(m) && (w.place == placeCodes[InputTitle] || !slices.Contains(m.Codes, codeNoMarking))
}

// here says whether an entry is for the place. One with modifiers and no place is for every place.
func (w marker) here(m *MarkingSpec) bool {
	elsewhere := false
	for _, c := range m.Codes {
		if covers(c, w.place) {
			return true
		}
		elsewhere = elsewhere || !isModifier(c)
	}
	return !elsewhere
}
