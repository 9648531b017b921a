package extdisco_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server"
	"sallyport/server/extdisco"
	"sallyport/server/servertest"
)

// password is by OpenSSL: HMAC-SHA1 under "key" of "1000043200:bard".
const password = "pqkfCk7ZYZnZu7GkEcEIZwQR/Bo="

// TestServices has the examples of XEP-0215 §3.
func TestServices(t *testing.T) {
	t.Parallel()
	f, err := extdisco.New([]extdisco.Service{
		{Type: "stun", Host: "stun.shakespeare.lit", Port: 9998, Transport: "udp"},
		{Type: "turn", Host: "turn.shakespeare.lit", Port: 9999, Transport: "udp", Secret: "key"},
	}, func() time.Time { return time.Unix(1_000_000_000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	const bard, xmlns = "bard@shakespeare.lit/globe", " xmlns='urn:xmpp:extdisco:2'"
	stun := "<service host='stun.shakespeare.lit' port='9998' transport='udp' type='stun'/>"
	turn := "<service expires='2001-09-09T13:46:40Z' host='turn.shakespeare.lit' password='PASSWORD' port='9999' restricted='true' transport='udp' type='turn' username='1000043200:bard'/>"
	turn = strings.Replace(turn, "PASSWORD", password, 1)
	service := func(attrs string) string { return "<credentials" + xmlns + "><service " + attrs + "/></credentials>" }
	tests := []struct{ name, kind, in, want string }{
		{"§3.1", "get", "<services" + xmlns + "/>", "<services" + xmlns + ">" + stun + turn + "</services>"},
		{"§3.2", "get", "<services" + xmlns + " type='turn'/>", "<services" + xmlns + " type='turn'>" + turn + "</services>"},
		{"§3.2, none", "get", "<services" + xmlns + " type='ftp'/>", "<services" + xmlns + " type='ftp'/>"},
		{"§3.3", "get", service("host='turn.shakespeare.lit' type='turn'"), "<credentials" + xmlns + ">" + turn + "</credentials>"},
		{"another port", "get", service("host='turn.shakespeare.lit' type='turn' port='1'"), "item-not-found"},
		{"one that needs none", "get", service("host='stun.shakespeare.lit' type='stun'"), "item-not-found"},
		{"without type", "get", service("host='turn.shakespeare.lit'"), "bad-request"},
		{"without service", "get", "<credentials" + xmlns + "/>", "bad-request"},
		{"as a set", "set", "<services" + xmlns + "/>", "bad-request"},
	}
	for _, tc := range tests {
		if got := servertest.Said(t, servertest.Ask(t, f, tc.kind, bard, "shakespeare.lit", tc.in)); got != tc.want {
			t.Errorf("%s: %s\nwant %s", tc.name, got, tc.want)
		}
	}
	for _, r := range f.IQ {
		q := &server.Request{Payload: servertest.Element(t, "<services"+xmlns+"/>"), From: jid.MustParse("x@far.example/y"), At: server.AtServer}
		if a := r.Handle(t.Context(), q); a.Condition.String() != "forbidden" || a.Payload != nil {
			t.Errorf("%s: somebody from afar is told %s", r.Local, servertest.Said(t, a))
		}
	}
	if _, err := extdisco.New([]extdisco.Service{{Type: "turn"}}, time.Now); err == nil {
		t.Error("a service without host is announced")
	}
}
