package imserver_test

import (
	"strings"
	"testing"

	"sallyport/testbed/client"
)

const askRoster = `<query xmlns="jabber:iq:roster"/>`

// Somebody with two clients has one roster, and reads on the one what is said on the other (RFC 6121 §2, XEP-0280).
func TestTwoClientsOfOnePerson(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	desk, phone, romeo := w.login("juliet", "desk"), w.login("juliet", "phone"), w.login("romeo", "orchard")
	for _, c := range []*person{desk, phone} {
		_, err := c.IQ("set", "", `<enable xmlns="urn:xmpp:carbons:2"/>`)
		c.must(err)
	}
	desk.befriends(romeo)
	phone.seesPresence("", romeo.JID)
	romeo.says(desk.JID, "at your desk?")
	desk.hears("at your desk?")
	phone.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.From == desk.Bare() && e.Has("urn:xmpp:carbons:2", "received") && strings.Contains(e.XML, "at your desk?")
	})
	phone.says(romeo.Bare(), "on my way")
	romeo.hears("on my way")
	desk.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Has("urn:xmpp:carbons:2", "sent") && strings.Contains(e.XML, "on my way")
	})
	list, err := phone.IQ("get", "", askRoster)
	phone.must(err)
	if !strings.Contains(list, `jid="romeo@home.test"`) || !strings.Contains(list, `subscription="both"`) {
		t.Errorf("the roster is %s", list)
	}
	_, err = phone.IQ("set", "", `<query xmlns="jabber:iq:roster"><item jid="romeo@home.test" subscription="remove"/></query>`)
	phone.must(err)
	romeo.seesPresence("unavailable", desk.JID)
	romeo.seesPresence("unsubscribed", desk.Bare())
	if list, err := desk.IQ("get", "", askRoster); err != nil || strings.Contains(list, "romeo") {
		t.Errorf("the roster is %s, %v", list, err)
	}
}

// Subscriptions across the boundary end as they began, and a Prosody finds out who is there by asking.
func TestSubscriptionsAcross(t *testing.T) {
	t.Parallel()
	w := beside(t, "juliet")
	juliet, bob := w.login("juliet", "balcony"), w.stranger("bob")
	juliet.befriends(bob)
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	juliet.seesPresence("unavailable", bob.JID)
	bob = w.enter(client.Account{User: "bob", Domain: w.bed.Prosody.Domain, Resource: "again", Password: "pw", Server: w.bed.Prosody.Clients(), CA: w.bed.CA.File})
	juliet.seesPresence("", bob.JID)
	bob.seesPresence("", juliet.JID) // his server has asked ours
	juliet.must(juliet.Presence("", "", "thinking"))
	bob.sees(func(e client.Event) bool {
		return e.Kind == "presence" && e.From == juliet.JID && strings.Contains(e.XML, "thinking")
	})
	juliet.must(juliet.Presence(bob.Bare(), "unsubscribed", ""))
	bob.seesPresence("unavailable", juliet.JID)
	list, err := juliet.IQ("get", "", askRoster)
	juliet.must(err)
	if !strings.Contains(list, `subscription="to"`) {
		t.Errorf("the roster is %s", list)
	}
}
