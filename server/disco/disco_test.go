package disco_test

import (
	"context"
	"strings"
	"testing"

	"sallyport/internal/xmpp/caps"
	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/disco"
	"sallyport/server/servertest"
)

const (
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
	juliet  = "juliet@capulet.lit"
	romeo   = "romeo@montague.lit/orchard"
)

func newDisco(t *testing.T) *disco.Disco {
	t.Helper()
	d, err := disco.New(disco.Config{
		Name: "Sallyport", CapsNode: "https://sallyport.example",
		Features: []server.Feature{
			{ServerFeatures: []string{"urn:xmpp:ping", "urn:z"}, AccountFeatures: []string{"urn:xmpp:mam:2"}},
			{ServerFeatures: []string{"urn:xmpp:ping"}},
		},
		ServerFeatures: []string{"msgoffline"},
		Identities:     []disco.Identity{{Category: "store", Type: "file", Name: "HTTP File Upload"}},
		Forms:          []form.Form{disco.Contacts(map[string][]string{"admin": {"xmpp:a@capulet.lit"}, "abuse": {"mailto:b@capulet.lit"}})},
		Items: func(d jid.JID) []disco.Item {
			return []disco.Item{{JID: jid.MustParse("rooms." + d.String()), Name: "Rooms"}}
		},
		MaySee: func(_ context.Context, _, who jid.JID) bool { return who.String() == "romeo@montague.lit" },
		Nodes: func(_ context.Context, account, _ jid.JID) []disco.Item {
			return []disco.Item{{JID: account, Node: "urn:xmpp:avatar:metadata"}}
		},
		Node: func(_ context.Context, _, _ jid.JID, node string) *xmlstream.Element {
			if node != "urn:xmpp:avatar:metadata" {
				return nil
			}
			return tree.New(nsInfo, "query", tree.With(tree.New(nsInfo, "identity", tree.Attr("category", "pubsub"), tree.Attr("type", "leaf"))))
		},
		ServerItems: func(_ context.Context, _, domain jid.JID, node string) ([]disco.Item, bool) {
			return []disco.Item{{JID: domain, Node: "n", Name: "N"}}, node == "commands"
		},
		ServerInfo: func(_ context.Context, _, _ jid.JID, node string) *xmlstream.Element {
			if node != "n" {
				return nil
			}
			return tree.New(nsInfo, "query", tree.With(tree.New(nsInfo, "identity", tree.Attr("category", "automation"), tree.Attr("type", "command-node"))))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestInfoAndItems(t *testing.T) {
	t.Parallel()
	f := newDisco(t).Feature()
	info, items := "<query xmlns='"+nsInfo+"'/>", "<query xmlns='"+nsItems+"'/>"
	account := "<query xmlns='" + nsInfo + "'><identity category='account' type='registered'/><identity category='pubsub' type='pep'/>" +
		"<feature var='" + nsInfo + "'/><feature var='" + nsItems + "'/><feature var='urn:xmpp:mam:2'/></query>"
	nodes := "<query xmlns='" + nsItems + "'><item jid='" + juliet + "' node='urn:xmpp:avatar:metadata'/></query>"
	node := func(query, name string) string { return strings.Replace(query, "/>", " node='"+name+"'/>", 1) }
	tests := []struct{ name, kind, from, to, in, want string }{
		{"items of the server", "get", romeo, "capulet.lit", items, "<query xmlns='" + nsItems + "'><item jid='rooms.capulet.lit' name='Rooms'/></query>"},
		{"the own account", "get", juliet + "/b", "", info, account},
		{"items of the own account", "get", juliet + "/b", "", items, nodes},
		{"who sees presence", "get", romeo, juliet, info, account},
		{"who sees presence, items", "get", romeo, juliet, items, nodes},
		{"who does not", "get", "paris@verona.lit/x", juliet, info, "service-unavailable"},
		{"who does not, items", "get", "paris@verona.lit/x", juliet, items, "service-unavailable"},
		{
			"a node", "get", romeo, juliet, node(info, "urn:xmpp:avatar:metadata"),
			"<query xmlns='" + nsInfo + "' node='urn:xmpp:avatar:metadata'><identity category='pubsub' type='leaf'/></query>",
		},
		{"a node that is not there", "get", romeo, juliet, node(info, "urn:x"), "item-not-found"},
		{"a node, by who does not see", "get", "paris@verona.lit/x", juliet, node(info, "urn:xmpp:avatar:metadata"), "service-unavailable"},
		{"a node of the server", "get", romeo, "capulet.lit", node(info, "urn:x"), "item-not-found"},
		{"items of a node", "get", romeo, "capulet.lit", node(items, "urn:x"), "item-not-found"},
		{
			"items of a node of the server", "get", romeo, "capulet.lit", node(items, "commands"),
			"<query xmlns='" + nsItems + "' node='commands'><item jid='capulet.lit' name='N' node='n'/></query>",
		},
		{
			"a node of the server that is there", "get", romeo, "capulet.lit", node(info, "n"),
			"<query xmlns='" + nsInfo + "' node='n'><identity category='automation' type='command-node'/></query>",
		},
		{"items of a node of an account", "get", romeo, juliet, node(items, "commands"), "item-not-found"},
		{"items of a node without any", "get", romeo, juliet, node(items, "urn:xmpp:avatar:metadata"), node("<query xmlns='"+nsItems+"'/>", "urn:xmpp:avatar:metadata")},
		{"items of it, by who does not see", "get", "paris@verona.lit/x", juliet, node(items, "urn:xmpp:avatar:metadata"), "service-unavailable"},
		{"items of a node of the server without any", "get", romeo, "capulet.lit", node(items, "n"), node("<query xmlns='"+nsItems+"'/>", "n")},
		{"the empty node is none", "get", romeo, juliet, node(info, ""), account},
		{"the empty node is none, items", "get", romeo, juliet, node(items, ""), nodes},
		{"the empty node of the server", "get", romeo, "capulet.lit", node(items, ""), "<query xmlns='" + nsItems + "'><item jid='rooms.capulet.lit' name='Rooms'/></query>"},
		{"as a set", "set", romeo, "capulet.lit", info, "bad-request"},
		{"items as a set", "set", romeo, "capulet.lit", items, "bad-request"},
	}
	for _, tc := range tests {
		if got := servertest.Said(t, servertest.Ask(t, f, tc.kind, tc.from, tc.to, tc.in)); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

// The hashes that streams show are those of what is answered under their nodes.
func TestCapsOfTheServer(t *testing.T) {
	t.Parallel()
	d := newDisco(t)
	whole := servertest.Get(t, d.Feature(), romeo, "capulet.lit", "<query xmlns='"+nsInfo+"'/>").Payload
	text := servertest.Text(t, whole)
	for _, want := range []string{
		"<identity category='server' name='Sallyport' type='im'/>", "<feature var='msgoffline'/>", "<feature var='urn:xmpp:ping'/><feature var='urn:z'/>",
		"<field type='list-multi' var='abuse-addresses'><value>mailto:b@capulet.lit</value></field>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	ver, err := caps.Ver("sha-1", whole)
	hash, err2 := caps.Hash(whole)
	shown := d.Caps()
	if err != nil || err2 != nil || tree.Value(shown[0], "ver") != ver || shown[1].Child("urn:xmpp:hashes:2", "hash").Text() != hash {
		t.Errorf("shown are %s and %s; %v, %v", servertest.Text(t, shown[0]), servertest.Text(t, shown[1]), err, err2)
	}
	for _, node := range []string{"https://sallyport.example#" + ver, "urn:xmpp:caps#sha-256." + hash} {
		got := servertest.Get(t, d.Feature(), romeo, "capulet.lit", "<query xmlns='"+nsInfo+"' node='"+node+"'/>").Payload
		if tree.Value(got, "node") != node || !got.WithoutAttr(xmlstream.Name{Local: "node"}).Equal(whole) {
			t.Errorf("under %s is %s", node, servertest.Text(t, got))
		}
	}
}

// Other addresses of who answers are told at once, and the hashes go with them.
func TestOtherForms(t *testing.T) {
	t.Parallel()
	d := newDisco(t)
	f, before := d.Feature(), tree.Value(d.Caps()[0], "ver")
	whole := func() string {
		return servertest.Said(t, servertest.Get(t, f, romeo, "capulet.lit", "<query xmlns='"+nsInfo+"'/>"))
	}
	old := whole()
	if _, err := d.Prepare([]form.Form{disco.Contacts(map[string][]string{"abuse": {"a<b"}})}); err == nil {
		t.Error("addresses that can be read in two ways are announced")
	}
	use, err := d.Prepare([]form.Form{disco.Contacts(map[string][]string{"admin": {"xmpp:c@capulet.lit"}})})
	if err != nil || whole() != old {
		t.Fatalf("before it is used: %v, %s", err, whole())
	}
	use()
	if got := whole(); strings.Contains(got, "abuse-addresses") || strings.Contains(got, "a@capulet.lit") || !strings.Contains(got, "urn:xmpp:ping") || !strings.Contains(got, "c@capulet.lit") {
		t.Errorf("it tells %s", got)
	}
	ver := tree.Value(d.Caps()[0], "ver")
	ask := func(ver string) string {
		return servertest.Said(t, servertest.Get(t, f, romeo, "capulet.lit", "<query xmlns='"+nsInfo+"' node='https://sallyport.example#"+ver+"'/>"))
	}
	if got := ask(ver); ver == before || !strings.Contains(got, "c@capulet.lit") {
		t.Errorf("under its hash it tells %s", got)
	}
	if got := ask(before); got != "item-not-found" {
		t.Errorf("under the one of before it tells %s", got)
	}
}

func TestTwoThatCannotBeHashed(t *testing.T) {
	t.Parallel()
	if _, err := disco.New(disco.Config{Name: "a<b"}); err == nil {
		t.Error("a name that can be read in two ways is announced")
	}
}
