package compact

import (
	"cmp"
	"maps"
	"slices"

	"sallyport/internal/xmpp/xmlstream"
)

// census counts in how many samples names and values stand.
type census struct {
	options TrainOptions
	at      int // the sample, from 1
	weight  int // of the sample
	names   map[xmlstream.Name]*seenIn
	values  map[string]*seenIn
	spoken  map[string]bool
	texts   []string
	bytes   int // of texts
}

func newCensus(o TrainOptions) *census {
	return &census{options: o, names: make(map[xmlstream.Name]*seenIn), values: make(map[string]*seenIn), spoken: make(map[string]bool)}
}

// ground counts a stanza of those that every model knows: once is enough, and its addresses and texts are of nobody.
func (c *census) ground(e *xmlstream.Element) {
	c.at++
	c.weight = seenValue
	c.element(e)
}

func (c *census) sample(e *xmlstream.Element) {
	c.at++
	c.weight = 1
	c.element(e)
}

func (c *census) isGround() bool { return c.weight > 1 }

type seenIn struct {
	samples, last int
	classes       uint8
}

func (c *census) element(e *xmlstream.Element) {
	c.name(e.Name())
	c.value(e.Space(), className)
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		c.name(a.Name)
		if a.Name.Local != "id" {
			c.whole(a.Value, classValue)
		}
	}
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		if n.Element != nil {
			c.element(n.Element)
			continue
		}
		switch textClass(e.Name()) {
		case classSpoken:
			c.said(n.Text)
		case classValue:
			c.whole(n.Text, classValue)
		case classAddress, classID, className:
		}
	}
}

func (c *census) name(n xmlstream.Name) {
	v := c.names[n]
	if v == nil {
		v = &seenIn{}
		c.names[n] = v
	}
	v.in(c)
}

// in counts a sample once.
func (v *seenIn) in(c *census) {
	if v.last != c.at {
		v.last = c.at
		v.samples += c.weight
	}
}

// whole counts a value, and if it is an address its parts.
func (c *census) whole(s string, as class) {
	switch {
	case !isAddress(s):
		c.value(s, as)
		return
	case c.isGround():
		return
	}
	local, domain, resource, full := splitAddress(s)
	c.value(s, 0)
	c.value(local, classAddress)
	c.value(domain, classAddress)
	if full {
		c.value(resource, classAddress)
	}
}

func (c *census) value(s string, as class) {
	if len(s) > mostValue {
		return
	}
	v := c.values[s]
	if v == nil {
		v = &seenIn{}
		c.values[s] = v
	}
	v.in(c)
	if as != 0 {
		v.classes |= 1 << as
	}
}

// said takes what somebody wrote, once.
func (c *census) said(s string) {
	if !c.options.Texts || c.isGround() {
		return
	}
	c.value(s, 0)
	if c.spoken[s] || c.bytes+len(s) > mostTexts {
		return
	}
	c.spoken[s] = true
	c.texts = append(c.texts, s)
	c.bytes += len(s)
}

func (c *census) chosenNames() []xmlstream.Name {
	names := slices.DeleteFunc(slices.Collect(maps.Keys(c.names)), func(n xmlstream.Name) bool { return c.names[n].samples < seenName })
	slices.SortFunc(names, func(a, b xmlstream.Name) int {
		return cmp.Or(cmp.Compare(c.names[b].samples, c.names[a].samples), cmp.Compare(a.Space, b.Space), cmp.Compare(a.Local, b.Local))
	})
	return names[:min(len(names), mostNames)]
}

func (c *census) chosenValues() (out []knownValue) {
	values := slices.DeleteFunc(slices.Collect(maps.Keys(c.values)), func(s string) bool { return c.values[s].samples < seenValue })
	slices.SortFunc(values, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.values[b].samples, c.values[a].samples), cmp.Compare(a, b))
	})
	for _, s := range values[:min(len(values), mostValues)] {
		out = append(out, knownValue{text: s, classes: c.values[s].classes})
	}
	return out
}
