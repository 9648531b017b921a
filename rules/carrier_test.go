package rules_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/rules"
)

const inner = "<message xmlns='jabber:client' to='b@b.example' from='c@c.example'><body>inner</body></message>"

func forwarded(in string) string {
	return "<forwarded xmlns='urn:xmpp:forward:0'>" + in + "</forwarded>"
}

func carbon(in string) string {
	return "<received xmlns='urn:xmpp:carbons:2'>" + forwarded(in) + "</received>"
}

func archived(in string) string {
	return "<result xmlns='urn:xmpp:mam:2' id='1' queryid='2'>" + forwarded(in) + "</result>"
}

func event(node, in string) string {
	return "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='" + node + "'><item id='1'>" + in + "</item></items></event>"
}

// nest forwards a message n times.
func nest(n int) string {
	in := inner
	for range n {
		in = "<message xmlns='jabber:client'>" + forwarded(in) + "</message>"
	}
	return forwarded(in)
}

// TestWrapped has bad-inputs J01 to J05: with the built-in profiles nothing wrapped crosses, and nothing of it is left.
func TestWrapped(t *testing.T) {
	const avatar = "urn:xmpp:avatar:metadata"
	tests := []struct{ name, children, want string }{
		{"J01 forwarded", "<body>x</body>" + forwarded(inner), "wrapped"},
		{"J01 empty forward", "<body>x</body>" + forwarded(""), "wrapped"},
		{"J02 carbon received", carbon(inner), "wrapped"},
		{"J02 carbon sent", strings.ReplaceAll(carbon(inner), "received", "sent"), "wrapped"},
		{"J03 archive result", archived(inner), "wrapped"},
		{"J04 three levels", nest(3), "wrapped"},
		{"J04 32 levels", "", "depth"},
		{"J05 stanza in an event", event("u", inner), "wrapped"},
		{"J05 stanza in an event that is listed", event(avatar, inner), "wrapped"},
		{"J05 presence in an event that is listed", event(avatar, "<presence xmlns='jabber:server'/>"), "wrapped"},
		{"J05 unknown payload", event(avatar, "<secret xmlns='u'/>"), "wrapped"},
		{"J05 hidden deeper in the payload", event(avatar, "<metadata xmlns='urn:xmpp:avatar:metadata'><x xmlns='u'>"+inner+"</x></metadata>"), "wrapped"},
		{"delegation", "<delegation xmlns='urn:xmpp:delegation:2'>" + forwarded(inner) + "</delegation>", "wrapped"},
		{"privilege", "<privilege xmlns='urn:xmpp:privilege:2'>" + forwarded(inner) + "</privilege>", "wrapped"},
		{"in something nobody knows", "<body>x</body><y xmlns='u'><z>" + inner + "</z></y>", "wrapped"},
		{"as it is", "<body>x</body>" + inner, "wrapped"},
		{"in what is dropped", "<body>x</body><active xmlns='http://jabber.org/protocol/chatstates'>" + inner + "</active>", "wrapped"},
		{"in the label", "<body>x</body>" + strings.Replace(label, "<label>", "<label>"+inner, 1), "wrapped"},
		{"in a body", "<body>x" + inner + "</body>", "wrapped"},
	}
	for _, tt := range tests {
		children := tt.children
		if children == "" {
			children = nest(29) // the tokenizer allows 64 levels
		}
		for _, p := range []string{rules.Strict, rules.Chat, rules.Federation} {
			t.Run(tt.name+" "+p, func(t *testing.T) { check(t, p, message(children), "deny "+tt.want) })
		}
	}
}

// TestA28: depth is counted over everything that is in the stanza.
func TestA28(t *testing.T) {
	deep := strings.Repeat("<a xmlns='u'>", 40) + strings.Repeat("</a>", 40)
	for _, p := range []string{rules.Strict, rules.Chat, rules.Federation} {
		check(t, p, message("<body>x</body>"+deep), "deny depth")
		if p != rules.Strict { // which lets no iq pass, deep or not
			check(t, p, iq("get", deep), "deny depth")
		}
	}
}

func TestAllowedCarriers(t *testing.T) {
	spec := rules.DefaultProfile(rules.Chat)
	spec.Carriers = []string{"forward", "carbons", "mam"}
	p := compile(t, spec)
	for _, children := range []string{
		"<body>x</body>" + forwarded(inner), carbon(inner), archived(inner),
		archived("<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>" + inner),
	} {
		if r := p.Check(read(t, message(children))); r.Verdict != rules.Pass {
			t.Errorf("%s: %v %v at %s", children, r.Verdict, r.Reason, r.Path)
		}
	}
	if r := p.Check(read(t, message(nest(20)))); r.Reason != rules.TooDeep {
		t.Errorf("20 levels: %v %v", r.Verdict, r.Reason)
	}
	if r := p.Check(read(t, message(event("u", inner)))); r.Reason != rules.WrappedStanza {
		t.Errorf("a carrier that is not named: %v %v", r.Verdict, r.Reason)
	}

	spec = rules.DefaultProfile(rules.Federation)
	spec.Carriers = []string{"pubsub-event"}
	if r := compile(t, spec).Check(read(t, message(event("urn:xmpp:avatar:metadata", inner)))); r.Verdict != rules.Pass {
		t.Errorf("event: %v %v at %s", r.Verdict, r.Reason, r.Path)
	}
}

func TestWrappedYields(t *testing.T) {
	msg := func(body string) string { return "<message xmlns='jabber:client'><body>" + body + "</body></message>" }
	in := read(t, message("<body>x</body>"+forwarded(msg("1"))+carbon(msg("2"))+archived(msg("3"))+
		"<y xmlns='u'>"+msg("4")+"<z>"+forwarded("<message xmlns='jabber:client'>"+forwarded(msg("not this"))+"</message>")+"</z></y>"+
		event("n", "<iq xmlns='jabber:server'/>")+msg("5")))
	want := []struct {
		carrier rules.Carrier
		body    string
	}{
		{rules.Forward, "1"},
		{rules.Carbons, "2"},
		{rules.MAM, "3"},
		{rules.UnknownCarrier, "4"},
		{rules.Forward, ""},
		{rules.PubSubEvent, ""},
		{rules.UnknownCarrier, "5"},
	}
	i := 0
	for e, carrier := range rules.Wrapped(in.Element()) {
		body := ""
		if b := e.Child("jabber:client", "body"); b != nil {
			body = b.Text()
		}
		if i >= len(want) || carrier != want[i].carrier || body != want[i].body {
			t.Errorf("%d: %v in %v with %q", i, e.Local(), carrier, body)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d stanzas, want %d", i, len(want))
	}
	for range rules.Wrapped(in.Element()) {
		break // stopping early is fine
	}
}

func TestMapWrapped(t *testing.T) {
	in := read(t, message("<body>x</body>"+carbon(inner)+"<y xmlns='u'>"+inner+"</y>")).Element()
	same := rules.MapWrapped(in, func(e *xmlstream.Element, _ rules.Carrier) *xmlstream.Element { return e })
	if same != in {
		t.Error("nothing changed, but the tree did")
	}
	out := rules.MapWrapped(in, func(e *xmlstream.Element, c rules.Carrier) *xmlstream.Element {
		if c == rules.UnknownCarrier {
			return nil
		}
		return e.WithoutAttr(xmlstream.Name{Local: "to"})
	})
	want := read(t, message("<body>x</body>"+carbon(strings.Replace(inner, " to='b@b.example'", "", 1))+"<y xmlns='u'/>")).Element()
	if !out.Equal(want) {
		b, err := xmlstream.AppendElement(nil, out, "jabber:server")
		t.Errorf("got %s, %v", b, err)
	}
}
