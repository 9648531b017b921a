package tree_test

import (
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

func written(t *testing.T, e *xmlstream.Element) string {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStanzas(t *testing.T) {
	t.Parallel()
	a, b := jid.MustParse("a@a.example"), jid.MustParse("b@b.example/r")
	x := tree.New("urn:x", "x", tree.Attr("y", ""), tree.Attr("z", "1"), tree.With(nil), tree.Text("t"))
	tests := []struct {
		name, want string
		make       func() (stanza.Stanza, error)
	}{
		{
			"message", "<message from='a@a.example' to='b@b.example/r'><x xmlns='urn:x' z='1'>t</x></message>",
			func() (stanza.Stanza, error) { return tree.Message(stanza.MessageNormal, a, b, "", x) },
		},
		{
			"headline", "<message from='a@a.example' id='1' to='b@b.example/r' type='headline'/>",
			func() (stanza.Stanza, error) { return tree.Message(stanza.MessageHeadline, a, b, "1") },
		},
		{
			"presence", "<presence from='a@a.example' to='b@b.example/r' type='unavailable'/>",
			func() (stanza.Stanza, error) { return tree.Presence(stanza.PresenceUnavailable, a, b) },
		},
		{
			"available", "<presence from='a@a.example' to='b@b.example/r'/>",
			func() (stanza.Stanza, error) { return tree.Presence(stanza.PresenceAvailable, a, b) },
		},
		{
			"result", "<iq from='a@a.example' id='1' to='b@b.example/r' type='result'/>",
			func() (stanza.Stanza, error) { return tree.IQ(stanza.IQResult, a, b, "1", nil) },
		},
	}
	for _, tc := range tests {
		s, err := tc.make()
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		} else if got := written(t, s.Element()); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
	if _, err := tree.IQ(stanza.IQSet, a, b, "1", nil); err == nil {
		t.Error("a request without payload was made")
	}
	if _, err := tree.Message(stanza.MessageChat, jid.JID{}, b, ""); err == nil {
		t.Error("a message from nobody was made")
	}
}

func TestRenamed(t *testing.T) {
	t.Parallel()
	in := tree.New(xmlstream.NSServer, "message", tree.Attr("id", "1"), tree.With(
		tree.New(xmlstream.NSServer, "body", tree.Text("b")),
		tree.New("urn:x", "x", tree.With(tree.New(xmlstream.NSServer, "body"))),
	))
	got := tree.Renamed(in, xmlstream.NSServer, xmlstream.NSClient)
	want := "<message xmlns='jabber:client' id='1'><body>b</body><x xmlns='urn:x'><body xmlns='jabber:server'/></x></message>"
	if s := written(t, got); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
	if !tree.Renamed(got, xmlstream.NSClient, xmlstream.NSServer).Equal(in) {
		t.Error("there and back is something else")
	}
	mixed := tree.New(xmlstream.NSServer, "message", tree.With(
		tree.New(xmlstream.NSClient, "body", tree.Text("nobody has judged this as text")), tree.New(xmlstream.NSServer, "body", tree.With(tree.New(xmlstream.NSClient, "b"))),
	))
	want = "<message xmlns='jabber:client'><body/></message>"
	if s := written(t, tree.Renamed(mixed, xmlstream.NSServer, xmlstream.NSClient)); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
	if tree.Value(nil, "id") != "" || tree.Value(in, "id") != "1" || tree.Value(in, "to") != "" {
		t.Error("attributes are read wrongly")
	}
}
