package imserver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/testbed/client"
)

// The lists of an administrator keep others out in both directions and at once, stay when the node starts again, and stand in the record
// with what they refuse. No list lets anybody in whom the policy keeps out.
func TestOutsiders(t *testing.T) {
	t.Parallel()
	w := beside(t, "juliet", "romeo")
	w.more("\n[server.admins]\noperate = [\"juliet@home.test\"]\n")
	juliet, romeo, bob := w.login("juliet", "balcony"), w.login("romeo", "orchard"), w.stranger("bob")
	refused := func(who *person, to string) {
		t.Helper()
		who.says(to, "anybody there?")
		who.sees(func(e client.Event) bool {
			return e.Kind == "message" && e.Type == "error" && e.Condition == "not-allowed" && strings.HasPrefix(e.From, to)
		})
	}
	passes := func(word string) {
		t.Helper()
		romeo.says(bob.Bare(), word+" out")
		bob.hears(word + " out")
		bob.says(romeo.Bare(), word+" in")
		romeo.hears(word + " in")
	}
	shut := func() {
		t.Helper()
		refused(romeo, bob.Bare())
		refused(bob, romeo.Bare())
	}
	passes("before")
	juliet.runs("edit-blacklist", "changed", "blacklistjids="+bob.Bare())
	shut()
	if _, err := romeo.IQ("get", bob.JID, `<ping xmlns="urn:xmpp:ping"/>`); err == nil {
		t.Error("a request crosses")
	}
	w.commands("domain blacklist home.test --remove " + bob.Bare())
	passes("again")
	w.commands("domain whitelist home.test --add other.test")
	shut()
	romeo.says("juliet@home.test", "we are among ourselves")
	juliet.hears("we are among ourselves")
	w.commands("domain whitelist home.test --add " + w.beyond.Domain)
	passes("listed")
	w.commands("domain whitelist home.test --empty")
	w.commands("domain blacklist home.test --add " + w.beyond.Domain)
	shut()
	if err := w.home.Restart(""); err != nil {
		t.Fatal(err)
	}
	romeo = w.login("romeo", "later")
	shut()
	out, err := w.home.Command("domain", "blacklist", "home.test", "--json")
	var list []string
	if err := json.Unmarshal(out, &list); err != nil || len(list) != 1 || list[0] != w.beyond.Domain {
		t.Errorf("listed are %s, %v", out, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string][]string{
		"decision":        {`"reason":"black-list"`, `"reason":"white-list"`, `"rule":"home.test"`},
		"control-command": {"domain.blacklist", "domain.whitelist", "home.test exactly " + bob.Bare()},
	} {
		trail, err := w.home.Command("audit", "show", "--kind", kind, "--json")
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range want {
			if !strings.Contains(string(trail), word) {
				t.Errorf("no %q among the records of kind %s", word, kind)
			}
		}
	}
	w.commands("audit verify")
}

// An administrator has the node start again: the same process, with what is configured then. One that would not start is not stopped.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	w.more("\n[server.admins]\noperate = [\"juliet@home.test\"]\n")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	file := filepath.Join(w.home.Dir, "sallyport.toml")
	was, err := os.ReadFile(file)
	if err := errors.Join(err, w.home.Add("\n[nonsense]\n")); err != nil {
		t.Fatal(err)
	}
	juliet.refuses("restart", "not-acceptable", "delay=0")
	if out, err := w.home.Command("restart"); err == nil || !strings.Contains(err.Error(), "sallyport check") {
		t.Errorf("restart with an error in the configuration: %s, %v", out, err)
	}
	if err := os.WriteFile(file, was, 0o600); err != nil {
		t.Fatal(err)
	}
	juliet.runs("restart", "restarting", "delay=0", "announcement=back at once")
	romeo.hears("back at once")
	for _, who := range []*person{juliet, romeo} {
		who.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	}
	juliet.must(w.home.Await())
	again := w.login("juliet", "balcony")
	again.runs("get-online-users-num", ">1</")
	trail, err := w.home.Command("audit", "show", "--kind", "control-command")
	if err != nil || !strings.Contains(string(trail), "node.restart") {
		t.Errorf("%v, no node.restart in\n%s", err, trail)
	}
	files := w.openFiles()
	w.commands("audit verify")
	w.commands("restart --after 1s")
	again.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	juliet.must(w.home.Await())
	w.login("juliet", "balcony").runs("get-online-users-num", ">1</")
	if now := w.openFiles(); now > files+8 { // of the database there may be more at one time than at another
		t.Errorf("%d files are open, %d after the first start", now, files)
	}
}

// openFiles counts those of the program.
func (w *world) openFiles() int {
	w.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.home.PID()))
	if err != nil {
		w.t.Fatal(err)
	}
	return len(list)
}
