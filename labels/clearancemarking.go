package labels

import "strings"

// Marking returns a clearance in words for people: the classifications in braces, then the values of each tag as a
// display marking shows them, between the prefix and suffix of the policy. No standard defines one (ours, in the form
// of the spiffing library). It is never an input to a decision.
func (c *Clearance) Marking(lang string) string {
	if c == nil || c.policy == nil {
		return ""
	}
	p := c.policy
	w := marker{p: p, l: &Label{policy: p, bits: c.bits}, place: PageBottom.code(), lang: lang}
	parts := []string{"{" + strings.Join(c.classNames(), "|") + "}"}
	for i := range p.tags {
		if s := w.tagPart(i); s != "" {
			parts = append(parts, s)
		}
	}
	separator := " "
	if s, ok := w.qualifier(p.qualifiers, Separator); ok {
		separator = s
	}
	prefix, _ := w.qualifier(p.qualifiers, Prefix)
	suffix, _ := w.qualifier(p.qualifiers, Suffix)
	return clean(prefix + strings.Join(parts, separator) + suffix)
}
