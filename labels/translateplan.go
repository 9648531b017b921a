package labels

import (
	"fmt"
	"slices"
)

// plan says what becomes of every classification and value of the source policy. It is made once.
type plan struct {
	classes []classPlan
	cats    []catPlan
	sets    [][]*demand // by tag set of the source, when the label has a value of it
	always  []*demand
}

type classPlan struct {
	to      int    // -1: nothing
	why     string // why nothing
	demands []*demand
}

type catPlan struct {
	add  []int  // all of them
	drop string // why it may be dropped, "" when it may not
	why  string // why nothing becomes of it
}

// planner makes a plan and collects what is wrong with it.
type planner struct {
	from, to *Policy
	reading  Reading
	problems []Problem
	failed   bool
}

func (b *planner) problem(line int, rule, format string, args ...any) {
	b.problems = append(b.problems, Problem{Line: line, Rule: rule, Text: fmt.Sprintf(format, args...)})
	b.failed = true
}

// warn notes what is wrong in the policy that states the equivalences.
func (b *planner) warn(line int, rule, format string, args ...any) {
	p := b.from
	if b.reading == LocalSPIF {
		p = b.to
	}
	b.problems = append(b.problems, Problem{Line: line, Rule: rule, Text: fmt.Sprintf(format, args...), Warning: true, Policy: p.name})
}

// applies says whether an equivalence holds in the direction of the reading.
func (b *planner) applies(a Applied) bool {
	if b.reading == Outbound {
		return a.Encrypt()
	}
	return a.Decrypt()
}

// refersTo returns whether a reference of p by name means the policy with that identifier. What p calls the other one
// and what the other calls itself need not be the same.
func (p *Policy) refersTo(id string) func(name string) bool {
	return func(name string) bool {
		i := findName(len(p.equivalents), func(i int) string { return p.equivalents[i].Name }, name)
		return i >= 0 && p.equivalents[i].ID == id
	}
}

// equivalent returns what p says of the policy with that identifier as a whole.
func (b *planner) equivalent(p *Policy, id string) (EquivalentPolicySpec, bool) {
	i := slices.IndexFunc(p.equivalents, func(e EquivalentPolicySpec) bool { return e.ID == id })
	if i < 0 {
		b.warn(0, "no-equivalence", "policy %s has no equivalence with policy %s: no label can be translated", p.name, id)
		return EquivalentPolicySpec{}, false
	}
	return p.equivalents[i], true
}

// forward reads the source policy's equivalences: outbound as the originator's side does, inbound (reading A) as the
// recipient's side does with the foreign policy at hand.
func (b *planner) forward() *plan {
	pl := &plan{
		classes: make([]classPlan, len(b.from.classes)), cats: make([]catPlan, len(b.from.cats)),
		sets: make([][]*demand, len(b.from.sets)),
	}
	if e, ok := b.equivalent(b.from, b.to.id); ok {
		pl.always = b.demands(e.Required, "required with every label under "+b.to.name)
	}
	meant := b.from.refersTo(b.to.id)
	for i := range b.from.classes {
		pl.classes[i] = b.forwardClass(&b.from.classes[i].ClassSpec, meant)
	}
	for i := range b.from.cats {
		pl.cats[i] = b.forwardCategory(i, meant)
	}
	for i := range b.from.sets {
		for _, e := range b.from.sets[i].equivalents {
			if meant(e.Policy) {
				pl.sets[i] = append(pl.sets[i], b.demands(e.Required, "required for values of "+b.from.sets[i].name)...)
			}
		}
	}
	return pl
}

// none explains why something has no equivalent.
func (b *planner) none(words string, otherDirection bool) string {
	if otherDirection {
		return fmt.Sprintf("%s has an equivalent in %s for the other direction only", words, b.to.name)
	}
	return fmt.Sprintf("%s has no equivalent in %s", words, b.to.name)
}

func (b *planner) forwardClass(c *ClassSpec, meant func(string) bool) classPlan {
	pl := classPlan{to: -1}
	others := false
	for _, e := range c.Equivalents {
		if !meant(e.Policy) {
			continue
		}
		if !b.applies(e.Applied) {
			others = true
			continue
		}
		n, ok := b.to.byClass[e.LACV]
		switch {
		case !ok:
			pl.why = fmt.Sprintf("%s stands for classification %d, which %s does not have", c.Name, e.LACV, b.to.name)
		case b.to.classes[n].Obsolete:
			pl.why = fmt.Sprintf("%s stands for %s, which is obsolete in %s", c.Name, b.to.classes[n].Name, b.to.name)
		case pl.to >= 0: // Compile refuses it
			pl.why = fmt.Sprintf("%s stands for several classifications of %s", c.Name, b.to.name)
		default:
			pl.to = n
			pl.demands = append(pl.demands, b.demands(e.Required, "required with "+b.to.classes[n].Name)...)
		}
		if pl.why != "" {
			b.warn(e.Line, "equivalent-classification", "%s", pl.why)
			return classPlan{to: -1, why: pl.why}
		}
	}
	if pl.to < 0 {
		pl.why = b.none(c.Name, others)
	}
	return pl
}

func (b *planner) forwardCategory(i int, meant func(string) bool) catPlan {
	c := &b.from.cats[i]
	var pl catPlan
	others := false
	for _, e := range c.Equivalents {
		switch {
		case !meant(e.Policy):
		case !b.applies(e.Applied):
			others = true
		case e.Discard:
			pl.drop = fmt.Sprintf("policy %s lets it be discarded for %s", b.from.name, b.to.name)
			b.warnDropped(e.Line, i)
		default:
			n, why := b.target(b.to, e)
			if why != "" {
				pl.why = fmt.Sprintf("%s stands for a value that %s", b.from.catWords(i), why)
				b.warn(e.Line, "equivalent-category", "%s", pl.why)
			} else if !slices.Contains(pl.add, n) {
				pl.add = append(pl.add, n)
			}
		}
	}
	switch {
	case pl.why != "":
		pl.add = nil // a part of the meaning would be lost
	case len(pl.add) == 0:
		pl.why = b.none(b.from.catWords(i), others)
	}
	return pl
}

// target finds the value that an equivalence names in p, or says why it cannot be used.
func (b *planner) target(p *Policy, e EquivalentCategorySpec) (int, string) {
	for _, k := range kindsOf(e.Kind) {
		n, ok := p.byValue[Value{TagSet: e.TagSet, Kind: k, LACV: e.LACV}]
		switch {
		case !ok:
		case p.cats[n].Obsolete && p == b.to:
			return -1, fmt.Sprintf("is obsolete in %s (%s)", p.name, p.catWords(n))
		case p.cats[n].Typed:
			return -1, fmt.Sprintf("users type in %s (%s)", p.name, p.catWords(n))
		default:
			return n, ""
		}
	}
	return -1, fmt.Sprintf("%s does not have (%s value %d of tag set %s)", p.name, e.Kind, e.LACV, Quote(e.TagSet))
}

// discard lets the values that a profile lists be dropped where nothing in the target means the same.
func (b *planner) discard(pl *plan, vs []Value) {
	for _, v := range vs {
		found := false
		for _, k := range kindsOf(v.Kind) {
			i, ok := b.from.byValue[Value{TagSet: v.TagSet, Kind: k, LACV: v.LACV}]
			if !ok {
				continue
			}
			found = true
			if len(pl.cats[i].add) > 0 {
				continue // it has an equivalent: nothing is lost
			}
			pl.cats[i].drop = "it is listed as discardable"
			b.warnDropped(0, i)
		}
		if !found {
			b.problems = append(b.problems, Problem{Rule: "discard", Warning: true, Policy: b.from.name, Text: fmt.Sprintf(
				"policy %s has no %s value %d in tag set %s to discard", b.from.name, v.Kind, v.LACV, Quote(v.TagSet))})
		}
	}
}

// warnDropped tells the operator of a value that may be dropped though access depends on it.
func (b *planner) warnDropped(line, i int) {
	if t := b.from.cats[i].value.Kind.Type(); t != TypeInformative {
		b.problems = append(b.problems, Problem{Line: line, Rule: "discard", Warning: true, Policy: b.from.name, Text: fmt.Sprintf(
			"dropping %s removes a restriction (%s): more people can read the translated label", b.from.catWords(i), t)})
	}
}
