package xmlstream_test

import (
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

// TestPieces holds small elements to few pieces of memory: what lives long, as presence does, keeps what lies around each piece of it.
func TestPieces(t *testing.T) {
	d := open(t, xmlstream.ServerLimits())
	body := xmlstream.Name{Space: xmlstream.NSServer, Local: "body"}
	message := xmlstream.Name{Space: xmlstream.NSServer, Local: "message"}
	attrs := []xmlstream.Attr{{Name: xmlstream.Name{Local: "id"}, Value: "1"}, {Name: xmlstream.Name{Local: "type"}, Value: "chat"}}
	text := []xmlstream.Node{xmlstream.TextNode("Romeo!")}
	child := []xmlstream.Node{xmlstream.ElementNode(xmlstream.NewElement(body, nil, text...))}
	address := xmlstream.Attr{Name: xmlstream.Name{Local: "from"}, Value: "juliet@example.com/balcony"}
	read := func(s string) func() {
		b := []byte(s)
		return func() {
			d.Write(b)
			if _, err := d.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name string
		do   func()
		most float64
	}{
		{"read, nothing in it", read("<presence/>"), 2},
		{"read, attributes alone", read("<iq type='result' id='1' from='example.com' to='example.net'/>"), 2},
		{"read, a child with text", read("<message id='1' to='example.com'><body>Romeo!</body></message>"), 2},
		{"built, nothing in it", func() { xmlstream.NewElement(body, nil) }, 2},
		{"built, attributes alone", func() { xmlstream.NewElement(message, attrs) }, 2},
		{"built, text", func() { xmlstream.NewElement(body, nil, text...) }, 2},
		{"built, a child", func() { xmlstream.NewElement(message, attrs, child...) }, 2},
		{"stamp", func() { xmlstream.NewStamp(xmlstream.NSServer, address, address) }, 6}, // of which it keeps two
	} {
		t.Run(c.name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, c.do); n > c.most {
				t.Errorf("%v allocations, %v at most", n, c.most)
			}
		})
	}
}

// TestBuiltFromNodesOfOthers: the list of nodes stays the caller's.
func TestBuiltFromNodesOfOthers(t *testing.T) {
	name := xmlstream.Name{Space: "urn:example", Local: "x"}
	kid := func(text string) xmlstream.Node {
		return xmlstream.ElementNode(xmlstream.NewElement(name, nil, xmlstream.TextNode(text)))
	}
	for _, c := range []struct {
		name  string
		nodes []xmlstream.Node
		want  int // nodes
	}{
		{"one text", []xmlstream.Node{xmlstream.TextNode("a")}, 1},
		{"one child", []xmlstream.Node{kid("a")}, 1},
		{"children", []xmlstream.Node{kid("a"), kid("b"), kid("c")}, 3},
		{"both in turn", []xmlstream.Node{xmlstream.TextNode("a"), kid("b"), xmlstream.TextNode("c")}, 3},
		{"texts side by side", []xmlstream.Node{xmlstream.TextNode("a"), xmlstream.TextNode("b"), kid("c")}, 2},
		{"empty text", []xmlstream.Node{kid("a"), xmlstream.TextNode(""), kid("b")}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := xmlstream.NewElement(name, nil, c.nodes...)
			before, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.nodes {
				c.nodes[i] = xmlstream.TextNode("other")
			}
			after, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
			if err != nil || string(after) != string(before) || e.NumNodes() != c.want {
				t.Errorf("%s became %s (%v), %d nodes", before, after, err, e.NumNodes())
			}
		})
	}
}
