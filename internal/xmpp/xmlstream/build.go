package xmlstream

import (
	"math"
	"slices"
)

// built is a block with room for what an element usually has, so that it is made in one piece.
type built struct {
	block
	own    Element
	attrs  [2]attrRecord
	nodes  [2]nodeRecord
	kids   [1]*Element
	spaces [1]string
}

// room is an empty list for so many: usual, where they go in.
func room[T any](usual []T, n int) []T {
	if n > cap(usual) {
		return make([]T, 0, n)
	}
	return usual
}

func numKids(nodes []Node) (n int) {
	for i := range nodes {
		if nodes[i].Element != nil {
			n++
		}
	}
	return n
}

// NewElement builds an element. Names, attributes and texts are copied, children are shared. Empty texts are dropped and
// neighbouring texts joined, as a reader would see them.
//
// Nothing is checked here: an element with an impossible name, character or attribute can be built, but AppendElement
// refuses to write it, whole tree included.
func NewElement(name Name, attrs []Attr, nodes ...Node) *Element {
	nodes = joinTexts(nodes)
	text, ok := buildable(name, attrs, nodes)
	if !ok {
		return &Element{} // no reader would take it; without a name it cannot be written
	}
	n := &built{}
	b := builder{block: &n.block}
	b.attrs, b.nodes = room(n.attrs[:0], len(attrs)), room(n.nodes[:0], len(nodes))
	b.kids, b.spaces = room(n.kids[:0], numKids(nodes)), n.spaces[:0]
	b.text.Grow(text)
	e := &n.own
	*e = Element{block: b.block, space: b.space(name.Space), numAttrs: uint16(len(attrs)), numNodes: uint16(len(nodes))}
	e.local = b.add(name.Local)
	for _, a := range attrs {
		b.attr(a)
	}
	for _, n := range nodes {
		if n.Element == nil {
			b.nodes = append(b.nodes, nodeRecord{text: b.add(n.Text)})
			continue
		}
		b.kids = append(b.kids, n.Element)
		b.nodes = append(b.nodes, nodeRecord{elem: uint32(len(b.kids))})
	}
	b.block.text = b.text.String()
	return e
}

// WithAttr returns e with the attribute set, in its old place or at the end.
func (e *Element) WithAttr(name Name, value string) *Element {
	attrs := e.allAttrs()
	i := slices.IndexFunc(attrs, func(a Attr) bool { return a.Name == name })
	if i < 0 {
		attrs = append(attrs, Attr{Name: name, Value: value})
	} else {
		attrs[i].Value = value
	}
	return NewElement(e.Name(), attrs, e.allNodes()...)
}

// WithoutAttr returns e without the attribute, or e itself when it has none of that name.
func (e *Element) WithoutAttr(name Name) *Element {
	if _, ok := e.AttrNS(name.Space, name.Local); !ok {
		return e
	}
	attrs := slices.DeleteFunc(e.allAttrs(), func(a Attr) bool { return a.Name == name })
	return NewElement(e.Name(), attrs, e.allNodes()...)
}

// WithNodes returns e with other content: the same name and attributes around these nodes.
func (e *Element) WithNodes(nodes ...Node) *Element {
	return NewElement(e.Name(), e.allAttrs(), nodes...)
}

// MapChildren returns e with each child element replaced by f of it; a nil from f drops the child. Text stays. When f
// changes nothing the result is e itself.
func (e *Element) MapChildren(f func(*Element) *Element) *Element {
	var nodes []Node // nil as long as nothing has changed
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		m := n
		if n.Element != nil {
			m.Element = f(n.Element)
		}
		if nodes == nil && m.Element != n.Element {
			nodes = e.allNodes()[:i]
		}
		if nodes != nil || m.Element != n.Element {
			nodes = append(nodes, m)
		}
	}
	if nodes == nil {
		return e
	}
	return e.WithNodes(nodes...)
}

// Clone returns an equal element in memory of its own, as little as will do. It is for what is kept long: a child
// otherwise keeps the memory of the whole stanza it came in.
func (e *Element) Clone() *Element {
	if e == nil || e.block == nil {
		return e
	}
	var size blockSize
	size.add(e)
	b := builder{block: &block{
		attrs: make([]attrRecord, 0, size.attrs),
		nodes: make([]nodeRecord, 0, size.nodes),
		elems: make([]Element, 0, size.elems),
	}}
	b.text.Grow(size.text)
	own := b.clone(e)
	b.block.text = b.text.String()
	return own
}

func (e *Element) allAttrs() []Attr {
	attrs := make([]Attr, e.numAttrs, int(e.numAttrs)+1)
	for i := range attrs {
		attrs[i] = e.AttrAt(i)
	}
	return attrs
}

func (e *Element) allNodes() []Node {
	nodes := make([]Node, e.numNodes)
	for i := range nodes {
		nodes[i] = e.NodeAt(i)
	}
	return nodes
}

// buildable says whether the element can be represented at all, and in how much text. The bounds are far beyond what is written.
func buildable(name Name, attrs []Attr, nodes []Node) (text int, ok bool) {
	text = len(name.Local)
	for i := range attrs {
		if len(attrs[i].Name.Local) > math.MaxUint16 {
			return text, false
		}
		text += len(attrs[i].Name.Local) + len(attrs[i].Value)
	}
	for i := range nodes {
		text += len(nodes[i].Text)
	}
	return text, text <= math.MaxInt32 && len(attrs) <= math.MaxUint16 && len(nodes) <= math.MaxUint16
}
