package xmlstream_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// gen makes random trees, and random ways of writing one tree.
type gen struct{ *rand.Rand }

func newGen(seed uint64) gen { return gen{rand.New(rand.NewPCG(seed, 7))} }

func pick[T any](g gen, from []T) T { return from[g.IntN(len(from))] }

var (
	genSpaces = []string{"", "jabber:server", "urn:xmpp:sec-label:0", "urn:a", "urn:b", "http://jabber.org/protocol/muc", "http://etherx.jabber.org/streams", "jabber:client", xmlstream.NSXML}
	genNames  = []string{"a", "body", "message", "x-1", "_y", "é", "naïve", "Ж.2", "stream", "漢"}
	genTexts  = []string{"x", "hello world", "<", ">", "&", "'", "\"", "\r", "\n", "\t", " ", "é", "]]>", "]", "\U0001F600", "\u0085", "\uFFFD", "&amp;", "<![CDATA[", "\u0301"}
)

func (g gen) text() string {
	var b strings.Builder
	for range g.IntN(5) {
		b.WriteString(pick(g, genTexts))
	}
	return b.String()
}

func (g gen) element(depth int) *xmlstream.Element {
	var attrs []xmlstream.Attr
	for range g.IntN(4) {
		n := xmlstream.Name{Space: pick(g, []string{"", "", "", "urn:a", "urn:b", xmlstream.NSXML}), Local: pick(g, genNames)}
		if !slices.ContainsFunc(attrs, func(a xmlstream.Attr) bool { return a.Name == n }) {
			attrs = append(attrs, xmlstream.Attr{Name: n, Value: g.text()})
		}
	}
	var nodes []xmlstream.Node
	for range g.IntN(4) {
		if depth == 0 || g.IntN(3) == 0 {
			nodes = append(nodes, xmlstream.TextNode(g.text()))
		} else {
			nodes = append(nodes, xmlstream.ElementNode(g.element(depth-1)))
		}
	}
	return xmlstream.NewElement(xmlstream.Name{Space: pick(g, genSpaces), Local: pick(g, genNames)}, attrs, nodes...)
}

// scribble writes e in one of the many ways that mean the same (J13): order and quotes of attributes, white space in
// tags, prefixes, redundant declarations, references, CDATA, line ends, empty tags as pairs.
func (g gen) scribble(e *xmlstream.Element, inScope map[string]string) string {
	scope := map[string]string{"xml": xmlstream.NSXML}
	maps.Copy(scope, inScope)
	var inner []string
	declare := func(prefix, uri string) {
		scope[prefix] = uri
		name := "xmlns"
		if prefix != "" {
			name += ":" + prefix
		}
		inner = append(inner, name+g.equals()+g.quote(uri, true))
	}
	name := g.prefixed(e.Name(), scope, declare, true)
	if g.IntN(4) == 0 && scope["again"] == "" {
		declare("again", "urn:unused")
	}
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		inner = append(inner, g.prefixed(a.Name, scope, declare, false)+g.equals()+g.quote(a.Value, false))
	}
	g.Shuffle(len(inner), func(i, j int) { inner[i], inner[j] = inner[j], inner[i] })
	out := "<" + name
	for _, a := range inner {
		out += g.white(1) + a
	}
	out += g.white(0)
	if e.NumNodes() == 0 && g.IntN(2) == 0 {
		return out + "/>"
	}
	out += ">"
	for i := range e.NumNodes() {
		if n := e.NodeAt(i); n.Element != nil {
			out += g.scribble(n.Element, scope)
		} else {
			out += g.chars(n.Text)
		}
		if g.IntN(8) == 0 {
			out += "<![CDATA[]]>"
		}
	}
	return out + "</" + name + g.white(0) + ">"
}

// prefixed chooses a prefix for a name and declares it if need be.
func (g gen) prefixed(n xmlstream.Name, scope map[string]string, declare func(prefix, uri string), isElement bool) string {
	if n.Space == xmlstream.NSXML {
		return "xml:" + n.Local
	}
	if n.Space == "" {
		if isElement && scope[""] != "" {
			declare("", "")
		}
		return n.Local
	}
	if isElement && scope[""] == n.Space && g.IntN(3) > 0 {
		return n.Local
	}
	var bound []string
	for p, uri := range scope {
		if uri == n.Space && p != "" {
			bound = append(bound, p)
		}
	}
	slices.Sort(bound)
	if len(bound) > 0 && g.IntN(3) > 0 {
		return pick(g, bound) + ":" + n.Local
	}
	if isElement && g.IntN(2) == 0 {
		declare("", n.Space)
		return n.Local
	}
	p := fmt.Sprint("p", len(scope), "x", g.IntN(1000))
	declare(p, n.Space)
	return p + ":" + n.Local
}

func (g gen) white(least int) string {
	var s strings.Builder
	s.WriteString(strings.Repeat(" ", least))
	for range g.IntN(3) {
		s.WriteString(pick(g, []string{" ", "\t", "\n", "\r\n"}))
	}
	return s.String()
}

func (g gen) equals() string {
	if g.IntN(3) == 0 {
		return g.white(0) + "=" + g.white(0)
	}
	return "="
}

// quote writes a value. In a namespace name nothing but the text itself and references to it is used.
func (g gen) quote(s string, uri bool) string {
	q := pick(g, []string{"'", "\""})
	var b strings.Builder
	for _, r := range s {
		switch {
		case g.IntN(10) == 0 || r == '\r' || r == '\n' || r == '\t':
			fmt.Fprintf(&b, pick(g, []string{"&#%d;", "&#x%x;", "&#x%X;"}), r)
		case r == ' ' && !uri && strings.HasSuffix(b.String(), "\r"): // CR LF would be one blank
			b.WriteString(" ")
		case r == ' ' && !uri:
			b.WriteString(pick(g, []string{" ", "\n", "\t", "\r\n", "\r"}))
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case string(r) == q && r == '\'':
			b.WriteString("&apos;")
		case string(r) == q:
			b.WriteString("&quot;")
		default:
			b.WriteRune(r)
		}
	}
	return q + b.String() + q
}

func (g gen) chars(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\r':
			b.WriteString(pick(g, []string{"&#13;", "&#xD;", "&#xd;"}))
		case r == '\n':
			b.WriteString(pick(g, []string{"\n", "\r\n", "&#10;", "<![CDATA[\r]]>"}))
		case g.IntN(12) == 0:
			fmt.Fprintf(&b, "&#x%x;", r)
		case g.IntN(12) == 0:
			b.WriteString("<![CDATA[" + string(r) + "]]>")
		case r == '<':
			b.WriteString(pick(g, []string{"&lt;", "<![CDATA[<]]>"}))
		case r == '&':
			b.WriteString("&amp;")
		case r == '>' && strings.HasSuffix(b.String(), "]"):
			b.WriteString("&gt;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// mutate makes a few small changes to a document, most of which break it.
func (g gen) mutate(doc string) string {
	b := []byte(doc)
	for range 1 + g.IntN(3) {
		i := g.IntN(len(b))
		insert := pick(g, []string{"<", ">", "/", "'", "\"", "&", ";", "=", " ", "]]>", "<!--", "<?", ":", "a", "&#13;", "\r", "\n", "\x00", "\xC3", "é", "xmlns:q='urn:q' ", "q:", "xml:", "<![CDATA[", "1", "-"})
		switch g.IntN(3) {
		case 0:
			b = slices.Insert(b, i, []byte(insert)...)
		case 1:
			b = slices.Delete(b, i, min(i+1+g.IntN(3), len(b)))
		default:
			b[i] = insert[0]
		}
		if len(b) == 0 {
			return "<a/>"
		}
	}
	return string(b)
}
