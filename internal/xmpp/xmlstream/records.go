package xmlstream

// records is what has been read of one first-level element: flat lists in document order, all text in one block. It is
// scratch memory and is used again; the tree made from it in the end is four blocks of exactly the right size.
type records struct {
	text     []byte // names, values and character data; what the stream itself needs stands in front
	textAt   uint32 // where the text of the element begins
	textFrom uint32 // where the character data that is being read begins
	elems    []elemRecord
	attrs    []attrRecord
	nodes    []nodeRecord
	weight   int // memory that records and tree will have taken
}

type elemRecord struct {
	local span
	space uint32
	attrs span   // indices
	nodes uint32 // number of nodes, then the place of the next one
}

// attrRecord is one attribute: its qualified name and after it its value.
type attrRecord struct {
	off    uint32
	name   uint16 // bytes of the qualified name
	prefix uint16 // bytes of the prefix and its colon
	value  uint32 // bytes of the value
	space  uint32
}

// nodeRecord is a text or, where elem is not 0, an element: element 0 is the root and nobody's child.
type nodeRecord struct {
	parent, elem uint32
	text         span
}

// reset empties the lists and all text from keep on.
func (r *records) reset(keep int) {
	if cap(r.text) > maxScratch+keep {
		r.text = append(make([]byte, 0, keep+maxScratch/4), r.text[:keep]...)
	}
	r.text = r.text[:keep]
	r.elems, r.attrs, r.nodes = emptied(r.elems), emptied(r.attrs), emptied(r.nodes)
	r.textAt, r.textFrom, r.weight = uint32(keep), uint32(keep), 0
}

// drop gives the lists back to the collector; what follows is discarded.
func (r *records) drop() { r.elems, r.attrs, r.nodes = nil, nil, nil }

func emptied[T any](s []T) []T {
	if cap(s) > maxScratch/16 {
		return nil
	}
	return s[:0]
}

// endText makes a node of the character data read since the last tag.
func (r *records) endText(parent uint32) {
	if end := uint32(len(r.text)); end > r.textFrom {
		r.nodes = append(r.nodes, nodeRecord{parent: parent, text: span{r.textFrom, end}})
		r.elems[parent].nodes++
		r.weight += weightText
	}
}

// tree makes the element. It is one block of elements, one of attributes, one of nodes and one of text.
func (r *records) tree(s *scope) *Element {
	text := r.ownText(s)
	elems := make([]Element, len(r.elems))
	nodes := make([]Node, len(r.nodes))
	var attrs []Attr
	if len(r.attrs) > 0 {
		attrs = make([]Attr, len(r.attrs))
	}
	for i := range r.attrs {
		a := &r.attrs[i]
		off := a.off - r.textAt
		name := off + uint32(a.name)
		attrs[i] = Attr{
			Name:  Name{Space: s.spaces[a.space].uri, Local: text[off+uint32(a.prefix) : name]},
			Value: text[name : name+a.value],
		}
	}
	next := uint32(0)
	for i := range r.elems {
		rec, e := &r.elems[i], &elems[i]
		e.name = Name{Space: s.spaces[rec.space].uri, Local: text[rec.local.off-r.textAt : rec.local.end-r.textAt]}
		if rec.attrs.off < rec.attrs.end {
			e.attrs = attrs[rec.attrs.off:rec.attrs.end:rec.attrs.end]
		}
		if n := rec.nodes; n > 0 {
			e.nodes = nodes[next : next+n : next+n]
			rec.nodes = next
			next += n
		}
	}
	for i := range r.nodes {
		n := &r.nodes[i]
		at := &r.elems[n.parent].nodes
		if n.elem != 0 {
			nodes[*at].Element = &elems[n.elem]
		} else {
			nodes[*at].Text = text[n.text.off-r.textAt : n.text.end-r.textAt]
		}
		*at++
	}
	return &elems[0]
}

// ownText copies the text of the element and gives the namespaces declared in it their strings. A large block of scratch
// text is released before the tree takes its memory.
func (r *records) ownText(s *scope) string {
	text := string(r.text[r.textAt:])
	for i := s.streamWide; i < len(s.spaces); i++ {
		if sp := &s.spaces[i]; sp.uri == "" {
			sp.uri = text[sp.at.off-r.textAt : sp.at.end-r.textAt]
		}
	}
	if cap(r.text) > 4*maxScratch {
		r.text = append(make([]byte, 0, r.textAt), r.text[:r.textAt]...)
	}
	return text
}

// startTag makes the first-level element without anything in it, in memory of its own.
func (r *records) startTag(s *scope) *Element {
	root := r.elems[0]
	uri := func(i uint32) string {
		sp := &s.spaces[i]
		if sp.uri == "" {
			return string(r.text[sp.at.off:sp.at.end])
		}
		return sp.uri
	}
	e := &Element{name: Name{Space: uri(root.space), Local: string(r.text[root.local.off:root.local.end])}}
	for _, a := range r.attrs[root.attrs.off:root.attrs.end] {
		name := a.off + uint32(a.name)
		e.attrs = append(e.attrs, Attr{
			Name:  Name{Space: uri(a.space), Local: string(r.text[a.off+uint32(a.prefix) : name])},
			Value: string(r.text[name : name+a.value]),
		})
	}
	return e
}
