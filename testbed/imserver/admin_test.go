package imserver_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

const adminNode = "http://jabber.org/protocol/admin#"

// runs runs a command of XEP-0133 at the home, and wants something in its answer.
func (p *person) runs(node, want string, values ...string) string {
	p.t.Helper()
	if !strings.Contains(node, ":") {
		node = adminNode + node
	}
	got, err := p.Run(imserver.Domain, node, values...)
	if err != nil {
		p.t.Fatalf("%s: %v", node, err)
	}
	if !strings.Contains(got, want) {
		p.t.Fatalf("%s: no %s in %s", node, want, got)
	}
	return got
}

// refuses wants a command not to be run.
func (p *person) refuses(node, condition string, values ...string) {
	p.t.Helper()
	got, err := p.Run(imserver.Domain, adminNode+node, values...)
	var why *client.Refused
	if !errors.As(err, &why) || why.Condition != condition {
		p.t.Fatalf("%s: %v, want %s\n%s", node, err, condition, got)
	}
}

// An administrator does with a client of others what the operator does with the command line; others do not see that it could be done.
func TestAdministrators(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "nurse")
	if err := w.home.Restart("\n[server.admins]\noperate = [\"juliet@home.test\"]\nview = [\"nurse@home.test\"]\n"); err != nil {
		t.Fatal(err)
	}
	juliet, romeo, nurse := w.login("juliet", "desk"), w.login("romeo", "orchard"), w.login("nurse", "house")

	for who, want := range map[*person]int{juliet: 34, nurse: 15, romeo: 0} {
		list, err := who.Commands(imserver.Domain)
		who.must(err)
		if got := strings.Count(list, "admin#"); got != want {
			t.Errorf("%s sees %d commands, want %d: %s", who.JID, got, want, list)
		}
	}
	romeo.refuses("add-user", "item-not-found", "accountjid=tybalt@home.test")
	nurse.refuses("delete-user", "item-not-found", "accountjids=romeo@home.test")
	nurse.runs("get-online-users-num", ">3</")

	juliet.runs("add-user", "added", "accountjid=tybalt@home.test", "password="+imserver.Password, "password-verify="+imserver.Password)
	juliet.refuses("add-user", "conflict", "accountjid=tybalt@home.test", "password="+imserver.Password, "password-verify="+imserver.Password)
	juliet.refuses("add-user", "not-acceptable", "accountjid=mercutio@home.test", "password=short", "password-verify=short")
	juliet.refuses("get-user-password", "not-allowed")
	juliet.runs("get-registered-users-list", ">tybalt@home.test<", "max_items=25")

	juliet.befriends(romeo)
	juliet.runs("get-user-roster", `jid="juliet@home.test"`, "accountjids=romeo@home.test")
	juliet.runs("user-stats", ">orchard<", "accountjid=romeo@home.test")
	juliet.runs("announce", "completed", "announcement=the gates close", "announcement=at dusk")
	romeo.hears("the gates close\nat dusk")
	juliet.runs("set-motd", "completed", "motd=be quiet today")
	w.login("romeo", "again").hears("be quiet today")

	juliet.runs("urn:sallyport:admin#kick", "2 ended", "accountjids=romeo@home.test", "reason=go home")
	romeo.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	juliet.runs("disable-user", "completed", "accountjids=tybalt@home.test")
	juliet.runs("get-disabled-users-num", ">1</")
	juliet.runs("edit-admin", "completed", "adminjids=nurse@home.test", "adminjids=romeo@home.test")
	juliet.runs("urn:sallyport:admin#roster-reset", "1 contacts removed", "accountjid=romeo@home.test")

	again := w.login("romeo", "third")
	again.runs("get-user-lastlogin", ">20", "accountjids=juliet@home.test")
	again.refuses("shutdown", "item-not-found") // which is about more than his domain
	nurse.runs("urn:sallyport:admin#peers", "<")
	for _, c := range []struct{ args, want string }{
		{"user sessions romeo@home.test", "romeo@home.test/third"},
		{"user kick romeo@home.test/third", "1 session ended"},
		{"user who home.test --which disabled --json", `"tybalt@home.test"`},
		{"user admin home.test", "operate  configuration"},
	} {
		if out, err := w.home.Command(strings.Fields(c.args)...); err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, no %s in\n%s", c.args, err, c.want, out)
		}
	}

	trail, err := w.home.Command("audit", "show", "--kind", "control-command")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"juliet@home.test/desk", "romeo@home.test/orchard", "denied", "user.kick", "user.add"} {
		if !strings.Contains(string(trail), want) {
			t.Errorf("no %s in the record:\n%s", want, trail)
		}
	}
	if strings.Contains(string(trail), imserver.Password) {
		t.Error("the record has a password")
	}
	juliet.runs("shutdown", "shutting down", "delay=0")
	nurse.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
}
