package labels

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of a policy.
const (
	MaxClasses    = 1024
	MaxCategories = 16384
	maxName       = 256
)

// Compile checks a policy and builds its tables. The policy is nil when a problem is more than a warning.
func Compile(s PolicySpec) (*Policy, []Problem) {
	c := &compiler{spec: s, p: &Policy{
		name: s.Name, id: s.ID, version: s.Version, notBefore: s.NotBefore, notAfter: s.NotAfter,
		markings: s.Markings, qualifiers: s.Qualifiers, about: s.About,
		equivalents: s.Equivalents,
		byClass:     map[uint32]int{}, bySet: map[string]int{}, byValue: map[Value]int{},
	}}
	if s.Name == "" || len(s.Name) > maxName {
		c.problem(s.Line, "policy-name", "the policy needs a name of at most %d bytes", maxName)
	}
	if err := CheckOID(s.ID); err != nil {
		c.problem(s.Line, "policy-id", "policy identifier %s: %v", Quote(s.ID), err)
	}
	c.classes()
	c.tagSets()
	c.texts()
	if !c.failed {
		c.masks()
		c.rules()
	}
	if c.failed {
		return nil, c.problems
	}
	c.p.digest = digest(&s)
	return c.p, c.problems
}

type compiler struct {
	spec     PolicySpec
	p        *Policy
	problems []Problem
	failed   bool
}

func (c *compiler) problem(line int, rule, format string, args ...any) {
	c.problems = append(c.problems, Problem{Line: line, Rule: rule, Text: fmt.Sprintf(format, args...)})
	c.failed = true
}

func (c *compiler) warn(line int, rule, format string, args ...any) {
	c.problems = append(c.problems, Problem{Line: line, Rule: rule, Text: fmt.Sprintf(format, args...), Warning: true})
}

func (c *compiler) classes() {
	if n := len(c.spec.Classes); n == 0 || n > MaxClasses {
		c.problem(c.spec.Line, "classes", "a policy has 1 to %d classifications, not %d", MaxClasses, n)
		return
	}
	names, ranks, colors := map[string]bool{}, map[int]string{}, map[string]string{}
	for _, s := range c.spec.Classes {
		if s.Name == "" || names[s.Name] {
			c.problem(s.Line, "class-name", "classification name %q is empty or used twice", s.Name)
		}
		if _, twice := c.p.byClass[s.LACV]; twice || s.LACV > MaxNumber {
			c.problem(s.Line, "class-lacv", "classification %q: lacv %d is too large or used twice", s.Name, s.LACV)
		}
		if o, twice := ranks[s.Hierarchy]; twice {
			c.problem(s.Line, "class-hierarchy", "classifications %q and %q have the same hierarchy %d", o, s.Name, s.Hierarchy)
		}
		if o, twice := colors[strings.ToLower(s.Color)]; twice && s.Color != "" {
			c.warn(s.Line, "class-color", "classifications %q and %q have the same color %q", o, s.Name, s.Color)
		}
		names[s.Name], ranks[s.Hierarchy], colors[strings.ToLower(s.Color)] = true, s.Name, s.Name
		c.p.byClass[s.LACV] = len(c.p.classes)
		cl := class{ClassSpec: s, folded: [][]string{fold(s.Name)}}
		for i := range s.Markings {
			if namesThing(&s.Markings[i]) {
				cl.folded = append(cl.folded, fold(s.Markings[i].Phrase))
			}
		}
		c.p.classes = append(c.p.classes, cl)
	}
}

func (c *compiler) tagSets() {
	names := map[string]bool{}
	for _, s := range c.spec.TagSets {
		if s.Name == "" || names[s.Name] {
			c.problem(s.Line, "tag-set-name", "tag set name %q is empty or used twice", s.Name)
		}
		if err := CheckOID(s.ID); err != nil {
			c.problem(s.Line, "tag-set-id", "tag set %q: identifier %s: %v", s.Name, Quote(s.ID), err)
		}
		if _, twice := c.p.bySet[s.ID]; twice {
			c.problem(s.Line, "tag-set-id", "tag set %q: identifier %s is used twice", s.Name, s.ID)
		}
		names[s.Name] = true
		set := len(c.p.sets)
		c.p.bySet[s.ID] = set
		c.p.sets = append(c.p.sets, tagSet{name: s.Name, id: s.ID, equivalents: s.Equivalents})
		for _, t := range s.Tags {
			c.tag(set, t)
		}
	}
	if n := len(c.p.cats); n > MaxCategories {
		c.problem(c.spec.Line, "categories", "%d categories, at most %d", n, MaxCategories)
	}
}

func (c *compiler) tag(set int, t TagSpec) {
	index, id := len(c.p.tags), c.p.sets[set].id
	if t.Kind.Type() == NoType {
		c.problem(t.Line, "tag-type", "tag %q of tag set %q has no usable type", t.Name, c.p.sets[set].name)
	}
	if t.Min < 0 || t.Max < 0 || t.Max > 0 && t.Min > t.Max {
		c.problem(t.Line, "tag-selection", "tag %q: selection limits %d to %d", t.Name, t.Min, t.Max)
	}
	lo := len(c.p.cats)
	names := map[string]bool{}
	for _, s := range t.Categories {
		v := Value{TagSet: id, Kind: t.Kind, LACV: s.LACV}
		if _, twice := c.p.byValue[v]; twice {
			c.problem(s.Line, "category-lacv", "category %q: lacv %d is used twice for %s values of tag set %s", s.Name, s.LACV, t.Kind, id)
		}
		if s.LACV > MaxNumber || t.Kind.IsBits() && s.LACV > MaxBit {
			c.problem(s.Line, "category-lacv", "category %q: lacv %d is too large for %s", s.Name, s.LACV, t.Kind)
		}
		if s.Name == "" || names[s.Name] {
			c.problem(s.Line, "category-name", "category name %q is empty or used twice in tag %q", s.Name, t.Name)
		}
		names[s.Name] = true
		c.p.byValue[v] = len(c.p.cats)
		c.p.cats = append(c.p.cats, category{CategorySpec: s, value: v, tag: index, requiredClass: -1})
	}
	t.Categories = nil
	c.p.sets[set].tags = append(c.p.sets[set].tags, index)
	c.p.tags = append(c.p.tags, tag{TagSpec: t, set: set, lo: lo, hi: len(c.p.cats)})
}

func (c *compiler) masks() {
	p := c.p
	p.restrictive = newBitset(len(p.cats))
	for i := range p.tags {
		t := &p.tags[i]
		t.span = newSpan(t.lo, t.hi)
		switch t.Kind.Type() {
		case TypeRestrictive:
			for b := t.lo; b < t.hi; b++ {
				p.restrictive.set(b)
			}
		case TypePermissive:
			if t.hi > t.lo {
				p.permissive = append(p.permissive, permissiveTag{tag: i, span: t.span})
			}
		case TypeInformative, NoType:
		}
	}
}

func (c *compiler) rules() {
	p := c.p
	for i := range p.classes {
		s := &p.classes[i]
		s.required = c.requirements(s.Required)
	}
	for i := range p.cats {
		s := &p.cats[i]
		s.required = c.requirements(s.Required)
		s.excluded = newBitset(len(p.classes))
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
			if len(gr.mask) > 0 && gr.mask.has(i) {
				if !g.Any {
					c.problem(g.Line, "excluded-category", "category %q excludes itself", s.Name)
				}
				gr.mask[i>>6] &^= 1 << (i & 63) // "all" means every other value
			}
			s.excludes = append(s.excludes, gr)
		}
	}
}

func (c *compiler) class(line int, name string) int {
	i := findName(len(c.p.classes), func(i int) string { return c.p.classes[i].Name }, name)
	if i < 0 {
		c.problem(line, "class-reference", "there is no classification %q", name)
	}
	return i
}

func (c *compiler) requirements(specs []RequiredSpec) []requirement {
	var out []requirement
	for _, s := range specs {
		if len(s.Groups) == 0 {
			c.problem(s.Line, "required-category", "a required category without a group can never be checked")
		}
		r := requirement{op: s.Operation}
		for _, g := range s.Groups {
			r.groups = append(r.groups, c.group(g))
		}
		out = append(out, r)
	}
	return out
}

// group resolves a reference to one value or to all values of a kind in a tag set.
func (c *compiler) group(s GroupSpec) group {
	p := c.p
	g := group{mask: newBitset(len(p.cats))}
	set := findName(len(p.sets), func(i int) string { return p.sets[i].name }, s.TagSet)
	if set < 0 {
		c.problem(s.Line, "tag-set-reference", "there is no tag set %q", s.TagSet)
		return g
	}
	kinds := []Kind{s.Kind}
	if s.Kind.Type() == TypeInformative {
		kinds = []Kind{InformativeBits, InformativeEnum}
	}
	found := false
	for _, ti := range p.sets[set].tags {
		t := &p.tags[ti]
		if !slices.Contains(kinds, t.Kind) {
			continue
		}
		for b := t.lo; b < t.hi; b++ {
			if s.Any || p.cats[b].LACV == s.LACV {
				g.mask.set(b)
				g.words = p.catWords(b)
				found = true
			}
		}
	}
	if s.Any {
		g.words = fmt.Sprintf("any %s value of %s", s.Kind.Type(), p.sets[set].name)
	}
	if !found {
		c.problem(s.Line, "category-reference", "tag set %q has no %s category with lacv %d", s.TagSet, s.Kind, s.LACV)
	}
	return g
}
