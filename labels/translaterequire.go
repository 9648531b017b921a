package labels

import "fmt"

// What the equivalences call for in the target policy (Open XML SPIF 2.1, requiredCategory in equivalentPolicy,
// equivalentClassification and equivalentSecurityCategoryTagSet). Only the operation "all" says what to add; for the
// other two the result is checked and nothing is chosen.

// demand is one requiredCategory, resolved in the target.
type demand struct {
	op     Operation
	groups []demandGroup
	why    string // "required with LIMITED"
}

type demandGroup struct {
	bits  bitset
	add   int // the one value it names, -1 for every value and for one that does not exist
	words string
}

func (g *demandGroup) met(b bitset) bool { return group{mask: g.bits}.matches(b) }

// require adds what "all" asks for, then checks every demand on the whole.
func (w *translating) require() {
	for _, d := range w.demands {
		if d.op != All {
			continue
		}
		for i := range d.groups {
			g := &d.groups[i]
			if g.add < 0 || g.met(w.bits) {
				continue
			}
			w.bits.set(g.add)
			w.step("%s is added: %s", g.words, d.why)
		}
	}
	for _, d := range w.demands {
		if words := d.unmet(w.bits); words != "" {
			w.miss("%s is missing, %s", words, d.why)
		}
	}
}

// unmet says in words what is missing, "" for nothing.
func (d *demand) unmet(b bitset) string {
	r := requirement{op: d.op}
	for i := range d.groups {
		g := &d.groups[i]
		if d.op == All && !g.met(b) {
			return g.words
		}
		r.groups = append(r.groups, group{mask: g.bits, words: g.words})
	}
	if r.satisfied(b) {
		return ""
	}
	return r.String()
}

// demands resolves rules in the target. One that names nothing there is a warning, and stops what needs it.
func (b *planner) demands(specs []RequiredSpec, why string) []*demand {
	var out []*demand
	for _, s := range specs {
		d := &demand{op: s.Operation, why: why}
		for _, g := range s.Groups {
			d.groups = append(d.groups, b.demandGroup(g, why))
		}
		out = append(out, d)
	}
	return out
}

func (b *planner) demandGroup(s GroupSpec, why string) demandGroup {
	p := b.to
	g := demandGroup{bits: newBitset(len(p.cats)), add: -1, words: fmt.Sprintf("%s value %d of %s", s.Kind, s.LACV, s.TagSet)}
	if s.Any {
		g.words = s.String()
	}
	set := findName(len(p.sets), func(i int) string { return p.sets[i].name }, s.TagSet)
	if set < 0 {
		b.warn(s.Line, "tag-set-reference", "policy %s has no tag set %q, %s: what needs it cannot be translated", p.name, s.TagSet, why)
		return g
	}
	if s.Any {
		g.words = p.anyWords(set, s.Kind)
	}
	found := false
	for _, kind := range kindsOf(s.Kind) {
		for _, ti := range p.sets[set].tags {
			t := &p.tags[ti]
			for n := t.lo; n < t.hi && t.Kind == kind; n++ {
				if !s.Any && p.cats[n].LACV != s.LACV {
					continue
				}
				found = true
				g.bits.set(n)
				if !s.Any {
					g.words = p.catWords(n)
				}
				if !s.Any && g.add < 0 && !p.cats[n].Obsolete && !p.cats[n].Typed {
					g.add = n
				}
			}
		}
	}
	if !found || !s.Any && g.add < 0 {
		b.warn(s.Line, "category-reference", "policy %s has nothing to use for %s, %s: what needs it cannot be translated", p.name, g.words, why)
	}
	return g
}

// kindsOf returns the kinds that a reference means: one to an informative value does not say how it is written.
func kindsOf(k Kind) []Kind {
	if k == InformativeBits {
		return []Kind{InformativeBits, InformativeEnum}
	}
	return []Kind{k}
}
