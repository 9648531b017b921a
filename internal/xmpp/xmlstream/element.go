package xmlstream

import "iter"

// Element is an XML element with all that is in it. It is immutable and owns its memory: nothing in it points into a
// receive buffer, and no method changes it, so any number of goroutines may read it.
//
// The zero Element has no name and cannot be written.
type Element struct {
	block    *block
	local    span   // of block.text
	space    uint32 // see block.space
	attrs    uint32 // the first one in block.attrs
	nodes    uint32 // the first one in block.nodes
	numAttrs uint16
	numNodes uint16
}

// block is the memory of elements that were made together: all of one stanza, or one built element. Numbers instead of
// pointers keep it small, so that a stanza of nothing but tags does not take many times its size, and out of the way of
// the garbage collector.
type block struct {
	text   string       // names, values and texts
	attrs  []attrRecord // those of one element side by side
	nodes  []nodeRecord // those of one element side by side
	elems  []Element    // in document order
	kids   []*Element   // instead of elems: children that live in other blocks
	spaces []string     // namespaces that are not well known
	stamp  *Stamp       // for which there is room, until it is used
}

// span is a piece of text.
type span struct{ off, end uint32 }

// attrRecord is one attribute. In the text its value follows its name.
type attrRecord struct {
	off    uint32
	value  uint32 // bytes of the value
	space  uint32
	name   uint16 // bytes of the qualified name
	prefix uint16 // bytes of the prefix and its colon, which are not part of the local name
}

// nodeRecord is one node: the element with this number less one or, where it is 0, a text.
type nodeRecord struct {
	elem uint32
	text span
}

func (b *block) space(number uint32) string {
	if number < uint32(len(wellKnown)) {
		return wellKnown[number]
	}
	return b.spaces[number-uint32(len(wellKnown))]
}

func (b *block) attr(i uint32) Attr {
	a := &b.attrs[i]
	name := a.off + uint32(a.name)
	return Attr{
		Name:  Name{Space: b.space(a.space), Local: b.text[a.off+uint32(a.prefix) : name]},
		Value: b.text[name : name+a.value],
	}
}

func (b *block) node(i uint32) Node {
	n := &b.nodes[i]
	switch {
	case n.elem == 0:
		return Node{Text: b.text[n.text.off:n.text.end]}
	case b.kids != nil:
		return Node{Element: b.kids[n.elem-1]}
	}
	return Node{Element: &b.elems[n.elem-1]}
}

// Node is one thing inside an element: a child element or, where Element is nil, text.
type Node struct {
	Element *Element
	Text    string
}

// TextNode returns text as a node.
func TextNode(s string) Node { return Node{Text: s} }

// ElementNode returns an element as a node.
func ElementNode(e *Element) Node { return Node{Element: e} }

// Name returns the expanded name.
func (e *Element) Name() Name { return Name{Space: e.Space(), Local: e.Local()} }

// Space returns the namespace, "" for none.
func (e *Element) Space() string {
	if e.block == nil {
		return ""
	}
	return e.block.space(e.space)
}

// Local returns the local part of the name.
func (e *Element) Local() string {
	if e.block == nil {
		return ""
	}
	return e.block.text[e.local.off:e.local.end]
}

// Is reports whether e is not nil and has this expanded name.
func (e *Element) Is(space, local string) bool {
	return e != nil && e.Local() == local && e.Space() == space
}

// NumAttrs returns the number of attributes.
func (e *Element) NumAttrs() int { return int(e.numAttrs) }

// AttrAt returns attribute i in the order in which they were read or given.
func (e *Element) AttrAt(i int) Attr {
	if uint(i) >= uint(e.numAttrs) {
		panic("xmlstream: no such attribute")
	}
	return e.block.attr(e.attrs + uint32(i))
}

// Attr returns the value of the attribute without namespace that has this name.
func (e *Element) Attr(local string) (string, bool) { return e.AttrNS("", local) }

// AttrNS returns the value of the attribute with this expanded name; xml:lang is AttrNS(NSXML, "lang").
func (e *Element) AttrNS(space, local string) (string, bool) {
	for i := range uint32(e.numAttrs) {
		a := &e.block.attrs[e.attrs+i]
		name := a.off + uint32(a.name)
		if e.block.text[a.off+uint32(a.prefix):name] == local && e.block.space(a.space) == space {
			return e.block.text[name : name+a.value], true
		}
	}
	return "", false
}

// NumNodes returns the number of child elements and texts. Text that was split on the wire by references or CDATA is
// one text here.
func (e *Element) NumNodes() int { return int(e.numNodes) }

// NodeAt returns node i in document order.
func (e *Element) NodeAt(i int) Node {
	if uint(i) >= uint(e.numNodes) {
		panic("xmlstream: no such node")
	}
	return e.block.node(e.nodes + uint32(i))
}

// Children ranges over the child elements in order.
func (e *Element) Children() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for i := range uint32(e.numNodes) {
			if c := e.block.node(e.nodes + i).Element; c != nil && !yield(c) {
				return
			}
		}
	}
}

// Child returns the first child element with this expanded name, or nil.
func (e *Element) Child(space, local string) *Element {
	for i := range uint32(e.numNodes) {
		if c := e.block.node(e.nodes + i).Element; c.Is(space, local) {
			return c
		}
	}
	return nil
}

// Text returns the text directly in e, without that of its children. It allocates only when elements stand between
// several texts.
func (e *Element) Text() string {
	text := ""
	for i := range uint32(e.numNodes) {
		if t := e.block.node(e.nodes + i).Text; t != "" {
			if text != "" {
				return concat(e.allNodes())
			}
			text = t
		}
	}
	return text
}

// Equal reports whether both are the same tree: names, sets of attributes, text and children in order. Two nils are
// equal.
func (e *Element) Equal(o *Element) bool {
	if e == o {
		return true
	}
	if e == nil || o == nil || e.numAttrs != o.numAttrs || e.numNodes != o.numNodes || e.Name() != o.Name() {
		return false
	}
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		if a == o.AttrAt(i) { // nearly always the same order
			continue
		}
		if v, ok := o.AttrNS(a.Name.Space, a.Name.Local); !ok || v != a.Value {
			return false
		}
	}
	for i := range e.NumNodes() {
		a, b := e.NodeAt(i), o.NodeAt(i)
		if a.Text != b.Text || !a.Element.Equal(b.Element) {
			return false
		}
	}
	return true
}
