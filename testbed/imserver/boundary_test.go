package imserver_test

import (
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/peers"
)

// People of the server and of another see each other and talk through the boundary, and what is confidential stays inside.
func TestBoundary(t *testing.T) {
	t.Parallel()
	for name, choose := range map[string]func(*peers.Bed) (*peers.Server, *peers.Names){
		"Prosody":  func(b *peers.Bed) (*peers.Server, *peers.Names) { return b.Prosody, b.Inner },
		"ejabberd": func(b *peers.Bed) (*peers.Server, *peers.Names) { return b.Ejabberd, b.Outer },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			boundary(t, besideOne(t, choose, "juliet"))
		})
	}
}

func boundary(t *testing.T, w *world) {
	t.Helper()
	juliet, bob := w.login("juliet", "balcony"), w.stranger("bob")
	juliet.befriends(bob)
	juliet.says(bob.Bare(), "hello from inside")
	if e := bob.hears("hello from inside"); e.From != juliet.JID {
		t.Errorf("from %q", e.From)
	}
	bob.says(juliet.Bare(), "hello from outside")
	if e := juliet.hears("hello from outside"); e.From != bob.JID {
		t.Errorf("from %q", e.From)
	}
	offered, err := juliet.IQ("get", "home.test", `<catalog xmlns="urn:xmpp:sec-label:catalog:2" to="juliet@home.test"/>`)
	juliet.must(err)
	juliet.says(bob.Bare(), "our secret", labelOf(t, offered, "CONFIDENTIAL"))
	juliet.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Type == "error" && e.Condition == "policy-violation"
	})
	juliet.says(bob.Bare(), "no secret")
	bob.hears("no secret")
	if e, err := bob.Expect(quiet, func(e client.Event) bool { return e.Body == "our secret" }); err == nil {
		t.Errorf("outside they hear %s", e.XML)
	}
	if _, err := bob.IQ("get", juliet.JID, `<query xmlns="jabber:iq:version"/>`); err == nil {
		t.Error("a kind of request crosses that the configuration does not list")
	}
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	juliet.seesPresence("unavailable", bob.JID)
	s, err := w.home.Status()
	if err != nil || len(s.Problems) > 0 || s.Stanzas.InDoubt != 0 {
		t.Errorf("status %+v, %v", s, err)
	}
}
