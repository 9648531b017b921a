package rules_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/rules"
)

const (
	addrs  = " xmlns='jabber:server' to='b@b.example' from='a@a.example/r'"
	nsAddr = "xmlns='http://jabber.org/protocol/address'"
)

func read(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%.300s: %v", text, err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatalf("%.300s: %v", text, err)
	}
	return s
}

func write(t testing.TB, s stanza.Stanza) string {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, s.Element(), xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func message(children string) string {
	return "<message type='chat' id='1'" + addrs + ">" + children + "</message>"
}

func presence(children string) string { return "<presence" + addrs + ">" + children + "</presence>" }

func iq(typ, child string) string {
	return "<iq type='" + typ + "' id='1'" + addrs + ">" + child + "</iq>"
}

func compile(t testing.TB, spec rules.ProfileSpec) *rules.Profile {
	t.Helper()
	p, problems := rules.CompileProfile(spec)
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

func builtin(t testing.TB, name string) *rules.Profile {
	t.Helper()
	return compile(t, rules.DefaultProfile(name))
}

// check runs one stanza through one built-in profile. want is "pass", "deny REASON", or what is written in the end.
func check(t *testing.T, profile, in, want string) {
	t.Helper()
	r := builtin(t, profile).Check(read(t, in))
	got := r.Verdict.String()
	switch r.Verdict {
	case rules.Deny:
		got += " " + r.Reason.String()
		if !r.Stanza.IsZero() {
			t.Errorf("%s: denied and given out", profile)
		}
	case rules.Stripped:
		got = strings.TrimPrefix(write(t, r.Stanza), "<"+r.Stanza.Kind().String()+" from='a@a.example/r' ")
	case rules.Pass:
	}
	if got != want {
		t.Errorf("%s:\nin   %.300s\ngot  %s (%s, removed %q)\nwant %s", profile, in, got, r.Path, r.Removed, want)
	}
}

const label = "<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking bgcolor='green' fgcolor='black'>UNCLASSIFIED</displaymarking>" +
	"<label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQYGASkCAQE=</esssecuritylabel></label></securitylabel>"

func TestStrict(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", message("<body>hello</body>"), "pass"},
		{"labelled", message("<body>hello</body>" + label), "pass"},
		{"subject and thread", message("<subject>s</subject><body>hello</body><thread>a1b2-c3</thread>"), "pass"},
		{"groupchat", "<message type='groupchat'" + addrs + "><body>x</body></message>", "pass"},
		{"headline", "<message type='headline'" + addrs + "><body>x</body></message>", "deny profile"},
		{
			"client noise is dropped", message("<body>x</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>"),
			"id='1' to='b@b.example' type='chat'><body>x</body></message>",
		},
		{"only typing", message("<composing xmlns='http://jabber.org/protocol/chatstates'/>"), "deny empty"},
		{"typing with a label", message("<composing xmlns='http://jabber.org/protocol/chatstates'/>" + label), "deny empty"},
		{"white space between", message(" <body> x </body>\n"), "id='1' to='b@b.example' type='chat'><body> x </body></message>"},
		{"text beside", message("text<body>x</body>"), "deny profile"},
		{"body with a child", message("<body>x<y xmlns='u'/></body>"), "deny profile"},
		{"C10 foreign attribute", "<message xmlns:x='urn:x' x:to='evil@b.example'" + addrs + "><body>x</body></message>", "deny profile"},
		{"unknown attribute", "<message secret='1'" + addrs + "><body>x</body></message>", "deny profile"},
		{"language is dropped", "<message xml:lang='x-secret' id='1'" + addrs + "><body>x</body></message>", "id='1' to='b@b.example'><body>x</body></message>"},
		{"C11 foreign body", message("<body>ok</body><body xmlns='urn:x'>SECRET</body>"), "deny profile"},
		{"body in the client namespace", message("<body xmlns='jabber:client'>x</body>"), "deny profile"},
		{"body without namespace", message("<body xmlns=''>x</body>"), "deny profile"},
		{"H10 bogus type", "<message type='bogus'" + addrs + "><body>x</body></message>", "deny profile"},
		{"H10 many bodies", message(strings.Repeat("<body xml:lang='de'>x</body>", 50)), "deny profile"},
		{"H12 addresses", message("<body>x</body><addresses " + nsAddr + "><address type='to' jid='c@c.example'/></addresses>"), "deny profile"},
		{"H15 archive result", message("<result xmlns='urn:xmpp:mam:2' id='1'/>"), "deny wrapped"},
		{"J07 address out of band", message("<body>x</body><x xmlns='jabber:x:oob'><url>http://a</url></x>"), "deny profile"},
		{"J07 bits of binary", message("<body>x</body><data xmlns='urn:xmpp:bob' cid='c'>AAAA</data>"), "deny profile"},
		{"J08 XHTML", message("<body>x</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>y</body></html>"), "deny profile"},
		{"J08 second body", message("<body>x</body><body xml:lang='x'>y</body>"), "deny profile"},
		{"J08 language on the body", message("<body xml:lang='x'>y</body>"), "deny profile"},
		{"J08 fallback", message("<body>x</body><fallback xmlns='urn:xmpp:fallback:0' for='u'><body start='0' end='1'/></fallback>"), "deny profile"},
		{"J12 thread with text", message("<body>x</body><thread>a b</thread>"), "deny profile"},
		{"J12 long thread", message("<body>x</body><thread>" + strings.Repeat("a", 65) + "</thread>"), "deny profile"},
		{"J12 thread parent", message("<body>x</body><thread parent='p'>a</thread>"), "deny profile"},
		{"J12 long id", "<message id='" + strings.Repeat("A", 1024) + "'" + addrs + "><body>x</body></message>", "deny size"},
		{"presence", "<presence" + addrs + "/>", "pass"},
		{"presence away", presence("<show>away</show>"), "pass"},
		{
			"J14 presence", presence("<show>dnd</show><status>secret</status><priority>77</priority>" +
				"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='secret' ver='secret'/><idle xmlns='urn:xmpp:idle:1'/>"),
			"to='b@b.example'><show>dnd</show></presence>",
		},
		{"J14 unknown show", presence("<show>secret</show>"), "to='b@b.example'/>"},
		{"probe", "<presence type='probe'" + addrs + "/>", "deny profile"},
		{"J15 discovery", iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"), "deny iq-kind"},
		{"J15 ping", iq("get", "<ping xmlns='urn:xmpp:ping'/>"), "deny iq-kind"},
		{"J03 archive query", iq("set", "<query xmlns='urn:xmpp:mam:2'/>"), "deny iq-kind"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { check(t, rules.Strict, tt.in, tt.want) })
	}
}

func TestStrip(t *testing.T) {
	const out = "id='1' to='b@b.example' type='chat'><body>x</body></message>"
	tests := []struct{ name, in, want string }{
		{"C10 foreign attribute", "<message xmlns:x='urn:x' x:to='evil@b.example' id='1' type='chat'" + addrs + "><body>x</body></message>", out},
		{"C11 foreign body", message("<body>x</body><body xmlns='urn:x'>SECRET</body>"), out},
		{"H10 bogus type", "<message type='bogus'" + addrs + "><body>x</body></message>", "deny profile"},
		{"H12 addresses", message("<body>x</body><addresses " + nsAddr + "><address type='to' jid='c@c.example'/></addresses>"), out},
		{"J07 address out of band", message("<body>x</body><x xmlns='jabber:x:oob'><url>http://a</url></x>"), out},
		{"J08 XHTML", message("<body>x</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>y</body></html>"), out},
		{"J08 second body", message("<body>x</body><body xml:lang='x'>y</body>"), out},
		{"text beside", message("secret<body>x</body>"), out},
		{"body with a child", message("<body>x<y xmlns='u'>secret</y></body>"), out},
		{"only what is removed", message("<x xmlns='jabber:x:oob'><url>http://a</url></x>"), "deny empty"},
		{
			"bad number", presence("<x xmlns='http://jabber.org/protocol/muc'><history seconds='1e9'/></x>"),
			"to='b@b.example'><x xmlns='http://jabber.org/protocol/muc'><history/></x></presence>",
		},
		{"H15 all claims of others go", message("<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' id='1' by='b@b.example'/>" +
			"<stanza-id xmlns='urn:xmpp:sid:0' id='2' by='b.example'/><stanza-id xmlns='urn:xmpp:sid:0' id='3' by='c.example'/>"), out},
		{"H15 own claim stays", message("<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='a@a.example' id='1'/>"), "pass"},
		{"H15 delay by us", message("<body>x</body><delay xmlns='urn:xmpp:delay' from='b.example' stamp='2020-01-01T00:00:00Z'/>"), out},
		{"delay by them", message("<body>x</body><delay xmlns='urn:xmpp:delay' from='a.example' stamp='2020-01-01T00:00:00Z'/>"), "pass"},
		{"no copies, please (XEP-0280 §8)", message("<body>x</body><private xmlns='urn:xmpp:carbons:2'/>"), "pass"},
		{"delay by nobody", message("<body>x</body><delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>"), "pass"},
		{
			"delay at no time", message("<body>x</body><delay xmlns='urn:xmpp:delay' stamp='9999-99-99'/>"),
			"id='1' to='b@b.example' type='chat'><body>x</body><delay xmlns='urn:xmpp:delay'/></message>",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { check(t, rules.Chat, tt.in, tt.want) })
	}
}

// TestJ16: profiles, pictures and rosters do not cross where nothing allows them.
func TestJ16(t *testing.T) {
	for _, p := range []string{rules.Strict, rules.Chat} {
		check(t, p, iq("get", "<vCard xmlns='vcard-temp'/>"), "deny iq-kind")
		check(t, p, iq("get", "<query xmlns='jabber:iq:roster'/>"), "deny iq-kind")
		check(t, p, iq("get", "<query xmlns='jabber:iq:private'/>"), "deny iq-kind")
	}
	check(t, rules.Strict, message("<x xmlns='http://jabber.org/protocol/rosterx'><item jid='c@c.example'/></x>"), "deny profile")
	check(t, rules.Federation, message("<x xmlns='jabber:x:roster'><item jid='c@c.example'/></x>"), "deny empty")
}

// TestJ06: no file, call or transport candidate crosses, under any built-in profile.
func TestJ06(t *testing.T) {
	for name, child := range map[string]string{
		"ibb open":    "<open xmlns='http://jabber.org/protocol/ibb' block-size='4096' sid='1'/>",
		"ibb data":    "<data xmlns='http://jabber.org/protocol/ibb' seq='0' sid='1'>AAAA</data>",
		"si":          "<si xmlns='http://jabber.org/protocol/si'/>",
		"jingle":      "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate'/>",
		"bytestreams": "<query xmlns='http://jabber.org/protocol/bytestreams'><streamhost host='10.0.0.1' jid='a@a.example/r' port='1'/></query>",
		"oob":         "<query xmlns='jabber:iq:oob'><url>http://10.0.0.1</url></query>",
		"upload":      "<request xmlns='urn:xmpp:http:upload:0' filename='x' size='1'/>",
		"command":     "<command xmlns='http://jabber.org/protocol/commands' node='x'/>",
		"register":    "<query xmlns='jabber:iq:register'/>",
		"owner":       "<query xmlns='http://jabber.org/protocol/muc#owner'/>",
		"pubsub":      "<pubsub xmlns='http://jabber.org/protocol/pubsub'/>",
	} {
		for _, p := range []string{rules.Strict, rules.Chat, rules.Federation} {
			t.Run(name+" "+p, func(t *testing.T) { check(t, p, iq("set", child), "deny iq-kind") })
		}
	}
}

// TestJ09: what nobody can read is refused, in every mode and wherever it stands.
func TestJ09(t *testing.T) {
	for name, children := range map[string]string{
		"omemo":        "<body>dummy</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>",
		"omemo 2":      "<encrypted xmlns='urn:xmpp:omemo:2'/>",
		"openpgp":      "<body>dummy</body><openpgp xmlns='urn:xmpp:openpgp:0'>AAAA</openpgp>",
		"legacy":       "<body>dummy</body><x xmlns='jabber:x:encrypted'>AAAA</x>",
		"eme":          "<body>dummy</body><encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>",
		"hidden":       "<body>dummy</body><y xmlns='u'><encrypted xmlns='urn:xmpp:omemo:2'/></y>",
		"under a hint": "<body>dummy</body><active xmlns='http://jabber.org/protocol/chatstates'><encrypted xmlns='urn:xmpp:omemo:2'/></active>",
		"otr":          "<body>?OTR:AAMC</body>",
		"otr query":    "<body>?OTRv23?</body>",
		"armoured":     "<body>\n-----BEGIN PGP MESSAGE-----\n</body>",
		"omemo device": "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='u'><item><list xmlns='eu.siacs.conversations.axolotl'/></item></items></event>",
	} {
		for _, p := range []string{rules.Strict, rules.Chat, rules.Federation} {
			t.Run(name+" "+p, func(t *testing.T) {
				want := "deny encrypted"
				if name == "omemo device" && p != rules.Federation {
					want = "deny wrapped" // the event itself is not on the list
				}
				check(t, p, message(children), want)
			})
		}
	}
	spec := rules.DefaultProfile(rules.Chat)
	spec.Encrypted = true
	spec.Elements = append(spec.Elements, rules.ElementSpec{Name: "{urn:xmpp:omemo:2}encrypted", In: []string{"message"}, Deep: true})
	if r := compile(t, spec).Check(read(t, message("<encrypted xmlns='urn:xmpp:omemo:2'><payload>AA==</payload></encrypted>"))); r.Verdict != rules.Pass {
		t.Errorf("allowed and listed: %v %v", r.Verdict, r.Reason)
	}
}

// TestJ13: every way to write one message comes out as the same bytes.
func TestJ13(t *testing.T) {
	const want = "<message from='a@a.example/r' id='1' to='b@b.example' type='chat'><body>a&amp;é</body></message>"
	for _, in := range []string{
		message("<body>a&amp;é</body>"),
		`<message id="1" type="chat" from="a@a.example/r" to="b@b.example" xmlns="jabber:server"><body>a&amp;é</body></message>`,
		"<message\n\ttype = 'chat'  id='1'" + addrs + " ><body >a&#38;&#xe9;</body ></message >",
		"<s:message type='chat' id='1' xmlns:s='jabber:server' to='b@b.example' from='a@a.example/r'><s:body>a&amp;é</s:body></s:message>",
		message("<body xmlns='jabber:server' xmlns:unused='u'><![CDATA[a&]]>é</body>"),
		message("<body>a&amp;<![CDATA[e]]>\u0301</body>"),
		message(" <body>a&amp;e&#x301;</body>\n"),
		"<message type='chat' id='1' xmlns='jabber:server' to='B@B.Example' from='A@a.example./r'><body>a&amp;é</body></message>",
	} {
		r := builtin(t, rules.Strict).Check(read(t, in))
		if r.Verdict == rules.Deny {
			t.Errorf("J13: %s: %v %s", in, r.Reason, r.Path)
		} else if got := write(t, r.Stanza); got != want {
			t.Errorf("J13: %s\ngot %s", in, got)
		}
	}
}

func TestErrors(t *testing.T) {
	const ns = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
	in := "<message type='error' id='1'" + addrs + "><body>canary</body><error type='auth'><forbidden " + ns + "/><text " + ns + ">canary</text></error></message>"
	check(t, rules.Strict, in, "id='1' to='b@b.example' type='error'><error type='cancel'><service-unavailable "+ns+"/></error></message>")
	check(t, rules.Federation, in, "id='1' to='b@b.example' type='error'><error type='auth'><forbidden "+ns+"/></error></message>")
	check(t, rules.Federation, "<message type='error' id='1'"+addrs+"><error type='auth'><forbidden "+ns+"/></error></message>", "pass")
	check(t, rules.Federation, "<message type='error' id='1\u200b'"+addrs+"><error type='auth'><forbidden "+ns+"/></error></message>", "deny unicode-policy")
}
