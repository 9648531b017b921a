package labels

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// What a policy holds, for tools, catalogues and tables of markings. All of it is copied: nothing handed out can
// change the policy.

// ClassInfo is one classification.
type ClassInfo struct {
	Name        string
	LACV        uint32
	Hierarchy   int
	Color       string
	Obsolete    bool
	Required    []string // words of each rule
	Equivalents []EquivalenceInfo
}

// CategoryInfo is one category value.
type CategoryInfo struct {
	Value               Value
	Tag                 int // position in Tags
	Name                string
	Obsolete            bool
	Typed               bool // typed by users: never usable
	NotBefore, NotAfter time.Time
	Rules               []string // words of each rule
	Equivalents         []EquivalenceInfo
}

// TagInfo is one tag with its values.
type TagInfo struct {
	Name               string
	TagSet, TagSetName string // OID and name
	Kind               Kind
	Single             bool
	Min, Max           int // when the tag is used; Max 0 is unbounded
	Categories         []CategoryInfo
}

// PrivacyMarkInfo is a privacy mark that the policy knows.
type PrivacyMarkInfo struct {
	Name     string
	Obsolete bool
}

// Classes returns the classifications by hierarchy, lowest first.
func (p *Policy) Classes() []ClassInfo {
	if p == nil {
		return nil
	}
	out := make([]ClassInfo, 0, len(p.classes))
	for i := range p.classes {
		c := &p.classes[i]
		info := ClassInfo{
			Name: c.Name, LACV: c.LACV, Hierarchy: c.Hierarchy, Color: c.Color, Obsolete: c.Obsolete,
			Required: requirementWords("", c.required), Equivalents: p.classEquivalences(c),
		}
		out = append(out, info)
	}
	slices.SortStableFunc(out, func(a, b ClassInfo) int { return cmp.Compare(a.Hierarchy, b.Hierarchy) })
	return out
}

// Tags returns the tags with their values in document order.
func (p *Policy) Tags() []TagInfo {
	if p == nil {
		return nil
	}
	out := make([]TagInfo, 0, len(p.tags))
	for i := range p.tags {
		t := &p.tags[i]
		set := &p.sets[t.set]
		info := TagInfo{
			Name: t.Name, TagSet: set.id, TagSetName: set.name, Kind: t.Kind, Single: t.Single, Min: t.Min, Max: t.Max,
			Categories: make([]CategoryInfo, 0, t.hi-t.lo),
		}
		for b := t.lo; b < t.hi; b++ {
			info.Categories = append(info.Categories, p.categoryInfo(b))
		}
		out = append(out, info)
	}
	return out
}

// Category describes one value.
func (p *Policy) Category(v Value) (CategoryInfo, bool) {
	if p == nil {
		return CategoryInfo{}, false
	}
	b, ok := p.byValue[v]
	if !ok {
		return CategoryInfo{}, false
	}
	return p.categoryInfo(b), true
}

func (p *Policy) categoryInfo(b int) CategoryInfo {
	c := &p.cats[b]
	info := CategoryInfo{
		Value: c.value, Tag: c.tag, Name: c.Name, Obsolete: c.Obsolete, Typed: c.Typed, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
	}
	if c.requiredClass >= 0 {
		info.Rules = append(info.Rules, "only with "+p.classes[c.requiredClass].Name)
	}
	for i := c.excluded.next(0); i >= 0; i = c.excluded.next(i + 1) {
		info.Rules = append(info.Rules, "not with "+p.classes[i].Name)
	}
	info.Rules = append(info.Rules, requirementWords("needs ", c.required)...)
	for _, g := range c.excludes {
		info.Rules = append(info.Rules, "not with "+g.words)
	}
	info.Equivalents = p.valueEquivalences(c)
	return info
}

// PrivacyMarks returns the privacy marks that the policy knows, in document order.
func (p *Policy) PrivacyMarks() []PrivacyMarkInfo {
	if p == nil {
		return nil
	}
	out := make([]PrivacyMarkInfo, 0, len(p.privacyMarks))
	for _, m := range p.privacyMarks {
		out = append(out, PrivacyMarkInfo{Name: m.Name, Obsolete: m.Obsolete})
	}
	return out
}

// Languages returns the languages that texts of the policy have, in lower case and sorted. Texts without language are
// the policy's own and are not listed.
func (p *Policy) Languages() []string {
	if p == nil {
		return nil
	}
	all := map[string]bool{}
	languages(all, p.markings, p.qualifiers)
	for i := range p.classes {
		languages(all, p.classes[i].Markings, p.classes[i].Qualifiers)
	}
	for i := range p.tags {
		languages(all, nil, p.tags[i].Qualifiers)
	}
	for i := range p.cats {
		languages(all, p.cats[i].Markings, p.cats[i].Qualifiers)
	}
	for i := range p.privacyMarks {
		languages(all, p.privacyMarks[i].Markings, p.privacyMarks[i].Qualifiers)
	}
	delete(all, "")
	return slices.Sorted(maps.Keys(all))
}

// Period returns when the policy is valid; zero is unlimited.
func (p *Policy) Period() (notBefore, notAfter time.Time) {
	if p == nil {
		return time.Time{}, time.Time{}
	}
	return p.notBefore, p.notAfter
}

// About returns what the policy's file says of itself.
func (p *Policy) About() About {
	if p == nil {
		return About{}
	}
	a := p.about
	a.Extensions = slices.Clone(a.Extensions)
	return a
}

// PrivilegeID returns the syntax that the policy wants for categories in binary clearances, dotted, "" for none.
func (p *Policy) PrivilegeID() string { return p.About().Privilege }

// RBACID returns the syntax that the policy wants for categories in binary labels, dotted, "" for none.
func (p *Policy) RBACID() string { return p.About().RBAC }

// DefaultPolicy names the policy for data without label (defaultSecurityPolicyId). It has no effect by itself.
func (p *Policy) DefaultPolicy() PolicyRef { return p.About().Default }

func requirementWords(before string, rs []requirement) []string {
	var out []string
	for i := range rs {
		out = append(out, before+rs[i].String())
	}
	return out
}

// String names the group without its policy: "restrictive 3 of Caveats".
func (g GroupSpec) String() string {
	if g.Any {
		return anyOf(g.Kind.thereWords(), g.TagSet)
	}
	return g.Kind.thereWords() + " " + strconv.FormatUint(uint64(g.LACV), 10) + " of " + g.TagSet
}

// thereWords names a kind in a reference, where bits stand for both informative kinds.
func (k Kind) thereWords() string {
	if k.Type() == TypeInformative {
		return "informative"
	}
	return k.String()
}
