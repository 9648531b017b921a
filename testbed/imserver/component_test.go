package imserver_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

const (
	echoDomain = "echo.home.test"
	echoSecret = "the secret of the echo, long enough"
)

// A program beside the server is a domain: people find it and talk with it, and what is said is judged (XEP-0114).
func TestComponent(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	at := netip.AddrPortFrom(w.home.Clients.Addr(), 5347)
	w.secret("echo.secret", echoSecret)
	w.more(fmt.Sprintf("\n[server.components]\nlisten = [%q]\n\n[server.component.echo]\ndomain = %q\nsecret = \"echo.secret\"\n", at, echoDomain))
	if _, err := w.home.Command("user", "clearance", "romeo@"+imserver.Domain, "guest"); err != nil {
		t.Fatal(err)
	}
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	juliet.says("hall@"+echoDomain, "is anybody there?")
	juliet.sees(func(e client.Event) bool { return e.Type == "error" && e.Condition == "service-unavailable" })
	if c, err := w.driver.Component(echoDomain, "another secret, as long as it", at); err == nil {
		_ = c.Close()
		t.Error("a component with another secret is let in")
	}
	c, err := w.driver.Component(echoDomain, echoSecret, at)
	if err != nil {
		t.Fatalf("%v\n%s", err, w.logTail())
	}
	echo := &person{c, t}
	if items := juliet.asks("get", imserver.Domain, `<query xmlns="http://jabber.org/protocol/disco#items"/>`); !strings.Contains(items, `jid="`+echoDomain+`"`) {
		t.Errorf("the server has %s", items)
	}
	juliet.says("hall@"+echoDomain, "hello")
	if e := echo.hears("hello"); e.From != juliet.JID {
		t.Errorf("from %s", e.From)
	}
	say := func(from, to, body string) {
		t.Helper()
		echo.must(echo.SendRaw(`<message from="` + from + `" to="` + to + `" type="chat" id="` + body + `"><body>` + body + `</body></message>`))
	}
	say("hall@"+echoDomain, juliet.Bare(), "llo")
	if e := juliet.hears("llo"); e.From != "hall@"+echoDomain {
		t.Errorf("from %s", e.From)
	}
	if got := juliet.asks("get", echoDomain, `<query xmlns="http://jabber.org/protocol/disco#info"/>`); !strings.Contains(got, "urn:xmpp:ping") {
		t.Errorf("it is %s", got)
	}
	say("hall@"+echoDomain, romeo.Bare(), "secrets") // without a label it is internal, and he is a guest
	echo.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Type == "error" && e.Condition == "policy-violation"
	})
	say("hall@elsewhere.test", juliet.Bare(), "forged")
	echo.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	if heard := romeo.Received(func(e client.Event) bool { return e.Body == "secrets" }); len(heard) > 0 {
		t.Errorf("he heard %v", heard)
	}
	if heard := juliet.Received(func(e client.Event) bool { return e.Body == "forged" }); len(heard) > 0 {
		t.Errorf("she heard %v", heard)
	}
}

// Components come, go and get other secrets by a reload, and neither the others nor anybody else is disconnected for it. So do the addresses of
// who answers for the server (XEP-0157).
func TestReloadOfComponents(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet")
	const otherDomain, otherSecret = "other.home.test", "another secret, as long as it"
	first, second := netip.AddrPortFrom(w.home.Clients.Addr(), 5347), netip.AddrPortFrom(w.home.Clients.Addr(), 5348)
	w.secret("echo.secret", echoSecret)
	w.secret("other.secret", otherSecret)
	write, juliet := w.rewriter(), w.login("juliet", "balcony")
	reload := func(at netip.AddrPort, abuse string, parts ...[2]string) {
		t.Helper()
		text := fmt.Sprintf("\n[server.components]\nlisten = [%q]\n", at)
		for _, p := range parts {
			text += fmt.Sprintf("\n[server.component.%s]\ndomain = %q\nsecret = %q\n", strings.Split(p[0], ".")[0], p[0], p[1])
		}
		write(text + abuse)
		w.commands("reload")
	}
	connects := func(domain, secret string, at netip.AddrPort) *person {
		t.Helper()
		c, err := w.driver.Component(domain, secret, at)
		if err != nil {
			t.Fatalf("%s: %v\n%s", domain, err, w.logTail())
		}
		return &person{c, t}
	}
	talks := func(p *person, domain, body string) {
		t.Helper()
		juliet.says("hall@"+domain, body)
		p.hears(body)
		p.must(p.SendRaw(`<message from="hall@` + domain + `" to="` + juliet.Bare() + `" type="chat"><body>` + body + ` back</body></message>`))
		juliet.hears(body + " back")
	}
	tells := func(want, not string) {
		t.Helper()
		items := juliet.asks("get", imserver.Domain, `<query xmlns="http://jabber.org/protocol/disco#items"/>`)
		info := juliet.asks("get", imserver.Domain, `<query xmlns="http://jabber.org/protocol/disco#info"/>`)
		if got := items + info; !strings.Contains(got, want) || strings.Contains(got, not) {
			t.Errorf("the server tells %s, want %s and not %s", got, want, not)
		}
	}

	reload(first, "\n[server.contacts]\nabuse = [\"mailto:abuse@home.test\"]\n", [2]string{echoDomain, "echo.secret"})
	tells("mailto:abuse@home.test", otherDomain)
	echo := connects(echoDomain, echoSecret, first)
	talks(echo, echoDomain, "one")
	reload(first, "", [2]string{echoDomain, "echo.secret"}, [2]string{otherDomain, "other.secret"})
	tells(`jid="`+otherDomain+`"`, "abuse@home.test")
	other := connects(otherDomain, otherSecret, first)
	talks(other, otherDomain, "two")
	talks(echo, echoDomain, "still here")

	reload(second, "", [2]string{echoDomain, "echo.secret"}, [2]string{otherDomain, "echo.secret"})
	other.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	if c, err := w.driver.Component(otherDomain, otherSecret, second); err == nil {
		_ = c.Close()
		t.Error("the old secret is good enough")
	}
	other = connects(otherDomain, echoSecret, second)
	talks(other, otherDomain, "three")
	talks(echo, echoDomain, "still there")

	reload(second, "", [2]string{echoDomain, "echo.secret"})
	other.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	talks(echo, echoDomain, "the last one")
	juliet.says("hall@"+otherDomain, "is anybody there?")
	juliet.sees(func(e client.Event) bool { return e.Kind == "message" && e.Type == "error" })
	tells(`jid="`+echoDomain+`"`, otherDomain)
	write("")
	w.commands("reload")
	echo.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	tells("urn:xmpp:ping", echoDomain)
}

// Clients are told of services beside the server, with credentials that hold for a while (XEP-0215).
func TestServices(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet")
	w.secret("relay.secret", "shared with the relay")
	w.more("\n[server.service.relay]\ntype = \"turn\"\nhost = \"relay.home.test\"\nport = 3478\ntransport = \"udp\"\nsecret = \"relay.secret\"\n\n[server.service.stun]\ntype = \"stun\"\nhost = \"relay.home.test\"\n")
	juliet := w.login("juliet", "balcony")
	got := juliet.asks("get", imserver.Domain, `<services xmlns="urn:xmpp:extdisco:2"/>`)
	for _, want := range []string{`type="stun"`, `type="turn"`, `port="3478"`, `transport="udp"`, `username="`, `:juliet"`, `password="`, `expires="`, `restricted="true"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(got, "shared with") {
		t.Error("the secret is told")
	}
}

func (w *world) secret(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.home.Dir, name), []byte(text+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// more starts the server anew with more in its configuration.
func (w *world) more(text string) {
	w.t.Helper()
	if err := w.home.Restart(text); err != nil {
		w.t.Fatalf("%v\n%s", err, w.logTail())
	}
}
