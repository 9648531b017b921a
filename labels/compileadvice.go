package labels

import "strings"

// advice warns of rules that are well-formed and cannot mean what was wanted: they deny always, or never.
func (c *compiler) advice() {
	p := c.p
	for i := range p.classes {
		s := &p.classes[i]
		allowed := c.withClass(i)
		for n := range s.required {
			if !s.required[n].possible(allowed) {
				c.warn(s.Required[n].Line, "class-unusable", "classification %q needs %s, which is not allowed with it: every label with it is invalid",
					s.Name, s.required[n].String())
			}
		}
	}
	for i := range p.cats {
		c.categoryAdvice(i)
	}
}

func (c *compiler) categoryAdvice(i int) {
	s := &c.p.cats[i]
	open := 0
	for ci := range c.p.classes {
		if !s.excluded.has(ci) && (s.requiredClass < 0 || s.requiredClass == ci) {
			open++
		}
	}
	if open == 0 {
		c.warn(s.Line, "category-unusable", "category %q is not allowed with any classification: every label with it is invalid", s.Name)
	}
	allowed := newBitset(len(c.p.cats))
	for w := range allowed {
		allowed[w] = ^uint64(0)
		for _, g := range s.excludes {
			allowed[w] &^= g.mask[w]
		}
	}
	for n := range s.required {
		r := &s.required[n]
		switch {
		case !r.possible(allowed):
			c.warn(s.Required[n].Line, "category-unusable", "category %q needs %s and excludes it: every label with it is invalid", s.Name, r.String())
		case r.metBy(i):
			c.warn(s.Required[n].Line, "required-category", "category %q needs %s, which is met by the category itself: the rule has no effect", s.Name, r.String())
		}
	}
}

// withClass returns the categories that a classification can be used with.
func (c *compiler) withClass(ci int) bitset {
	out := newBitset(len(c.p.cats))
	for i := range c.p.cats {
		s := &c.p.cats[i]
		if !s.excluded.has(ci) && (s.requiredClass < 0 || s.requiredClass == ci) {
			out.set(i)
		}
	}
	return out
}

// possible says whether values of the set can satisfy the requirement.
func (r *requirement) possible(allowed bitset) bool {
	n := 0
	for _, g := range r.groups {
		if g.matches(allowed) {
			n++
		}
	}
	if r.op == All {
		return n == len(r.groups)
	}
	return n > 0
}

// metBy says whether one value satisfies the requirement whatever else a label has.
func (r *requirement) metBy(b int) bool {
	n := 0
	for _, g := range r.groups {
		if g.mask.has(b) {
			n++
		}
	}
	return r.op == All && n == len(r.groups) || r.op == OneOrMore && n > 0
}

// maxCompared bounds searches for names that were meant and for things named twice.
const maxCompared = 64

// perhaps suggests the name that was meant among n: ", perhaps "SECRET"", or nothing.
func perhaps(wrong string, n int, name func(int) string) string {
	for i := range min(n, maxCompared) {
		if Near(wrong, name(i)) {
			return ", perhaps " + Quote(name(i))
		}
	}
	return ""
}

// Near says whether two words differ by case, or by one character that is added, left out, changed or swapped with its
// neighbour: whether one may be a misspelling of the other.
func Near(a, b string) bool {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) < 3 || len(y)-len(x) > 1 {
		return string(x) == string(y)
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	switch {
	case i == len(x):
		return true
	case len(x) < len(y):
		return string(x[i:]) == string(y[i+1:])
	case string(x[i+1:]) == string(y[i+1:]):
		return true
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && string(x[i+2:]) == string(y[i+2:])
}
