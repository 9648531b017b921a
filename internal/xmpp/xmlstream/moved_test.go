package xmlstream_test

import (
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

func TestMoved(t *testing.T) {
	from, to := xmlstream.Attr{Name: xmlstream.Name{Local: "from"}, Value: "a@b.example/c"}, xmlstream.Attr{Name: xmlstream.Name{Local: "to"}, Value: "d@e.example"}
	tests := []struct {
		name, in, want string
		set            []xmlstream.Attr
	}{
		{"nothing in it", "<iq xmlns='jabber:client'/>", "<iq xmlns='jabber:server'/>", nil},
		{"content goes on", "<message xmlns='jabber:client' id='1'><body>x</body>y</message>", "<message xmlns='jabber:server' id='1'><body>x</body>y</message>", nil},
		{
			"what is carried stays", "<message xmlns='jabber:client'><f xmlns='urn:f' k='v'><message xmlns='jabber:client'><body>x</body></message></f><body/></message>",
			"<message xmlns='jabber:server'><f xmlns='urn:f' k='v'><message xmlns='jabber:client'><body>x</body></message></f><body/></message>", nil,
		},
		{
			"attributes are added and replaced", "<message xmlns='jabber:client' from='me' xml:lang='en' id='1'><body xml:lang='de' from='x'>x</body></message>",
			"<message xmlns='jabber:server' from='a@b.example/c' xml:lang='en' id='1' to='d@e.example'><body xml:lang='de' from='x'>x</body></message>",
			[]xmlstream.Attr{from, to},
		},
		{
			"the same attribute elsewhere is another", "<message xmlns='jabber:client' xmlns:p='urn:p' p:from='x'/>",
			"<message xmlns='jabber:server' xmlns:p='urn:p' p:from='x' from='a@b.example/c'/>",
			[]xmlstream.Attr{from},
		},
		{"twice the same", "<message xmlns='jabber:client'/>", "<message xmlns='jabber:server' to='d@e.example'/>", []xmlstream.Attr{to, to}},
	}
	for _, tt := range tests {
		read := func(s string) *xmlstream.Element {
			e, err := xmlstream.ParseDocument([]byte(s), xmlstream.Options{})
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			return e
		}
		in, want := read(tt.in), read(tt.want)
		for how, e := range map[string]*xmlstream.Element{"read": in, "built": in.WithNodes(nodes(in)...), "moved before": in.Moved(xmlstream.NSClient)} {
			if got := e.Moved(xmlstream.NSServer, tt.set...); !got.Equal(want) {
				t.Errorf("%s, %s: %s", tt.name, how, canonical(got, ""))
			} else if canonical(got, "") != canonical(want, "") {
				t.Errorf("%s, %s: written %s", tt.name, how, canonical(got, ""))
			}
		}
		if !in.Equal(read(tt.in)) {
			t.Errorf("%s: what was moved has changed: %s", tt.name, canonical(in, ""))
		}
	}
}

func nodes(e *xmlstream.Element) (list []xmlstream.Node) {
	for i := range e.NumNodes() {
		list = append(list, e.NodeAt(i))
	}
	return list
}
