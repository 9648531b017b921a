package labels

import (
	"fmt"
	"slices"
	"strings"
)

// backward reads the target policy's own equivalences from right to left (reading B): the other side's policy says
// nothing of ours, or is not trusted to. What a requiredCategory adds outbound has no meaning backwards: such a value
// must map or be discardable like any other.
func (b *planner) backward() *plan {
	pl := &plan{
		classes: make([]classPlan, len(b.from.classes)), cats: make([]catPlan, len(b.from.cats)),
		sets: make([][]*demand, len(b.from.sets)),
	}
	b.equivalent(b.to, b.from.id)
	meant := b.to.refersTo(b.from.id)
	b.backwardClasses(pl, meant)
	candidates := b.backwardCategories(meant)
	for i := range pl.cats {
		pl.cats[i] = b.choose(i, candidates[i])
	}
	return pl
}

// backwardClasses takes the highest of several candidates. An obsolete classification is none.
func (b *planner) backwardClasses(pl *plan, meant func(string) bool) {
	for i := range pl.classes {
		pl.classes[i] = classPlan{to: -1, why: b.none(b.from.classes[i].Name, false)}
	}
	for local := range b.to.classes {
		c := &b.to.classes[local]
		for _, e := range c.Equivalents {
			if !meant(e.Policy) {
				continue
			}
			foreign, ok := b.from.byClass[e.LACV]
			if !ok {
				b.warn(e.Line, "equivalent-classification", "%s stands for classification %d, which %s does not have", c.Name, e.LACV, b.from.name)
				continue
			}
			best := &pl.classes[foreign]
			switch {
			case !b.applies(e.Applied):
				if best.to < 0 {
					best.why = b.none(b.from.classes[foreign].Name, true)
				}
			case c.Obsolete:
			case best.to < 0 || c.Hierarchy > b.to.classes[best.to].Hierarchy:
				best.to = local
			}
		}
	}
}

// backwardCategories collects the local values that each foreign one may mean.
func (b *planner) backwardCategories(meant func(string) bool) [][]int {
	out := make([][]int, len(b.from.cats))
	for local := range b.to.cats {
		c := &b.to.cats[local]
		for _, e := range c.Equivalents {
			if !meant(e.Policy) || e.Discard || !b.applies(e.Applied) {
				continue
			}
			foreign, why := b.target(b.from, e)
			if why != "" {
				b.warn(e.Line, "equivalent-category", "%s stands for a value that %s", b.to.catWords(local), why)
				continue
			}
			if !c.Obsolete && !c.Typed && !slices.Contains(out[foreign], local) {
				out[foreign] = append(out[foreign], local)
			}
		}
	}
	return out
}

// choose takes the only candidate. Of several, all are added where each restricts or only informs; where one of them
// permits none is certain, and choosing would open the label to people its author did not name.
func (b *planner) choose(foreign int, locals []int) catPlan {
	words := b.from.catWords(foreign)
	if len(locals) == 0 {
		return catPlan{why: b.none(words, false)}
	}
	if len(locals) > 1 {
		names := make([]string, len(locals))
		permits := false
		for i, n := range locals {
			names[i] = b.to.catWords(n)
			permits = permits || b.to.cats[n].value.Kind.Type() == TypePermissive
		}
		if permits {
			return catPlan{why: fmt.Sprintf("%s may be %s in %s: none is certain", words, strings.Join(names, " or "), b.to.name)}
		}
	}
	return catPlan{add: locals}
}
