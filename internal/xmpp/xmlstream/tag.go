package xmlstream

// frame is an open element.
type frame struct {
	name   span   // qualified name, for the end tag
	elem   int    // its record; not used while discarding
	nodes  int    // where its own begin among the pending nodes
	binds  int    // declarations in scope outside it
	spaces int    // namespaces seen before it
	def    uint32 // default namespace outside it
	kids   int    // child elements so far
}

// tagScan is the start tag that is being read.
type tagScan struct {
	prefix uint32 // bytes of the prefix of its name, and of the colon
	attrs  int    // index of its first attribute
	decls  int    // declarations so far
	gap    bool   // white space stands before here
	quote  byte   // what the current value stands between
	xmlns  bool   // the current attribute is a declaration
	decl   span   // of which this is the prefix; its value follows in the text
}

// startTag reads the name of a start tag; the < is at pos.
func (d *Decoder) startTag() step {
	b, i := d.buf[:d.end], d.pos+1
	if class[b[i]]&firstName == 0 {
		if n := nameChar(b, i, true); n <= 0 {
			return d.charFault(n, i, "no name after <")
		}
	}
	depth := len(d.open)
	if depth >= d.lim.Depth {
		return d.fail(PolicyViolation, i, "too deep")
	}
	if depth > 0 && d.open[depth-1].kids >= d.lim.Children && !d.discard {
		// The list of bad inputs says of A32 that this ends the stream, and of H12 that a message with 10,000 recipients does
		// not. Anybody can have an innocent server send either, and a long list of rooms is not even meant badly: such an
		// element is as oversized as one with too many bytes.
		if st := d.overflow(i); st != more {
			return st
		}
	}
	end, colon, st := d.name(b, i)
	if st != more {
		return st
	}
	if c := b[end]; c != '>' && c != '/' && class[c]&isSpace == 0 {
		return d.fail(NotWellFormed, end, "impossible character after the name of an element")
	}
	if depth > 0 {
		d.open[depth-1].kids++
		if !d.discard {
			d.records.endText()
		}
	}
	r := &d.records
	at := uint32(len(r.text))
	r.text = append(r.text, b[i:end]...)
	d.open = append(d.open, frame{
		name:   span{at, at + uint32(end-i)},
		binds:  len(d.scope.binds),
		spaces: len(d.scope.spaces),
		def:    d.scope.def,
	})
	d.tag = tagScan{attrs: len(r.attrs)}
	if colon >= 0 {
		d.tag.prefix = uint32(colon - i + 1)
	}
	d.pos, d.state = end, inTag
	return d.attributes()
}

// attributes reads the rest of a start tag.
func (d *Decoder) attributes() step {
	b := d.buf[:d.end]
	for {
		switch d.state {
		case inTag:
			i := spaces(b, d.pos)
			d.tag.gap = d.tag.gap || i > d.pos
			d.pos = i
			if i == len(b) {
				return short
			}
			if b[i] == '>' || b[i] == '/' {
				return d.closeTag(b, i)
			}
			if st := d.attributeName(b, i); st != more {
				return st
			}
			d.state = atEquals
			fallthrough
		case atEquals:
			if d.pos = spaces(b, d.pos); d.pos == len(b) {
				return short
			}
			if b[d.pos] != '=' {
				return d.fail(NotWellFormed, d.pos, "attribute without value")
			}
			d.pos++
			d.state = atQuote
			fallthrough
		case atQuote:
			if d.pos = spaces(b, d.pos); d.pos == len(b) {
				return short
			}
			if d.tag.quote = b[d.pos]; d.tag.quote != '\'' && d.tag.quote != '"' {
				return d.fail(NotWellFormed, d.pos, "attribute value without quotes")
			}
			d.pos++
			d.state = inValue
			fallthrough
		default: // inValue
			if st := d.value(b); st != more {
				return st
			}
			d.tag.gap = false
			d.state = inTag
		}
	}
}

// attributeName reads the name at b[i] and begins an attribute or a declaration with it.
func (d *Decoder) attributeName(b []byte, i int) step {
	if !d.tag.gap {
		return d.fail(NotWellFormed, i, "no white space before an attribute")
	}
	end, colon, st := d.name(b, i)
	if st != more {
		return st
	}
	d.pos = end
	name, r := b[i:end], &d.records
	at := uint32(len(r.text))
	d.tag.xmlns = len(name) >= 5 && string(name[:5]) == "xmlns" && (len(name) == 5 || colon == i+5)
	if d.tag.xmlns {
		d.tag.decls++
		if d.tag.decls > d.lim.Declarations || len(d.scope.binds) >= d.lim.Bindings {
			return d.fail(PolicyViolation, i, "too many namespace declarations")
		}
		if colon >= 0 {
			r.text = append(r.text, b[colon+1:end]...)
		}
		d.tag.decl = span{at, uint32(len(r.text))}
		return more
	}
	if len(r.attrs)-d.tag.attrs >= d.lim.Attributes {
		return d.fail(PolicyViolation, i, "too many attributes")
	}
	r.text = append(r.text, name...)
	attr := attrRecord{off: at, name: uint16(end - i)}
	if colon >= 0 {
		attr.prefix = uint16(colon - i + 1)
	}
	r.attrs = append(r.attrs, attr)
	return more
}

// closeTag reads the > or /> at b[i] and finishes the start tag.
func (d *Decoder) closeTag(b []byte, i int) step {
	empty := b[i] == '/'
	if empty {
		if i++; i == len(b) {
			return short
		}
		if b[i] != '>' {
			return d.fail(NotWellFormed, i, "/ in a tag")
		}
	}
	d.pos = i + 1
	space, st := d.resolve(i)
	if st != more {
		return st
	}
	top := len(d.open) - 1
	if top == 0 {
		if !d.opened && !d.document {
			return d.streamHeader(space, empty)
		}
		if st := d.checkFirstLevel(space, i); st != more {
			return st
		}
		d.named = true
	}
	if st := d.record(space, i); st != more {
		return st
	}
	d.state = inContent
	if empty {
		return d.endElement()
	}
	return more
}

// record keeps the element whose start tag has been read.
func (d *Decoder) record(space uint32, at int) step {
	r, top := &d.records, len(d.open)-1
	f := &d.open[top]
	if d.discard {
		r.attrs = r.attrs[:0]
		if len(r.text) > discardText {
			d.compact()
		}
		return more
	}
	attrs := len(r.attrs) - d.tag.attrs
	r.elems = append(r.elems, Element{
		local:    span{f.name.off + d.tag.prefix, f.name.end},
		space:    space,
		attrs:    uint32(d.tag.attrs),
		numAttrs: uint16(attrs),
	})
	r.pending = append(r.pending, nodeRecord{elem: uint32(len(r.elems))})
	f.elem, f.nodes = len(r.elems)-1, len(r.pending)
	r.textFrom = uint32(len(r.text))
	r.weight += weightElement + weightAttr*attrs
	left := d.lim.maxWeight() - r.weight - weightByte*len(r.text)
	if left < 0 {
		return d.overflow(at)
	}
	d.bound = min(d.bound, d.base+int64(d.pos)+int64(left/weightByte)) // all that follows may be text
	return more
}

// discardText is how much text discarding gathers before what is no longer in scope is thrown away. Names and
// declarations in scope are less than this by their own limits, so the work is in proportion to the input.
const discardText = 256 << 10

// resolve finds the namespaces of the tag (Namespaces in XML §5, §6) and refuses two attributes of one name.
func (d *Decoder) resolve(at int) (uint32, step) {
	text, s := d.records.text, &d.scope
	f := &d.open[len(d.open)-1]
	space := s.def
	if d.tag.prefix > 0 {
		bound, ok := s.lookup(text, text[f.name.off:f.name.off+d.tag.prefix-1])
		if !ok {
			return 0, d.fail(NotWellFormed, at, "element prefix without a namespace")
		}
		space = bound
	}
	attrs := d.records.attrs[d.tag.attrs:]
	for i := range attrs {
		a := &attrs[i]
		if a.prefix > 0 {
			bound, ok := s.lookup(text, text[a.off:a.off+uint32(a.prefix)-1])
			if !ok {
				return 0, d.fail(NotWellFormed, at, "attribute prefix without a namespace")
			}
			a.space = bound
		}
		for j := range i {
			if d.sameName(&attrs[j], a) {
				return 0, d.fail(NotWellFormed, at, "attribute twice")
			}
		}
	}
	return space, more
}

func (d *Decoder) sameName(a, b *attrRecord) bool {
	if a.name-a.prefix != b.name-b.prefix || (a.prefix == 0) != (b.prefix == 0) {
		return false
	}
	text := d.records.text
	return string(text[a.off+uint32(a.prefix):a.off+uint32(a.name)]) ==
		string(text[b.off+uint32(b.prefix):b.off+uint32(b.name)]) && d.scope.same(text, a.space, b.space)
}

// endTag reads an end tag up to its name, which must be that of the open element, prefix included; the </ is at pos.
func (d *Decoder) endTag() step {
	b, i := d.buf[:d.end], d.pos+2
	want := []byte("stream:stream")
	if top := len(d.open) - 1; top >= 0 {
		name := d.open[top].name
		want = d.records.text[name.off:name.end]
	} else if !d.opened {
		return d.fail(NotWellFormed, i-1, "end tag before any start tag")
	}
	n := min(len(want), len(b)-i)
	if string(b[i:i+n]) != string(want[:n]) {
		for b[i] == want[0] {
			i, want = i+1, want[1:]
		}
		return d.fail(NotWellFormed, i, "end tag of another element")
	}
	if i += n; n < len(want) || i == len(b) {
		return short
	}
	if b[i] != '>' && class[b[i]]&isSpace == 0 {
		return d.fail(NotWellFormed, i, "end tag of another element")
	}
	d.pos, d.state = i, inEndTag
	return d.endTagRest()
}

// endTagRest reads what may stand between the name and the > of an end tag.

func (d *Decoder) endTagRest() step {
	b := d.buf[:d.end]
	d.pos = spaces(b, d.pos)
	switch {
	case d.pos == len(b):
		return short
	case b[d.pos] != '>':
		return d.fail(NotWellFormed, d.pos, "something in an end tag")
	}
	d.pos++
	if len(d.open) == 0 {
		return d.endStream()
	}
	return d.endElement()
}

// endElement closes the innermost element and, at the first level, makes it an event.
func (d *Decoder) endElement() step {
	top := len(d.open) - 1
	f := &d.open[top]
	r, s := &d.records, &d.scope
	s.def = f.def
	s.binds = s.binds[:f.binds]
	if d.discard {
		r.text = r.text[:f.name.off]
		s.spaces = s.spaces[:max(f.spaces, s.streamWide)]
	} else {
		r.endText()
		r.endNodes(f.elem, f.nodes)
		r.textFrom = uint32(len(r.text))
	}
	d.open = d.open[:top]
	d.state = inContent
	if top > 0 {
		return more
	}
	if d.discard {
		d.kind, d.element = OversizeEvent, d.skipped
	} else {
		d.kind, d.element = ElementEvent, r.tree(s, d.stamp)
	}
	d.endFirstLevel()
	return emit
}

// endFirstLevel makes ready for the next first-level element.
func (d *Decoder) endFirstLevel() {
	d.discard, d.skipped, d.named, d.white = false, nil, false, 0
	d.bound = noBound
	d.state = between
	if d.document {
		d.state = inTrailer
	}
	d.scope.endElement()
	d.records.reset()
}
