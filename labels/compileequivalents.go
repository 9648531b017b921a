package labels

import "slices"

// equivalents checks the equivalences with other policies, as far as this policy alone can tell: names, identifiers,
// directions. What they name in the other policy is for Registry.Check. References are kept with the name that
// equivalentPolicies has.
func (c *compiler) equivalents() {
	seen, ids := newNames(), map[string]string{}
	for _, e := range c.spec.Equivalents {
		c.unique(e.Line, "equivalent-policy", "equivalent policy", e.Name, seen)
		switch o, twice := ids[e.ID]; {
		case CheckOID(e.ID) != nil:
			c.problem(e.Line, "equivalent-policy", "equivalent policy %q: identifier %s is not an object identifier", e.Name, Quote(e.ID))
		case twice:
			c.problem(e.Line, "equivalent-policy", "equivalent policies %q and %q have the same identifier %s", o, e.Name, e.ID)
		case e.ID == c.spec.ID:
			c.problem(e.Line, "equivalent-policy", "equivalent policy %q is this policy itself", e.Name)
		}
		ids[e.ID] = e.Name
		c.there(e.Required)
		c.p.equivalents = append(c.p.equivalents, e)
	}
	for i := range c.p.classes {
		c.classEquivalents(&c.p.classes[i].ClassSpec)
	}
	for i := range c.p.cats {
		c.categoryEquivalents(&c.p.cats[i].CategorySpec)
	}
	for i := range c.p.sets {
		s := &c.p.sets[i]
		s.equivalents = slices.Clone(s.equivalents)
		for j := range s.equivalents {
			e := &s.equivalents[j]
			e.Policy = c.policyRef(e.Line, e.Policy)
			if e.ID != "" && CheckOID(e.ID) != nil {
				c.problem(e.Line, "equivalent-tag-set", "tag set %q: identifier %s of its equivalent is not an object identifier", s.name, Quote(e.ID))
			}
			c.there(e.Required)
		}
	}
}

// policyRef returns the name as equivalentPolicies has it.
func (c *compiler) policyRef(line int, ref string) string {
	all := c.spec.Equivalents
	at := func(i int) string { return all[i].Name }
	i := findName(len(all), at, ref)
	if i < 0 {
		c.problem(line, "policy-reference", "there is no equivalent policy %s%s", Quote(ref), perhaps(ref, len(all), at))
		return ref
	}
	return all[i].Name
}

func (c *compiler) classEquivalents(s *ClassSpec) {
	s.Equivalents = slices.Clone(s.Equivalents)
	type direction struct {
		policy  string
		encrypt bool
	}
	taken := map[direction]bool{}
	for i := range s.Equivalents {
		e := &s.Equivalents[i]
		e.Policy = c.policyRef(e.Line, e.Policy)
		if e.LACV > MaxNumber {
			c.problem(e.Line, "equivalent-class", "classification %q: lacv %d of its equivalent is too large", s.Name, e.LACV)
		}
		c.direction(e.Line, e.Applied)
		for _, d := range []direction{{e.Policy, true}, {e.Policy, false}} {
			if applies := d.encrypt && e.Applied.Encrypt() || !d.encrypt && e.Applied.Decrypt(); !applies {
				continue
			}
			if taken[d] {
				c.problem(e.Line, "equivalent-class", "classification %q has two equivalents in policy %q in one direction: which of them is meant?", s.Name, e.Policy)
			}
			taken[d] = true
		}
		c.there(e.Required)
	}
}

func (c *compiler) categoryEquivalents(s *CategorySpec) {
	s.Equivalents = slices.Clone(s.Equivalents)
	for i := range s.Equivalents {
		e := &s.Equivalents[i]
		e.Policy = c.policyRef(e.Line, e.Policy)
		c.direction(e.Line, e.Applied)
		if !e.Discard {
			c.equivalentValue(s, e)
		}
		for _, o := range s.Equivalents[:min(i, maxCompared)] {
			if o.Policy != e.Policy || !(o.Applied.Encrypt() && e.Applied.Encrypt() || o.Applied.Decrypt() && e.Applied.Decrypt()) {
				continue
			}
			switch {
			case o.Discard != e.Discard:
				c.warn(e.Line, "equivalent-category", "category %q has an equivalent in policy %q and may be dropped: it is not dropped", s.Name, e.Policy)
			case o.TagSet == e.TagSet && o.Kind == e.Kind && o.LACV == e.LACV:
				c.warn(e.Line, "equivalent-category", "category %q names the same equivalent in policy %q twice", s.Name, e.Policy)
			}
		}
	}
}

func (c *compiler) equivalentValue(s *CategorySpec, e *EquivalentCategorySpec) {
	if err := CheckOID(e.TagSet); err != nil {
		c.problem(e.Line, "equivalent-category", "category %q: tagSetId %s of its equivalent: %v", s.Name, Quote(e.TagSet), err)
	}
	if e.Kind.Type() == NoType || e.LACV > MaxNumber || (e.Kind == Restrictive || e.Kind == Permissive) && e.LACV > MaxBit {
		c.problem(e.Line, "equivalent-category", "category %q: its equivalent has no usable type or lacv (%s, %d)", s.Name, e.Kind, e.LACV)
	}
}

func (c *compiler) direction(line int, a Applied) {
	if !a.Encrypt() && !a.Decrypt() {
		c.problem(line, "applied", "an equivalence needs a direction: encrypt, decrypt or both")
	}
}

// there checks requirements in another policy, without that policy.
func (c *compiler) there(specs []RequiredSpec) {
	for _, s := range specs {
		if len(s.Groups) == 0 {
			c.problem(s.Line, "required-category", "a required category without a categoryGroup can never be checked: name one or remove it")
		}
		if s.Operation > OnlyOne {
			c.problem(s.Line, "operation", "a required category has an operation that nobody knows (%d)", s.Operation)
		}
		for _, g := range s.Groups {
			if g.TagSet == "" || g.Kind.Type() == NoType {
				c.problem(g.Line, "required-category", "a categoryGroup needs the name of a tag set and a type")
			}
		}
	}
}
