package stanza_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

func TestErrorReply(t *testing.T) {
	tests := []struct {
		name, in string
		cond     stanza.Condition
		opts     stanza.ErrorOptions
		want     string
	}{
		{
			"message", "<message id='7' type='chat'" + addrs + "><body>canary</body></message>", stanza.PolicyViolation,
			stanza.ErrorOptions{},
			"<message from='b@b.example' id='7' to='a@a.example/r' type='error'>" +
				"<error type='modify'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
		},
		{
			"iq with type and text", "<iq id='7' type='get'" + addrs + "><canary xmlns='u'/></iq>", stanza.PolicyViolation,
			stanza.ErrorOptions{Type: stanza.Wait, Text: "ref 1<2"},
			"<iq from='b@b.example' id='7' to='a@a.example/r' type='error'>" +
				"<error type='wait'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
				"<text xml:lang='en' xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>ref 1&lt;2</text></error></iq>",
		},
		{
			"presence answered by the domain", "<presence type='subscribe'" + addrs + "/>", stanza.Forbidden,
			stanza.ErrorOptions{From: jid.MustParse("b.example")},
			"<presence from='b.example' to='a@a.example/r' type='error'>" +
				"<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
		},
		{
			"from an occupant: the room is told", "<message type='groupchat' from='room@a.example/nick' to='b@b.example/r'" + ns + "/>",
			stanza.NotAcceptable,
			stanza.ErrorOptions{},
			"<message from='b@b.example/r' to='room@a.example' type='error'>" +
				"<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
		},
		{
			"to a room: the user is told", "<message type='groupchat'" + addrs + "/>", stanza.NotAcceptable,
			stanza.ErrorOptions{},
			"<message from='b@b.example' to='a@a.example/r' type='error'>" +
				"<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := stanza.From(parse(t, tt.in))
			if err != nil {
				t.Fatal(err)
			}
			answer, ok := stanza.ErrorReply(s, tt.cond, tt.opts)
			if !ok {
				t.Fatal("not answered")
			}
			if got := write(t, answer); !sameTree(t, got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !answer.IsError() {
				t.Error("the answer is no error")
			}
		})
	}
}

func sameTree(t *testing.T, a, b string) bool {
	t.Helper()
	content := func(s string) string { return strings.Replace(s, " ", ns+" ", 1) }
	return parse(t, content(a)).Equal(parse(t, content(b)))
}

// TestH14: what may not be answered is not answered, and no answer is ever answered.
func TestH14(t *testing.T) {
	for _, in := range []string{
		"<message type='error'" + addrs + "><error/></message>",
		"<presence type='error'" + addrs + "><error/></presence>",
		"<presence type='unavailable'" + addrs + "/>",
		"<iq id='1' type='error'" + addrs + "><error/></iq>",
		"<iq id='1' type='result'" + addrs + "/>",
	} {
		s, err := stanza.From(parse(t, in))
		if err != nil {
			t.Fatal(err)
		}
		for c := stanza.BadRequest; c <= stanza.UnexpectedRequest; c++ {
			if answer, ok := stanza.ErrorReply(s, c, stanza.ErrorOptions{}); ok {
				t.Fatalf("H14: %s answered with %s", in, write(t, answer))
			}
		}
	}
	for _, in := range []string{"<message" + addrs + "/>", "<presence" + addrs + "/>", "<iq id='1' type='set'" + addrs + "><q xmlns='u'/></iq>"} {
		s, err := stanza.From(parse(t, in))
		if err != nil {
			t.Fatal(err)
		}
		answer, ok := stanza.ErrorReply(s, stanza.BadRequest, stanza.ErrorOptions{})
		if !ok {
			t.Fatalf("%s is not answered", in)
		}
		if again, ok := stanza.ErrorReply(answer, stanza.BadRequest, stanza.ErrorOptions{}); ok {
			t.Fatalf("H14: an answer was answered with %s", write(t, again))
		}
		if _, ok := stanza.ErrorReply(s, stanza.NoCondition, stanza.ErrorOptions{}); ok {
			t.Error("answered without a condition")
		}
	}
	if _, ok := stanza.ErrorReply(stanza.Stanza{}, stanza.BadRequest, stanza.ErrorOptions{}); ok {
		t.Error("the zero stanza was answered")
	}
}

// TestI20: an error crosses as condition and type only.
func TestI20(t *testing.T) {
	s, err := stanza.From(parse(t, "<message id='1' type='error'"+addrs+"><body>canary</body><error type='auth' by='canary'>"+
		"<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>canary</forbidden>"+
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>canary</text><canary xmlns='u'/></error></message>"))
	if err != nil {
		t.Fatal(err)
	}
	c, typ := s.Error()
	if c != stanza.Forbidden || typ != stanza.Auth {
		t.Errorf("read %v %v", c, typ)
	}
	got := write(t, stanza.Retold(s, c, typ))
	if strings.Contains(got, "canary") || !strings.Contains(got, "<forbidden") || !strings.Contains(got, "type='auth'") {
		t.Errorf("I20: %s", got)
	}
	plain, err := stanza.From(parse(t, "<message"+addrs+"/>"))
	if err != nil {
		t.Fatal(err)
	}
	if !stanza.Retold(plain, c, typ).IsZero() {
		t.Error("something that is no error was retold as one")
	}
}

func TestErrorOfPeer(t *testing.T) {
	tests := []struct {
		in   string
		cond stanza.Condition
		typ  stanza.ErrorType
	}{
		{"<error/>", stanza.UndefinedCondition, stanza.Cancel},
		{"<error type='bogus'><gone xmlns='urn:x'/></error>", stanza.UndefinedCondition, stanza.Cancel},
		{"<error type='wait'><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>", stanza.Gone, stanza.Wait},
	}
	for _, tt := range tests {
		s, err := stanza.From(parse(t, "<presence type='error'"+addrs+">"+tt.in+"</presence>"))
		if err != nil {
			t.Fatal(err)
		}
		if c, typ := s.Error(); c != tt.cond || typ != tt.typ {
			t.Errorf("%s: %v %v, want %v %v", tt.in, c, typ, tt.cond, tt.typ)
		}
	}
	if c, typ := (stanza.Stanza{}).Error(); c != stanza.NoCondition || typ != stanza.NoErrorType {
		t.Error("the zero stanza is an error")
	}
}

func TestStreamError(t *testing.T) {
	b, err := xmlstream.AppendElement(nil, stanza.StreamError(stanza.StreamPolicyViolation, "too big",
		xmlstream.NewElement(xmlstream.Name{Space: "urn:xmpp:errors", Local: "stanza-too-big"}, nil)), xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, string(b)) // the writer's form of the stream namespace must itself be readable
	if !got.Is(xmlstream.NSStream, "error") || got.Child(xmlstream.NSStreams, "policy-violation") == nil ||
		got.Child(xmlstream.NSStreams, "text").Text() != "too big" || got.Child("urn:xmpp:errors", "stanza-too-big") == nil {
		t.Errorf("got %s", b)
	}
	for _, c := range []stanza.StreamCondition{stanza.NoStreamCondition, 200} {
		if stanza.StreamError(c, "", nil).Child(xmlstream.NSStreams, "undefined-condition") == nil {
			t.Errorf("condition %d is not told as undefined", c)
		}
	}
}

func TestConditions(t *testing.T) {
	n := 0
	for c := stanza.BadRequest; c.String() != ""; c++ {
		n++
		if got, ok := stanza.ParseCondition(c.String()); !ok || got != c || c.DefaultType() == stanza.NoErrorType {
			t.Errorf("%q parses to %v, %v, type %v", c, got, ok, c.DefaultType())
		}
	}
	if n != 22 {
		t.Errorf("%d stanza conditions, RFC 6120 has 22", n)
	}
	n = 0
	for c := stanza.StreamBadFormat; c.String() != ""; c++ {
		n++
		if got, ok := stanza.ParseStreamCondition(c.String()); !ok || got != c {
			t.Errorf("%q parses to %v, %v", c, got, ok)
		}
	}
	if n != 25 {
		t.Errorf("%d stream conditions, RFC 6120 has 25", n)
	}
	for _, name := range []string{"", "no-such", "Bad-Request"} {
		if c, ok := stanza.ParseCondition(name); ok {
			t.Errorf("%q parsed as %v", name, c)
		}
		if c, ok := stanza.ParseStreamCondition(name); ok {
			t.Errorf("%q parsed as %v", name, c)
		}
		if c, ok := stanza.ParseErrorType(name); ok {
			t.Errorf("%q parsed as %v", name, c)
		}
	}
	if c, _ := stanza.ParseStreamCondition("xml-not-well-formed"); c != stanza.StreamNotWellFormed {
		t.Errorf("the RFC 3920 name parses to %v", c)
	}
}

// TestReplyFromHostedDomain: the answer to what was sent to a domain that is not ours comes from one that is, or no
// stream could carry it (H01).
func TestReplyFromHostedDomain(t *testing.T) {
	m := stanza.Malformed{
		Stanza: stanza.ItemNotFound, Kind: stanza.Message, Type: stanza.MessageChat, ID: "1",
		From: jid.MustParse("a@a.example/r"), To: jid.MustParse("x@nosuch.example"),
	}
	for _, tt := range []struct{ self, want string }{
		{"b.example", "b.example"},
		{"nosuch.example", "x@nosuch.example"},
	} {
		answer, ok := m.Reply(jid.MustParse(tt.self), stanza.ErrorOptions{})
		if !ok || answer.From().String() != tt.want {
			t.Errorf("stream for %s: answered %v from %s, want %s", tt.self, ok, answer.From(), tt.want)
		}
	}
}
