package labels

import (
	"strings"
	"unicode"
)

// Contradicts says whether a display marking from outside names a higher classification of the policy than the label
// has: whoever wrote it saw more than the label admits. A marking that names a lower one, or none, proves nothing;
// the label decides and the marking is written anew. The marking is never believed the other way round.
func (p *Policy) Contradicts(l *Label, marking string) bool {
	if p == nil || l.PolicyID() != p.id || marking == "" || marking == l.marking {
		return false
	}
	if l.policy != p { // read under an earlier version of the policy
		again, err := p.Label(l.Form())
		if err != nil {
			return true // whatever the marking names, the label is nothing now
		}
		l = again
	}
	claimed, named := p.highestNamed(marking)
	if !named {
		return false
	}
	own := p.classes[l.class].Hierarchy
	if h, ok := p.highestNamed(l.marking); ok {
		own = max(own, h) // a phrase of a category may contain the name of a class
	}
	return claimed > own
}

// highestNamed returns the hierarchy of the highest classification that the text names by name or phrase. The longest
// name at a place counts, so that TOP SECRET is not also SECRET.
func (p *Policy) highestNamed(text string) (hierarchy int, found bool) {
	words := fold(text)
	for len(words) > 0 {
		taken := 1
		best := -1
		for i := range p.classes {
			for _, name := range p.classes[i].folded {
				if len(name) > 0 && len(name) >= taken && startsWith(words, name) {
					best, taken = i, len(name)
				}
			}
		}
		if best >= 0 && (!found || p.classes[best].Hierarchy > hierarchy) {
			hierarchy, found = p.classes[best].Hierarchy, true
		}
		words = words[taken:]
	}
	return hierarchy, found
}

// fold splits text into words of letters and digits in one case.
func fold(s string) []string {
	return strings.FieldsFunc(strings.ToUpper(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func startsWith(words, prefix []string) bool {
	if len(words) < len(prefix) {
		return false
	}
	for i := range prefix {
		if words[i] != prefix[i] {
			return false
		}
	}
	return true
}
