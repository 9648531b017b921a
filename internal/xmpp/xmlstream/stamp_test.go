package xmlstream_test

import (
	"testing"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/xmlstream"
)

func ownAddress() []xmlstream.Attr {
	return []xmlstream.Attr{{Name: xmlstream.Name{Local: "from"}, Value: "a@b.example/c"}, {Name: xmlstream.Name{Local: "to"}, Value: "a@b.example"}}
}

// stampedAndMoved reads one stanza of a client twice, and gives it the stamp in both ways.
func stampedAndMoved(t interface{ Fatalf(string, ...any) }, in string, n int) (stamped, moved *xmlstream.Element) {
	s := xmlstream.NewStamp(xmlstream.NSServer, ownAddress()...)
	read := func(s *xmlstream.Stamp) *xmlstream.Element {
		d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSClient, NoHeader: true})
		d.SetStamp(s)
		if _, err := d.Write([]byte(in)); err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		ev, err := d.Next()
		if err != nil || ev.Kind != xmlstream.ElementEvent {
			t.Fatalf("%s: %v, %v", in, ev.Kind, err)
		}
		return ev.Element
	}
	e := read(s)
	if !e.Equal(read(nil)) {
		t.Fatalf("%s: is another one with room for a stamp: %s", in, canonical(e, ""))
	}
	return e.Stamped(s, n), read(nil).Moved(xmlstream.NSServer, ownAddress()[:n]...)
}

func TestStamped(t *testing.T) {
	for _, tt := range []struct{ name, in string }{
		{"nothing in it", "<iq/>"},
		{"of one's own", "<message from='a@b.example/c' to='d@e.example'><body>x</body></message>"},
		{"of somebody else", "<message to='d@e.example' from='x' id='1'><body from='y'>x</body></message>"},
		{"without from", "<message to='d@e.example' id='1' type='chat'><body>x</body>y</message>"},
		{"another from", "<message xmlns:p='urn:p' p:from='x'/>"},
		{"what is carried", "<message id='1'><f xmlns='urn:f' k='v'><message xmlns='jabber:client'><body>x</body></message></f><body/></message>"},
		{"much", "<presence from='q'><a><b><c><d/></c></b></a><e f='1' g='2' h='3' i='4' j='5' k='6' l='7' m='8'/></presence>"},
		{"unknown namespaces", "<message xmlns:a='urn:a' a:from='1'><a:b/><c xmlns='urn:c'/></message>"},
	} {
		for n := range 3 {
			if got, want := stampedAndMoved(t, tt.in, n); !got.Equal(want) || canonical(got, "") != canonical(want, "") {
				t.Errorf("%s, %d: %s, want %s", tt.name, n, canonical(got, ""), canonical(want, ""))
			}
		}
	}
}

// TestStampedOnce: there is room for one stamp only, and another one does not fit into it.
func TestStampedOnce(t *testing.T) {
	e, _ := stampedAndMoved(t, "<message from='x'><body>y</body></message>", 1)
	other := xmlstream.NewStamp(xmlstream.NSClient, xmlstream.Attr{Name: xmlstream.Name{Local: "from"}, Value: "z"})
	want := e.Moved(xmlstream.NSClient, xmlstream.Attr{Name: xmlstream.Name{Local: "from"}, Value: "z"})
	if got := e.Stamped(other, 1); !got.Equal(want) || got == e {
		t.Errorf("%s", canonical(got, ""))
	}
}

func TestStampedIsMoved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGen(rapid.Uint64().Draw(t, "seed"))
		in := canonical(g.element(3).Moved(xmlstream.NSClient), xmlstream.NSClient)
		if got, want := stampedAndMoved(t, in, rapid.IntRange(0, 2).Draw(t, "attributes")); !got.Equal(want) || canonical(got, "") != canonical(want, "") {
			t.Fatalf("%s, want %s", canonical(got, ""), canonical(want, ""))
		}
	})
}
