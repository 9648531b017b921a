package labels

func (c *compiler) tagSets() {
	if n := len(c.spec.TagSets); n > MaxTagSets {
		c.problem(c.spec.Line, "tag-sets", "%d tag sets, at most %d", n, MaxTagSets)
		return
	}
	seen := newNames()
	for _, s := range c.spec.TagSets {
		c.unique(s.Line, "tag-set-name", "tag set", s.Name, seen)
		if err := CheckOID(s.ID); err != nil {
			c.problem(s.Line, "tag-set-id", "tag set %q: identifier %s: %v", s.Name, Quote(s.ID), err)
		}
		if _, twice := c.p.bySet[s.ID]; twice {
			c.problem(s.Line, "tag-set-id", "tag set %q: identifier %s is used twice", s.Name, s.ID)
		}
		set := len(c.p.sets)
		c.p.bySet[s.ID] = set
		c.p.sets = append(c.p.sets, tagSet{name: s.Name, id: s.ID, equivalents: s.Equivalents})
		byType := map[Type]map[string]bool{}
		for _, t := range s.Tags {
			c.tag(set, t, byType)
		}
	}
	if n := len(c.p.tags); n > MaxTags {
		c.problem(c.spec.Line, "tags", "%d tags, at most %d", n, MaxTags)
	}
	if n := len(c.p.cats); n > MaxCategories {
		c.problem(c.spec.Line, "categories", "%d categories, at most %d", n, MaxCategories)
	}
}

func (c *compiler) tag(set int, t TagSpec, byType map[Type]map[string]bool) {
	if t.Kind.Type() == NoType {
		c.problem(t.Line, "tag-type", "tag %q of tag set %q has no usable type", t.Name, c.p.sets[set].name)
	}
	if t.Name != "" { // it is for people and may repeat
		c.name(t.Line, "tag-name", "tag", t.Name)
	}
	if t.Min < 0 || t.Max < 0 || t.Max > 0 && t.Min > t.Max || t.Single && t.Min > 1 {
		c.problem(t.Line, "tag-selection", "tag %q: no number of values is allowed (minSelection %d, maxSelection %d, singleSelection %v)",
			t.Name, t.Min, t.Max, t.Single)
	} else if t.Min > len(t.Categories) {
		c.warn(t.Line, "tag-selection", "tag %q needs %d values and has %d: a label that uses it is always invalid", t.Name, t.Min, len(t.Categories))
	}
	elsewhere := byType[t.Kind.Type()]
	here := make(map[string]bool, len(t.Categories))
	if elsewhere == nil {
		elsewhere = map[string]bool{}
		byType[t.Kind.Type()] = elsewhere
	}
	lo := len(c.p.cats)
	seen := newNames()
	for _, s := range t.Categories {
		c.category(set, &t, s, seen)
		if elsewhere[s.Name] {
			c.warn(s.Line, "category-name", "two %s tags of tag set %q have a category %q: a STANAG 4774 label cannot name it",
				t.Kind.Type(), c.p.sets[set].name, s.Name)
		}
		here[s.Name] = true
	}
	for n := range here {
		elsewhere[n] = true
	}
	t.Categories = nil
	c.p.sets[set].tags = append(c.p.sets[set].tags, len(c.p.tags))
	c.p.tags = append(c.p.tags, tag{TagSpec: t, set: set, lo: lo, hi: len(c.p.cats)})
}

func (c *compiler) category(set int, t *TagSpec, s CategorySpec, seen names) {
	id := c.p.sets[set].id
	v := Value{TagSet: id, Kind: t.Kind, LACV: s.LACV}
	if _, twice := c.p.byValue[v]; twice {
		// On the wire a value is its tag set, kind and number alone.
		c.problem(s.Line, "category-lacv", "category %q: lacv %d is used twice for %s values of tag set %s", s.Name, s.LACV, t.Kind, id)
	}
	switch {
	case t.Kind.IsBits() && s.LACV > MaxBit:
		c.problem(s.Line, "category-lacv", "category %q: bit %d, the highest is %d", s.Name, s.LACV, MaxBit)
	case s.LACV > MaxNumber:
		c.problem(s.Line, "category-lacv", "category %q: lacv %d, the highest is %d", s.Name, s.LACV, MaxNumber)
	}
	c.unique(s.Line, "category-name", "category", s.Name, seen)
	c.period(s.Line, "category "+Quote(s.Name), s.NotBefore, s.NotAfter)
	if s.Typed {
		c.warn(s.Line, "user-input", "category %q is typed by users (userInput), which is not supported: a label or clearance with it is refused", s.Name)
	}
	c.p.byValue[v] = len(c.p.cats)
	c.p.cats = append(c.p.cats, category{CategorySpec: s, value: v, tag: len(c.p.tags), requiredClass: -1})
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
