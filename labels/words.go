package labels

import (
	"strings"
	"unicode"
)

// Words for people: explanations, logs, clearances. Markings are in marking.go.

// catWords names one category: with the prefix its tag has in markings when that prefix says something ("REL TO GBR",
// "[REGION=EU]"), else with the name of the tag set ("Caveats ALPHA").
func (p *Policy) catWords(b int) string {
	c := &p.cats[b]
	t := &p.tags[c.tag]
	if prefix := qualifier(t.Qualifiers, "pagebottom", "", Prefix); strings.IndexFunc(prefix, unicode.IsLetter) >= 0 {
		return prefix + c.Name + qualifier(t.Qualifiers, "pagebottom", "", Suffix)
	}
	return p.sets[t.set].name + " " + c.Name
}

// tagWords names the members that a set has in a tag, "" for none.
func (p *Policy) tagWords(ti int, b bitset, separator string) string {
	t := &p.tags[ti]
	var names []string
	for i := b.next(t.lo); i >= 0 && i < t.hi; i = b.next(i + 1) {
		names = append(names, p.catWords(i))
	}
	return strings.Join(names, separator)
}
