package xmlstream

import (
	"slices"
	"strings"
)

// NewElement builds an element. Attributes and nodes are copied, children are shared. Empty texts are dropped and
// neighbouring texts joined, as a reader would see them.
//
// Nothing is checked here: an element with an impossible name, character or attribute can be built, but AppendElement
// refuses to write it, whole tree included.
func NewElement(name Name, attrs []Attr, nodes ...Node) *Element {
	return &Element{name: name, attrs: slices.Clone(attrs), nodes: joinTexts(nodes)}
}

// WithAttr returns e with the attribute set, in its old place or at the end.
func (e *Element) WithAttr(name Name, value string) *Element {
	attrs := make([]Attr, len(e.attrs), len(e.attrs)+1)
	copy(attrs, e.attrs)
	i := slices.IndexFunc(attrs, func(a Attr) bool { return a.Name == name })
	if i < 0 {
		attrs = append(attrs, Attr{Name: name, Value: value})
	} else {
		attrs[i].Value = value
	}
	return &Element{name: e.name, attrs: attrs, nodes: e.nodes}
}

// WithoutAttr returns e without the attribute, or e itself when it has none of that name.
func (e *Element) WithoutAttr(name Name) *Element {
	i := slices.IndexFunc(e.attrs, func(a Attr) bool { return a.Name == name })
	if i < 0 {
		return e
	}
	attrs := make([]Attr, 0, len(e.attrs)-1)
	attrs = append(append(attrs, e.attrs[:i]...), e.attrs[i+1:]...)
	return &Element{name: e.name, attrs: attrs, nodes: e.nodes}
}

// WithNodes returns e with other content: the same name and attributes around these nodes.
func (e *Element) WithNodes(nodes ...Node) *Element {
	return &Element{name: e.name, attrs: e.attrs, nodes: joinTexts(nodes)}
}

// MapChildren returns e with each child element replaced by f of it; a nil from f drops the child. Text stays. When f
// changes nothing the result is e itself.
func (e *Element) MapChildren(f func(*Element) *Element) *Element {
	var nodes []Node // nil as long as nothing has changed
	for i, n := range e.nodes {
		m := n
		if n.Element != nil {
			m.Element = f(n.Element)
		}
		if nodes == nil {
			if m.Element == n.Element {
				continue
			}
			nodes = append(make([]Node, 0, len(e.nodes)), e.nodes[:i]...)
		}
		nodes = append(nodes, m)
	}
	if nodes == nil {
		return e
	}
	return &Element{name: e.name, attrs: e.attrs, nodes: joinTexts(nodes)}
}

// Clone returns an equal element in memory of its own, as little as will do. It is for what is kept long: a child
// otherwise keeps the memory of the whole stanza it came in.
func (e *Element) Clone() *Element {
	if e == nil {
		return nil
	}
	var c cloner
	c.measure(e)
	c.text.Grow(c.bytes)
	c.elems = make([]Element, 0, c.numElems)
	c.attrs = make([]Attr, 0, c.numAttrs)
	c.nodes = make([]Node, 0, c.numNodes)
	return c.clone(e)
}

// cloner copies a tree into four blocks of exactly the size that measure found.
type cloner struct {
	text                                strings.Builder
	elems                               []Element
	attrs                               []Attr
	nodes                               []Node
	bytes, numElems, numAttrs, numNodes int
	spaces                              map[string]string // unknown namespaces: each is copied once
}

func (c *cloner) measure(e *Element) {
	c.numElems++
	c.numAttrs += len(e.attrs)
	c.numNodes += len(e.nodes)
	c.bytes += len(e.name.Local)
	for i := range e.attrs {
		c.bytes += len(e.attrs[i].Name.Local) + len(e.attrs[i].Value)
	}
	for i := range e.nodes {
		c.bytes += len(e.nodes[i].Text)
		if child := e.nodes[i].Element; child != nil {
			c.measure(child)
		}
	}
}

func (c *cloner) clone(e *Element) *Element {
	c.elems = append(c.elems, Element{name: c.name(e.name)})
	own := &c.elems[len(c.elems)-1]
	first := len(c.attrs)
	for i := range e.attrs {
		c.attrs = append(c.attrs, Attr{Name: c.name(e.attrs[i].Name), Value: c.copy(e.attrs[i].Value)})
	}
	own.attrs = c.attrs[first:len(c.attrs):len(c.attrs)]
	first = len(c.nodes)
	c.nodes = c.nodes[:first+len(e.nodes)]
	own.nodes = c.nodes[first:len(c.nodes):len(c.nodes)]
	for i := range e.nodes {
		own.nodes[i].Text = c.copy(e.nodes[i].Text)
		if child := e.nodes[i].Element; child != nil {
			own.nodes[i].Element = c.clone(child)
		}
	}
	return own
}

// name copies the local part into the block; the namespace is shared with all others of the same name.
func (c *cloner) name(n Name) Name {
	return Name{Space: c.shared(n.Space), Local: c.copy(n.Local)}
}

func (c *cloner) shared(space string) string {
	if space == "" {
		return ""
	}
	if known, ok := internSpace([]byte(space)); ok {
		return known
	}
	own, ok := c.spaces[space]
	if !ok {
		if c.spaces == nil {
			c.spaces = make(map[string]string)
		}
		own = strings.Clone(space)
		c.spaces[own] = own
	}
	return own
}

func (c *cloner) copy(s string) string {
	at := c.text.Len()
	c.text.WriteString(s)
	return c.text.String()[at:]
}

// joinTexts returns a copy of nodes in which no text is empty or follows another text.
func joinTexts(nodes []Node) []Node {
	if len(nodes) == 0 {
		return nil
	}
	out := make([]Node, 0, len(nodes))
	for i := 0; i < len(nodes); {
		if c := nodes[i].Element; c != nil {
			out = append(out, Node{Element: c})
			i++
			continue
		}
		run := i
		for i < len(nodes) && nodes[i].Element == nil {
			i++
		}
		if text := concat(nodes[run:i]); text != "" {
			out = append(out, Node{Text: text})
		}
	}
	return out
}

// concat joins the texts of nodes; elements count as "".
func concat(nodes []Node) string {
	if len(nodes) == 1 {
		return nodes[0].Text
	}
	var b strings.Builder
	for i := range nodes {
		b.WriteString(nodes[i].Text)
	}
	return b.String()
}
