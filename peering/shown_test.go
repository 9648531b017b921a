package peering_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// What clients are shown of what the server has: it keeps the labels that they do not know.
func TestShown(t *testing.T) {
	t.Parallel()
	read := func(text string) *xmlstream.Element {
		t.Helper()
		e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	secret := label("SECRET", "")
	text := "<body>x</body><body xml:lang='de'>y</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>x</body></html>"
	start := "<message xmlns='jabber:server' from='a@home.example' to='b@home.example'"
	carried := func(in string) string {
		return start + ">" + secret + "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>" + in + "</message></forwarded></received></message>"
	}
	items := func(in, label string) string {
		return "<iq xmlns='jabber:server' from='a@home.example' to='b@home.example' type='result' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'>" +
			"<item id='i'" + in + "><x xmlns='urn:x'/></item>" + label + "</items></pubsub></iq>"
	}
	pointed, named := " xmlns:s='urn:xmpp:sec-label:pubsub:0' s:label='l'", strings.Replace(secret, "<securitylabel ", "<securitylabel xmlns:s='urn:xmpp:sec-label:pubsub:0' s:id='l' ", 1)
	event := func(in string) string {
		return "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'>" + in + "</items></event>"
	}
	tune := event("<item id='i'><x xmlns='urn:x'>song</x></item>")
	inItem := func(in string) string {
		return event("<item id='i'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>" + in + "</message></forwarded></item>")
	}
	unknown := "<securitylabel xmlns='urn:xmpp:sec-label:0'><label><x xmlns='urn:x'/></label></securitylabel>"
	none, line, both := peering.ToClients{NoLabels: true}, peering.ToClients{FirstLine: true}, peering.ToClients{NoLabels: true, FirstLine: true}
	for _, tt := range []struct {
		name     string
		clients  peering.ToClients
		in, want string
	}{
		{"what the server has", peering.ToClients{}, start + ">" + secret + text + "</message>", ""},
		{"no labels", none, start + ">" + secret + "<body>x</body></message>", start + "><body>x</body></message>"},
		{"the marking before every text", both, start + ">" + secret + text + "</message>", start + "><body>[EXAMPLE SECRET]\nx</body><body xml:lang='de'>[EXAMPLE SECRET]\ny</body></message>"},
		{"beside the label", line, start + ">" + secret + "<body>x</body></message>", start + ">" + secret + "<body>[EXAMPLE SECRET]\nx</body></message>"},
		{"no text", both, start + ">" + secret + "<x xmlns='urn:x'/></message>", start + "><x xmlns='urn:x'/></message>"},
		{"no label", both, start + ">" + text + "</message>", ""},
		{"an error", both, start + " type='error'><body>x</body></message>", ""},
		{"a copy", both, carried(secret + text), strings.Replace(carried("<body>[EXAMPLE SECRET]\nx</body><body xml:lang='de'>[EXAMPLE SECRET]\ny</body>"), secret, "", 1)},
		{"a label that cannot be read", both, start + ">" + unknown + text + "</message>", start + "/>"},
		{"items", none, items(pointed, named), items("", "")},
		{"items with a label that is of none", none, items("", named), items("", "")},
		{"items that point nowhere", none, items(pointed, ""), items("", "")},
		{"an event", both, start + ">" + tune + secret + "</message>", start + ">" + tune + "</message>"},
		{"an event, with its label", line, start + ">" + tune + secret + "</message>", ""},
		{"an event beside text", both, start + "><body>x</body>" + tune + secret + "</message>", start + "><body>[EXAMPLE SECRET]\nx</body>" + tune + "</message>"},
		{"an event whose label cannot be read", both, start + ">" + text + tune + unknown + "</message>", start + ">" + tune + "</message>"},
		{"an event of an item that points to a label", none, start + ">" + event("<item id='i'"+pointed+"/>") + "</message>", start + ">" + event("<item id='i'/>") + "</message>"},
		{"an event with a label inside", none, start + ">" + event("<item id='i'/>"+named) + "</message>", start + ">" + event("<item id='i'/>") + "</message>"},
		{"an event with a label in an item", none, start + ">" + event("<item id='i'>"+secret+"<x xmlns='urn:x'/></item>") + "</message>", start + ">" + event("<item id='i'><x xmlns='urn:x'/></item>") + "</message>"},
		{"a message in an item", both, start + ">" + inItem(secret+"<body>x</body>") + secret + "</message>", start + ">" + inItem("<body>[EXAMPLE SECRET]\nx</body>") + "</message>"},
		{"a client that knows labels", peering.ToClients{NoLabels: true, FirstLine: true, WhereKnown: true}, start + ">" + secret + text + "</message>", ""},
		{"another answer", both, "<iq xmlns='jabber:server' from='a@home.example' to='b@home.example' type='result' id='1'/>", ""},
		{"presence", both, "<presence xmlns='jabber:server' from='a@home.example' to='b@home.example'/>", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			def := home(t)
			def.Peers[2].Clients = tt.clients
			p := policy(t, def)
			in := read(tt.in)
			want := in
			if tt.want != "" {
				want = read(tt.want)
			}
			if got := p.Shown("local", in, func() bool { return tt.clients.WhereKnown }); !got.Equal(want) {
				text, err := xmlstream.AppendElement(nil, got, xmlstream.NSServer)
				t.Errorf("shown %s, %v, want %s", text, err, tt.want)
			}
		})
	}
}
