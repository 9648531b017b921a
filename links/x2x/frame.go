package x2x

import (
	"strconv"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
)

// NSCustody is the namespace of custody framing.
const NSCustody = "urn:sallyport:custody:0"

const (
	nsManage      = "urn:xmpp:sm:3"
	nsCompress    = "http://jabber.org/protocol/compress"
	version       = "1"
	farthestStamp = 1 << 40 // seconds; nobody needs later
)

// Greeting is the first thing that either end says under custody.
type Greeting struct {
	Epoch      uint64
	Marks      []links.Mark
	Dictionary string
	Form       string // of records, where these are used
}

func custodyElement(local string, attrs []xmlstream.Attr, nodes ...xmlstream.Node) *xmlstream.Element {
	return xmlstream.NewElement(xmlstream.Name{Space: NSCustody, Local: local}, attrs, nodes...)
}

func attr(local, value string) xmlstream.Attr {
	return xmlstream.Attr{Name: xmlstream.Name{Local: local}, Value: value}
}

func epochText(e uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := range b {
		b[i] = digits[e>>(60-4*i)&0xF]
	}
	return string(b[:])
}

func markAttrs(m links.Mark, known uint64) []xmlstream.Attr {
	var attrs []xmlstream.Attr
	if m.Epoch != known {
		attrs = append(attrs, attr("e", epochText(m.Epoch)))
	}
	return append(attrs, attr("l", strconv.Itoa(int(m.Lane))), attr("n", strconv.FormatUint(m.Number, 10)))
}

// AppendGreeting appends <h/>.
func AppendGreeting(dst []byte, g Greeting) []byte {
	attrs := []xmlstream.Attr{attr("e", epochText(g.Epoch)), attr("v", version)}
	if g.Dictionary != "" {
		attrs = append(attrs, attr("d", g.Dictionary))
	}
	if g.Form != "" {
		attrs = append(attrs, attr("f", g.Form))
	}
	var nodes []xmlstream.Node
	for _, m := range g.Marks {
		nodes = append(nodes, xmlstream.Node{Element: custodyElement("m", markAttrs(m, 0))})
	}
	out, _ := xmlstream.AppendElement(dst, custodyElement("h", attrs, nodes...), xmlstream.NSServer) // nothing in it is impossible
	return out
}

// parseGreeting reads <h/>; a reason for the log when it is none.
func parseGreeting(e *xmlstream.Element) (g Greeting, why string) {
	v, _ := e.Attr("v")
	if v != version {
		return g, "custody of another version"
	}
	text, _ := e.Attr("e")
	var ok bool
	if g.Epoch, ok = parseEpoch(text); !ok {
		return g, "greeting without an epoch"
	}
	g.Dictionary, _ = e.Attr("d")
	g.Form, _ = e.Attr("f")
	for c := range e.Children() {
		m, ok := parseMark(c, 0)
		if !ok || !c.Is(NSCustody, "m") || len(g.Marks) == maxMarks {
			return g, "greeting with a bad mark"
		}
		g.Marks = append(g.Marks, m)
	}
	return g, ""
}

func parseEpoch(text string) (uint64, bool) {
	if len(text) != 16 {
		return 0, false
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return 0, false
		}
	}
	e, err := strconv.ParseUint(text, 16, 64)
	return e, err == nil && e != 0
}

// decimal reads a number as it is written here: no sign, no leading zero.
func decimal(text string) (uint64, bool) {
	if text == "" || len(text) > 1 && text[0] == '0' || text[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil
}

// parseMark reads e, l and n; known is the epoch where none is said.
func parseMark(e *xmlstream.Element, known uint64) (m links.Mark, ok bool) {
	m.Epoch = known
	if text, said := e.Attr("e"); said {
		if m.Epoch, ok = parseEpoch(text); !ok {
			return m, false
		}
	}
	lane, _ := e.Attr("l")
	number, _ := e.Attr("n")
	l, okLane := decimal(lane)
	n, okNumber := decimal(number)
	if !okLane || !okNumber || l >= links.Lanes || n == 0 || m.Epoch == 0 {
		return m, false
	}
	m.Lane, m.Number = uint8(l), n
	return m, true
}

// appendConsignment appends <c/> around a stanza and the list of its other recipients.
func appendConsignment(dst []byte, f links.Frame, known uint64, stanza *xmlstream.Element, also []*xmlstream.Element) ([]byte, error) {
	attrs := markAttrs(f.Mark(), known)
	if !f.Expires.IsZero() {
		attrs = append(attrs, attr("x", strconv.FormatInt(f.Expires.Unix(), 10)))
	}
	return xmlstream.AppendElement(dst, custodyElement("c", attrs, contents(stanza, also)...), xmlstream.NSServer)
}

// parseFrame reads the attributes of <c/>.
func parseFrame(e *xmlstream.Element, known uint64) (links.Frame, bool) {
	m, ok := parseMark(e, known)
	f := links.Frame{Epoch: m.Epoch, Lane: m.Lane, Number: m.Number}
	if text, said := e.Attr("x"); ok && said {
		var seconds uint64
		if seconds, ok = decimal(text); ok && seconds < farthestStamp {
			f.Expires = time.Unix(int64(seconds), 0).UTC() //nolint:gosec // bounded
		} else {
			ok = false
		}
	}
	return f, ok
}

func contents(stanza *xmlstream.Element, also []*xmlstream.Element) []xmlstream.Node {
	nodes := make([]xmlstream.Node, 1, 1+len(also))
	nodes[0].Element = stanza
	for _, e := range also {
		nodes = append(nodes, xmlstream.Node{Element: e})
	}
	return nodes
}

// content returns the stanza in <c/>, and what stands behind it.
func content(e *xmlstream.Element) (stanza *xmlstream.Element, list []*xmlstream.Element, ok bool) {
	for i := range e.NumNodes() {
		n := e.NodeAt(i).Element
		switch {
		case n == nil, i > 0 && !n.Is(NSCustody, "t"):
			return nil, nil, false
		case i == 0:
			stanza = n
		default:
			list = append(list, n)
		}
	}
	return stanza, list, stanza != nil
}

// appendAck appends <a/>.
func appendAck(dst []byte, m links.Mark, known uint64) []byte {
	out, _ := xmlstream.AppendElement(dst, custodyElement("a", markAttrs(m, known)), xmlstream.NSServer)
	return out
}

// appendProbe appends <p/> or its echo <o/>.
func appendProbe(dst []byte, local string, n uint64) []byte {
	out, _ := xmlstream.AppendElement(dst, custodyElement(local, []xmlstream.Attr{attr("n", strconv.FormatUint(n, 10))}), xmlstream.NSServer)
	return out
}
