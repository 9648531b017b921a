package xmlstream

import (
	"math"
	"slices"
	"strings"
)

// Moved returns e in another namespace: e itself and those below it that continue its own, as the content of a stream does. What stands
// below another namespace, as a forwarded stanza does, stays as it is. Attributes are set as by WithAttr.
func (e *Element) Moved(space string, set ...Attr) *Element {
	if n, ok := e.movedWhole(space, set); ok {
		return n
	}
	nodes := e.allNodes()
	for i := range nodes {
		if c := nodes[i].Element; c != nil && c.Space() == e.Space() {
			nodes[i].Element = c.Moved(space)
		}
	}
	n := NewElement(Name{Space: space, Local: e.Local()}, e.allAttrs(), nodes...)
	for _, a := range set {
		n = n.WithAttr(a.Name, a.Value)
	}
	return n
}

// movedWhole is Moved for what was read as a whole, in four allocations: nodes are shared with e, texts copied in one piece. False: it has
// to be built.
func (e *Element) movedWhole(space string, set []Attr) (*Element, bool) {
	b := e.block
	number, known := knownSpace(space)
	if !known || b == nil || len(b.elems) == 0 || e != &b.elems[0] || int(e.numAttrs)+len(set) > math.MaxUint16 {
		return nil, false
	}
	n := &block{nodes: b.nodes, spaces: b.spaces, elems: slices.Clone(b.elems)}
	for i := range n.elems {
		n.elems[i].block = n
	}
	root := &n.elems[0]
	n.move(root, root.space, number)
	root.attrs = uint32(len(b.attrs)) // those of the others stay where they are
	n.attrs = make([]attrRecord, 0, len(b.attrs)+int(e.numAttrs)+len(set))
	n.attrs = append(append(n.attrs, b.attrs...), b.attrs[e.attrs:e.attrs+uint32(e.numAttrs)]...)
	size := len(b.text)
	for i := range set {
		size += len(set[i].Name.Local) + len(set[i].Value)
	}
	if size > math.MaxInt32 {
		return nil, false
	}
	var text strings.Builder
	text.Grow(size)
	text.WriteString(b.text)
	for i := range set {
		if !n.set(root, &set[i], &text) {
			return nil, false
		}
	}
	n.text = text.String()
	return root, true
}

// move gives an element and those that continue its namespace another one.
func (b *block) move(e *Element, from, to uint32) {
	e.space = to
	for i := range uint32(e.numNodes) {
		if k := b.nodes[e.nodes+i].elem; k != 0 && b.elems[k-1].space == from {
			b.move(&b.elems[k-1], from, to)
		}
	}
}

// set gives the element whose attributes are the last ones of the block one of a well-known namespace, behind the text so far.
func (b *block) set(e *Element, a *Attr, text *strings.Builder) bool {
	space, known := knownSpace(a.Name.Space)
	if !known || len(a.Name.Local) > math.MaxUint16 {
		return false
	}
	r := attrRecord{off: uint32(text.Len()), name: uint16(len(a.Name.Local)), value: uint32(len(a.Value)), space: space}
	text.WriteString(a.Name.Local)
	text.WriteString(a.Value)
	b.put(e, r, a.Name.Local, text.String())
	return true
}
