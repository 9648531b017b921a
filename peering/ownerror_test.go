package peering_test

import (
	"strings"
	"testing"
)

// An error carries no label, so what a user writes into one goes nowhere; what the server says in its own name does.
func TestErrorsAtHome(t *testing.T) {
	t.Parallel()
	const reason = `<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>word</text><blocked xmlns='urn:xmpp:blocking:errors'/></error>`
	p := policy(t, home(t))
	for _, tt := range []struct {
		name, from string
		whole      bool
	}{
		{"a domain", "home.example", true},
		{"an account", "b@home.example", true},
		{"a user", "b@home.example/r", false},
	} {
		a := atHome(t, `<message xmlns='jabber:server' from='`+tt.from+`' to='a@home.example/r' type='error'>`+reason+`</message>`)
		v := p.Judge(&a)
		r, ok := v.Released()
		if !ok {
			t.Fatalf("%s: %+v", tt.name, v.Refusal)
		}
		if said := canonical(t, r.Element()); strings.Contains(said, "word") != tt.whole || strings.Contains(said, "blocked") != tt.whole {
			t.Errorf("%s: %s", tt.name, said)
		}
	}
}

// What the server says in a user's name is made anew, too; that somebody is blocked is all that stays, and only where it is said now.
func TestBlockedInTheNameOfAUser(t *testing.T) {
	t.Parallel()
	const reason = `<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>word</text><blocked xmlns='urn:xmpp:blocking:errors'><x xmlns='urn:x'/></blocked></error>`
	p := policy(t, home(t))
	for _, own := range []bool{true, false} {
		a := atHome(t, `<message xmlns='jabber:server' from='b@home.example/r' to='a@home.example/r' type='error'>`+reason+`</message>`)
		a.Facts.OwnWords = own
		v := p.Judge(&a)
		r, ok := v.Released()
		if !ok {
			t.Fatalf("%+v", v.Refusal)
		}
		if said := canonical(t, r.Element()); strings.Contains(said, "blocked") != own || strings.Contains(said, "word") || strings.Contains(said, "urn:x'") {
			t.Errorf("own words %v: %s", own, said)
		}
	}
}
