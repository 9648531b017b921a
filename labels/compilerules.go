package labels

import (
	"fmt"
	"slices"
)

// rules resolves the references of rules: to classes, tag sets and categories, by name.
func (c *compiler) rules() {
	p := c.p
	for i := range p.classes {
		s := &p.classes[i]
		s.required = c.requirements(s.Required)
	}
	for i := range p.cats {
		c.categoryRules(i)
	}
}

func (c *compiler) categoryRules(i int) {
	s := &c.p.cats[i]
	s.required = c.requirements(s.Required)
	s.excluded = newBitset(len(c.p.classes))
	for _, name := range s.ExcludedClasses {
		ci := c.class(s.Line, name)
		if ci >= 0 && s.excluded.has(ci) {
			c.problem(s.Line, "excluded-class", "category %q excludes classification %q twice", s.Name, name)
		} else if ci >= 0 {
			s.excluded.set(ci)
		}
	}
	if s.RequiredClass != "" {
		s.requiredClass = c.class(s.Line, s.RequiredClass)
	}
	for _, g := range s.Excluded {
		gr := c.group(g)
		if gr.mask.has(i) {
			if !g.Any {
				c.problem(g.Line, "excluded-category", "category %q excludes itself: no label could have it", s.Name)
			}
			gr.mask[i>>6] &^= 1 << (i & 63) // "all" means every other value
		}
		s.excludes = append(s.excludes, gr)
	}
}

func (c *compiler) class(line int, name string) int {
	n, at := len(c.p.classes), func(i int) string { return c.p.classes[i].Name }
	i := findName(n, at, name)
	if i < 0 {
		c.problem(line, "class-reference", "there is no classification %s%s", Quote(name), perhaps(name, n, at))
	}
	return i
}

func (c *compiler) requirements(specs []RequiredSpec) []requirement {
	var out []requirement
	for _, s := range specs {
		if len(s.Groups) == 0 {
			c.problem(s.Line, "required-category", "a required category without a categoryGroup can never be checked: name one or remove it")
		}
		if s.Operation > OnlyOne {
			c.problem(s.Line, "operation", "a required category has an operation that nobody knows (%d)", s.Operation)
			continue
		}
		r := requirement{op: s.Operation}
		for i, g := range s.Groups {
			if slices.ContainsFunc(s.Groups[:min(i, maxCompared)], g.same) {
				c.warn(g.Line, "required-category", "a required category names %s twice", g)
			}
			r.groups = append(r.groups, c.group(g))
		}
		out = append(out, r)
	}
	return out
}

func (g GroupSpec) same(o GroupSpec) bool {
	return g.TagSet == o.TagSet && g.Kind == o.Kind && g.Any == o.Any && (g.Any || g.LACV == o.LACV)
}

func (c *compiler) group(s GroupSpec) group {
	if c.groups++; c.groups > MaxGroups {
		if c.groups == MaxGroups+1 {
			c.problem(s.Line, "rules", "more than %d references to categories", MaxGroups)
		}
		return group{mask: newBitset(0)}
	}
	g, rule, why := c.p.group(s)
	if rule != "" {
		c.problem(s.Line, rule, "%s", why)
	}
	return g
}

// group resolves a reference to one value or to all values of a kind in a tag set; rule and why say what is wrong with it.
func (p *Policy) group(s GroupSpec) (g group, rule, why string) {
	g = group{mask: newBitset(len(p.cats))}
	n, at := len(p.sets), func(i int) string { return p.sets[i].name }
	set := findName(n, at, s.TagSet)
	if set < 0 {
		return g, "tag-set-reference", fmt.Sprintf("there is no tag set %s%s", Quote(s.TagSet), perhaps(s.TagSet, n, at))
	}
	kinds := []Kind{s.Kind}
	if s.Kind.Type() == TypeInformative {
		kinds = []Kind{InformativeBits, InformativeEnum}
	}
	found := false
	for _, k := range kinds {
		if b, ok := p.byValue[Value{TagSet: p.sets[set].id, Kind: k, LACV: s.LACV}]; ok && !s.Any {
			g.mask.set(b)
			g.words = p.catWords(b)
			found = true
		}
	}
	if s.Any {
		g.words = p.anyWords(set, s.Kind)
		found = p.everyValue(set, kinds, g.mask)
	}
	if !found {
		return g, "category-reference", fmt.Sprintf("tag set %q has no such category: %s", p.sets[set].name, s)
	}
	return g, "", ""
}

func (p *Policy) everyValue(set int, kinds []Kind, into bitset) (found bool) {
	for _, ti := range p.sets[set].tags {
		t := &p.tags[ti]
		if !slices.Contains(kinds, t.Kind) {
			continue
		}
		for b := t.lo; b < t.hi; b++ {
			into.set(b)
			found = true
		}
	}
	return found
}
