package compact

import (
	"slices"

	"sallyport/internal/xmpp/xmlstream"
)

// walk goes through one stanza, to code it, to read it back, or to learn from it: the same steps in the same order, so that what is
// coded can be read. In decoding its arguments are empty, and what it returns is what was coded.
type walk struct {
	mode    mode
	m       *Model
	link    *addresses
	enc     rangeEncoder
	dec     rangeDecoder
	speller speller
	lesson  *lesson

	own     map[uint64]*dist // contexts as changed by this stanza
	names   []xmlstream.Name // that the model does not know
	nameIDs map[xmlstream.Name]uint32
	recent  []string // values and texts so far
	known   uint64   // the last value that the model knew
	region  uint64   // the same, or where it was an address, its domain
	spent   int      // bytes of XML so far, or less
	most    int
	missed  bool // it is said that the value is not in the table of the link
	failed  bool // what is read is nothing that was coded
}

// Limits of a tree, as those of the parser that it goes to in the end.
const (
	maxDepth  = 64
	maxAttrs  = 64
	maxNodes  = 2*4096 + 1
	maxRecent = 256
)

// Symbols of what is in an element; names follow.
const (
	symEnd uint32 = iota
	symText
	symNames
)

// The kinds of contexts.
const (
	ctxNode uint64 = 1 + iota
	ctxNodeIn
	ctxNodeAny
	ctxAttr
	ctxAttrIn
	ctxAttrAny
	ctxSpace
	ctxSpaceAny
	ctxValue
	ctxValueAfter
	ctxForm
	ctxFormAny
	ctxLength
	ctxDomain
	ctxLocal
	ctxLocalAt
	ctxResource
	ctxResourceOf
	ctxPart
	ctxAlso
	ctxTrail
)

// key names a context.
func key(kind uint64, of ...uint64) uint64 {
	h := kind * 0x9E3779B97F4A7C15
	for _, v := range of {
		h = (h ^ v) * 0xFF51AFD7ED558CCD
		h ^= h >> 32
	}
	return h
}

func hashText(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001B3
	}
	return h
}

func hashName(n xmlstream.Name) uint64 {
	return hashText((hashText(0xCBF29CE484222325, n.Space)^0xFF)*0x100000001B3, n.Local)
}

func hashValue(s string) uint64 { return hashText(0x84222325CBF29CE4, s) }

// spend counts bytes of XML; it fails what has too many.
func (x *walk) spend(n int) bool {
	if x.spent += n; x.mode == decoding && x.spent > x.most {
		x.failed = true
	}
	return !x.failed
}

func (x *walk) nameSymbol(n xmlstream.Name) uint32 {
	if id, ok := x.m.nameIDs[n]; ok {
		return symNames + id
	}
	if id, ok := x.nameIDs[n]; ok {
		return symNames + id
	}
	return none
}

func (x *walk) symbolName(sym uint32) (n xmlstream.Name, ok bool) {
	i := int(sym) - int(symNames)
	switch {
	case i < 0:
		return n, false
	case i < len(x.m.names):
		return x.m.names[i], true
	case i-len(x.m.names) < len(x.names):
		return x.names[i-len(x.m.names)], true
	}
	return n, false
}

// stanza walks a first-level element.
func (x *walk) stanza(e *xmlstream.Element) *xmlstream.Element {
	sym, n := x.node(xmlstream.Name{}, xmlstream.Name{}, 0, e)
	if x.failed || sym < symNames {
		x.failed = true
		return nil
	}
	return x.element(n, e, xmlstream.NSServer, 1)
}

// node codes what comes next in an element; want is symEnd, symText, or 0 with an element.
func (x *walk) node(parent, before xmlstream.Name, want uint32, e *xmlstream.Element) (uint32, xmlstream.Name) {
	in := hashName(parent)
	keys := []uint64{key(ctxNode, in, hashName(before)), key(ctxNodeIn, in), key(ctxNodeAny)}
	var n xmlstream.Name
	if e != nil {
		n = e.Name()
		want = x.nameSymbol(n)
	}
	sym, ok := x.choose(want, keys...)
	if !ok && x.mode != learning {
		sym = x.uniform(min(want, symNames), symNames+1)
		if sym == symNames {
			sym = x.newName(n, parent.Space)
		}
		x.note(sym, keys...)
	} else if !ok {
		x.newName(n, parent.Space)
		return symNames, n
	}
	if sym >= symNames {
		if n, ok = x.symbolName(sym); !ok {
			x.failed = true
		}
	}
	return sym, n
}

// newName spells a name, which has a symbol from then on.
func (x *walk) newName(n xmlstream.Name, parent string) uint32 {
	keys := []uint64{key(ctxSpace, hashValue(parent)), key(ctxSpaceAny)}
	want := x.m.valueSymbol(n.Space)
	if n.Space == parent {
		want = 0
	} else if want != none {
		want++
	}
	sym, ok := x.choose(x.orNone(want), keys...)
	switch {
	case ok && sym == 0:
		n.Space = parent
	case ok && x.mode == decoding:
		n.Space = x.m.value(sym - 1)
	case !ok:
		n.Space = x.spell(className, n.Space)
	}
	n.Local = x.spell(className, n.Local)
	if x.mode == learning {
		return none
	}
	if s := x.nameSymbol(n); s != none {
		return s
	}
	x.nameIDs[n] = uint32(len(x.m.names) + len(x.names)) //nolint:gosec // few
	x.names = append(x.names, n)
	return x.nameSymbol(n)
}

func (x *walk) orNone(sym uint32) uint32 {
	if x.mode == decoding {
		return none
	}
	return sym
}

// element walks what is in an element whose name is coded.
func (x *walk) element(n xmlstream.Name, e *xmlstream.Element, outer string, depth int) *xmlstream.Element {
	inner := n.Space
	switch {
	case n.Space == xmlstream.NSXML, depth == 1 && (n.Space == xmlstream.NSStream || n.Space == xmlstream.NSDialback):
		inner = outer // these are written with prefixes
	case n.Space != outer:
		x.spend(len(" xmlns=''") + len(n.Space))
	}
	if !x.spend(len("</>")+len(n.Local)) || depth > maxDepth {
		x.failed = true
		return nil
	}
	attrs := x.attributes(n, e, depth)
	var nodes []xmlstream.Node
	var before xmlstream.Name
	for i := 0; !x.failed; i++ {
		want, text := symEnd, ""
		var child *xmlstream.Element
		if e != nil && i < e.NumNodes() {
			if child = e.NodeAt(i).Element; child == nil {
				want, text = symText, e.NodeAt(i).Text
			}
		}
		sym, name := x.node(n, before, want, child)
		switch {
		case x.failed, i > maxNodes:
			x.failed = true
		case sym == symEnd:
			if x.mode != decoding {
				return e
			}
			return xmlstream.NewElement(n, attrs, nodes...)
		case sym == symText:
			if len(attrs) > 0 && len(nodes) == 0 {
				x.known = trail(attrs)
			}
			text = x.value(text, textClass(n), key(hashName(n)))
			x.failed = x.failed || text == ""
			nodes, before = append(nodes, xmlstream.TextNode(text)), xmlstream.Name{Local: "#"}
		default:
			nodes, before = append(nodes, xmlstream.ElementNode(x.element(name, child, inner, depth+1))), name
		}
	}
	return nil
}

// trail stands for what is known in the text of an element: all of its attributes, not only the last.
func trail(attrs []xmlstream.Attr) uint64 {
	var values []uint64
	for _, a := range attrs {
		values = append(values, hashName(a.Name), hashValue(a.Value))
	}
	return key(ctxTrail, values...)
}

// attributes walks those of an element, in the order of the canonical form.
func (x *walk) attributes(n xmlstream.Name, e *xmlstream.Element, depth int) (out []xmlstream.Attr) {
	var attrs []xmlstream.Attr
	if e != nil {
		attrs = sortedAttrs(e)
	}
	in, before := hashName(n), xmlstream.Name{}
	for i := 0; !x.failed; i++ {
		var a xmlstream.Attr
		want := symEnd
		if i < len(attrs) {
			a = attrs[i]
			want = x.nameSymbol(a.Name)
		}
		keys := []uint64{key(ctxAttr, in, hashName(before)), key(ctxAttrIn, in), key(ctxAttrAny)}
		sym, ok := x.choose(want, keys...)
		switch {
		case !ok && x.mode == learning:
			x.newName(a.Name, "")
			sym = symNames
		case !ok:
			if sym = x.uniform(min(want, 1), 2); sym != symEnd {
				sym = x.newName(a.Name, "")
			}
			x.note(sym, keys...)
		}
		if sym == symEnd {
			return out
		}
		if x.mode == decoding {
			a.Name, ok = x.symbolName(sym)
			x.failed = x.failed || !ok
		}
		if i >= maxAttrs || !x.spend(len(" =''")+len(a.Name.Local)) {
			x.failed = true
			return nil
		}
		before = a.Name
		of := key(in, hashName(a.Name))
		if depth == 1 && isEnd(a.Name) {
			a.Value = x.endpoint(a.Value, of)
		} else {
			a.Value = x.value(a.Value, attrClass(a.Name), of)
		}
		out = append(out, a)
	}
	return nil
}

// isEnd reports that an attribute of a stanza says where it comes from or goes to.
func isEnd(n xmlstream.Name) bool { return n.Space == "" && (n.Local == "from" || n.Local == "to") }

func sortedAttrs(e *xmlstream.Element) []xmlstream.Attr {
	out := make([]xmlstream.Attr, e.NumAttrs())
	for i := range out {
		out[i] = e.AttrAt(i)
	}
	slices.SortFunc(out, func(a, b xmlstream.Attr) int {
		switch {
		case before(a.Name, b.Name):
			return -1
		case before(b.Name, a.Name):
			return 1
		}
		return 0
	})
	return out
}

func before(a, b xmlstream.Name) bool {
	if a.Space != b.Space {
		return a.Space < b.Space
	}
	return a.Local < b.Local
}
