package private_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/server/private"
	"sallyport/server/servertest"
)

const hamlet, mac = "hamlet@shakespeare.lit/denmark", "macbeth@shakespeare.lit/x"

func query(in string) string { return "<query xmlns='jabber:iq:private'>" + in + "</query>" }

// TestPrivate has the examples of XEP-0049 §3.
func TestPrivate(t *testing.T) {
	t.Parallel()
	f := private.New(servertest.Store(t, "hamlet@shakespeare.lit", "macbeth@shakespeare.lit"), nil)
	nick := "<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus>"
	var many strings.Builder
	for i := range 17 {
		fmt.Fprintf(&many, "<x xmlns='urn:%d'/>", i)
	}
	tests := []struct{ name, kind, from, in, want string }{
		{"nothing yet", "get", hamlet, query("<exodus xmlns='exodus:prefs'/>"), query("<exodus xmlns='exodus:prefs'/>")},
		{"example 1", "set", hamlet, query(nick), ""},
		{"example 4", "get", hamlet, query("<exodus xmlns='exodus:prefs'/>"), query(nick)},
		{"of another account", "get", mac, query("<exodus xmlns='exodus:prefs'/>"), query("<exodus xmlns='exodus:prefs'/>")},
		{"another name in the namespace", "get", hamlet, query("<other xmlns='exodus:prefs'/>"), query("<other xmlns='exodus:prefs'/>")},
		{"replaced by two", "set", hamlet, query("<exodus xmlns='exodus:prefs'/><storage xmlns='storage:bookmarks'><conference jid='r@r.lit'/></storage>"), ""},
		{"the first of two", "get", hamlet, query("<exodus xmlns='exodus:prefs'/>"), query("<exodus xmlns='exodus:prefs'/>")},
		{
			"the second of two", "get", hamlet, query("<storage xmlns='storage:bookmarks'/>"),
			query("<storage xmlns='storage:bookmarks'><conference jid='r@r.lit'/></storage>"),
		},
		{"example 7", "set", hamlet, query("<vCard xmlns='vcard-temp'/>"), "not-acceptable"},
		{"of the server", "set", hamlet, query("<query xmlns='jabber:iq:roster'/>"), "not-acceptable"},
		{"without namespace", "get", hamlet, query("<query/>"), "not-acceptable"},
		{"nothing set", "set", hamlet, "<query xmlns='jabber:iq:private'/>", "not-acceptable"},
		{"nothing asked", "get", hamlet, "<query xmlns='jabber:iq:private'/>", "bad-request"},
		{"two asked", "get", hamlet, query("<a xmlns='urn:a'/><b xmlns='urn:b'/>"), "bad-request"},
		{"too large", "set", hamlet, query("<a xmlns='urn:a'>" + strings.Repeat("x", private.MaxBytes) + "</a>"), "policy-violation"},
		{"too many at once", "set", hamlet, query(many.String()), "policy-violation"},
	}
	for _, tc := range tests {
		got := servertest.Said(t, servertest.Ask(t, f, tc.kind, tc.from, "", tc.in))
		want := tc.want
		if strings.HasPrefix(want, "<") {
			want = servertest.Text(t, servertest.Element(t, want))
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", tc.name, got, want)
		}
	}
	for i := range private.MaxElements {
		want := ""
		if i >= private.MaxElements-2 { // exodus and storage are there
			want = "resource-constraint"
		}
		if got := servertest.Said(t, servertest.Set(t, f, hamlet, "", query(fmt.Sprintf("<x xmlns='urn:%d'/>", i)))); got != want {
			t.Fatalf("element %d: %s", i, got)
		}
	}
}
