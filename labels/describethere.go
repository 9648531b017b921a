package labels

import (
	"fmt"
	"slices"
)

// What a policy says of others. A policy names what is in another one by number; words have names where that policy is
// at hand.

// EquivalenceInfo is one equivalence of a classification or of a value with another policy.
type EquivalenceInfo struct {
	Policy, ID string // what this policy calls the other one, and its identifier
	Applied    Applied

	class *EquivalentClassSpec    // copies; one of the two
	value *EquivalentCategorySpec // ...
}

// Words says what it is equal to, for which direction, and what a label gets besides: with names where r has the other
// policy, else with numbers.
func (e EquivalenceInfo) Words(r *Registry) string {
	to, _ := r.Policy(e.ID)
	way := e.Applied.Words()
	switch {
	case e.class != nil:
		words := fmt.Sprintf("%s %s, %s", e.Policy, to.classThere(e.class.LACV), way)
		for _, w := range to.requiredThere(e.class.Required) {
			words += ", adding " + w
		}
		return words
	case e.value == nil:
		return ""
	case e.value.Discard:
		return fmt.Sprintf("%s: may be dropped, %s", e.Policy, way)
	}
	return fmt.Sprintf("%s %s, %s", e.Policy, to.valueThere(e.value), way)
}

// Words says the direction as an operator sees it.
func (a Applied) Words() string {
	switch a {
	case AppliedEncrypt:
		return "for what leaves"
	case AppliedDecrypt:
		return "for what comes"
	case AppliedBoth:
		return "both ways"
	case NoApplied:
	}
	return "no way"
}

// classThere names a classification of p, which may be nil.
func (p *Policy) classThere(lacv uint32) string {
	if p != nil {
		if i, ok := p.byClass[lacv]; ok {
			return p.classes[i].Name
		}
	}
	return fmt.Sprintf("classification %d", lacv)
}

// valueThere names a value of p, which may be nil.
func (p *Policy) valueThere(e *EquivalentCategorySpec) string {
	kinds := []Kind{e.Kind}
	if e.Kind == InformativeBits {
		kinds = append(kinds, InformativeEnum)
	}
	for _, k := range kinds {
		if p == nil {
			break
		}
		if b, ok := p.byValue[Value{TagSet: e.TagSet, Kind: k, LACV: e.LACV}]; ok {
			return p.catWords(b)
		}
	}
	return fmt.Sprintf("%s value %d of %s", e.Kind.thereWords(), e.LACV, e.TagSet)
}

// requiredThere says what requirements in p ask for; p may be nil.
func (p *Policy) requiredThere(specs []RequiredSpec) []string {
	var out []string
	for _, s := range specs {
		r := requirement{op: s.Operation}
		for _, g := range s.Groups {
			there := group{words: g.String()}
			if p != nil {
				if found, rule, _ := p.group(g); rule == "" {
					there = found
				}
			}
			r.groups = append(r.groups, there)
		}
		out = append(out, r.String())
	}
	return out
}

// EquivalentInfo is a policy that this one has equivalences with. Name is what this one calls it.
type EquivalentInfo struct {
	Name, ID string
	required []RequiredSpec
}

// Adds says what every translated label gets there, with names where r has that policy.
func (e EquivalentInfo) Adds(r *Registry) []string {
	to, _ := r.Policy(e.ID)
	return to.requiredThere(e.required)
}

// Equivalents returns the policies that this one has equivalences with.
func (p *Policy) Equivalents() []EquivalentInfo {
	if p == nil {
		return nil
	}
	out := make([]EquivalentInfo, 0, len(p.equivalents))
	for _, e := range p.equivalents {
		out = append(out, EquivalentInfo{Name: e.Name, ID: e.ID, required: e.Required})
	}
	return out
}

func (p *Policy) classEquivalences(c *class) []EquivalenceInfo {
	var out []EquivalenceInfo
	for _, e := range c.Equivalents {
		out = append(out, EquivalenceInfo{Policy: e.Policy, ID: p.equivalentID(e.Policy), Applied: e.Applied, class: &e})
	}
	return out
}

func (p *Policy) valueEquivalences(c *category) []EquivalenceInfo {
	var out []EquivalenceInfo
	for _, e := range c.Equivalents {
		out = append(out, EquivalenceInfo{Policy: e.Policy, ID: p.equivalentID(e.Policy), Applied: e.Applied, value: &e})
	}
	return out
}

// equivalentID is the identifier of the policy that p calls by that name.
func (p *Policy) equivalentID(name string) string {
	i := slices.IndexFunc(p.equivalents, func(e EquivalentPolicySpec) bool { return e.Name == name })
	if i < 0 {
		return ""
	}
	return p.equivalents[i].ID
}
