package vcard_test

import (
	"context"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/servertest"
	"sallyport/server/vcard"
)

const stpeter, jer = "stpeter@jabber.org", "jer@jabber.org/x"

// TestVCard has the examples of XEP-0054 §3.
func TestVCard(t *testing.T) {
	t.Parallel()
	var changed []string
	f := vcard.New(vcard.Config{
		Store:   servertest.Store(t, stpeter, "jer@jabber.org"),
		MayRead: func(_ context.Context, _, who jid.JID) bool { return who.Domain() == "jabber.org" },
		Changed: func(_ context.Context, account jid.JID, card *xmlstream.Element) {
			changed = append(changed, account.String()+" "+card.Child(vcard.Space, "FN").Text())
		},
	})
	card := "<vCard xmlns='vcard-temp'><FN>Peter Saint-Andre</FN><N><FAMILY>Saint-Andre</FAMILY></N></vCard>"
	none := "<vCard xmlns='vcard-temp'/>"
	tests := []struct{ name, kind, from, to, in, want string }{
		{"§3.1, none yet", "get", stpeter + "/roundabout", "", none, none},
		{"of another, none yet", "get", jer, stpeter, none, "service-unavailable"},
		{"§3.2", "set", stpeter + "/roundabout", "", card, ""},
		{"§3.1", "get", stpeter + "/roundabout", "", none, card},
		{"§3.3", "get", jer, stpeter, none, card},
		{"who may not", "get", "romeo@montague.lit/x", stpeter, none, "service-unavailable"},
		{"that of another", "set", jer, stpeter, card, "service-unavailable"},
		{"too large", "set", stpeter + "/roundabout", "", "<vCard xmlns='vcard-temp'><NOTE>" + strings.Repeat("x", vcard.MaxBytes) + "</NOTE></vCard>", "policy-violation"},
	}
	for _, tc := range tests {
		if got := servertest.Said(t, servertest.Ask(t, f, tc.kind, tc.from, tc.to, tc.in)); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
	if len(changed) != 1 || changed[0] != stpeter+" Peter Saint-Andre" {
		t.Errorf("told of %v", changed)
	}
}
