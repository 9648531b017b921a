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
	names   map[xmlstream.Name]int
	values  map[string]*seenIn
	spoken  map[string]bool
	texts   []string
	bytes   int // of texts
	last    map[xmlstream.Name]int
}

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
	if c.last == nil {
		c.last = make(map[xmlstream.Name]int)
	}
	if c.last[n] != c.at {
		c.last[n] = c.at
		c.names[n]++
	}
}

// whole counts a value, and if it is an address its parts.
func (c *census) whole(s string, as class) {
	if !isAddress(s) {
		c.value(s, as)
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
	if v.last != c.at {
		v.last = c.at
		v.samples++
	}
	if as != 0 {
		v.classes |= 1 << as
	}
}

// said takes what somebody wrote, once.
func (c *census) said(s string) {
	if !c.options.Texts {
		return
	}
	c.value(s, 0)
	if c.spoken == nil {
		c.spoken = make(map[string]bool)
	}
	if c.spoken[s] || c.bytes+len(s) > mostTexts {
		return
	}
	c.spoken[s] = true
	c.texts = append(c.texts, s)
	c.bytes += len(s)
}

func (c *census) chosenNames() []xmlstream.Name {
	names := slices.DeleteFunc(slices.Collect(maps.Keys(c.names)), func(n xmlstream.Name) bool { return c.names[n] < seenName })
	slices.SortFunc(names, func(a, b xmlstream.Name) int {
		return cmp.Or(cmp.Compare(c.names[b], c.names[a]), cmp.Compare(a.Space, b.Space), cmp.Compare(a.Local, b.Local))
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
