package labelproof_test

import (
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// today is when every label is judged.
var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// inventor makes policies, labels and clearances from one seed.
type inventor struct{ *rand.Rand }

func newInventor(seed uint64) inventor { return inventor{rand.New(rand.NewPCG(seed, 0x5a11))} }

func (r inventor) chance(percent int) bool { return r.IntN(100) < percent }

var naiveKinds = []naiveTag{
	{TagType: "restrictive"},
	{TagType: "permissive"},
	{TagType: "enumerated", EnumType: "restrictive"},
	{TagType: "enumerated", EnumType: "permissive"},
	{TagType: "tagType7", Encoding: "bitSetAttributes"},
	{TagType: "tagType7", Encoding: "securityAttributes"},
}

// policy invents a policy: first the values, then rules about them.
func (r inventor) policy() *naivePolicy {
	p := &naivePolicy{}
	p.Identity.ID = fmt.Sprintf("2.999.%d", 1+r.IntN(1000))
	if r.chance(5) {
		p.NotAfter = r.date()
	}
	for i := range 1 + r.IntN(5) {
		p.Classes = append(p.Classes, naiveClass{Name: fmt.Sprintf("CLASS%d", i), LACV: i*3 + r.IntN(3)})
	}
	for i := range r.IntN(5) {
		s := naiveSet{Name: fmt.Sprintf("Set %d", i), ID: fmt.Sprintf("%s.%d", p.Identity.ID, i+1)}
		next := map[string]int{} // numbers are unique for a set and kind
		for range 1 + r.IntN(3) {
			t := naiveKinds[r.IntN(len(naiveKinds))]
			for k := range 1 + r.IntN(6) {
				lacv := next[t.kind()] + 1 + r.IntN(20)
				next[t.kind()] = lacv
				t.Categories = append(t.Categories, naiveCategory{Name: fmt.Sprintf("V%d-%d", lacv, k), LACV: lacv - 1})
			}
			s.Tags = append(s.Tags, t)
		}
		p.Sets = append(p.Sets, s)
	}
	r.rules(p)
	return p
}

func (r inventor) rules(p *naivePolicy) {
	for i := range p.Classes {
		if r.chance(20) {
			p.Classes[i].Required = r.required(p)
		}
	}
	for i := range p.Sets {
		for j := range p.Sets[i].Tags {
			t := &p.Sets[i].Tags[j]
			switch { // limits that no label can meet are refused with the policy
			case r.chance(10):
				t.Single = true
			case r.chance(10):
				t.Min, t.Max = fmt.Sprint(r.IntN(2)), fmt.Sprint(1+r.IntN(4))
			case r.chance(5) && len(t.Categories) > 1:
				t.Min, t.Max = "2", "unbounded"
			}
			for k := range t.Categories {
				r.category(p, &t.Categories[k])
			}
		}
	}
}

func (r inventor) category(p *naivePolicy, c *naiveCategory) {
	class := func() string { return p.Classes[r.IntN(len(p.Classes))].Name }
	if r.chance(6) {
		c.Excluded = []string{class()}
	}
	if r.chance(3) {
		c.RequiredClass = class()
	}
	if r.chance(5) {
		c.Required = r.required(p)
	}
	if r.chance(5) {
		if g := r.group(p); g.All || g.LACV != fmt.Sprint(c.LACV) { // one that excludes itself is refused
			c.Excludes = append(c.Excludes, g)
		}
	}
	if r.chance(2) {
		c.NotBefore = r.date()
	} else if r.chance(2) {
		c.NotAfter = r.date()
	}
}

func (r inventor) date() string {
	return today.AddDate(0, 0, r.IntN(400)-200).Format(time.RFC3339)
}

func (r inventor) required(p *naivePolicy) []naiveRequired {
	if len(p.Sets) == 0 {
		return nil
	}
	var out []naiveRequired
	for range 1 + r.IntN(2) {
		req := naiveRequired{Operation: []string{"all", "oneOrMore", "onlyOne"}[r.IntN(3)]}
		for range 1 + r.IntN(3) {
			req.Groups = append(req.Groups, r.group(p))
		}
		out = append(out, req)
	}
	return out
}

// group refers to one value, or to all of a kind in a set.
func (r inventor) group(p *naivePolicy) naiveGroup {
	s := &p.Sets[r.IntN(len(p.Sets))]
	t := &s.Tags[r.IntN(len(s.Tags))]
	g := naiveGroup{Set: s.Name, TagType: t.TagType, EnumType: t.EnumType}
	switch {
	case r.chance(60):
		g.LACV = fmt.Sprint(t.Categories[r.IntN(len(t.Categories))].LACV)
	case r.chance(50):
		g.All = true
	}
	return g
}

// values lists every value of the policy.
func (p *naivePolicy) values() []naiveValue {
	var out []naiveValue
	for i := range p.Sets {
		for j := range p.Sets[i].Tags {
			out = append(out, p.Sets[i].Tags[j].values(&p.Sets[i])...)
		}
	}
	return out
}

func (r inventor) label(p *naivePolicy, all []naiveValue) naiveLabel {
	l := naiveLabel{Class: p.Classes[r.IntN(len(p.Classes))].LACV, Values: map[naiveValue]bool{}}
	for range min(len(all), r.IntN(5)) {
		l.Values[all[r.IntN(len(all))]] = true
	}
	return l
}

// clearance invents one that often comes close to covering the label.
func (r inventor) clearance(p *naivePolicy, all []naiveValue, l naiveLabel) naiveClearance {
	c := naiveClearance{Classes: map[int]bool{}, Values: map[naiveValue]bool{}}
	for _, k := range p.Classes {
		if r.chance(60) {
			c.Classes[k.LACV] = true
		}
	}
	c.Classes[l.Class] = r.chance(85)
	for range min(len(all), r.IntN(6)) {
		c.Values[all[r.IntN(len(all))]] = true
	}
	for v := range l.Values {
		if r.chance(70) {
			c.Values[v] = true
		}
	}
	return c
}

// spif writes the policy as a file.
func (p *naivePolicy) spif() []byte {
	var b strings.Builder
	esc := func(s string) string {
		var e strings.Builder
		_ = xml.EscapeText(&e, []byte(s))
		return e.String()
	}
	attr := func(name, value string) string {
		if value == "" {
			return ""
		}
		return fmt.Sprintf(" %s=%q", name, esc(value))
	}
	group := func(tag string, g naiveGroup) {
		all := ""
		if g.All {
			all = "true"
		}
		fmt.Fprintf(&b, "<%s%s%s%s%s%s/>", tag, attr("tagSetRef", g.Set), attr("tagType", g.TagType), attr("enumType", g.EnumType),
			attr("lacv", g.LACV), attr("all", all))
	}
	required := func(all []naiveRequired) {
		for _, q := range all {
			fmt.Fprintf(&b, "<requiredCategory%s>", attr("operation", q.Operation))
			for _, g := range q.Groups {
				group("categoryGroup", g)
			}
			b.WriteString("</requiredCategory>")
		}
	}
	fmt.Fprintf(&b, `<SPIF xmlns="http://www.xmlspif.org/spif" schemaVersion="2.1" version="1" creationDate="20260101000000Z" originatorDN="CN=x" `+
		`keyIdentifier="00" privilegeId="2.16.840.1.101.2.1.8.3" rbacId="2.16.840.1.101.2.1.8.3"%s%s>`, attr("notBefore", p.NotBefore), attr("notAfter", p.NotAfter))
	fmt.Fprintf(&b, "<securityPolicyId name=\"P\" id=%q/><securityClassifications>", p.Identity.ID)
	for i, c := range p.Classes {
		fmt.Fprintf(&b, "<securityClassification name=%q lacv=\"%d\" hierarchy=\"%d\">", c.Name, c.LACV, i+1)
		required(c.Required)
		b.WriteString("</securityClassification>")
	}
	b.WriteString("</securityClassifications>")
	if len(p.Sets) > 0 {
		b.WriteString("<securityCategoryTagSets>")
	}
	for _, s := range p.Sets {
		fmt.Fprintf(&b, "<securityCategoryTagSet name=%q id=%q>", s.Name, s.ID)
		for _, t := range s.Tags {
			single := ""
			if t.Single {
				single = "true"
			}
			fmt.Fprintf(&b, "<securityCategoryTag name=\"t\"%s%s%s%s%s%s>", attr("tagType", t.TagType), attr("enumType", t.EnumType),
				attr("tag7Encoding", t.Encoding), attr("singleSelection", single), attr("minSelection", t.Min), attr("maxSelection", t.Max))
			for _, c := range t.Categories {
				fmt.Fprintf(&b, "<tagCategory name=%q lacv=\"%d\"%s%s%s>", c.Name, c.LACV, attr("requiredClass", c.RequiredClass),
					attr("notBefore", c.NotBefore), attr("notAfter", c.NotAfter))
				for _, x := range c.Excluded {
					fmt.Fprintf(&b, "<excludedClass>%s</excludedClass>", esc(x))
				}
				required(c.Required)
				for _, g := range c.Excludes {
					group("excludedCategory", g)
				}
				b.WriteString("</tagCategory>")
			}
			b.WriteString("</securityCategoryTag>")
		}
		b.WriteString("</securityCategoryTagSet>")
	}
	if len(p.Sets) > 0 {
		b.WriteString("</securityCategoryTagSets>")
	}
	b.WriteString("</SPIF>")
	return []byte(b.String())
}
