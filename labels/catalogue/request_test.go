package catalogue_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels/catalogue"
)

// request reads a stanza as the server's own client or a neighbour would send it: the address the session has is there.
func request(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSClient})
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	s, err := stanza.FromCarried(e)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return s
}

func iq(attrs, payload string) string {
	return "<iq xmlns='jabber:client' id='1' to='high.example'" + attrs + ">" + payload + "</iq>"
}

func ask(attrs string) string { return "<catalog xmlns='urn:xmpp:sec-label:catalog:2'" + attrs + "/>" }

const juliet = " from='juliet@high.example/b'"

func TestParseRequest(t *testing.T) {
	user := jid.MustParse("juliet@high.example")
	for _, row := range []struct {
		name, text string
		want       catalogue.Request
	}{
		{
			"Gajim and Swift", iq(" type='get'"+juliet, ask(" to='romeo@low.example'")),
			catalogue.Request{To: jid.MustParse("romeo@low.example"), From: user},
		},
		{"for nobody in particular", iq(" type='get'"+juliet, ask("")), catalogue.Request{From: user}},
		{"a room", iq(" type='get'"+juliet, ask(" to='Room@Muc.Low.Example'")), catalogue.Request{To: jid.MustParse("room@muc.low.example"), From: user}},
		{"the service itself", iq(" type='get'"+juliet, ask(" to='high.example'")), catalogue.Request{To: jid.MustParse("high.example"), From: user}},
		{"a node", iq(" type='get'"+juliet, ask(" to='pubsub.example' node='n'")), catalogue.Request{To: jid.MustParse("pubsub.example"), From: user, Node: "n"}},
		{"the user names himself", iq(" type='get'"+juliet, ask(" to='a@b.example' from='juliet@high.example'")), catalogue.Request{To: jid.MustParse("a@b.example"), From: user}},
		{"a server for its user", iq(" type='get' from='high.example'", ask(" to='a@b.example' from='juliet@high.example'")), catalogue.Request{To: jid.MustParse("a@b.example"), From: user}},
		{"a server for nobody", iq(" type='get' from='high.example'", ask(" to='a@b.example'")), catalogue.Request{To: jid.MustParse("a@b.example"), From: jid.MustParse("high.example")}},
		{
			"white space inside", iq(" type='get'"+juliet, "<catalog xmlns='urn:xmpp:sec-label:catalog:2' to='a@b.example'> \n</catalog>"),
			catalogue.Request{To: jid.MustParse("a@b.example"), From: user},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := catalogue.ParseRequest(request(t, row.text))
			if err != nil || got != row.want {
				t.Errorf("got %+v and %v, want %+v", got, err, row.want)
			}
		})
	}
}

// The request in the test data, once the session has said whose it is.
func TestParseRequestOfTestData(t *testing.T) {
	text := strings.Replace(strings.TrimSpace(string(readData(t, "xmpp/catalog-request.xml"))), "<iq ", "<iq from='juliet@high.example/b' ", 1)
	got, err := catalogue.ParseRequest(request(t, text))
	if err != nil || got.To.String() != "romeo@low.example" || got.From.String() != "juliet@high.example" {
		t.Errorf("got %+v and %v", got, err)
	}
}

func TestParseRequestRefuses(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       stanza.Condition
	}{
		{"a set", iq(" type='set'"+juliet, ask(" to='a@b.example'")), stanza.NotAllowed},
		{"an answer", iq(" type='result'"+juliet, ask(" to='a@b.example'")), stanza.ServiceUnavailable},
		{"a message", "<message xmlns='jabber:client'" + juliet + ">" + ask(" to='a@b.example'") + "</message>", stanza.ServiceUnavailable},
		{"an old namespace", iq(" type='get'"+juliet, "<catalog xmlns='urn:xmpp:sec-label:catalog:0' to='a@b.example'/>"), stanza.ServiceUnavailable},
		{"another element", iq(" type='get'"+juliet, "<catalogue xmlns='urn:xmpp:sec-label:catalog:2' to='a@b.example'/>"), stanza.ServiceUnavailable},
		{"nobody asks", iq(" type='get'", ask(" to='a@b.example'")), stanza.BadRequest},
		{"about an empty address", iq(" type='get'"+juliet, ask(" to=''")), stanza.JIDMalformed},
		{"about no address", iq(" type='get'"+juliet, ask(" to='@'")), stanza.JIDMalformed},
		{"on behalf of no address", iq(" type='get'"+juliet, ask(" to='a@b.example' from='@'")), stanza.JIDMalformed},
		{"on behalf of a full address", iq(" type='get'"+juliet, ask(" to='a@b.example' from='juliet@high.example/b'")), stanza.BadRequest},
		{"on behalf of a domain", iq(" type='get' from='high.example'", ask(" to='a@b.example' from='high.example'")), stanza.BadRequest},
		{"a user for another", iq(" type='get'"+juliet, ask(" to='a@b.example' from='nurse@high.example'")), stanza.Forbidden},
		{"a server for another's user", iq(" type='get' from='low.example'", ask(" to='a@b.example' from='juliet@high.example'")), stanza.Forbidden},
		{"unknown attribute", iq(" type='get'"+juliet, ask(" to='a@b.example' restrict='false'")), stanza.BadRequest},
		{"attribute with a namespace", iq(" type='get'"+juliet, ask(" xmlns:c='urn:x' c:to='a@b.example' to='a@b.example'")), stanza.BadRequest},
		{"element inside", iq(" type='get'"+juliet, "<catalog xmlns='urn:xmpp:sec-label:catalog:2' to='a@b.example'><item/></catalog>"), stanza.BadRequest},
		{"text inside", iq(" type='get'"+juliet, "<catalog xmlns='urn:xmpp:sec-label:catalog:2' to='a@b.example'>x</catalog>"), stanza.BadRequest},
		{"a node without name", iq(" type='get'"+juliet, ask(" to='a@b.example' node=''")), stanza.BadRequest},
		{"a long node", iq(" type='get'"+juliet, ask(" to='a@b.example' node='"+strings.Repeat("n", 1024)+"'")), stanza.BadRequest},
		{"a node with a line feed", iq(" type='get'"+juliet, ask(" to='a@b.example' node='a&#10;b'")), stanza.BadRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := catalogue.ParseRequest(request(t, row.text))
			var e *catalogue.RequestError
			if got != (catalogue.Request{}) || !errors.As(err, &e) || e.Condition != row.want {
				t.Errorf("got %+v and %v, want %v", got, err, row.want)
			}
		})
	}
	if _, err := catalogue.ParseRequest(stanza.Stanza{}); err == nil {
		t.Error("no stanza is a request")
	}
}

func TestAdmission(t *testing.T) {
	local := catalogue.Admission{Local: []string{"high.example"}}
	open := catalogue.Admission{
		Local: []string{"high.example"}, Strangers: catalogue.EmptyCatalogue,
		Peers: map[string]catalogue.Answer{"low.example": catalogue.GiveCatalogue, "rude.example": catalogue.RefuseRequest},
	}
	for _, row := range []struct {
		name string
		a    catalogue.Admission
		from string
		want catalogue.Answer
	}{
		{"the zero value refuses", catalogue.Admission{}, "juliet@high.example", catalogue.RefuseRequest},
		{"a local user", local, "juliet@high.example", catalogue.GiveCatalogue},
		{"a stranger", local, "romeo@low.example", catalogue.RefuseRequest},
		{"the local server", local, "high.example", catalogue.RefuseRequest},
		{"a domain under ours is not ours", local, "a@b.high.example", catalogue.RefuseRequest},
		{"a peer with a rule", open, "romeo@low.example", catalogue.GiveCatalogue},
		{"that peer's server", open, "low.example", catalogue.GiveCatalogue},
		{"a peer that is refused", open, "a@rude.example", catalogue.RefuseRequest},
		{"any other", open, "a@b.example", catalogue.EmptyCatalogue},
		{"nobody", open, "", catalogue.RefuseRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			var r catalogue.Request
			if row.from != "" {
				r.From = jid.MustParse(row.from)
			}
			if got := row.a.Decide(r); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
	if e := catalogue.Refusal(); e.Condition != stanza.NotAuthorized {
		t.Errorf("a refusal says %v", e.Condition)
	}
}

func TestWordsOfAnswers(t *testing.T) {
	for _, a := range []catalogue.Answer{catalogue.RefuseRequest, catalogue.EmptyCatalogue, catalogue.GiveCatalogue} {
		if back, ok := catalogue.ParseAnswer(a.String()); !ok || back != a {
			t.Errorf("%v reads as %v", a, back)
		}
	}
	if a, ok := catalogue.ParseAnswer("yes"); ok || a != catalogue.RefuseRequest {
		t.Errorf("yes reads as %v", a)
	}
	for _, u := range []catalogue.Use{catalogue.Adds, catalogue.Replaces} {
		if back, ok := catalogue.ParseUse(u.String()); !ok || back != u {
			t.Errorf("%v reads as %v", u, back)
		}
	}
	if u, ok := catalogue.ParseUse("none"); ok || u != catalogue.NoUse {
		t.Errorf("none reads as %v", u)
	}
}
