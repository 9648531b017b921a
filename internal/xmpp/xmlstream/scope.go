package xmlstream

// Indices into scope.spaces that always exist.
const (
	noSpace  = 0
	xmlSpace = 1
)

// span is a piece of records.text.
type span struct{ off, end uint32 }

// space is one namespace seen. Well-known and stream-wide ones are strings already; others are a span until the tree
// is made.
type space struct {
	uri string
	at  span
}

// binding is one namespace declaration in scope; the default namespace has an empty prefix.
type binding struct {
	prefix span
	space  uint32
}

// scope holds the namespace declarations in force (Namespaces in XML §6).
type scope struct {
	spaces      []space
	binds       []binding
	def         uint32 // the default namespace
	streamWide  int    // spaces up to here belong to the stream
	streamBinds int
}

// reset forgets all but what XML itself declares.
func (s *scope) reset() {
	s.spaces = append(s.spaces[:0], space{}, space{uri: NSXML})
	s.binds = s.binds[:0]
	s.def, s.streamWide, s.streamBinds = noSpace, len(s.spaces), 0
}

// endElement forgets the namespaces of a finished first-level element.
func (s *scope) endElement() {
	s.spaces, s.binds = s.spaces[:s.streamWide], s.binds[:s.streamBinds]
}

// settle makes what is declared now last as long as the stream.
func (s *scope) settle(text []byte) {
	for i := range s.spaces {
		if sp := &s.spaces[i]; sp.uri == "" {
			sp.uri = string(text[sp.at.off:sp.at.end])
		}
	}
	s.streamWide, s.streamBinds = len(s.spaces), len(s.binds)
}

// lookup finds the namespace bound to a prefix, innermost first.
func (s *scope) lookup(text, prefix []byte) (uint32, bool) {
	for i := len(s.binds) - 1; i >= 0; i-- {
		b := &s.binds[i]
		if int(b.prefix.end-b.prefix.off) == len(prefix) && string(text[b.prefix.off:b.prefix.end]) == string(prefix) {
			return b.space, true
		}
	}
	if string(prefix) == "xml" {
		return xmlSpace, true
	}
	return 0, false
}

// same says whether two indices mean the same namespace.
func (s *scope) same(text []byte, a, b uint32) bool {
	if a == b {
		return true
	}
	x, y := &s.spaces[a], &s.spaces[b]
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

// declare ends a namespace declaration whose prefix and value have been read.
func (d *Decoder) declare(at int) step {
	text, decl := d.records.text, &d.tag.decl
	prefix, uri := text[decl.prefix.off:decl.prefix.end], text[decl.prefix.end:]
	own := d.scope.binds[d.open[len(d.open)-1].binds:]
	for i := range own {
		if string(text[own[i].prefix.off:own[i].prefix.end]) == string(prefix) {
			return d.fail(NotWellFormed, at, "prefix declared twice on one element")
		}
	}
	if detail := badDeclaration(prefix, uri); detail != "" {
		return d.fail(NotWellFormed, at, detail)
	}
	if string(prefix) == "xml" {
		return more // redundant and allowed
	}
	bound := uint32(noSpace)
	if len(uri) > 0 {
		sp := space{at: span{decl.prefix.end, uint32(len(text))}}
		if known, ok := internSpace(uri); ok {
			sp = space{uri: known}
			d.records.text = text[:decl.prefix.end]
		}
		bound = uint32(len(d.scope.spaces))
		d.scope.spaces = append(d.scope.spaces, sp)
	}
	d.scope.binds = append(d.scope.binds, binding{prefix: decl.prefix, space: bound})
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
	d.bind("stream", NSStream)
	if d.document && d.contentNS == NSServer {
		d.bind("db", NSDialback)
	}
	d.scope.def = d.bind("", d.contentNS)
	d.settleStream()
}

func (d *Decoder) bind(prefix, uri string) uint32 {
	r, s := &d.records, &d.scope
	at := uint32(len(r.text))
	r.text = append(r.text, prefix...)
	s.spaces = append(s.spaces, space{uri: uri})
	bound := uint32(len(s.spaces) - 1)
	s.binds = append(s.binds, binding{prefix: span{at, uint32(len(r.text))}, space: bound})
	return bound
}

// settleStream keeps the declarations in scope, and nothing else, for all elements to come.
func (d *Decoder) settleStream() {
	d.scope.settle(d.records.text)
	d.compact()
	d.records.reset(len(d.records.text))
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
		if sp := &d.scope.spaces[b.space]; sp.uri == "" && b.space != noSpace {
			sp.at = move(sp.at)
		}
	}
	for i := range d.open {
		d.open[i].name = move(d.open[i].name)
	}
	d.records.text = text
}
