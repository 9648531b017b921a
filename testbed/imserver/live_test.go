package imserver_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// commands has the operator say something, and wants it done.
func (w *world) commands(line string) string {
	w.t.Helper()
	out, err := w.home.Command(strings.Fields(line)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out)
}

// What the operator changes while people are connected counts at once, and all of it is in the record.
func TestChangedAtOnce(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "nurse")
	juliet, romeo, nurse := w.login("juliet", "balcony"), w.login("romeo", "orchard"), w.login("nurse", "house")
	juliet.says(romeo.Bare(), "before")
	romeo.hears("before")
	w.commands("user clearance romeo@home.test guest") // what has no label is INTERNAL, which a guest does not see
	juliet.says(romeo.Bare(), "not for guests")
	juliet.sees(func(e client.Event) bool { return e.Kind == "message" && e.Type == "error" })
	w.commands("user clearance romeo@home.test")
	juliet.says(romeo.Bare(), "after")
	romeo.hears("after")
	if heard := romeo.Received(func(e client.Event) bool { return e.Body == "not for guests" }); len(heard) > 0 {
		t.Error("a guest was sent what is INTERNAL")
	}
	w.commands("group add home.test crew")
	w.commands("group join home.test crew nurse@home.test juliet@home.test")
	nurse.seesPresence("", juliet.Bare())
	w.commands("user disable nurse@home.test")
	nurse.sees(func(e client.Event) bool { return e.Kind == "disconnected" })

	trail := w.commands("audit show --json --kind control-command")
	for _, want := range []string{"user.clearance", "romeo@home.test guest", "romeo@home.test none", "group.join", "crew of home.test nurse@home.test", "user.disable"} {
		if !strings.Contains(trail, want) {
			t.Errorf("no %s in the record:\n%s", want, trail)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.home.Stop())
	w.commands("user enable nurse@home.test") // nobody runs: it is done, and recorded, all the same
	must(w.home.Run())
	w.login("nurse", "again")
	if trail := w.commands("audit show --json --kind control-command"); !strings.Contains(trail, "user.enable") || !strings.Contains(trail, "no node running") {
		t.Errorf("what was done meanwhile is not in the record:\n%s", trail)
	}
	w.commands("audit verify")
}

// rewriter gives what writes the configuration as it is now, with more behind it each time.
func (w *world) rewriter() (write func(more string)) {
	w.t.Helper()
	conf := filepath.Join(w.home.Dir, "sallyport.toml")
	before, err := os.ReadFile(conf)
	if err != nil {
		w.t.Fatal(err)
	}
	return func(more string) {
		w.t.Helper()
		if err := os.WriteFile(conf, append([]byte(string(before)), more...), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// A domain more is served by a reload, and nobody is disconnected for it. One less is not.
func TestReloadOfDomains(t *testing.T) {
	t.Parallel()
	w := aloneAs(t, imserver.Wishes{Users: []string{"juliet", "romeo@second.test"}, Flags: []string{"--domain", "second.test"}})
	conf := filepath.Join(w.home.Dir, "sallyport.toml")
	both, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	const two, one = "[server]\ndomains = [\"home.test\", \"second.test\"]", "[server]\ndomains = [\"home.test\"]"
	if strings.Count(string(both), two) != 1 {
		t.Fatalf("the domains stand elsewhere in\n%s", both)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(string(both), two, one, 1))
	if err := w.home.Restart(""); err != nil {
		t.Fatal(err)
	}
	juliet := w.login("juliet", "balcony")
	juliet.says("romeo@second.test", "too early")
	juliet.sees(func(e client.Event) bool { return e.Kind == "message" && e.Type == "error" })
	write(string(both))
	w.commands("reload")
	romeo := w.enter(client.Account{
		User: "romeo", Domain: "second.test", Resource: "orchard", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA,
	})
	juliet.says("romeo@second.test", "hello")
	romeo.hears("hello")
	romeo.says(juliet.Bare(), "back")
	juliet.hears("back")
	w.commands("user clearance romeo@second.test guest")
	juliet.says("romeo@second.test", "not for guests")
	juliet.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Type == "error" && e.Condition == "policy-violation"
	})
	w.commands("user clearance romeo@second.test")

	for _, less := range []string{one, "[server]\ndomains = [\"second.test\", \"home.test\"]"} {
		write(strings.Replace(string(both), two, less, 1))
		if _, err := w.home.Command("reload"); err == nil || !strings.Contains(err.Error(), "server.domains cannot change while the node runs") {
			t.Errorf("%s: %v", less, err)
		}
	}
	romeo.says(juliet.Bare(), "still here")
	juliet.hears("still here")
}

// What a reload can change of the server holds for who comes from then on, without anybody being disconnected.
func TestReload(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	juliet := w.login("juliet", "balcony")
	write := w.rewriter()
	write("\n[server.registration]\nopen = true\n[server.admins]\noperate = [\"juliet@home.test\"]\n[server.limits]\nstanza-rate = 4\n")
	w.commands("reload")
	paris := w.enter(client.Account{
		User: "paris", Domain: imserver.Domain, Resource: "r", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Register: true,
	})
	juliet.runs("get-registered-users-num", ">3</")
	paris.must(paris.SendRaw(strings.Repeat(`<message to="juliet@home.test" type="chat"><body>flood</body></message>`, 60)))
	paris.sees(func(e client.Event) bool { return e.Type == "error" && e.Condition == "policy-violation" })

	write("\n[server.registration]\nopen = true\n[server.limits]\nresources = 3\n[server.login.more]\n")
	if _, err := w.home.Command("reload"); err == nil || !strings.Contains(err.Error(), "server.login.more") {
		t.Errorf("a key that there is not: %v", err)
	}
	write("\n[server.passwords]\nmin-length = 20\n[server.store]\nsqlite = \"other.db\"\n[server.web]\nlisten = [\"127.0.0.1:0\"]\n")
	if _, err := w.home.Command("reload"); err == nil || !strings.Contains(err.Error(), "server.store.sqlite, server.web.listen cannot change while the node runs") {
		t.Errorf("what needs a restart: %v", err)
	}
	juliet.runs("get-registered-users-num", ">3</") // nothing else has changed either
	const commands = `<query xmlns="http://jabber.org/protocol/disco#items" node="http://jabber.org/protocol/commands"/>`
	if got := juliet.asks("get", imserver.Domain, commands); strings.Contains(got, "urn:xmpp:invite#invite") {
		t.Errorf("she may invite already: %s", got)
	}
	write("\n[server.passwords]\nmin-length = 20\n[server.invitations]\ncontacts = true\naccounts = true\n")
	w.commands("reload")
	juliet.asksRefused("set", imserver.Domain, `<query xmlns="jabber:iq:register"><username>juliet</username><password>not twenty long</password></query>`, "not-acceptable")
	if got := juliet.asks("get", imserver.Domain, commands); !strings.Contains(got, "urn:xmpp:invite#invite") {
		t.Errorf("she may %s", got)
	}
	if offered := w.rawStream().until("</stream:features>"); !strings.Contains(offered, "urn:xmpp:ibr-token:0") {
		t.Errorf("who is invited is offered %s", offered)
	}
	write("")
	w.commands("reload")
	juliet.refuses("get-registered-users-num", "item-not-found")
	if offered := w.rawStream().until("</stream:features>"); strings.Contains(offered, "iq-register") {
		t.Errorf("still offered: %s", offered)
	}
	juliet.says("romeo@home.test", "still here")
	w.login("romeo", "orchard").hears("still here")
}

// How many of one address may be about to log in is of clients, too, and a reload changes it. Who has logged in is not counted.
func TestReloadOfStrangers(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet")
	juliet := w.login("juliet", "balcony")
	write := w.rewriter()
	write("\n[limits]\nunauthenticated-per-address = 2\n")
	w.commands("reload")
	for range 2 {
		w.rawStream().until("</stream:features>")
	}
	conn, err := net.Dial("tcp", w.home.Clients.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the third is heard, or waits: %v", err)
	}
	write("\n[limits]\nunauthenticated-per-address = 3\n")
	w.commands("reload")
	w.rawStream().until("</stream:features>")
	juliet.asks("get", imserver.Domain, `<ping xmlns="urn:xmpp:ping"/>`)
}
