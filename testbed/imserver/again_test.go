package imserver_test

import (
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// Who comes to the name of an account that was removed has nothing of it: nobody is blocked, no node is there, no contact sees him or is
// seen by him, and what was promised in its name does not hold (XEP-0077 §3.2).
func TestNameOfARemovedAccount(t *testing.T) {
	t.Parallel()
	w := alone(t, "romeo")
	w.more("\n[server.registration]\nopen = true\nremove = true\n\n[server.invitations]\ncontacts = true\npage = \"https://home.test/invite#\"\n")
	newcomer := client.Account{
		User: "paris", Domain: imserver.Domain, Resource: "r", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Register: true,
	}
	romeo, paris := w.login("romeo", "orchard"), w.enter(newcomer)
	blocked := `<blocklist xmlns="urn:xmpp:blocking"/>`
	paris.asks("set", "", `<block xmlns="urn:xmpp:blocking"><item jid="tybalt@elsewhere.test"/></block>`)
	if got := paris.asks("get", "", blocked); !strings.Contains(got, "tybalt") {
		t.Fatalf("blocked are %s", got)
	}
	tune := `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="urn:test:tune"><item id="i"><x xmlns="urn:test"/></item></publish></pubsub>`
	paris.asks("set", "", tune)
	prefs := `<prefs xmlns="urn:xmpp:mam:2" default="never"/>`
	paris.asks("set", "", prefs)
	invited := paris.asks("set", imserver.Domain, `<command xmlns="http://jabber.org/protocol/commands" node="urn:xmpp:invite#invite" action="execute"/>`)
	_, rest, _ := strings.Cut(invited, "https://home.test/invite#")
	token, _, _ := strings.Cut(rest, "<")
	romeo.must(romeo.SendRaw(`<presence to="` + paris.Bare() + `" type="subscribe"/>`))
	paris.seesPresence("subscribe", romeo.Bare())
	paris.must(paris.SendRaw(`<presence to="` + romeo.Bare() + `" type="subscribed"/>`))
	romeo.seesPresence("", paris.Bare())
	paris.must(paris.SendRaw(`<presence to="` + romeo.Bare() + `" type="subscribe"/>`))
	romeo.seesPresence("subscribe", paris.Bare())
	romeo.must(romeo.SendRaw(`<presence to="` + paris.Bare() + `" type="subscribed"/>`))
	paris.seesPresence("", romeo.Bare())

	paris.asks("set", imserver.Domain, `<query xmlns="jabber:iq:register"><remove/></query>`)
	paris.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	romeo.seesPresence("unsubscribed", paris.Bare())
	romeo.seesPresence("unsubscribe", paris.Bare())
	if got := romeo.asks("get", "", `<query xmlns="jabber:iq:roster"/>`); !strings.Contains(got, `subscription="none"`) {
		t.Errorf("his roster is %s", got)
	}

	again := w.enter(newcomer)
	if got := again.asks("get", "", blocked); strings.Contains(got, "tybalt") {
		t.Errorf("who was blocked before is: %s", got)
	}
	if got := again.asks("get", "", `<prefs xmlns="urn:xmpp:mam:2"/>`); strings.Contains(got, "never\"") {
		t.Errorf("what was not archived before is not: %s", got)
	}
	if got := again.asks("get", "", `<query xmlns="http://jabber.org/protocol/disco#items"/>`); strings.Contains(got, "urn:test:tune") {
		t.Errorf("what was published before: %s", got)
	}
	again.asks("set", "", tune)
	romeo.must(romeo.SendRaw(`<presence to="` + again.Bare() + `" type="subscribe"><preauth xmlns="urn:xmpp:pars:0" token="` + token + `"/></presence>`))
	again.seesPresence("subscribe", romeo.Bare())
}
