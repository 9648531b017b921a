package command_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
	"sallyport/server/command"
	"sallyport/server/servertest"
)

const admin, user, domain = "admin@a.example/x", "user@a.example/x", "a.example"

type world struct {
	server.Feature
	*testing.T
	commands *command.Commands
	now      time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Unix(1e9, 0)}
	admins := func(_ context.Context, who, _ jid.JID) bool { return who.Local() == "admin" }
	w.commands = command.New(
		func() time.Time { return w.now },
		command.Command{
			Node: "now", Name: "At once", May: func(context.Context, jid.JID, jid.JID) bool { return true },
			Run: func(_ context.Context, who, d jid.JID, _ form.Form) (command.Result, error) {
				return command.Result{Note: who.Local() + " at " + d.String()}, nil
			},
		},
		command.Command{
			Node: "form", Name: "With a form", May: admins,
			Form: func(context.Context, jid.JID, jid.JID) (form.Form, error) {
				return form.Typed("form", "urn:f", form.Field{Var: "a"}), nil
			},
			Run: func(_ context.Context, _, _ jid.JID, f form.Form) (command.Result, error) {
				switch f.Value("a") {
				case "":
					return command.Result{}, fmt.Errorf("%w: there is no a", command.ErrForm)
				case "broken":
					return command.Result{}, errors.New("broken")
				}
				out := form.Typed("result", "urn:f", form.One("b", f.Value("a")))
				return command.Result{Form: &out}, nil
			},
		},
		command.Command{Node: "nobody"},
	)
	w.Feature = w.commands.Feature()
	return w
}

// does runs a command; attrs are action and session.
func (w *world) does(who, node, attrs, in string) server.Answer {
	w.Helper()
	return servertest.Set(w.T, w.Feature, who, domain, "<command xmlns='http://jabber.org/protocol/commands' node='"+node+"' "+attrs+">"+in+"</command>")
}

func (w *world) session() string {
	w.Helper()
	a := w.does(admin, "form", "action='execute'", "")
	if got := servertest.Said(w.T, a); !strings.Contains(got, "status='executing'><actions execute='complete'><complete/></actions><x xmlns='jabber:x:data' type='form'>") {
		w.Fatal(got)
	}
	return tree.Value(a.Payload, "sessionid")
}

func filled(value string) string {
	return "<x xmlns='jabber:x:data' type='submit'><field var='a'><value>" + value + "</value></field></x>"
}

func TestCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := servertest.Said(t, w.does(user, "now", "", "")); !strings.Contains(got, "status='completed'><note type='info'>user at a.example</note>") {
		t.Errorf("at once: %s", got)
	}
	for name, tc := range map[string]struct{ attrs, in, want string }{
		"§3.4, completed":   {"action='complete'", filled("1"), "status='completed'><x xmlns='jabber:x:data' type='result'>"},
		"executed":          {"", filled("1"), "status='completed'"},
		"§3.4, cancelled":   {"action='cancel'", "", "status='canceled'/>"},
		"not filled in":     {"action='complete'", filled(""), "not-acceptable"},
		"no form":           {"action='complete'", "", "bad-request <bad-payload xmlns='http://jabber.org/protocol/commands'/>"},
		"backwards":         {"action='prev'", "", "bad-request <bad-action xmlns='http://jabber.org/protocol/commands'/>"},
		"an unknown action": {"action='fly'", "", "bad-request <malformed-action xmlns='http://jabber.org/protocol/commands'/>"},
		"it breaks":         {"action='complete'", filled("broken"), "internal-server-error"},
	} {
		if got := servertest.Said(t, w.does(admin, "form", tc.attrs+" sessionid='"+w.session()+"'", tc.in)); !strings.Contains(got, tc.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := servertest.Said(t, servertest.Get(t, w.Feature, admin, domain, "<command xmlns='http://jabber.org/protocol/commands' node='now'/>")); got != "bad-request" {
		t.Errorf("a get: %s", got)
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := "bad-request <bad-sessionid xmlns='http://jabber.org/protocol/commands'/>"
	id := w.session()
	for name, tc := range map[string][3]string{
		"somebody else's": {"admin@a.example/y", "form", id}, "of another command": {admin, "now", id}, "unknown": {admin, "form", "x"},
	} {
		if got := servertest.Said(t, w.does(tc[0], tc[1], "sessionid='"+tc[2]+"'", filled("1"))); got != bad {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := servertest.Said(t, w.does(admin, "form", "sessionid='"+id+"'", filled("1"))); !strings.Contains(got, "completed") {
		t.Errorf("after all that: %s", got)
	}
	if got := servertest.Said(t, w.does(admin, "form", "sessionid='"+id+"'", filled("1"))); got != bad {
		t.Errorf("twice: %s", got)
	}
	id = w.session()
	w.now = w.now.Add(time.Hour)
	if got := servertest.Said(t, w.does(admin, "form", "sessionid='"+id+"'", filled("1"))); got != "not-allowed <session-expired xmlns='http://jabber.org/protocol/commands'/>" {
		t.Errorf("too late: %s", got)
	}
}

// TestForgottenForms: forms whose windows were closed without a word do not keep their owner from opening others.
func TestForgottenForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for range 21 {
		w.now = w.now.Add(time.Second)
		ids = append(ids, w.session())
	}
	for i, want := range map[int]string{0: "bad-request <bad-sessionid xmlns='http://jabber.org/protocol/commands'/>", 1: "completed", 20: "completed"} {
		if got := servertest.Said(t, w.does(admin, "form", "sessionid='"+ids[i]+"'", filled("1"))); !strings.Contains(got, want) {
			t.Errorf("the form %d of 21: %s", i+1, got)
		}
	}
}

// Who may not run a command does not find it.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, d := t.Context(), jid.MustParse(domain)
	for who, want := range map[string]string{admin: "now form", user: "now"} {
		var got []string
		for _, i := range w.commands.Items(ctx, jid.MustParse(who), d) {
			got = append(got, i.Node)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s sees %v", who, got)
		}
	}
	if got := servertest.Said(t, w.does(user, "form", "", "")); got != "item-not-found" {
		t.Errorf("run by who may not: %s", got)
	}
	if got := servertest.Said(t, w.does(admin, "nobody", "", "")); got != "item-not-found" {
		t.Errorf("run by nobody: %s", got)
	}
	if w.commands.Info(ctx, jid.MustParse(user), d, "form") != nil || w.commands.Info(ctx, jid.MustParse(user), d, "x") != nil {
		t.Error("somebody who may not is told what it is")
	}
	if got := servertest.Text(t, w.commands.Info(ctx, jid.MustParse(admin), d, "form")); !strings.Contains(got, "<identity category='automation' name='With a form' type='command-node'/>") {
		t.Errorf("a command is %s", got)
	}
	if got := servertest.Text(t, w.commands.Info(ctx, jid.MustParse(user), d, command.Space)); !strings.Contains(got, "type='command-list'") {
		t.Errorf("the list is %s", got)
	}
}
