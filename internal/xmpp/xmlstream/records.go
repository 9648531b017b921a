package xmlstream

import "slices"

// records is what has been read of one first-level element, in the form in which a block keeps it, but in scratch memory
// that is used again.
type records struct {
	text     []byte
	textFrom uint32 // where the character data that is being read begins
	elems    []Element
	attrs    []attrRecord
	nodes    []nodeRecord
	pending  []nodeRecord // nodes of open elements, those of the innermost last
	weight   int          // bytes that reading and the tree will have taken, text not counted
}

// Scratch memory beyond this is given back after the element that needed it.
const (
	maxScratch = 16 << 10 // bytes of text
	maxList    = 1024     // records
)

// What one thing weighs: its place in the tree, and the same again in part for scratch memory and for its growth.
const (
	weightElement     = 72
	weightAttr        = 24
	weightText        = 32
	weightDeclaration = 48
	weightByte        = 2 // of text
)

// reset empties the lists.
func (r *records) reset() {
	r.text = emptied(r.text, maxScratch)
	r.elems, r.attrs = emptied(r.elems, maxList), emptied(r.attrs, maxList)
	r.nodes, r.pending = emptied(r.nodes, maxList), emptied(r.pending, maxList)
	r.textFrom, r.weight = 0, 0
}

// drop gives the lists back to the collector, but for the attributes of the tag that is being read; what follows is
// discarded.
func (r *records) drop(attrs int) {
	r.attrs = slices.Clone(r.attrs[attrs:])
	r.elems, r.nodes, r.pending = nil, nil, nil
}

// emptied keeps the memory of a list for the next element if it is no more than usual.
func emptied[T any](s []T, usual int) []T {
	if cap(s) > usual {
		return nil
	}
	return s[:0]
}

// scratch is memory for what is usual, in one piece with its decoder. Streams live long: each list by itself would keep
// memory around it from being given back that many short-lived things have left.
type scratch struct {
	open    [fewElems]frame
	binds   [fewElems / 2]binding
	elems   [fewElems]Element
	attrs   [fewAttrs / 2]attrRecord
	nodes   [fewNodes]nodeRecord
	pending [fewNodes]nodeRecord
	text    [usualText]byte
}

// lend has a decoder begin with this memory, and with nothing in it.
func (s *scratch) lend(d *Decoder) {
	d.open, d.scope = s.open[:0], scope{binds: s.binds[:0]}
	d.records = records{text: s.text[:0], elems: s.elems[:0], attrs: s.attrs[:0], nodes: s.nodes[:0], pending: s.pending[:0]}
}

// endText makes a node of the character data read since the last tag.
func (r *records) endText() {
	if end := uint32(len(r.text)); end > r.textFrom {
		r.pending = append(r.pending, nodeRecord{text: span{r.textFrom, end}})
		r.weight += weightText
	}
}

// endNodes gives an element the nodes gathered since it was opened.
func (r *records) endNodes(elem, from int) {
	e := &r.elems[elem]
	e.nodes, e.numNodes = uint32(len(r.nodes)), uint16(len(r.pending)-from)
	r.nodes = append(r.nodes, r.pending[from:]...)
	r.pending = r.pending[:from]
}

// How much a usual stanza has, at most.
const (
	fewElems = 4
	fewAttrs = 8
	fewNodes = 4

	usualText = 128 // bytes
)

// few is a block with room for a usual stanza, so that it is made in one piece.
type few struct {
	block
	elems [fewElems]Element
	attrs [fewAttrs]attrRecord
	nodes [fewNodes]nodeRecord
}

// tree makes the element, with room for the stamp if there is one.
func (r *records) tree(s *scope, stamp *Stamp) *Element {
	attrs := len(r.attrs)
	if stamp != nil {
		r.text = append(r.text, stamp.room...)
		attrs += int(r.elems[0].numAttrs) + len(stamp.attrs)
	}
	var b *block
	if len(r.elems) <= fewElems && attrs <= fewAttrs && len(r.nodes) <= fewNodes {
		f := &few{}
		b = &f.block
		b.elems, b.attrs, b.nodes = append(f.elems[:0], r.elems...), append(f.attrs[:0], r.attrs...), append(f.nodes[:0], r.nodes...)
	} else {
		b = &block{}
		b.elems, r.elems = taken(r.elems, len(r.elems))
		b.attrs, r.attrs = taken(r.attrs, attrs)
		b.nodes, r.nodes = taken(r.nodes, len(r.nodes))
	}
	b.text, b.stamp = string(r.text), stamp
	b.spaces = s.strings(b.text)
	for i := range b.elems {
		b.elems[i].block = b
	}
	return &b.elems[0]
}

// taken returns a copy of what was gathered, with room for so many. A long list is not copied but given away, since both would take more memory
// than one element may.
func taken[T any](s []T, room int) (own, scratch []T) {
	if room == 0 {
		return nil, s
	}
	if cap(s) > maxList {
		return s, nil
	}
	return append(make([]T, 0, room), s...), s
}

// startTag makes the first-level element without anything in it, in memory of its own.
func (r *records) startTag(s *scope) *Element {
	root := r.elems[0]
	only := records{text: r.text, elems: []Element{root}, attrs: r.attrs[root.attrs : root.attrs+uint32(root.numAttrs)]}
	return only.tree(s, nil).Clone()
}
