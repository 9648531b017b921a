package labels

// What a maker of labels asks, besides whether one is valid: catalogues, pickers.

// Need is a rule about categories that must be present: which of its groups of values the operation wants.
type Need struct {
	Operation Operation
	Groups    [][]Value // one value of a group is enough for the group
	Matched   []bool    // the groups of which the label has a value
}

// Unmet returns the rules about required categories that the label does not satisfy, those of its classification first.
// Adding values is all that can satisfy one, except an OnlyOne with more than one match.
func (l *Label) Unmet() []Need {
	if l == nil || l.policy == nil {
		return nil
	}
	p := l.policy
	out := p.unmet(nil, p.classes[l.class].required, l.bits)
	for b := l.bits.next(0); b >= 0; b = l.bits.next(b + 1) {
		out = p.unmet(out, p.cats[b].required, l.bits)
	}
	return out
}

func (p *Policy) unmet(out []Need, rs []requirement, have bitset) []Need {
	for i := range rs {
		if rs[i].satisfied(have) {
			continue
		}
		n := Need{Operation: rs[i].op}
		for _, g := range rs[i].groups {
			var vs []Value
			for b := g.mask.next(0); b >= 0; b = g.mask.next(b + 1) {
				vs = append(vs, p.cats[b].value)
			}
			n.Groups = append(n.Groups, vs)
			n.Matched = append(n.Matched, g.matches(have))
		}
		out = append(out, n)
	}
	return out
}

// Obsolete names the parts of the label that its policy keeps for old data alone (Open XML SPIF 2.1: obsolete). A label
// that has one is decided like any other; it is never offered and never made.
func (l *Label) Obsolete() []string {
	if l == nil || l.policy == nil {
		return nil
	}
	p := l.policy
	var out []string
	if c := &p.classes[l.class]; c.Obsolete {
		out = append(out, c.Name)
	}
	for b := l.bits.next(0); b >= 0; b = l.bits.next(b + 1) {
		if p.cats[b].Obsolete {
			out = append(out, p.catWords(b))
		}
	}
	if l.privacy == "" {
		return out
	}
	for _, m := range p.PrivacyMarks() {
		if m.Obsolete && m.Name == l.privacy {
			out = append(out, m.Name)
		}
	}
	return out
}
