package imserver_test

import (
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// Nobody makes an account where nothing is configured; where everybody may, it is counted by address (XEP-0077).
func TestRegistration(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet")
	newcomer := func(name string) client.Account {
		return client.Account{
			User: name, Domain: imserver.Domain, Resource: "r", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Register: true,
		}
	}
	closed := w.rawStream()
	if offered := closed.until("</stream:features>"); strings.Contains(offered, "iq-register") {
		t.Errorf("offered by itself: %s", offered)
	}
	closed.say(`<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>`)
	closed.until("<not-authorized")
	w.more("\n[server.registration]\nopen = true\nper-hour = 2\nremove = true\n")
	romeo, paris := w.enter(newcomer("romeo")), w.enter(newcomer("paris"))
	romeo.says(paris.Bare(), "we are new here")
	paris.hears("we are new here")
	if c, err := w.driver.Login(newcomer("mercutio")); err == nil {
		_ = c.Close()
		t.Error("a third account in an hour")
	}
	paris.asks("set", imserver.Domain, `<query xmlns="jabber:iq:register"><remove/></query>`)
	paris.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	a := newcomer("paris")
	a.Register = false
	if c, err := w.driver.Login(a); err == nil {
		_ = c.Close()
		t.Error("the account is still there")
	}
	r := w.rawStream()
	r.until("</stream:features>")
	r.say(`<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>juliet</username><password>` + imserver.Password + `</password></query></iq>`)
	if said := r.until("</iq>"); !strings.Contains(said, "resource-constraint") { // before it is told that she is there
		t.Errorf("said %s", said)
	}
}

// Who is invited makes an account, once, and is a contact of who invited him (XEP-0379, XEP-0401).
func TestInvitations(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	w.more("\n[server.invitations]\ncontacts = true\naccounts = true\ncreators = [\"juliet@home.test\"]\npage = \"https://home.test/invite#\"\n")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	commands := `<query xmlns="http://jabber.org/protocol/disco#items" node="http://jabber.org/protocol/commands"/>`
	if got := juliet.asks("get", imserver.Domain, commands); !strings.Contains(got, "urn:xmpp:invite#create-account") {
		t.Errorf("she may %s", got)
	}
	if got := romeo.asks("get", imserver.Domain, commands); !strings.Contains(got, "urn:xmpp:invite#invite") || strings.Contains(got, "create-account") {
		t.Errorf("he may %s", got)
	}
	token := func(p *person) string {
		t.Helper()
		got := p.asks("set", imserver.Domain, `<command xmlns="http://jabber.org/protocol/commands" node="urn:xmpp:invite#invite" action="execute"/>`)
		_, rest, _ := strings.Cut(got, "preauth=")
		token, _, ok := strings.Cut(rest, ";")
		if !ok || !strings.Contains(got, "https://home.test/invite#"+token) {
			t.Fatalf("invited by %s", got)
		}
		return token
	}
	// One who has an account is let in without being asked about.
	juliet.must(juliet.SendRaw(`<presence to="` + romeo.Bare() + `" type="subscribe"><preauth xmlns="urn:xmpp:pars:0" token="` + token(romeo) + `"/></presence>`))
	juliet.seesPresence("", romeo.Bare())
	// He is asked about nothing, so it is asked for him in turn (XEP-0379 §3.5).
	juliet.seesPresence("subscribe", romeo.Bare())
	juliet.must(juliet.SendRaw(`<presence to="` + romeo.Bare() + `" type="subscribed"/>`))
	romeo.seesPresence("", juliet.Bare())
	if got := romeo.asks("get", "", `<query xmlns="jabber:iq:roster"/>`); !strings.Contains(got, `subscription="both"`) {
		t.Errorf("his roster is %s", got)
	}
	// Who has none makes one.
	invitation := token(juliet)
	join := func(name string) string {
		t.Helper()
		r := w.rawStream()
		if offered := r.until("</stream:features>"); !strings.Contains(offered, "<register xmlns='urn:xmpp:ibr-token:0'/>") {
			t.Fatalf("offered: %s", offered)
		}
		r.say(`<iq type='get' id='f'><query xmlns='jabber:iq:register'/></iq>`)
		if said := r.until("</iq>"); !strings.Contains(said, "forbidden") {
			t.Errorf("without an invitation: %s", said)
		}
		r.say(`<iq type='set' id='p' to='home.test'><preauth xmlns='urn:xmpp:pars:0' token='` + invitation + `'/></iq>`)
		if said := r.until("id='p'") + r.until(">"); !strings.Contains(said, "result") {
			return said
		}
		r.say(`<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>` + name + `</username><password>` + imserver.Password + `</password></query></iq>`)
		return r.until("id='r'") + r.until(">")
	}
	if said := join("nurse"); !strings.Contains(said, "result") {
		t.Fatalf("said %s", said)
	}
	nurse := w.login("nurse", "kitchen")
	nurse.seesPresence("", juliet.Bare())
	if said := join("peter"); strings.Contains(said, "result") {
		t.Errorf("used twice: %s", said)
	}
}
