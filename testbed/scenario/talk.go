package scenario

import (
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/peers"
)

// messagesBothWays: a person of each side writes to one of the other.
func messagesBothWays(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	alice.Says(bob.JID, "hello from inside")
	if e := bob.Hears("hello from inside"); e.From != alice.JID {
		t.Errorf("from %q, want %q", e.From, alice.JID)
	}
	bob.Says(alice.JID, "hello <from> outside & more \U0001f642")
	if e := alice.Hears("hello <from> outside & more \U0001f642"); e.From != bob.JID {
		t.Errorf("from %q, want %q", e.From, bob.JID)
	}
	alice.Says("nobody@"+w.Bed.Ejabberd.Domain, "is there anybody?")
	alice.SeesError("service-unavailable", "recipient-unavailable", "item-not-found")
}

// presenceSubscription: both ask, both approve, both see the other come, change and go (RFC 6121 §3, §4).
func presenceSubscription(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	alice.Befriends(bob)
	alice.must(alice.Presence("", "", "at lunch"))
	bob.Sees(func(e client.Event) bool { return e.Kind == "presence" && strings.Contains(e.XML, "at lunch") })
	bob.must(bob.Presence("", "unavailable", "going home"))
	alice.SeesPresence("unavailable", bob.JID)
	alice.must(alice.Presence(bob.Bare(), "unsubscribe", ""))
	bob.must(bob.Presence("", "", ""))
	bob.SeesPresence("", bob.Bare())
}

// roomsAcross: people of both sides meet in a room of either side (XEP-0045).
func roomsAcross(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	for _, host := range []*peers.Server{w.Bed.Prosody, w.Bed.Ejabberd} {
		meet(t, w.Room(host), alice, bob)
	}
}

func meet(t *testing.T, room string, alice, bob *User) {
	t.Helper()
	alice.must(alice.Join(room, "alice"))
	bob.must(bob.Join(room, "bob"))
	alice.SeesPresence("", room+"/bob")
	alice.must(alice.Send(client.Message{To: room, Type: "groupchat", Body: "welcome to " + room}))
	if e := bob.Hears("welcome to " + room); e.From != room+"/alice" {
		t.Errorf("from %q, want %q", e.From, room+"/alice")
	}
	bob.must(bob.Send(client.Message{To: room, Type: "groupchat", Body: "thank you"}))
	alice.Hears("thank you")
	alice.must(alice.Subject(room, "plans for today"))
	bob.Sees(func(e client.Event) bool {
		return e.Type == "groupchat" && e.Body == "" && strings.Contains(e.XML, "plans for today")
	})
	bob.must(bob.Send(client.Message{To: room + "/alice", Body: "a word aside"}))
	alice.Hears("a word aside")
	bob.must(bob.Leave(room, "bob"))
	alice.SeesPresence("unavailable", room+"/bob")
	alice.must(alice.Leave(room, "alice"))
}

// nickNode is XEP-0172's PEP node.
const nickNode = "http://jabber.org/protocol/nick"

// personalEventing: who is subscribed to somebody's presence and says in its capabilities that it wants to
// know hears what is published (XEP-0163 §4); needs presence, caps, disco and notifications to cross.
func personalEventing(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice", nickNode), w.Outside(t, "bob", nickNode)
	alice.Befriends(bob)
	for _, pair := range [][2]*User{{alice, bob}, {bob, alice}} {
		publisher, reader := pair[0], pair[1]
		nick := "nick of " + publisher.Bare()
		heard := func() bool {
			publisher.must(publisher.Publish(nickNode, "current", "<nick xmlns='"+nickNode+"'>"+nick+"</nick>"))
			_, err := reader.Expect(2*Quiet, func(e client.Event) bool {
				return e.Kind == "message" && bare(e.From) == publisher.Bare() &&
					e.Has("http://jabber.org/protocol/pubsub#event", "item") && strings.Contains(e.XML, nick)
			})
			return err == nil
		}
		// The publisher's server learns by disco what the reader wants; until then it tells nobody.
		if !eventually(Patience, heard) {
			t.Errorf("%s did not hear what %s published", reader.JID, publisher.JID)
		}
	}
}

// discovery: servers, room services and people can be asked what they are (XEP-0030).
func discovery(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	for _, ask := range []struct {
		who      *User
		whom     string
		identity string
	}{
		{alice, w.Bed.Ejabberd.Domain, "server"},
		{alice, w.Bed.Ejabberd.Rooms(), "conference"},
		{alice, bob.JID, "client"},
		{bob, w.Bed.Prosody.Domain, "server"},
		{bob, w.Bed.Prosody.Rooms(), "conference"},
		{bob, alice.JID, "client"},
	} {
		xml, err := ask.who.DiscoInfo(ask.whom)
		ask.who.must(err)
		if !strings.Contains(xml, `category="`+ask.identity+`"`) {
			t.Errorf("%s is not a %s: %s", ask.whom, ask.identity, xml)
		}
	}
	items, err := alice.DiscoItems(w.Bed.Ejabberd.Domain)
	alice.must(err)
	if !strings.Contains(items, w.Bed.Ejabberd.Rooms()) {
		t.Errorf("no room service among the items: %s", items)
	}
}

// vCards: what somebody says of himself can be fetched from the other side (XEP-0054).
func vCards(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	for _, pair := range [][2]*User{{alice, bob}, {bob, alice}} {
		owner, reader := pair[0], pair[1]
		name := "Full Name of " + owner.Bare()
		owner.must(owner.SetVCard(name))
		xml, err := reader.VCard(owner.Bare())
		reader.must(err)
		if !strings.Contains(xml, name) {
			t.Errorf("vCard of %s: %s", owner.Bare(), xml)
		}
	}
}
