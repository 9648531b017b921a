package catalogue

import (
	"strconv"
	"strings"
	"unicode"

	"sallyport/labels"
)

// NoLabelText is the selector of an item that offers to send without label and was given none.
const NoLabelText = "No label"

// separators begin the marking of a category ("//ALPHA", "- UK EYES ONLY") and say nothing in a menu.
const separators = " /-–,;:+"

// WithSelectors returns the catalogue with a selector on every item, no two equal: those that are there stay, the
// others are made from classification and marking ("INTERNAL|REL TO GBR") in the language. Gajim drops items without
// selector, and of two with one selector the first.
func (c *Catalogue) WithSelectors(lang string) *Catalogue {
	out := *c
	out.Items = make([]Item, len(c.Items))
	taken := make(map[string]bool, len(c.Items))
	for n, i := range c.Items {
		if i.Selector == "" {
			i.Selector = selectorFor(i.Label, lang)
		}
		i.Selector = distinct(i.Selector, taken)
		taken[i.Selector] = true
		out.Items[n] = i
	}
	out.ID = out.Digest()
	return &out
}

// distinct adds a number to a selector that is taken.
func distinct(s string, taken map[string]bool) string {
	if !taken[s] {
		return s
	}
	for n := 2; ; n++ {
		end := " (" + strconv.Itoa(n) + ")"
		if t := strings.TrimRight(cut(s, MaxSelector-len(end)), " |") + end; !taken[t] {
			return t
		}
	}
}

// selectorFor makes a menu path: the classification, and in it what the marking says of the categories.
func selectorFor(l *labels.Label, lang string) string {
	p := l.Policy()
	if p == nil {
		return NoLabelText
	}
	f := l.Form()
	class := part(l.ClassName())
	if len(f.Values) == 0 && f.PrivacyMark == "" {
		return class
	}
	rest := part(categoryText(l, lang))
	if rest == "" {
		return class
	}
	return class + "|" + cut(rest, MaxSelector-len(class)-1)
}

// categoryText is what the marking says beyond that of the bare classification; where the one does not begin with the
// other (a category may hide the classification, or stand for the policy), the names of the values.
func categoryText(l *labels.Label, lang string) string {
	p, f := l.Policy(), l.Form()
	if bare, err := p.Label(labels.LabelForm{Policy: f.Policy, Class: f.Class}); err == nil {
		short, _, _ := p.Marking(bare, lang)
		long, _, _ := p.Marking(l, lang)
		if rest, ok := strings.CutPrefix(long, short); ok && short != "" && strings.TrimLeft(rest, separators) != "" {
			return strings.TrimLeft(rest, separators)
		}
	}
	var names []string
	for c := range l.Categories() {
		names = append(names, c.TagSetName+" "+c.Name)
	}
	if f.PrivacyMark != "" {
		names = append(names, "("+f.PrivacyMark+")")
	}
	return strings.Join(names, ", ")
}

// part makes text fit to be one part of a selector.
func part(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '|':
			return '/'
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return cut(strings.Join(strings.Fields(s), " "), MaxSelector/2)
}

// cut shortens text to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return strings.TrimRight(s[:n], " ")
}
