package admin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/admin"
)

// comes lets a client say that it is there, and gives what it is told.
func (w *world) comes(who string, first bool) string {
	w.Helper()
	w.ops.Feature().Available(w.Context(), server.Resource{JID: jid.MustParse(who)}, stanza.Stanza{}, first)
	return strings.Join(w.core.Told(w.T), "\n")
}

func TestMessageOfTheDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.comes(romeo, true); got != "" {
		t.Errorf("told %s", got)
	}
	w.fills(chief, "set-motd", x("motd", "be quiet"))
	w.core.Hide = func(stanza.Stanza) bool { return true }
	if got := w.comes(romeo, true); got != "" {
		t.Errorf("told in spite of the policy: %s", got)
	}
	w.core.Hide = nil
	if got := w.comes(romeo, false); got != "" {
		t.Errorf("told who was there before: %s", got)
	}
	want := "<message from='a.example' to='romeo@a.example/x' type='headline'><subject>Message of the day</subject><body>be quiet</body></message>"
	if got := w.comes(romeo, true); got != want {
		t.Errorf("told %s", got)
	}
	if got := w.comes("romeo@a.example/y", true); got != "" {
		t.Errorf("told twice: %s", got)
	}
	if _, asked := w.session(chief, "edit-motd"); !strings.Contains(asked, "<value>be quiet</value>") {
		t.Errorf("the form has %s", asked)
	}
	w.now = w.now.Add(time.Second)
	w.fills(chief, "edit-motd", x("motd", "be loud"))
	if got := w.comes(romeo, true); !strings.Contains(got, "be loud") {
		t.Errorf("told %s", got)
	}
	w.does(chief, "delete-motd", "", "")
	if got := w.comes(nurse, true); got != "" {
		t.Errorf("told what is over: %s", got)
	}
	if got := w.comes("other@b.example/x", true); got != "" {
		t.Errorf("told in another domain: %s", got)
	}
}

// The welcome is for accounts that are younger than it.
func TestWelcome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fills(chief, "set-welcome", x("welcome", "hello"))
	w.fills(chief, "add-user", x("accountjid", "new@a.example", "password", good, "password-verify", good))
	for who, want := range map[string]bool{"new@a.example/x": true, romeo: false} {
		if got := w.comes(who, true); strings.Contains(got, "hello") != want {
			t.Errorf("%s is told %q", who, got)
		}
	}
	w.now = w.now.Add(time.Second)
	w.fills(chief, "set-welcome", x("welcome", "hello again"))
	if got := w.comes("new@a.example/x", true); got != "" {
		t.Errorf("welcome twice: %s", got)
	}
}

func TestAnnouncement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.present[1].Available = false
	w.fills(chief, "announce", "<x xmlns='jabber:x:data' type='submit'>"+field("FORM_TYPE", admin.Space)+field("announcement", "one", "two")+"</x>")
	got := strings.Join(w.core.Submitted(t), "\n")
	if strings.Count(got, "<body>one\ntwo</body>") != 2 || strings.Contains(got, "nurse") || strings.Contains(got, "/y") {
		t.Errorf("said %s", got)
	}
}

// What XML cannot carry would be told to nobody: it is refused where it is said, on the socket, since clients cannot say it.
func TestWhatCannotBeSaid(t *testing.T) {
	t.Parallel()
	for verb, args := range map[string]string{
		"motd.set":     `{"domain":"a.example","text":"red \u001b[31m"}`,
		"welcome.set":  `{"domain":"a.example","text":"\uffff"}`,
		"announce":     `{"domain":"a.example","text":"a\u0000b"}`,
		"node.stop":    `{"domain":"a.example","text":"a\u0007b"}`,
		"user.kick":    `{"users":["romeo@a.example"],"reason":"\u0001"}`,
		"user.disable": `{"users":["romeo@a.example"],"reason":"\u0001"}`,
		"user.add":     `{"user":"new@a.example","password":"` + good + `","given":"T\u0001m"}`,
	} {
		w := newWorld(t)
		if err := w.operates(verb, args); !errors.Is(err, admin.ErrQuestion) || !strings.Contains(err.Error(), "control character") {
			t.Errorf("%s: %v", verb, err)
		}
		if _, err := w.store.Account(t.Context(), jid.MustParse("new@a.example")); err == nil || len(w.ended)+len(w.core.Submitted(t)) > 0 || w.stopped >= 0 {
			t.Errorf("%s: something was done", verb)
		}
		if a, err := w.store.Account(t.Context(), jid.MustParse("romeo@a.example")); err != nil || a.State != account.Enabled {
			t.Errorf("%s: %v, %v", verb, a.State, err)
		}
		if got := w.comes(romeo, true); got != "" {
			t.Errorf("%s: told %s", verb, got)
		}
	}
	w := newWorld(t)
	if err := w.operates("motd.set", `{"domain":"a.example","text":"two\tlines\r\nand \ud83d\udc69\u200d\ud83d\ude80"}`); err != nil {
		t.Error(err)
	}
	if got := w.comes(romeo, true); !strings.Contains(got, "\U0001F469\u200D\U0001F680") {
		t.Errorf("told %s", got)
	}
}

// Whose account is removed has no session and no role any more, also when somebody gets his name.
func TestRemovedAdministrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := jid.MustParse(domain)
	w.fills(chief, "edit-admin", x("adminjids", "romeo@a.example"))
	if got := w.ops.Role(t.Context(), jid.MustParse(romeo), d, "announce"); got != role.Operate {
		t.Fatalf("romeo is %v", got)
	}
	if got := w.ops.Role(t.Context(), jid.MustParse(romeo), jid.MustParse("b.example"), "announce"); got != role.None {
		t.Errorf("romeo is %v elsewhere", got)
	}
	w.fills(chief, "delete-user", x("accountjids", "romeo@a.example"))
	if len(w.ended) != 1 || !strings.HasPrefix(w.ended[0], "romeo@a.example: ") {
		t.Errorf("ended: %v", w.ended)
	}
	w.fills(chief, "add-user", x("accountjid", "romeo@a.example", "password", good, "password-verify", good))
	if got := w.ops.Role(t.Context(), jid.MustParse(romeo), d, "announce"); got != role.None {
		t.Errorf("the new romeo is %v", got)
	}
}

// Who administers one domain does not become more than that by the account of somebody who may more.
func TestAccountsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fills(chief, "edit-admin", x("adminjids", "romeo@a.example"))
	for node, in := range map[string]string{
		"change-user-password": x("accountjid", "chief@a.example", "password", good), "delete-user": x("accountjids", "CHIEF@a.example"),
		"disable-user": x("accountjids", "nurse@a.example"), "end-user-session": x("accountjids", chief), "+roster-reset": x("accountjid", "nurse@a.example"),
	} {
		if got := w.fills(romeo, node, in); !strings.HasPrefix(got, "forbidden") {
			t.Errorf("%s: %s", node, got)
		}
	}
	if len(w.ended)+len(w.removed) > 0 {
		t.Errorf("done: %v, %v", w.ended, w.removed)
	}
	if got := w.fills(chief, "end-user-session", x("accountjids", nurse)); !strings.Contains(got, "completed") {
		t.Error(got)
	}
}

// Who the configuration names keeps what it says, and keeps the name: whoever had it next would have the role.
func TestNamedInTheConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.operates("user.remove", `{"users":["romeo@a.example","chief@a.example"]}`); err == nil || !strings.Contains(err.Error(), "server.admins") {
		t.Errorf("removed: %v", err)
	}
	for _, who := range []string{"romeo@a.example", "chief@a.example"} {
		if _, err := w.store.Account(t.Context(), jid.MustParse(who)); err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}
	done, err := w.answers("admin.set", `{"domain":"a.example","users":["chief@a.example"],"role":"none"}`)
	if is, ok := done.(admin.Done); err != nil || !ok || !strings.Contains(is.Note, "chief@a.example keeps the role operate") {
		t.Errorf("told %+v, %v", done, err)
	}
}
