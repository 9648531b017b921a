package labels

import "strings"

// texts checks what is shown to people and hands the entries of a container (securityClassifications, privacyMarks) on
// to each member. Open XML SPIF 2.1 gives containers markings without saying what they mean; ours: they hold for every
// member that has no phrase of its own, and their qualifiers come after the member's.
func (c *compiler) texts() {
	s := &c.spec
	for i := range c.p.classes {
		cl := &c.p.classes[i]
		cl.Markings = inherit(cl.Markings, s.ClassMarkings)
		cl.Qualifiers = append(cl.Qualifiers[:len(cl.Qualifiers):len(cl.Qualifiers)], s.ClassQualifiers...)
	}
	seen := map[string]bool{}
	for _, m := range s.Privacy.Marks {
		c.name(m.Line, "privacy-mark", "privacy mark", m.Name)
		if seen[m.Name] && m.Name != "" {
			c.problem(m.Line, "privacy-mark", "privacy mark %q is given twice", m.Name)
		}
		seen[m.Name] = true
		m.Markings = inherit(m.Markings, s.Privacy.Markings)
		m.Qualifiers = append(m.Qualifiers[:len(m.Qualifiers):len(m.Qualifiers)], s.Privacy.Qualifiers...)
		c.p.privacyMarks = append(c.p.privacyMarks, m)
	}
	if p := s.Privacy; p.Max > 0 && p.Min > p.Max {
		c.problem(s.Line, "privacy-mark", "privacy marks: selection limits %d to %d", p.Min, p.Max)
	}
}

// inherit adds the container's entries; those with a phrase only where the member has none, so that the container
// cannot rename a member in one language.
func inherit(own, container []MarkingSpec) []MarkingSpec {
	named := false
	for _, m := range own {
		named = named || m.HasPhrase
	}
	out := own[:len(own):len(own)]
	for _, m := range container {
		if !m.HasPhrase || !named {
			out = append(out, m)
		}
	}
	return out
}

// languages collects the languages of texts, in lower case.
func languages(into map[string]bool, ms []MarkingSpec, qs []QualifierSpec) {
	for _, m := range ms {
		into[strings.ToLower(m.Lang)] = true
	}
	for _, q := range qs {
		into[strings.ToLower(q.Lang)] = true
	}
}
