package admin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/admin"
	"sallyport/server/servertest"
)

// nodes has every command: what its form asks for (empty: it has none), how it is filled in, and what is in the answer. low: who may
// look may run it.
var nodes = []struct {
	name, asked, filled, want string
	low                       bool
	record                    string
}{
	{"add-user", "password-verify", x("accountjid", "new@a.example", "password", good, "password-verify", good), "completed", false, "user.add new@a.example"},
	{"delete-user", "accountjids", x("accountjids", "romeo@a.example"), "completed", false, "user.remove romeo@a.example"},
	{"disable-user", "accountjids", x("accountjids", "romeo@a.example"), "completed", false, "user.disable romeo@a.example"},
	{"reenable-user", "accountjids", x("accountjids", "romeo@a.example"), "completed", false, "user.enable romeo@a.example"},
	{"end-user-session", "accountjids", x("accountjids", "romeo@a.example/y"), "completed", false, "user.kick romeo@a.example/y"},
	{"get-user-password", "", "", "not-allowed", false, ""},
	{"change-user-password", "password", x("accountjid", "romeo@a.example", "password", good), "completed", false, "user.password romeo@a.example"},
	{"get-user-roster", "accountjids", x("accountjids", "romeo@a.example"), "<item jid='juliet@b.example' name='Juliet' subscription='both'><group>Friends</group></item>", true, "user.roster romeo@a.example"},
	{"get-user-lastlogin", "accountjids", x("accountjids", "romeo@a.example"), "<value>2001-09-09T01:46:40Z</value>", true, ""},
	{"user-stats", "accountjid", x("accountjid", "romeo@a.example"), "var='onlineresources'><value>x</value><value>y</value>", true, ""},
	{"edit-blacklist", "blacklistjids", x("blacklistjids", "far.example"), "completed", false, "domain.blacklist a.example exactly far.example"},
	{"edit-whitelist", "whitelistjids", x("whitelistjids", "juliet@far.example"), "completed", false, "domain.whitelist a.example exactly juliet@far.example"},
	{"get-registered-users-num", "", "", "var='registeredusersnum'><value>3</value>", true, ""},
	{"get-disabled-users-num", "", "", "var='disabledusersnum'><value>0</value>", true, ""},
	{"get-online-users-num", "", "", "var='onlineusersnum'><value>3</value>", true, ""},
	{"get-active-users-num", "", "", "var='activeusersnum'><value>1</value>", true, ""},
	{"get-idle-users-num", "", "", "var='idleusersnum'><value>2</value>", true, ""},
	{"get-registered-users-list", "max_items", x("max_items", "25"), "<value>chief@a.example</value><value>nurse@a.example</value><value>romeo@a.example</value>", true, ""},
	{"get-disabled-users-list", "max_items", x("max_items", "none"), "var='disableduserjids'/>", true, ""},
	{"get-online-users-list", "max_items", x(), "<value>chief@a.example</value><value>nurse@a.example</value><value>romeo@a.example</value>", true, ""},
	{"get-active-users", "max_items", x("max_items", "25"), "<value>chief@a.example</value></field>", true, ""},
	{"get-idle-users", "max_items", x("max_items", "25"), "<value>nurse@a.example</value><value>romeo@a.example</value>", true, ""},
	{"announce", "announcement", x("announcement", "the gates close"), "completed", false, "announce a.example"},
	{"set-motd", "motd", x("motd", "be quiet"), "completed", false, "motd.set a.example"},
	{"edit-motd", "motd", x("motd", "be loud"), "completed", false, "motd.set a.example"},
	{"delete-motd", "", "", "completed", false, "motd.delete a.example"},
	{"set-welcome", "welcome", x("welcome", "hello"), "completed", false, "welcome.set a.example"},
	{"delete-welcome", "", "", "completed", false, "welcome.delete a.example"},
	{"edit-admin", "<value>chief@a.example</value>", x("adminjids", "romeo@a.example"), "completed", false, "admin.set operate romeo@a.example"},
	{"restart", "delay", x("delay", "60"), "completed", false, "node.restart "},
	{"shutdown", "delay", x("delay", "60", "announcement", "good night"), "completed", false, "node.stop "},
	{"+kick", "reason", x("accountjids", "romeo@a.example", "reason", "go home"), "1 ended", false, "user.kick romeo@a.example"},
	{"+roster-reset", "accountjid", x("accountjid", "romeo@a.example"), "1 contacts removed", false, "user.roster.reset romeo@a.example"},
	{"+peers", "", "", "<field var='name'><value>partner</value></field><field var='side'><value/></field><field var='state'><value>up</value></field><field var='streams'><value>2</value>", true, ""},
	{"+links", "", "", "partner", true, ""},
}

func TestEveryNode(t *testing.T) {
	t.Parallel()
	for _, tc := range nodes {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			got := ""
			if tc.asked == "" {
				got = servertest.Said(t, w.does(chief, tc.name, "action='execute'", ""))
			} else {
				id, asked := w.session(chief, tc.name)
				if !strings.Contains(asked, tc.asked) {
					t.Errorf("it asks %s", asked)
				}
				got = servertest.Said(t, w.does(chief, tc.name, "sessionid='"+id+"'", tc.filled))
				if again := servertest.Said(t, w.does(chief, tc.name, "sessionid='"+id+"'", tc.filled)); !strings.Contains(again, "bad-sessionid") {
					t.Errorf("said again: %s", again)
				}
			}
			if !strings.Contains(got, tc.want) {
				t.Errorf("no %s in %s", tc.want, got)
			}
			if got := strings.Join(w.record, "; "); tc.record != "" && got != chief+" "+tc.record || tc.record == "" && got != "" {
				t.Errorf("the record has %q", got)
			}
			if strings.Contains(fmt.Sprint(w.record), good) {
				t.Error("a password is in the record")
			}
		})
	}
	if len(nodes) != 31+4 {
		t.Errorf("%d nodes", len(nodes))
	}
}

// Who may not is not told that there is anything, and it is recorded that he tried, up to a bound.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := jid.MustParse(domain)
	for _, who := range []string{romeo, "other@b.example/x", "chief@elsewhere.example/x"} {
		if items := w.list.Items(t.Context(), jid.MustParse(who), d); len(items) > 0 {
			t.Errorf("%s sees %v", who, items)
		}
	}
	low := 0
	for _, tc := range nodes {
		for who, may := range map[string]bool{nurse: tc.low, romeo: false} {
			got := servertest.Said(t, w.does(who, tc.name, "action='execute'", ""))
			if may == strings.HasPrefix(got, "item-not-found") {
				t.Errorf("%s and %s: %s", who, tc.name, got)
			}
		}
		if tc.low {
			low++
		}
	}
	if items := w.list.Items(t.Context(), jid.MustParse(nurse), d); len(items) != low {
		t.Errorf("who may look sees %v", items)
	}
	if n := strings.Count(strings.Join(w.record, "\n"), "romeo@a.example/x"); n != 5 {
		t.Errorf("%d tries were recorded", n)
	}
	w.now = w.now.Add(time.Minute)
	w.does(romeo, "shutdown", "", "")
	if got := w.record[len(w.record)-1]; got != romeo+" node.stop denied" || w.stopped >= 0 {
		t.Errorf("recorded %q, stops in %v", got, w.stopped)
	}
}

// A role that was taken away between the form and its end counts.
func TestRoleGoesMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fills(chief, "edit-admin", x("adminjids", "romeo@a.example"))
	if got := servertest.Said(t, w.does(romeo, "shutdown", "", "")); got != "item-not-found" {
		t.Errorf("who administers one domain ends the node: %s", got)
	}
	id, _ := w.session(romeo, "announce")
	w.fills(chief, "edit-admin", x())
	if got := servertest.Said(t, w.does(romeo, "announce", "sessionid='"+id+"'", x("announcement", "x"))); got != "item-not-found" || len(w.core.Submitted(t)) > 0 {
		t.Errorf("%s", got)
	}
	if got := w.ops.Role(t.Context(), jid.MustParse(chief), jid.MustParse("b.example"), "announce"); got != role.Operate {
		t.Errorf("who is named is %v elsewhere", got)
	}
}

func TestHostileForms(t *testing.T) {
	t.Parallel()
	many := make([]string, admin.MaxUsers+1)
	for i := range many {
		many[i] = fmt.Sprintf("u%d@a.example", i)
	}
	form := func(in string) string { return "<x xmlns='jabber:x:data' type='submit'>" + in + "</x>" }
	typed := field("FORM_TYPE", admin.Space)
	for name, tc := range map[string]struct{ node, in, want string }{
		"no form":                {"delete-user", "", "bad-request"},
		"not submitted":          {"delete-user", strings.Replace(x("accountjids", "romeo@a.example"), "submit", "result", 1), "bad-request"},
		"of another type":        {"delete-user", form(field("FORM_TYPE", "jabber:iq:register") + field("accountjids", "romeo@a.example")), "not-acceptable"},
		"of no type":             {"delete-user", form(field("accountjids", "romeo@a.example")), "not-acceptable"},
		"of two types":           {"delete-user", form(field("FORM_TYPE", admin.Space, "urn:x") + field("accountjids", "romeo@a.example")), "not-acceptable"},
		"nobody":                 {"delete-user", x("accountjids", ""), "not-acceptable"},
		"too many":               {"delete-user", form(typed + field("accountjids", many...)), "not-acceptable"},
		"a field twice":          {"delete-user", x("accountjids", "romeo@a.example", "accountjids", "nurse@a.example"), "bad-request"},
		"a field too many":       {"delete-user", x("accountjids", "romeo@a.example", "domain", "b.example"), "not-acceptable"},
		"not an address":         {"delete-user", x("accountjids", "@@"), "not-acceptable"},
		"another domain":         {"delete-user", x("accountjids", "other@b.example"), "not-acceptable"},
		"a domain":               {"delete-user", x("accountjids", domain), "not-acceptable"},
		"a client":               {"delete-user", x("accountjids", romeo), "not-acceptable"},
		"one is not there":       {"delete-user", form(typed + field("accountjids", "romeo@a.example", "ghost@a.example")), "item-not-found"},
		"field of another type":  {"delete-user", form(typed + "<field var='accountjids' type='boolean'><value>romeo@a.example</value></field>"), "not-acceptable"},
		"two values for one":     {"change-user-password", form(typed + field("accountjid", "romeo@a.example", "nurse@a.example") + field("password", good)), "not-acceptable"},
		"two passwords":          {"add-user", x("accountjid", "new@a.example", "password", good, "password-verify", "another"), "not-acceptable"},
		"a password too short":   {"add-user", x("accountjid", "new@a.example", "password", "p", "password-verify", "p"), "not-acceptable"},
		"there already":          {"add-user", x("accountjid", "romeo@a.example", "password", good, "password-verify", good), "conflict"},
		"a number that is none":  {"get-online-users-list", x("max_items", "1000000000000"), "not-acceptable"},
		"a delay below nothing":  {"shutdown", x("delay", "-1"), "not-acceptable"},
		"a text too long":        {"announce", x("announcement", strings.Repeat("a", admin.MaxText+1)), "not-acceptable"},
		"a reason too long":      {"+kick", x("accountjids", "romeo@a.example", "reason", strings.Repeat("a", 501)), "not-acceptable"},
		"two for one roster":     {"get-user-roster", form(typed + field("accountjids", "romeo@a.example", "nurse@a.example")), "not-acceptable"},
		"a text of white space":  {"set-motd", x("motd", "  "), "not-acceptable"},
		"an administrator away":  {"edit-admin", x("adminjids", "other@b.example"), "not-acceptable"},
		"an administrator ghost": {"edit-admin", x("adminjids", "ghost@a.example"), "item-not-found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if got := w.fills(chief, tc.node, tc.in); !strings.HasPrefix(got, tc.want) {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if len(w.ended)+len(w.core.Submitted(t)) > 0 || w.stopped >= 0 {
				t.Error("something was done")
			}
			for _, who := range []string{"romeo@a.example", "nurse@a.example", "other@b.example"} {
				if a, err := w.store.Account(t.Context(), jid.MustParse(who)); err != nil || a.State != account.Enabled {
					t.Errorf("%s: %v, %v", who, a.State, err)
				}
			}
			if _, err := w.store.Account(t.Context(), jid.MustParse("new@a.example")); !errors.Is(err, account.ErrNotFound) {
				t.Errorf("a new account: %v", err)
			}
		})
	}
}

// One value too many is not taken for none.
func TestOneRosterAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for want, values := range map[string][]string{"accountjids has one value": {"romeo@a.example", "nurse@a.example"}, "accountjids is missing": {""}} {
		id, _ := w.session(chief, "get-user-roster")
		in := "<x xmlns='jabber:x:data' type='submit'>" + field("FORM_TYPE", admin.Space) + field("accountjids", values...) + "</x>"
		if a := w.does(chief, "get-user-roster", "sessionid='"+id+"'", in); !strings.HasSuffix(a.Text, want) {
			t.Errorf("told %q, want %q", a.Text, want)
		}
	}
}

func TestSessionsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, _ := w.session(chief, "shutdown")
	filled := x("delay", "0")
	for name, tc := range map[string][3]string{
		"another client": {"chief@a.example/y", "shutdown", id}, "another command": {chief, "announce", id}, "made up": {chief, "shutdown", "x"},
	} {
		if got := servertest.Said(t, w.does(tc[0], tc[1], "sessionid='"+tc[2]+"'", filled)); !strings.Contains(got, "bad-sessionid") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if w.stopped >= 0 || len(w.record) > 0 {
		t.Errorf("it stops in %v: %v", w.stopped, w.record)
	}
	if got := servertest.Said(t, w.does(chief, "shutdown", "action='cancel' sessionid='"+id+"'", "")); !strings.Contains(got, "canceled") {
		t.Error(got)
	}
	if w.fills(chief, "shutdown", x("delay", "30")); w.stopped != 30*time.Second {
		t.Errorf("it stops in %v", w.stopped)
	}
}
