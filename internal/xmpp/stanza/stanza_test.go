package stanza_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// parse reads one element as it would come on a server stream.
func parse(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	return e
}

func write(t testing.TB, s stanza.Stanza) string {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, s.Element(), xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	ns    = " xmlns='jabber:server'"
	addrs = ns + " to='b@b.example' from='a@a.example/r'"
)

func TestFrom(t *testing.T) {
	tests := []struct {
		name, in string
		typ      stanza.Type
	}{
		{"message", "<message" + addrs + "/>", stanza.MessageNormal},
		{"message normal", "<message type='normal'" + addrs + "/>", stanza.MessageNormal},
		{"message chat", "<message type='chat'" + addrs + "/>", stanza.MessageChat},
		{"message groupchat", "<message type='groupchat'" + addrs + "/>", stanza.MessageGroupchat},
		{"message headline", "<message type='headline'" + addrs + "/>", stanza.MessageHeadline},
		{"H10 message bogus", "<message type='bogus'" + addrs + "/>", stanza.MessageNormal},
		{"message error", "<message type='error'" + addrs + "><error/></message>", stanza.MessageError},
		{"presence", "<presence" + addrs + "/>", stanza.PresenceAvailable},
		{"presence unavailable", "<presence type='unavailable'" + addrs + "/>", stanza.PresenceUnavailable},
		{"presence subscribe", "<presence type='subscribe'" + addrs + "/>", stanza.PresenceSubscribe},
		{"presence subscribed", "<presence type='subscribed'" + addrs + "/>", stanza.PresenceSubscribed},
		{"presence unsubscribe", "<presence type='unsubscribe'" + addrs + "/>", stanza.PresenceUnsubscribe},
		{"presence unsubscribed", "<presence type='unsubscribed'" + addrs + "/>", stanza.PresenceUnsubscribed},
		{"presence probe", "<presence type='probe'" + addrs + "/>", stanza.PresenceProbe},
		{"presence error", "<presence type='error'" + addrs + "><error/></presence>", stanza.PresenceError},
		{"iq get", "<iq id='1' type='get'" + addrs + "><q xmlns='u'/></iq>", stanza.IQGet},
		{"iq set", "<iq id='1' type='set'" + addrs + "><q xmlns='u'/></iq>", stanza.IQSet},
		{"iq result", "<iq id='1' type='result'" + addrs + "><q xmlns='u'/></iq>", stanza.IQResult},
		{"iq empty result", "<iq id='1' type='result'" + addrs + "/>", stanza.IQResult},
		{"iq error", "<iq id='1' type='error'" + addrs + "><q xmlns='u'/><error/></iq>", stanza.IQError},
		{"C09 prefixed", "<c:message xmlns:c='jabber:server' to='b@b.example' from='a@a.example/r'><c:body>x</c:body></c:message>", stanza.MessageNormal},
		{"C10 foreign to", "<message xmlns:x='urn:x' x:to='evil@b.example'" + addrs + "/>", stanza.MessageNormal},
		{"C14 unknown child", "<message" + addrs + "><stream:error xmlns:stream='urn:x'/></message>", stanza.MessageNormal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := stanza.From(parse(t, tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if s.Type() != tt.typ || s.Kind() != tt.typ.Kind() {
				t.Errorf("type %v of %v, want %v of %v", s.Type(), s.Kind(), tt.typ, tt.typ.Kind())
			}
			if s.To() != jid.MustParse("b@b.example") || s.From() != jid.MustParse("a@a.example/r") {
				t.Errorf("to %v from %v", s.To(), s.From())
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	long := strings.Repeat("a", jid.MaxPart+1)
	to := func(addr string) string { return "<message" + ns + " from='a@a.example' to='" + addr + "'/>" }
	type want struct {
		stream stanza.StreamCondition
		stanza stanza.Condition
		reply  bool
	}
	end := func(c stanza.StreamCondition) want { return want{stream: c} }
	bounce := func(c stanza.Condition) want { return want{stanza: c, reply: true} }
	drop := func(c stanza.Condition) want { return want{stanza: c} }
	tests := []struct {
		name, in string
		want     want
	}{
		{"C07 client namespace", "<message xmlns='jabber:client' to='b' from='a'/>", end(stanza.StreamInvalidNamespace)},
		{"C08 foreign namespace", "<message xmlns='urn:evil' to='b' from='a'/>", end(stanza.StreamUnsupportedStanzaType)},
		{"C08 upper case", "<Message" + addrs + "/>", end(stanza.StreamUnsupportedStanzaType)},
		{"C08 unknown element", "<evil" + addrs + "/>", end(stanza.StreamUnsupportedStanzaType)},
		{"C08 unknown element of a client", "<evil xmlns='jabber:client'/>", end(stanza.StreamUnsupportedStanzaType)},
		{"C08 no namespace", "<message xmlns='' to='b' from='a'/>", end(stanza.StreamUnsupportedStanzaType)},
		{"C14 stream error inside", "<message" + addrs + "><stream:error xmlns:stream='http://etherx.jabber.org/streams'/></message>", bounce(stanza.BadRequest)},

		{"H01 no to", "<message" + ns + " from='a@a.example'/>", end(stanza.StreamImproperAddressing)},
		{"H01 no from", "<message" + ns + " to='b@b.example'/>", end(stanza.StreamImproperAddressing)},
		{"H01 empty to", "<message" + ns + " from='a@a.example' to=''/>", end(stanza.StreamImproperAddressing)},
		{"H01 empty from", "<message" + ns + " from='' to='b@b.example'/>", end(stanza.StreamImproperAddressing)},
		{"H01 only foreign to", "<message xmlns:x='u' x:to='b@b.example' from='a@a.example'" + ns + "/>", end(stanza.StreamImproperAddressing)},

		{"H03 two at signs", to("a@@b"), bounce(stanza.JIDMalformed)},
		{"H03 no localpart", to("@b"), bounce(stanza.JIDMalformed)},
		{"H03 no domainpart", to("a@"), bounce(stanza.JIDMalformed)},
		{"H03 no resourcepart", to("a@b/"), bounce(stanza.JIDMalformed)},
		{"H03 3072 bytes", to(strings.Repeat("a", 3072)), bounce(stanza.JIDMalformed)},
		{"H03 long localpart", to(long + "@b"), bounce(stanza.JIDMalformed)},
		{"H03 space", to("a b@c"), bounce(stanza.JIDMalformed)},
		{"A27 line end in the domain", to("b@b.exa\nmple"), bounce(stanza.JIDMalformed)},
		{"H05 fake A-label", to("xn--example-.com"), bounce(stanza.JIDMalformed)},
		{"H05 address literal", to("a@127.0.0.1"), bounce(stanza.JIDMalformed)},
		{"from with a bad localpart", "<message" + ns + " from='♥@a.example' to='b@b.example'/>", drop(stanza.JIDMalformed)},
		{"from without a domain", "<message" + ns + " from='a@' to='b@b.example'/>", end(stanza.StreamImproperAddressing)},
		{"from with a bad domain", "<message" + ns + " from='a@b..c' to='b@b.example'/>", end(stanza.StreamImproperAddressing)},

		{"H08 get without child", "<iq id='1' type='get'" + addrs + "/>", bounce(stanza.BadRequest)},
		{"H08 get with text only", "<iq id='1' type='get'" + addrs + ">x</iq>", bounce(stanza.BadRequest)},
		{"H08 get with two children", "<iq id='1' type='get'" + addrs + "><a xmlns='u'/><b xmlns='u'/></iq>", bounce(stanza.BadRequest)},
		{"H08 set without child", "<iq id='1' type='set'" + addrs + "/>", bounce(stanza.BadRequest)},
		{"H08 type foo", "<iq id='1' type='foo'" + addrs + "><a xmlns='u'/></iq>", bounce(stanza.BadRequest)},
		{"H08 no type", "<iq id='1'" + addrs + "><a xmlns='u'/></iq>", bounce(stanza.BadRequest)},
		{"H08 no id", "<iq type='get'" + addrs + "><a xmlns='u'/></iq>", bounce(stanza.BadRequest)},
		{"H08 empty id", "<iq id='' type='get'" + addrs + "><a xmlns='u'/></iq>", bounce(stanza.BadRequest)},
		{"H08 long id", "<iq id='" + strings.Repeat("i", 100<<10) + "' type='get'" + addrs + "><a xmlns='u'/></iq>", bounce(stanza.PolicyViolation)},
		{"H08 result with two children", "<iq id='1' type='result'" + addrs + "><a xmlns='u'/><b xmlns='u'/></iq>", drop(stanza.BadRequest)},
		{"H08 result without id", "<iq type='result'" + addrs + "/>", drop(stanza.BadRequest)},
		{"H08 error without error", "<iq id='1' type='error'" + addrs + "/>", drop(stanza.BadRequest)},
		{"H08 error with two payloads", "<iq id='1' type='error'" + addrs + "><a xmlns='u'/><b xmlns='u'/><error/></iq>", drop(stanza.BadRequest)},

		{"H10 presence bogus", "<presence type='bogus'" + addrs + "/>", bounce(stanza.BadRequest)},
		{"H10 presence available", "<presence type='available'" + addrs + "/>", bounce(stanza.BadRequest)},
		{"H10 presence empty type", "<presence type=''" + addrs + "/>", bounce(stanza.BadRequest)},
		{"H14 malformed error", "<message type='error'" + addrs + "/>", drop(stanza.BadRequest)},
		{"H14 error to nobody", "<message type='error' from='a@a.example' to='a@@b'" + ns + "><error/></message>", drop(stanza.JIDMalformed)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := stanza.From(parse(t, tt.in))
			var m *stanza.Malformed
			if !errors.As(err, &m) || !s.IsZero() {
				t.Fatalf("From = %v, %v", s, err)
			}
			if m.Stream != tt.want.stream || m.Stanza != tt.want.stanza {
				t.Errorf("got %v, want stream %q stanza %q", m, tt.want.stream, tt.want.stanza)
			}
			answer, ok := m.Reply(jid.MustParse("b.example"), stanza.ErrorOptions{})
			if ok != tt.want.reply {
				t.Fatalf("answered: %v, want %v", ok, tt.want.reply)
			}
			if ok {
				checkReply(t, m, answer)
			}
		})
	}
}

// checkReply: the answer is itself a stanza that From accepts, an error with that condition, back to the sender.
func checkReply(t *testing.T, m *stanza.Malformed, answer stanza.Stanza) {
	t.Helper()
	if answer.Kind() == stanza.IQ && answer.ID() == "" {
		answer = answer.WithID("none") // it has to answer one that had none
	}
	again, err := stanza.From(parse(t, write(t, answer)))
	if err != nil {
		t.Fatalf("%s: %v", write(t, answer), err)
	}
	if again.To() != m.From || again.Kind() != m.Kind || again.From().IsZero() {
		t.Errorf("to %v from %v kind %v", again.To(), again.From(), again.Kind())
	}
	if c, typ := again.Error(); c != m.Stanza || typ != stanza.Modify {
		t.Errorf("condition %v type %v, want %v modify", c, typ, m.Stanza)
	}
}

func TestMalformedNil(t *testing.T) {
	if s, err := stanza.From(nil); err == nil {
		t.Errorf("From(nil) = %v", s)
	}
}

// TestH04: the element says the prepared address, whatever form came in.
func TestH04(t *testing.T) {
	s, err := stanza.From(parse(t, "<message"+ns+" from='A@A.Example./R' to='bücher。EXAMPLE'/>"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "<message from='a@a.example/R' to='bücher.example'/>"
	if got := write(t, s); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFromCarried(t *testing.T) {
	for _, in := range []string{
		"<message xmlns='jabber:client'/>",
		"<message xmlns='jabber:client' to='b@b.example' from='a@a.example'><body>x</body></message>",
		"<message xmlns='jabber:server' to='b@b.example'/>",
	} {
		s, err := stanza.FromCarried(parse(t, in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if again, err := s.WithElement(s.Element()); err != nil || again != s {
			t.Errorf("%s: a change forgets that it was carried: %v, %v", in, again, err)
		}
	}
	for _, in := range []string{
		"<message xmlns='urn:x'/>", "<message xmlns='jabber:client' to=''/>", "<message xmlns='jabber:client' to='a@@b'/>",
		"<iq xmlns='jabber:client' type='get' id='1'/>",
	} {
		if s, err := stanza.FromCarried(parse(t, in)); err == nil {
			t.Errorf("%s: accepted as %v", in, s)
		}
	}
}

func TestPayload(t *testing.T) {
	tests := []struct{ in, want string }{
		{"<iq id='1' type='get'" + addrs + "> <q xmlns='u'/></iq>", "q"},
		{"<iq id='1' type='result'" + addrs + "><q xmlns='u'/></iq>", "q"},
		{"<iq id='1' type='result'" + addrs + "/>", ""},
		{"<iq id='1' type='error'" + addrs + "><q xmlns='u'/><error/></iq>", ""},
		{"<message" + addrs + "><body/></message>", ""},
	}
	for _, tt := range tests {
		s, err := stanza.From(parse(t, tt.in))
		if err != nil {
			t.Fatal(err)
		}
		if p := s.Payload(); p == nil && tt.want != "" || p != nil && p.Local() != tt.want {
			t.Errorf("%s: payload %v, want %q", tt.in, p, tt.want)
		}
	}
	if (stanza.Stanza{}).Payload() != nil {
		t.Error("the zero stanza has a payload")
	}
}

func TestWith(t *testing.T) {
	s, err := stanza.From(parse(t, "<iq id='1' type='get'"+addrs+"><q xmlns='u'/></iq>"))
	if err != nil {
		t.Fatal(err)
	}
	moved := s.WithAddresses(jid.MustParse("x@x.example"), jid.MustParse("y@y.example")).WithID("2")
	const want = "<iq from='x@x.example' id='2' to='y@y.example' type='get'><q xmlns='u'/></iq>"
	if got := write(t, moved); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if moved.ID() != "2" || moved.From().String() != "x@x.example" || moved.To().String() != "y@y.example" {
		t.Error("the fields do not say what the element says")
	}
	if s.WithAddresses(jid.JID{}, jid.JID{}) != s || s.WithID("") != s || s.WithID("1") != s {
		t.Error("changed without reason")
	}
	if got, err := s.WithElement(parse(t, "<message"+addrs+"/>")); err == nil {
		t.Errorf("an iq became %v", got)
	}
	if got, err := s.WithElement(parse(t, "<iq id='1' type='get'"+addrs+"/>")); err == nil {
		t.Errorf("an iq lost its payload: %v", got)
	}
	var zero stanza.Stanza
	if zero.WithID("1") != zero || zero.WithAddresses(jid.MustParse("a"), jid.MustParse("b")) != zero {
		t.Error("the zero stanza changed")
	}
}

// TestJ14: the words and numbers of presence are read only when they are exactly what RFC 6121 allows.
func TestJ14(t *testing.T) {
	tests := []struct {
		name, children string
		show           stanza.Show
		showOK         bool
		priority       int8
		priorityOK     bool
	}{
		{"nothing", "", stanza.Online, true, 0, true},
		{"away and 5", "<show>away</show><priority>5</priority>", stanza.Away, true, 5, true},
		{"lowest", "<show>dnd</show><priority>-128</priority>", stanza.DND, true, -128, true},
		{"highest", "<show>xa</show><priority>127</priority>", stanza.XA, true, 127, true},
		{"chat", "<show>chat</show>", stanza.Chat, true, 0, true},
		{"out of range", "<show>Away</show><priority>128</priority>", stanza.NoShow, false, 0, false},
		{"words", "<show>online</show><priority>x</priority>", stanza.NoShow, false, 0, false},
		{"space", "<show> away</show><priority> 1</priority>", stanza.NoShow, false, 0, false},
		{"empty", "<show/><priority/>", stanza.NoShow, false, 0, false},
		{"two", "<show>away</show><show>xa</show><priority>1</priority><priority>2</priority>", stanza.NoShow, false, 0, false},
		{"nested", "<show>aw<x xmlns='u'/>ay</show><priority>1<x xmlns='u'/>2</priority>", stanza.NoShow, false, 0, false},
		{"foreign", "<show xmlns='u'>xa</show><priority xmlns='u'>1</priority>", stanza.Online, true, 0, true},
	}
	for _, tt := range tests {
		s, err := stanza.From(parse(t, "<presence"+addrs+">"+tt.children+"</presence>"))
		if err != nil {
			t.Fatal(err)
		}
		if show, ok := s.Show(); ok != tt.showOK || ok && show != tt.show {
			t.Errorf("%s: show %v, %v", tt.name, show, ok)
		}
		if p, ok := s.Priority(); ok != tt.priorityOK || ok && p != tt.priority {
			t.Errorf("%s: priority %v, %v", tt.name, p, ok)
		}
	}
}

func TestAllocations(t *testing.T) {
	e := parse(t, "<message type='chat' id='1'"+addrs+"><body>hello</body><x xmlns='u'/></message>")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := stanza.From(e); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for canonical addresses, budget 0", n)
	}
}

func BenchmarkFrom(b *testing.B) {
	e := parse(b, "<message type='chat' id='1'"+addrs+"><body>hello</body><x xmlns='u'/></message>")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stanza.From(e); err != nil {
			b.Fatal(err)
		}
	}
}
