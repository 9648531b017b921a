package rules_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"sallyport/rules"
)

func TestZeroDenies(t *testing.T) {
	s := read(t, message("<body>x</body>"))
	var nilProfile *rules.Profile
	for name, p := range map[string]*rules.Profile{"nil": nilProfile, "zero": {}} {
		if r := p.Check(s); r.Verdict != rules.Deny {
			t.Errorf("the %s profile says %v", name, r.Verdict)
		}
	}
	var result rules.ProfileResult
	if result.Verdict != rules.Deny {
		t.Error("the zero result passes")
	}
	if p, problems := rules.CompileProfile(rules.ProfileSpec{}); p != nil || len(problems) == 0 {
		t.Error("the zero specification compiles")
	}
	empty := compile(t, rules.ProfileSpec{Name: "empty", Mode: "strip"})
	for _, in := range []string{message("<body>x</body>"), presence(""), iq("get", "<q xmlns='u'/>")} {
		if r := empty.Check(read(t, in)); r.Verdict != rules.Deny {
			t.Errorf("the empty profile lets %s pass", in)
		}
	}
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name string
		edit func(*rules.ProfileSpec)
		key  string
	}{
		{"no name", func(s *rules.ProfileSpec) { s.Name = "" }, "name"},
		{"bad mode", func(s *rules.ProfileSpec) { s.Mode = "lax" }, "mode"},
		{"bad presence mode", func(s *rules.ProfileSpec) { s.PresenceMode = "lax" }, "presence-mode"},
		{"bad type", func(s *rules.ProfileSpec) { s.Messages = []string{"shout"} }, "messages"},
		{"type of another kind", func(s *rules.ProfileSpec) { s.IQ = []string{"probe"} }, "iq"},
		{"bad condition", func(s *rules.ProfileSpec) { s.Errors = []string{"oops"} }, "errors"},
		{"bad carrier", func(s *rules.ProfileSpec) { s.Carriers = []string{"delegation"} }, "carriers"},
		{"bad attribute", func(s *rules.ProfileSpec) { s.Attributes = []string{"a b"} }, "attributes"},
		{"negative limit", func(s *rules.ProfileSpec) { s.Limits.Depth = -1 }, "limits.depth"},
		{"bad script", func(s *rules.ProfileSpec) { s.Text.Scripts = []string{"Klingon"} }, "text.scripts"},
		{"bad element name", func(s *rules.ProfileSpec) { s.Elements[0].Name = "urn:x x" }, "element[1].name"},
		{"open brace", func(s *rules.ProfileSpec) { s.Elements[0].Name = "{urn:x" }, "element[1].name"},
		{"nowhere", func(s *rules.ProfileSpec) { s.Elements[0].In = nil }, "element[1].in"},
		{"in nothing", func(s *rules.ProfileSpec) { s.Elements[0].In = []string{"{u}x"} }, "element[1].in"},
		{"bad class", func(s *rules.ProfileSpec) { s.Elements[0].Text = "all" }, "element[1].text"},
		{"bad attribute class", func(s *rules.ProfileSpec) { s.Elements[0].Attributes = []string{"a=all"} }, "element[1].attributes"},
		{"attribute twice", func(s *rules.ProfileSpec) { s.Elements[0].Attributes = []string{"a", "a=id"} }, "element[1].attributes"},
		{"claim without attribute", func(s *rules.ProfileSpec) { s.Elements[0].Claim = "by" }, "element[1].claim"},
		{"too many", func(s *rules.ProfileSpec) { s.Elements[0].Max = 5000 }, "element[1].max"},
		{"types in an element", func(s *rules.ProfileSpec) {
			s.Elements[1].In, s.Elements[1].Types = []string{"body"}, []string{"chat"}
		}, "element[2].types"},
		{"twice", func(s *rules.ProfileSpec) { s.Elements[1] = s.Elements[0] }, "element[2].name"},
		{"a stanza", func(s *rules.ProfileSpec) { s.Elements[0].Name = "message" }, "element[1].name"},
		{"encrypted", func(s *rules.ProfileSpec) { s.Elements[0].Name = "{urn:xmpp:omemo:2}encrypted" }, "element[1].name"},
		{"carrier", func(s *rules.ProfileSpec) { s.Elements[0].Name = "{urn:xmpp:forward:0}forwarded" }, "element[1].name"},
		{"delegation", func(s *rules.ProfileSpec) { s.Elements[0].Name = "{urn:xmpp:delegation:2}delegation" }, "element[1].name"},
	}
	for _, tt := range tests {
		spec := rules.DefaultProfile(rules.Strict)
		tt.edit(&spec)
		p, problems := rules.CompileProfile(spec)
		found := false
		for _, problem := range problems {
			found = found || problem.Key == tt.key
		}
		if p != nil || !found {
			t.Errorf("%s: problems %v, want one with %s", tt.name, problems, tt.key)
		}
	}
}

// TestSpecsInTOML: an operator can print a built-in profile, and what is read back is the same.
func TestSpecsInTOML(t *testing.T) {
	for _, name := range []string{rules.Strict, rules.Chat, rules.Federation} {
		spec := rules.DefaultProfile(name)
		var b bytes.Buffer
		if err := toml.NewEncoder(&b).Encode(spec); err != nil {
			t.Fatal(err)
		}
		var again rules.ProfileSpec
		meta, err := toml.Decode(b.String(), &again)
		if err != nil || len(meta.Undecoded()) > 0 {
			t.Fatalf("%v, undecoded %v", err, meta.Undecoded())
		}
		if p := compile(t, again); p.Name() != name {
			t.Errorf("name %q", p.Name())
		}
		if !reflect.DeepEqual(normal(again), normal(spec)) {
			t.Errorf("%s is not the same after TOML:\n%s", name, b.String())
		}
	}
}

// normal makes nil and empty lists the same.
func normal(s rules.ProfileSpec) string {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(s); err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(b.String(), " = []", "")
}

// TestFederation is what two ordinary servers say to each other.
func TestFederation(t *testing.T) {
	tests := []struct{ name, in string }{
		{"chat", message("<body>hi</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>" +
			"<markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='4f-1'/><store xmlns='urn:xmpp:hints'/>")},
		{"receipt", message("<received xmlns='urn:xmpp:receipts' id='x'/>")},
		{"marker", message("<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>")},
		{"correction", message("<body>hi</body><replace xmlns='urn:xmpp:message-correct:0' id='x'/>")},
		{"labelled", message("<body>hi</body>" + label)},
		{"join", presence("<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='20'/></x>" +
			"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://gajim.org' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>")},
		{"joined", presence("<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant' jid='u@b.example/r'/>" +
			"<status code='110'/><status code='201'/></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='AbC='/>")},
		{"kicked", "<presence type='unavailable'" + addrs + "><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'>" +
			"<actor nick='boss'/><reason>no</reason></item><status code='307'/></x></presence>"},
		{"room subject", "<message type='groupchat'" + addrs + "><subject>s</subject></message>"},
		{"room history", "<message type='groupchat'" + addrs + "><body>x</body><delay xmlns='urn:xmpp:delay' from='a@a.example' stamp='2020-01-01T00:00:00.123Z'/>" +
			"<stanza-id xmlns='urn:xmpp:sid:0' by='a@a.example' id='1'/></message>"},
		{"direct invitation", message("<x xmlns='jabber:x:conference' jid='r@a.example' reason='come'/>")},
		{"mediated invitation", message("<x xmlns='http://jabber.org/protocol/muc#user'><invite from='c@a.example'><reason>come</reason></invite></x>")},
		{"presence", presence("<show>away</show><status>out</status><priority>5</priority><x xmlns='vcard-temp:x:update'><photo>00ff</photo></x>")},
		{"subscribe", "<presence type='subscribe'" + addrs + "><status>hello</status><nick xmlns='http://jabber.org/protocol/nick'>A</nick></presence>"},
		{"probe", "<presence type='probe'" + addrs + "/>"},
		{"nick event", "<message type='headline'" + addrs + ">" + event("http://jabber.org/protocol/nick", "<nick xmlns='http://jabber.org/protocol/nick'>A</nick>") + "</message>"},
		{"avatar event", message(event("urn:xmpp:avatar:metadata", "<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='1' height='1' id='00ff' type='image/png' width='1'/></metadata>"))},
		{"info request", iq("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='n#v'/>")},
		{"info", iq("result", "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc' name='x'/><feature var='urn:xmpp:ping'/>"+
			"<x xmlns='jabber:x:data' type='result'><field type='hidden' var='FORM_TYPE'><value>u</value></field></x></query>")},
		{"items", iq("result", "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='r@a.example' name='room'/></query>")},
		{"ping", iq("get", "<ping xmlns='urn:xmpp:ping'/>")},
		{"pong", "<iq type='result' id='1'" + addrs + "/>"},
		{"vCard request", iq("get", "<vCard xmlns='vcard-temp'/>")},
		{"vCard", iq("result", "<vCard xmlns='vcard-temp'><FN>A</FN><N><FAMILY>B</FAMILY></N></vCard>")},
	}
	p := builtin(t, rules.Federation)
	for _, tt := range tests {
		if r := p.Check(read(t, tt.in)); r.Verdict != rules.Pass {
			t.Errorf("%s: %v %v at %s, removed %q", tt.name, r.Verdict, r.Reason, r.Path, r.Removed)
		}
	}
	check(t, rules.Federation, iq("set", "<ping xmlns='urn:xmpp:ping'/>"), "deny iq-kind")
	check(t, rules.Federation, iq("set", "<vCard xmlns='vcard-temp'/>"), "deny iq-kind")
}
