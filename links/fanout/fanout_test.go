package fanout_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/fanout"
)

func element(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func read(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	s, err := stanza.From(element(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func room(to string) string {
	return "<message from='room@a.example/n' to='" + to + "' type='groupchat' id='1'><body>x</body></message>"
}

func TestDigest(t *testing.T) {
	t.Parallel()
	one := room("v@b.example/r")
	tests := []struct {
		name  string
		other string
		same  bool
	}{
		{"another occupant", room("w@b.example/q"), true},
		{"another order of attributes", "<message id='1' type='groupchat' to='w@b.example/q' from='room@a.example/n'><body>x</body></message>", true},
		{"another domain", room("w@c.example/q"), false},
		{"another text", strings.Replace(room("w@b.example/q"), ">x<", ">y<", 1), false},
		{"another id", strings.Replace(room("w@b.example/q"), "id='1'", "id='2'", 1), false},
		{"another nick", strings.Replace(room("w@b.example/q"), "/n'", "/m'", 1), false},
		{"a recipient inside", strings.Replace(room("w@b.example/q"), "<body>", "<q xmlns='urn:q' to='w@b.example/q'/><body>", 1), false},
	}
	sum, ok := fanout.Digest(read(t, one))
	if !ok {
		t.Fatal("not mergeable")
	}
	for _, tc := range tests {
		other, ok := fanout.Digest(read(t, tc.other))
		if !ok || (other == sum) != tc.same {
			t.Errorf("%s: mergeable %v, same %v, want %v", tc.name, ok, other == sum, tc.same)
		}
	}
}

func TestNotMergeable(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"chat":            "<message from='room@a.example/n' to='v@b.example/r' type='chat' id='1'><body>x</body></message>",
		"no id":           "<message from='room@a.example/n' to='v@b.example/r' type='groupchat'><body>x</body></message>",
		"from the room":   "<message from='room@a.example' to='v@b.example/r' type='groupchat' id='1'><subject/></message>",
		"to a domain":     "<message from='room@a.example/n' to='b.example' type='groupchat' id='1'><body>x</body></message>",
		"from a domain":   "<message from='a.example/n' to='v@b.example/r' type='groupchat' id='1'><body>x</body></message>",
		"presence":        "<presence from='room@a.example/n' to='v@b.example/r' id='1'/>",
		"error of a room": "<message from='room@a.example/n' to='v@b.example/r' type='error' id='1'><error/></message>",
	} {
		s := read(t, text)
		if _, ok := fanout.Digest(s); ok || fanout.Mergeable(s) {
			t.Errorf("%s is mergeable", name)
		}
		if _, err := fanout.Expand(s, []jid.JID{jid.MustParse("w@b.example/q")}); !errors.Is(err, fanout.ErrList) {
			t.Errorf("%s: expanded: %v", name, err)
		}
	}
}

func list(in string) string {
	return "<c xmlns='urn:sallyport:custody:0'>" + in + "</c>"
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<t>v%d@b.example/r</t>", i)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, list string
		want       int // -1: refused
	}{
		{"nobody", "", 0},
		{"two", "<t>w@b.example/q</t><t>x@b.example</t>", 2},
		{"as many as may be", many(fanout.MaxRecipients), fanout.MaxRecipients},
		{"one more", many(fanout.MaxRecipients + 1), -1},
		{"the first again", "<t>v@b.example/r</t>", -1},
		{"one twice", "<t>w@b.example/q</t><t>w@b.example/q</t>", -1},
		{"another domain", "<t>w@c.example/q</t>", -1},
		{"a domain", "<t>b.example</t>", -1},
		{"not canonical", "<t>W@B.example/q</t>", -1},
		{"no address", "<t>@@</t>", -1},
		{"empty", "<t/>", -1},
		{"white space around", "<t> w@b.example/q </t>", -1},
		{"an attribute", "<t a='1'>w@b.example/q</t>", -1},
		{"an element inside", "<t><t>w@b.example/q</t></t>", -1},
		{"another element", "<r>w@b.example/q</r>", -1},
		{"another namespace", "<t xmlns='urn:q'>w@b.example/q</t>", -1},
		{"a second stanza", "<message xmlns='jabber:server'/>", -1},
		{"above the bytes", strings.Repeat("<t>w@b.example/"+strings.Repeat("q", 1000)+"</t>", 70), -1},
	}
	s := read(t, room("v@b.example/r"))
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			also, err := fanout.Parse(s, slices.Collect(element(t, list(tc.list)).Children()))
			if (err != nil) != (tc.want < 0) || err == nil && len(also) != tc.want {
				t.Fatalf("got %d recipients, %v", len(also), err)
			}
			if err != nil && (!errors.Is(err, fanout.ErrList) || strings.Contains(err.Error(), "w@")) {
				t.Errorf("error %v", err)
			}
			copies, err := fanout.Expand(s, also)
			if err != nil || len(copies) != max(tc.want, 0)+1 {
				t.Errorf("%d copies, %v", len(copies), err)
			}
			for i, c := range copies[1:] {
				if c.To() != also[i] || !c.WithAddresses(jid.JID{}, s.To()).Element().Equal(s.Element()) {
					t.Errorf("copy %d is another message", i)
				}
			}
		})
	}
}

func TestElementsRefuseWhatParseWould(t *testing.T) {
	t.Parallel()
	s := read(t, room("v@b.example/r"))
	for name, also := range map[string][]jid.JID{
		"twice": {jid.MustParse("w@b.example/q"), jid.MustParse("w@b.example/q")}, "first": {s.To()},
		"domain": {jid.MustParse("w@c.example/q")}, "zero": {{}},
	} {
		if _, err := fanout.Elements(s, also); !errors.Is(err, fanout.ErrList) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := fanout.Elements(read(t, "<presence from='a.example' to='b.example'/>"), nil); err != nil || list != nil {
		t.Errorf("no list on anything: %v, %v", list, err)
	}
}

// FuzzParse: whatever is taken is written the same again.
func FuzzParse(f *testing.F) {
	for _, in := range []string{"", "<t>w@b.example/q</t>", "<t>w@b.example/q</t><t>x@b.example</t>", "<t a='1'/>", "<t>é@b.example</t>"} {
		f.Add(in)
	}
	s, err := stanza.From(xmlElement(room("v@b.example/r")))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in string) {
		e, err := xmlstream.ParseDocument([]byte(list(in)), xmlstream.Options{})
		if err != nil {
			return
		}
		also, err := fanout.Parse(s, slices.Collect(e.Children()))
		if err != nil {
			return
		}
		again, err := fanout.Elements(s, also)
		if err != nil {
			t.Fatalf("%s: read and not written: %v", in, err)
		}
		if !slices.EqualFunc(again, slices.Collect(e.Children()), (*xmlstream.Element).Equal) {
			t.Fatalf("%s: written otherwise", in)
		}
	})
}

func xmlElement(text string) *xmlstream.Element {
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		return nil
	}
	return e
}
