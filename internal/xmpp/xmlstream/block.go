package xmlstream

import (
	"slices"
	"strings"
)

// builder fills a block from values.
type builder struct {
	*block
	text strings.Builder
}

func (b *builder) add(s string) span {
	off := uint32(b.text.Len())
	b.text.WriteString(s)
	return span{off, uint32(b.text.Len())}
}

func (b *builder) attr(a Attr) {
	name := b.add(a.Name.Local)
	value := b.add(a.Value)
	b.attrs = append(b.attrs, attrRecord{
		off:   name.off,
		name:  uint16(name.end - name.off),
		value: value.end - value.off,
		space: b.space(a.Name.Space),
	})
}

// space returns the number of a namespace in this block.
func (b *builder) space(uri string) uint32 {
	if number, ok := knownSpace(uri); ok {
		return number
	}
	i := slices.Index(b.spaces, uri)
	if i < 0 {
		i = len(b.spaces)
		b.spaces = append(b.spaces, strings.Clone(uri))
	}
	return uint32(len(wellKnown) + i)
}

// blockSize is how much a tree takes.
type blockSize struct{ text, attrs, nodes, elems int }

func (s *blockSize) add(e *Element) {
	s.elems++
	s.attrs += e.NumAttrs()
	s.nodes += e.NumNodes()
	s.text += len(e.Local())
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		s.text += len(a.Name.Local) + len(a.Value)
	}
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		s.text += len(n.Text)
		if n.Element != nil {
			s.add(n.Element)
		}
	}
}

// clone copies the tree below e into the block, whose lists have room for all of it.
func (b *builder) clone(e *Element) *Element {
	b.elems = append(b.elems, Element{
		block:    b.block,
		space:    b.space(e.Space()),
		attrs:    uint32(len(b.attrs)),
		nodes:    uint32(len(b.nodes)),
		numAttrs: e.numAttrs,
		numNodes: e.numNodes,
	})
	own := &b.elems[len(b.elems)-1]
	own.local = b.add(e.Local())
	for i := range e.NumAttrs() {
		b.attr(e.AttrAt(i))
	}
	b.nodes = b.nodes[:len(b.nodes)+e.NumNodes()]
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		rec := &b.nodes[int(own.nodes)+i]
		if n.Element == nil {
			rec.text = b.add(n.Text)
			continue
		}
		rec.elem = uint32(len(b.elems) + 1)
		b.clone(n.Element)
	}
	return own
}

// joinTexts returns nodes in which no text is empty or follows another text: the same ones where that is so.
func joinTexts(nodes []Node) []Node {
	if joined(nodes) {
		return nodes
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

func joined(nodes []Node) bool {
	for i := range nodes {
		if nodes[i].Element == nil && (nodes[i].Text == "" || i > 0 && nodes[i-1].Element == nil) {
			return false
		}
	}
	return true
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
