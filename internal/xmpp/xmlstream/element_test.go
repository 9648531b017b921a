package xmlstream_test

import (
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

func parse(t testing.TB, doc string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(doc), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	return e
}

const sample = "<message to='b@b.example' xml:lang='en' xmlns:x='urn:x' x:to='c'>one<body>hello</body>two<body xmlns='urn:y'>other</body><e/></message>"

func TestElementAccess(t *testing.T) {
	e := parse(t, sample)
	if e.Name() != (xmlstream.Name{Space: "jabber:server", Local: "message"}) || !e.Is("jabber:server", "message") || e.Is("", "message") {
		t.Errorf("name %v", e.Name())
	}
	if v, ok := e.Attr("to"); v != "b@b.example" || !ok {
		t.Errorf("to = %q %v", v, ok)
	}
	if v, ok := e.AttrNS("urn:x", "to"); v != "c" || !ok {
		t.Errorf("x:to = %q %v", v, ok)
	}
	if v, ok := e.AttrNS(xmlstream.NSXML, "lang"); v != "en" || !ok {
		t.Errorf("xml:lang = %q %v", v, ok)
	}
	if _, ok := e.Attr("lang"); ok || e.NumAttrs() != 3 {
		t.Errorf("%d attributes", e.NumAttrs())
	}
	if got := e.Text(); got != "onetwo" {
		t.Errorf("text %q", got)
	}
	if got := e.Child("jabber:server", "body").Text(); got != "hello" {
		t.Errorf("body %q", got)
	}
	if e.Child("urn:z", "body") != nil || e.Child("jabber:server", "e").Text() != "" || e.NumNodes() != 5 {
		t.Error("children")
	}
	var names []string
	for c := range e.Children() {
		names = append(names, c.Space()+" "+c.Local())
		if len(names) == 2 {
			break
		}
	}
	if !slices.Equal(names, []string{"jabber:server body", "urn:y body"}) {
		t.Errorf("children %q", names)
	}
	if (*xmlstream.Element)(nil).Is("", "") || (&xmlstream.Element{}).Local() != "" {
		t.Error("nil and zero elements")
	}
}

func TestElementBuilders(t *testing.T) {
	e := parse(t, sample)
	form := func(e *xmlstream.Element) string { return canonical(e, xmlstream.NSServer) }
	original := form(e)
	to := xmlstream.Name{Local: "to"}
	tests := map[string][2]string{
		"set": {form(e.WithAttr(to, "d")), strings.Replace(original, "b@b.example", "d", 1)},
		"add": {form(e.WithAttr(xmlstream.Name{Local: "z"}, "1")), strings.Replace(original, " to='b@b.example'", " to='b@b.example' z='1'", 1)},
		"remove": {
			form(e.WithoutAttr(to)), strings.Replace(original, " to='b@b.example'", "", 1),
		},
		"nodes": {
			form(e.WithNodes(xmlstream.TextNode("a"), xmlstream.TextNode(""), xmlstream.TextNode("b"), xmlstream.Node{}, xmlstream.ElementNode(e.Child("urn:y", "body")))),
			original[:strings.Index(original, "one")] + "ab<body xmlns='urn:y'>other</body></message>",
		},
		"map": {
			form(e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
				switch {
				case c.Space() == "urn:y":
					return c.WithNodes()
				case c.Local() == "body":
					return nil
				}
				return c
			})), original[:strings.Index(original, "one")] + "onetwo<body xmlns='urn:y'/><e/></message>",
		},
	}
	for name, test := range tests {
		if test[0] != test[1] {
			t.Errorf("%s:\ngot  %s\nwant %s", name, test[0], test[1])
		}
	}
	if e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element { return c }) != e || e.WithoutAttr(xmlstream.Name{Local: "none"}) != e {
		t.Error("a change of nothing is another element")
	}
	if form(e) != original {
		t.Error("an element was changed")
	}
	if c := e.Child("urn:y", "body"); e.WithAttr(to, "d").Child("urn:y", "body") != c {
		t.Error("children are not shared")
	}
}

func TestElementEqual(t *testing.T) {
	e := parse(t, sample)
	same := []string{
		"<message xmlns:y='urn:x' xml:lang='en' y:to='c' to='b@b.example'>o<![CDATA[ne]]><body>hell&#111;</body>two<p:body xmlns:p='urn:y'>other</p:body><e></e></message>",
	}
	other := []string{
		strings.Replace(sample, "'en'", "'de'", 1), strings.Replace(sample, "two", "", 1), strings.Replace(sample, "urn:y", "urn:z", 1),
		strings.Replace(sample, "<e/>", "<f/>", 1), strings.Replace(sample, "<e/>", "", 1), strings.Replace(sample, "x:to", "x:t", 1),
		strings.Replace(sample, " x:to='c'", "", 1), strings.Replace(sample, "hello", "hullo", 1),
	}
	for _, doc := range same {
		if o := parse(t, doc); !e.Equal(o) || !o.Equal(e) || !o.Clone().Equal(e) {
			t.Errorf("not equal: %s", doc)
		}
	}
	for _, doc := range other {
		if o := parse(t, doc); e.Equal(o) || o.Equal(e) {
			t.Errorf("equal: %s", doc)
		}
	}
	if e.Equal(nil) || (*xmlstream.Element)(nil).Equal(e) || !(*xmlstream.Element)(nil).Equal(nil) {
		t.Error("nil")
	}
}

// TestElementOwnsItsMemory writes over the buffer that it was read from.
func TestElementOwnsItsMemory(t *testing.T) {
	b := []byte(sample)
	e, err := xmlstream.ParseDocument(b, xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	want := canonical(e, "")
	for i := range b {
		b[i] = '#'
	}
	d := open(t, xmlstream.ServerLimits())
	d.Write([]byte(sample))
	ev, err := d.Next()
	if err != nil {
		t.Fatal(err)
	}
	d.Write([]byte(strings.Repeat(strings.Replace(sample, "hello", "HELLO", 1), 20)))
	for range 20 {
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if canonical(e, "") != want || canonical(ev.Element, "") != want {
		t.Error("an element changed with the buffer it came from")
	}
}

// TestWriterInStream has the prefixes that deployed servers look for.
func TestWriterInStream(t *testing.T) {
	nested := "<iq><error xmlns='http://etherx.jabber.org/streams'/><result xmlns='jabber:server:dialback'/></iq>"
	tests := []struct{ doc, server, alone string }{
		{
			"<stream:features><bidi xmlns='urn:xmpp:features:bidi'/></stream:features>",
			"<stream:features><bidi xmlns='urn:xmpp:features:bidi'/></stream:features>",
			"<features xmlns='http://etherx.jabber.org/streams'><bidi xmlns='urn:xmpp:features:bidi'/></features>",
		},
		{
			"<db:result from='a' to='b'>key</db:result>", "<db:result from='a' to='b'>key</db:result>",
			"<result xmlns='jabber:server:dialback' from='a' to='b'>key</result>",
		},
		{nested, nested, "<iq xmlns='jabber:server'>" + nested[len("<iq>"):]},
		{"<xml:a xml:b='1'/>", "<xml:a xml:b='1'/>", "<xml:a xml:b='1'/>"},
		{"<a xmlns=''><b xmlns='jabber:server'/></a>", "<a xmlns=''><b xmlns='jabber:server'/></a>", "<a><b xmlns='jabber:server'/></a>"},
	}
	for _, test := range tests {
		e := parse(t, test.doc)
		if got := canonical(e, xmlstream.NSServer); got != test.server {
			t.Errorf("in a stream: got %s, want %s", got, test.server)
		}
		if got := canonical(e, ""); got != test.alone {
			t.Errorf("alone: got %s, want %s", got, test.alone)
		}
	}
}
