package xmlstream

import "iter"

// Element is an XML element with all that is in it. It is immutable and owns its memory: nothing in it points into a
// receive buffer, and no method changes it, so any number of goroutines may read it.
//
// The zero Element has no name and cannot be written.
type Element struct {
	name  Name
	attrs []Attr
	nodes []Node // no empty text and no two texts side by side
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
func (e *Element) Name() Name { return e.name }

// Space returns the namespace, "" for none.
func (e *Element) Space() string { return e.name.Space }

// Local returns the local part of the name.
func (e *Element) Local() string { return e.name.Local }

// Is reports whether e is not nil and has this expanded name.
func (e *Element) Is(space, local string) bool {
	return e != nil && e.name.Local == local && e.name.Space == space
}

// NumAttrs returns the number of attributes.
func (e *Element) NumAttrs() int { return len(e.attrs) }

// AttrAt returns attribute i in the order in which they were read or given.
func (e *Element) AttrAt(i int) Attr { return e.attrs[i] }

// Attr returns the value of the attribute without namespace that has this name.
func (e *Element) Attr(local string) (string, bool) { return e.AttrNS("", local) }

// AttrNS returns the value of the attribute with this expanded name; xml:lang is AttrNS(NSXML, "lang").
func (e *Element) AttrNS(space, local string) (string, bool) {
	for i := range e.attrs {
		if a := &e.attrs[i]; a.Name.Local == local && a.Name.Space == space {
			return a.Value, true
		}
	}
	return "", false
}

// NumNodes returns the number of child elements and texts. Text that was split on the wire by references or CDATA is
// one text here.
func (e *Element) NumNodes() int { return len(e.nodes) }

// NodeAt returns node i in document order.
func (e *Element) NodeAt(i int) Node { return e.nodes[i] }

// Children ranges over the child elements in order.
func (e *Element) Children() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for i := range e.nodes {
			if c := e.nodes[i].Element; c != nil && !yield(c) {
				return
			}
		}
	}
}

// Child returns the first child element with this expanded name, or nil.
func (e *Element) Child(space, local string) *Element {
	for i := range e.nodes {
		if c := e.nodes[i].Element; c.Is(space, local) {
			return c
		}
	}
	return nil
}

// Text returns the text directly in e, without that of its children. It allocates only when elements stand between
// several texts.
func (e *Element) Text() string {
	text, several := "", false
	for i := range e.nodes {
		if n := &e.nodes[i]; n.Element == nil {
			several = text != ""
			if several {
				break
			}
			text = n.Text
		}
	}
	if !several {
		return text
	}
	return concat(e.nodes)
}

// Equal reports whether both are the same tree: names, sets of attributes, text and children in order. Two nils are
// equal.
func (e *Element) Equal(o *Element) bool {
	if e == o {
		return true
	}
	if e == nil || o == nil || e.name != o.name || len(e.attrs) != len(o.attrs) || len(e.nodes) != len(o.nodes) {
		return false
	}
	for i := range e.attrs {
		if a := &e.attrs[i]; *a != o.attrs[i] { // nearly always the same order
			if v, ok := o.AttrNS(a.Name.Space, a.Name.Local); !ok || v != a.Value {
				return false
			}
		}
	}
	for i := range e.nodes {
		if e.nodes[i].Text != o.nodes[i].Text || !e.nodes[i].Element.Equal(o.nodes[i].Element) {
			return false
		}
	}
	return true
}
