package labels

import (
	"cmp"
	"fmt"
	"slices"
)

// Check looks at the policies together: what the equivalences of one name must be in the other (Open XML SPIF 2.1; the
// schema cannot say it, because it sees one file). A requirement in another policy that cannot be resolved is a problem,
// because a translated label would miss what it asks for; everything else is a warning: it makes fewer labels
// translatable, never more. The order is by policy, then by line.
func (r *Registry) Check() []Problem {
	var out []Problem
	for _, p := range r.Policies() {
		k := checker{from: p}
		for _, e := range p.equivalents {
			to, loaded := r.Policy(e.ID)
			if !loaded {
				k.warn(e.Line, "equivalent-policy", "equivalences with %q (%s) have no effect: that policy is not loaded", e.Name, e.ID)
				continue
			}
			k.name, k.to = e.Name, to
			k.required(e.Required)
			k.classes()
			k.categories()
			k.tagSets()
		}
		slices.SortStableFunc(k.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		out = append(out, k.problems...)
	}
	return out
}

// checker checks what one policy says of another.
type checker struct {
	from, to *Policy
	name     string // what from calls to
	problems []Problem
	more     bool
}

func (k *checker) problem(line int, rule, format string, args ...any) {
	k.add(Problem{Line: line, Rule: rule, Text: fmt.Sprintf(format, args...), Policy: k.from.name})
}

func (k *checker) warn(line int, rule, format string, args ...any) {
	k.add(Problem{Line: line, Rule: rule, Text: fmt.Sprintf(format, args...), Warning: true, Policy: k.from.name})
}

func (k *checker) add(p Problem) {
	switch {
	case len(k.problems) < maxProblems:
		k.problems = append(k.problems, p)
	case !k.more:
		k.more = true
		k.problems = append(k.problems, Problem{Rule: "problems", Text: "there are more problems; correct these first", Policy: k.from.name})
	}
}

// required resolves requirements in the other policy.
func (k *checker) required(specs []RequiredSpec) {
	for _, s := range specs {
		for _, g := range s.Groups {
			if _, rule, why := k.to.group(g); rule != "" {
				k.problem(g.Line, rule, "in policy %q: %s: no label can be translated by this", k.to.name, why)
			}
		}
	}
}

func (k *checker) classes() {
	type pair struct{ from, to *class }
	var pairs []pair
	for i := range k.from.classes {
		c := &k.from.classes[i]
		for _, e := range c.Equivalents {
			if e.Policy != k.name {
				continue
			}
			ti, ok := k.to.byClass[e.LACV]
			if !ok {
				k.warn(e.Line, "equivalent-class", "classification %q: policy %q has no classification %d, so that it cannot be translated", c.Name, k.to.name, e.LACV)
				continue
			}
			t := &k.to.classes[ti]
			if t.Obsolete {
				k.warn(e.Line, "equivalent-class", "classification %q: %q of policy %q is obsolete and never assigned", c.Name, t.Name, k.to.name)
			}
			k.required(e.Required)
			for _, o := range pairs {
				if (o.from.Hierarchy < c.Hierarchy) == (o.to.Hierarchy > t.Hierarchy) && o.to != t && o.from != c {
					k.warn(e.Line, "equivalent-order", "%q and %q are in the other order than their equivalents %q and %q of policy %q",
						o.from.Name, c.Name, o.to.Name, t.Name, k.to.name)
					break
				}
			}
			pairs = append(pairs, pair{c, t})
		}
	}
}

func (k *checker) categories() {
	for i := range k.from.cats {
		c := &k.from.cats[i]
		for _, e := range c.Equivalents {
			if e.Policy == k.name && !e.Discard {
				k.category(c, &e)
			}
		}
	}
}

func (k *checker) category(c *category, e *EquivalentCategorySpec) {
	kinds := []Kind{e.Kind}
	if e.Kind == InformativeBits {
		kinds = append(kinds, InformativeEnum)
	}
	found := -1
	for _, kind := range kinds {
		b, ok := k.to.byValue[Value{TagSet: e.TagSet, Kind: kind, LACV: e.LACV}]
		if ok && found >= 0 {
			k.warn(e.Line, "equivalent-category", "category %q: policy %q has two informative values %d in tag set %s", c.Name, k.to.name, e.LACV, e.TagSet)
		}
		if ok {
			found = b
		}
	}
	switch {
	case found < 0:
		k.warn(e.Line, "equivalent-category", "category %q: policy %q has no %s value %d in tag set %s, so that it cannot be translated",
			c.Name, k.to.name, e.Kind.thereWords(), e.LACV, e.TagSet)
	case k.to.cats[found].Obsolete:
		k.warn(e.Line, "equivalent-category", "category %q: %q of policy %q is obsolete and never assigned", c.Name, k.to.cats[found].Name, k.to.name)
	case k.to.cats[found].Typed:
		k.warn(e.Line, "equivalent-category", "category %q: %q of policy %q is typed by users and never assigned", c.Name, k.to.cats[found].Name, k.to.name)
	}
}

func (k *checker) tagSets() {
	for i := range k.from.sets {
		s := &k.from.sets[i]
		for _, e := range s.equivalents {
			if e.Policy != k.name {
				continue
			}
			if e.ID != "" || e.Name != "" {
				if _, err := k.to.TagSetNamed(e.ID, cmp.Or(e.Name, k.to.setName(e.ID))); err != nil {
					k.warn(e.Line, "equivalent-tag-set", "tag set %q: %v", s.name, err)
				}
			}
			k.required(e.Required)
		}
	}
}

func (p *Policy) setName(oid string) string {
	if i, ok := p.bySet[oid]; ok {
		return p.sets[i].name
	}
	return ""
}
