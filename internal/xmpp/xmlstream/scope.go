package xmlstream

// binding is one namespace declaration in scope; the default namespace has an empty prefix.
type binding struct {
	prefix span
	space  uint32
	look   uint32 // prefixLook of the prefix
}

// prefixLook is a glance at a prefix: most that are not equal differ in it.
func prefixLook(p []byte) uint32 {
	if len(p) == 0 {
		return 0
	}
	return uint32(len(p))<<16 | uint32(p[len(p)/2])<<8 | uint32(p[len(p)-1])
}

// streamBinding is a declaration of the stream header.
type streamBinding struct {
	prefix string
	space  uint32
}

// space is a namespace that is not well known: a string if it belongs to the stream, else a piece of text.
type space struct {
	uri string
	at  span
}

// scope holds the namespace declarations in force (Namespaces in XML §6).
type scope struct {
	binds      []binding // of open elements, innermost last
	def        uint32    // the default namespace
	spaces     []space   // the first ones belong to the stream
	stream     []streamBinding
	streamDef  uint32
	streamWide int // how many spaces belong to the stream
}

// endElement forgets the namespaces of a finished first-level element.
func (s *scope) endElement() {
	s.spaces, s.binds, s.def = s.spaces[:s.streamWide], s.binds[:0], s.streamDef
}

// keep makes what is declared now last as long as the stream.
func (s *scope) keep(text []byte) {
	for i := range s.spaces {
		if sp := &s.spaces[i]; sp.uri == "" {
			sp.uri = string(text[sp.at.off:sp.at.end])
		}
	}
	for _, b := range s.binds {
		s.stream = append(s.stream, streamBinding{prefix: string(text[b.prefix.off:b.prefix.end]), space: b.space})
	}
	s.streamWide, s.streamDef = len(s.spaces), s.def
	s.endElement()
}

// bind declares for the whole stream what no header has declared.
func (s *scope) bind(prefix, uri string) {
	number, ok := knownSpace(uri)
	if !ok {
		s.spaces = append(s.spaces, space{uri: uri})
		number = uint32(len(wellKnown) + len(s.spaces) - 1)
	}
	s.stream = append(s.stream, streamBinding{prefix: prefix, space: number})
	if prefix == "" {
		s.def = number
	}
	s.streamWide, s.streamDef = len(s.spaces), s.def
}

// lookup finds the namespace bound to a prefix, innermost first.
func (s *scope) lookup(text, prefix []byte) (number uint32, ok bool) {
	look := prefixLook(prefix)
	for i := len(s.binds) - 1; i >= 0; i-- {
		b := &s.binds[i]
		if b.look == look && string(text[b.prefix.off:b.prefix.end]) == string(prefix) {
			return b.space, true
		}
	}
	for i := range s.stream {
		if s.stream[i].prefix == string(prefix) {
			return s.stream[i].space, true
		}
	}
	return xmlSpace, string(prefix) == "xml"
}

// uri returns the name of a namespace that belongs to the stream.
func (s *scope) uri(number uint32) string {
	if number < uint32(len(wellKnown)) {
		return wellKnown[number]
	}
	return s.spaces[number-uint32(len(wellKnown))].uri
}

// same says whether two numbers mean the same namespace.
func (s *scope) same(text []byte, a, b uint32) bool {
	const known = uint32(len(wellKnown))
	if a == b || a < known || b < known {
		return a == b
	}
	x, y := &s.spaces[a-known], &s.spaces[b-known]
	switch {
	case x.uri != "" && y.uri != "":
		return x.uri == y.uri
	case x.uri != "":
		return x.uri == string(text[y.at.off:y.at.end])
	case y.uri != "":
		return y.uri == string(text[x.at.off:x.at.end])
	}
	return string(text[x.at.off:x.at.end]) == string(text[y.at.off:y.at.end])
}

// strings returns the namespaces that are not well known, for a tree with this text.
func (s *scope) strings(text string) []string {
	if len(s.spaces) == 0 {
		return nil
	}
	out := make([]string, len(s.spaces))
	for i := range s.spaces {
		if sp := &s.spaces[i]; sp.uri != "" {
			out[i] = sp.uri
		} else {
			out[i] = text[sp.at.off:sp.at.end]
		}
	}
	return out
}

// declare ends a namespace declaration whose prefix and value have been read.
func (d *Decoder) declare(at int) step {
	text, decl := d.records.text, d.tag.decl
	prefix, uri := text[decl.off:decl.end], text[decl.end:]
	own := d.scope.binds[d.open[len(d.open)-1].binds:]
	for i := range own {
		if string(text[own[i].prefix.off:own[i].prefix.end]) == string(prefix) {
			return d.fail(NotWellFormed, at, "prefix declared twice on one element")
		}
	}
	bound, known := knownSpace(uri)
	if !known || bound <= xmlSpace || len(prefix) > 0 {
		if detail := badDeclaration(prefix, uri); detail != "" {
			return d.fail(NotWellFormed, at, detail)
		}
		if string(prefix) == "xml" {
			return more // redundant and allowed
		}
	}
	if known {
		d.records.text = text[:decl.end]
	} else {
		d.scope.spaces = append(d.scope.spaces, space{at: span{decl.end, uint32(len(text))}})
		bound = uint32(len(wellKnown) + len(d.scope.spaces) - 1)
	}
	d.scope.binds = append(d.scope.binds, binding{prefix: decl, space: bound, look: prefixLook(prefix)})
	if len(prefix) == 0 {
		d.scope.def = bound
	}
	d.records.weight += weightDeclaration
	return more
}

// badDeclaration applies the namespace constraints of Namespaces in XML §2 and §3.
func badDeclaration(prefix, uri []byte) string {
	switch {
	case string(prefix) == "xml" && string(uri) != NSXML:
		return "prefix xml bound to another namespace"
	case string(prefix) != "xml" && string(uri) == NSXML:
		return "namespace of xml bound to another prefix"
	case string(prefix) == "xmlns" || string(uri) == nsXMLNS:
		return "declaration of xmlns"
	case len(prefix) > 0 && len(uri) == 0:
		return "prefix bound to nothing"
	case !legalSpace(string(uri)):
		return "control or white space in a namespace name"
	}
	return ""
}

// presume declares for the whole stream what a header would have declared (XEP-0361 §3). A document that is read as
// part of a stream may also use the prefix of dialback, which our own headers declare.
func (d *Decoder) presume() {
	d.scope.bind("", d.contentNS)
	d.scope.bind("stream", NSStream)
	if d.document && d.contentNS == NSServer {
		d.scope.bind("db", NSDialback)
	}
}

// compact throws away all text but what open elements and declarations in scope still need.
func (d *Decoder) compact() {
	old := d.records.text
	text := make([]byte, 0, 256)
	move := func(s span) span {
		at := uint32(len(text))
		text = append(text, old[s.off:s.end]...)
		return span{at, uint32(len(text))}
	}
	for i := range d.scope.binds {
		b := &d.scope.binds[i]
		b.prefix = move(b.prefix)
		if i := int(b.space) - len(wellKnown); i >= 0 {
			sp := &d.scope.spaces[i]
			sp.at = move(sp.at)
		}
	}
	for i := range d.open {
		d.open[i].name = move(d.open[i].name)
	}
	d.records.text = text
}
