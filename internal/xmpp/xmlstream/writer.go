package xmlstream

import "fmt"

// AppendElement appends the canonical form of e: one form for one tree. defaultNS is the content namespace of the stream
// that the bytes go to, whose elements then need no declaration; "" makes a document that stands alone.
//
//   - <a/> for an element without content, no white space but in content, no CDATA, no character above ASCII escaped
//   - attributes between single quotes, ordered by namespace and name, after the declarations
//   - elements without prefix, declaring their namespace where it differs from their parent's; foreign attributes with
//     the prefixes a, b, c … declared where they are used; xml: as it is
//   - &lt; &gt; &amp; and &#xD; in text, also &apos; &#x9; &#xA; in values
//
// In a stream, a first-level element of the namespace of streams or of dialback has the prefix that our header declares
// (stream:features, db:result), since deployed servers look for it.
//
// Whatever is appended ParseDocument reads back as an equal tree under ServerLimits. A tree for which that cannot be so
// gives ErrUnwritable, and dst as it was.
func AppendElement(dst []byte, e *Element, defaultNS string) ([]byte, error) {
	w := writer{dst: dst, begin: len(dst), lim: &writable, binds: 3, contentNS: defaultNS}
	w.element(e, defaultNS, 1)
	if w.fault == "" && len(w.dst)-w.begin > w.lim.ElementBytes {
		w.fault = "too long"
	}
	if w.fault == "" && w.weight > w.lim.maxWeight() {
		w.fault = "too many elements"
	}
	if w.fault != "" {
		return dst, fmt.Errorf("%w: %s", ErrUnwritable, w.fault)
	}
	return w.dst, nil
}

// writable is what may be written; nobody changes it.
var writable = ServerLimits()

// writer appends one tree. The first fault stops it.
type writer struct {
	dst       []byte
	begin     int
	lim       *Limits
	contentNS string
	weight    int // as the reader will count it, or a little more
	binds     int // declarations in scope, those of the stream header included
	fault     string
}

func (w *writer) element(e *Element, outer string, depth int) {
	switch {
	case e == nil:
		w.fault = "no element"
	case depth > w.lim.Depth:
		w.fault = "too deep"
	case len(w.dst)-w.begin > w.lim.ElementBytes:
		w.fault = "too long"
	case e.NumAttrs() > w.lim.Attributes:
		w.fault = "too many attributes"
	}
	if w.fault != "" {
		return
	}
	prefix, inner := w.prefix(e, outer, depth)
	binds := w.binds
	w.weight += weightElement
	w.dst = append(w.dst, '<')
	w.name(prefix, e.Local())
	if inner != outer {
		w.declare("", inner)
	}
	if e.NumAttrs() > 0 {
		w.attributes(e)
	}
	if w.binds-binds > w.lim.Declarations || w.binds > w.lim.Bindings {
		w.fault = "too many namespaces"
	}
	if e.NumNodes() == 0 {
		w.dst = append(w.dst, '/', '>')
	} else {
		w.dst = append(w.dst, '>')
		w.nodes(e, inner, depth)
		w.dst = append(w.dst, '<', '/') // the name was checked in the start tag
		w.dst = append(append(append(w.dst, prefix...), e.Local()...), '>')
		w.weight += len(prefix) + len(e.Local())
	}
	w.binds = binds
}

func (w *writer) nodes(e *Element, inner string, depth int) {
	kids := 0
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		if n.Element == nil {
			w.weight += weightText + len(n.Text)
			w.escaped(n.Text, escText)
			continue
		}
		if kids++; kids > w.lim.Children {
			w.fault = "too many children"
		}
		w.element(n.Element, inner, depth+1)
		if w.fault != "" {
			return
		}
	}
}

// prefix chooses the prefix of an element and the default namespace inside it.
func (w *writer) prefix(e *Element, outer string, depth int) (prefix, inner string) {
	switch e.Space() {
	case outer:
		return "", outer
	case NSXML:
		return "xml:", outer
	case NSStream:
		if depth == 1 && w.contentNS != "" {
			return "stream:", outer
		}
	case NSDialback:
		if depth == 1 && w.contentNS == NSServer {
			return "db:", outer
		}
	}
	return "", e.Space()
}

// attributes writes attributes ordered by namespace, then name.
func (w *writer) attributes(e *Element) {
	attrs := make([]Attr, 0, 8)
	for i := range e.NumAttrs() { // insertion sort: few attributes, mostly in order
		a, j := e.AttrAt(i), i
		attrs = append(attrs, a)
		for ; j > 0 && a.Name.before(attrs[j-1].Name); j-- {
			attrs[j] = attrs[j-1]
		}
		attrs[j] = a
	}
	var prefix, space string
	prefixes := prefixer{}
	for i := range attrs { // declarations first
		if s := attrs[i].Name.Space; s != "" && s != NSXML && s != space {
			space = s
			w.declare(prefixes.next(), s)
		}
	}
	space, prefixes = "", prefixer{}
	for i := range attrs {
		a := &attrs[i]
		switch {
		case i > 0 && a.Name == attrs[i-1].Name:
			w.fault = "attribute twice"
		case a.Name.Space == space:
		case a.Name.Space == NSXML:
			prefix = "xml:"
		default:
			prefix = prefixes.next() + ":"
		}
		space = a.Name.Space
		if space == "" && a.Name.Local == "xmlns" {
			w.fault = "declaration among the attributes"
		}
		w.weight += weightAttr + len(a.Value)
		w.dst = append(w.dst, ' ')
		w.name(prefix, a.Name.Local)
		w.dst = append(w.dst, '=', '\'')
		w.escaped(a.Value, escValue)
		w.dst = append(w.dst, '\'')
	}
}

// before orders names by namespace, none first, then by local part.
func (n Name) before(o Name) bool {
	if n.Space != o.Space {
		return n.Space < o.Space
	}
	return n.Local < o.Local
}

// prefixer makes the prefixes a … z, aa … az, ba … one after the other.
type prefixer struct{ made int }

const letters = "abcdefghijklmnopqrstuvwxyz"

func (p *prefixer) next() string {
	i := p.made
	p.made++
	if i < len(letters) {
		return letters[i : i+1]
	}
	return letters[i/len(letters)-1:i/len(letters)] + letters[i%len(letters):i%len(letters)+1]
}

func (w *writer) declare(prefix, uri string) {
	if len(uri) > w.lim.URIBytes || uri == NSXML || uri == nsXMLNS || !legalSpace(uri) {
		w.fault = "impossible namespace"
		return
	}
	w.binds++
	w.weight += weightDeclaration + len(prefix) + len(uri)
	w.dst = append(w.dst, " xmlns"...)
	if prefix != "" {
		w.dst = append(append(w.dst, ':'), prefix...)
	}
	w.dst = append(w.dst, '=', '\'')
	w.escaped(uri, escValue)
	w.dst = append(w.dst, '\'')
}

// name writes a qualified name; prefix has its colon.
func (w *writer) name(prefix, local string) {
	if len(prefix)+len(local) > w.lim.NameBytes || !isNCName(local) {
		w.fault = "impossible name"
		return
	}
	w.weight += len(prefix) + len(local)
	w.dst = append(append(w.dst, prefix...), local...)
}

// isNCName is production [4] of Namespaces in XML, as the reader understands it.
func isNCName(s string) bool {
	for i := 0; i < len(s); {
		if i > 0 {
			if i = nameRun(s, i); i == len(s) {
				break
			}
		}
		n := nameChar(s, i, i == 0)
		if n <= 0 {
			return false
		}
		i += n
	}
	return s != ""
}

// escaped writes text or a value.
func (w *writer) escaped(s string, esc uint8) {
	from := 0
	for {
		i := plain(s, from, esc)
		w.dst = append(w.dst, s[from:i]...)
		if i == len(s) {
			return
		}
		switch s[i] {
		case '<':
			w.dst = append(w.dst, "&lt;"...)
		case '>':
			w.dst = append(w.dst, "&gt;"...)
		case '&':
			w.dst = append(w.dst, "&amp;"...)
		case '\'':
			w.dst = append(w.dst, "&apos;"...)
		case '\t':
			w.dst = append(w.dst, "&#x9;"...)
		case '\n':
			w.dst = append(w.dst, "&#xA;"...)
		case '\r':
			w.dst = append(w.dst, "&#xD;"...)
		default:
			w.fault = "impossible character"
			return
		}
		from = i + 1
	}
}
