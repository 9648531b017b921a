package catalogue

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/labels"
)

// Bounds of what is generated. Steps are labels looked at: a policy in which every value requires one of many others
// has more combinations than anybody can choose from.
const (
	DefaultItems = 200
	maxSteps     = 50_000
	maxAdded     = 8 // values that requirements may add to one label
)

// Generate says which labels of a policy to list. The zero value but for the time lists them all, up to DefaultItems.
type Generate struct {
	Name, Desc string // "" takes the name of the policy
	Restrict   bool

	Classes   []string // names of classifications; none: all
	TagSets   []string // names of tag sets whose values are listed; none: all
	ClassOnly bool     // classifications with what they require, and nothing else

	MaxItems  int               // 0 is DefaultItems; at most MaxItems
	Lang      string            // of the selectors
	Clearance *labels.Clearance // only what it covers; nil: everything, for a Filter to narrow
	At        time.Time         // only what is valid then; zero lists nothing

	// Default is the default item: by selector, or by marking in the language. It must be there.
	Default string
	// Unlabelled adds the offer to send without label, as the last item.
	Unlabelled bool
}

// FromPolicy makes a catalogue of a policy: for each classification, the highest first, the bare one and then one label
// for each category value that it allows, each with the values that the rules of the policy require beside it, in every
// combination that does. Only what is valid and has no obsolete part is listed. Where there is more than MaxItems, bare
// classifications come before single values, and those in document order; what is beyond is counted in Left. Equal
// arguments give equal catalogues.
func FromPolicy(p *labels.Policy, g Generate) (*Catalogue, error) {
	if p == nil {
		return nil, errorf(0, "no policy")
	}
	m, err := newMaker(p, g)
	if err != nil {
		return nil, err
	}
	m.bare()
	if !g.ClassOnly {
		m.single()
	}
	c := &Catalogue{Name: g.Name, Desc: g.Desc, Restrict: g.Restrict, Left: m.left}
	if c.Name == "" {
		c.Name = shortened(p.Name())
	}
	for _, ls := range m.found {
		for _, l := range ls {
			c.Items = append(c.Items, Item{Label: l})
		}
	}
	if g.Unlabelled {
		c.Items = append(c.Items, Item{})
	}
	c = c.WithSelectors(g.Lang)
	if err := c.choose(g.Default, g.Lang); err != nil {
		return nil, err
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	c.ID = c.Digest()
	return c, nil
}

func shortened(s string) string { return cut(part(s), MaxText) }

// choose marks the default item.
func (c *Catalogue) choose(name, lang string) error {
	if name == "" {
		return nil
	}
	for n, i := range c.Items {
		marking, _, _ := i.Label.Policy().Marking(i.Label, lang)
		if i.Selector == name || marking == name && marking != "" {
			c.Items[n].Default = true
			return nil
		}
	}
	return errorf(0, "no item is called %s, which should be the default", labels.Quote(name))
}

// maker collects labels by classification. It belongs to one call.
type maker struct {
	p       *labels.Policy
	g       Generate
	classes []labels.ClassInfo // highest first
	values  []labels.Value     // document order
	found   [][]*labels.Label  // beside classes
	seen    map[string]bool
	room    int
	steps   int
	left    Left
}

func newMaker(p *labels.Policy, g Generate) (*maker, error) {
	m := &maker{p: p, g: g, seen: map[string]bool{}, room: g.MaxItems}
	if m.room <= 0 {
		m.room = DefaultItems
	}
	m.room = min(m.room, MaxItems)
	if g.Unlabelled {
		m.room--
	}
	classes := p.Classes()
	slices.Reverse(classes)
	for _, c := range classes {
		switch {
		case len(g.Classes) > 0 && !containsFold(g.Classes, c.Name):
		case c.Obsolete:
			m.left.Obsolete++
		default:
			m.classes = append(m.classes, c)
		}
	}
	for _, name := range g.Classes {
		if _, ok := p.ClassNamed(name); !ok {
			return nil, errorf(0, "policy %s has no classification %s", p.Name(), labels.Quote(name))
		}
	}
	for _, name := range g.TagSets {
		if _, err := p.TagSetNamed("", name); err != nil {
			return nil, because(0, err)
		}
	}
	for _, t := range p.Tags() {
		if len(g.TagSets) > 0 && !containsFold(g.TagSets, t.TagSetName) {
			continue
		}
		for _, v := range t.Categories {
			switch {
			case v.Obsolete:
				m.left.Obsolete++
			case !v.Typed:
				m.values = append(m.values, v.Value)
			}
		}
	}
	m.found = make([][]*labels.Label, len(m.classes))
	return m, nil
}

func containsFold(names []string, s string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, s) })
}

func (m *maker) bare() {
	for n := range m.classes {
		m.complete(n, nil, 0)
	}
}

func (m *maker) single() {
	for _, v := range m.values {
		for n := range m.classes {
			m.complete(n, []labels.Value{v}, 0)
		}
	}
}

// complete adds to the values what the first unmet rule wants, in every way there is, until a label is valid or cannot
// become so.
func (m *maker) complete(class int, values []labels.Value, added int) {
	if m.steps++; m.steps > maxSteps {
		m.left.Beyond++
		return
	}
	form := labels.LabelForm{Policy: m.p.ID(), Class: m.classes[class].LACV, Values: values}
	l, err := m.p.Label(form)
	if err != nil {
		return // a value of the policy's own list always resolves
	}
	k := key(l)
	if m.seen[k] {
		return
	}
	m.seen[k] = true
	if m.p.Validate(l, m.g.At).Granted {
		m.keep(class, l)
		return
	}
	needs := l.Unmet()
	if len(needs) == 0 || added == maxAdded {
		if added == 0 {
			m.left.Invalid++
		}
		return
	}
	for _, v := range additions(needs[0]) {
		m.complete(class, append(slices.Clone(values), v), added+1)
	}
}

// additions are the values each of which takes a step towards the rule. There are none for a rule that wants exactly
// one group and has more.
func additions(n labels.Need) []labels.Value {
	if n.Operation == labels.OnlyOne && slices.Contains(n.Matched, true) {
		return nil
	}
	var out []labels.Value
	for i, g := range n.Groups {
		if n.Matched[i] {
			continue
		}
		out = append(out, g...)
		if n.Operation == labels.All {
			break // the others are wanted too: one after the other
		}
	}
	return out
}

func (m *maker) keep(class int, l *labels.Label) {
	switch {
	case m.g.At.IsZero():
		m.left.Invalid++
	case len(l.Obsolete()) > 0:
		m.left.Obsolete++
	case m.g.Clearance != nil && !m.p.Decide(l, m.g.Clearance).Granted:
		m.left.NotCleared++
	case m.room == 0:
		m.left.Beyond++
	default:
		m.room--
		m.found[class] = append(m.found[class], l)
	}
}

// String says what was left out, "" for nothing.
func (l Left) String() string {
	var out []string
	for _, w := range [...]struct {
		n    int
		what string
	}{
		{l.Obsolete, "obsolete"},
		{l.Invalid, "not valid"},
		{l.NotCleared, "not cleared"},
		{l.NotTranslated, "without translation"},
		{l.Unlabelled, "without label"},
		{l.Beyond, "beyond the limit"},
	} {
		if w.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	return strings.Join(out, ", ")
}
