package invite_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server"
	"sallyport/server/command"
	"sallyport/server/invite"
	"sallyport/server/servertest"
)

const romeo = "romeo@example.com"

type world struct {
	*testing.T
	book     *invite.Book
	commands server.Feature
	now      time.Time
	approved []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Unix(1e9, 0)}
	w.book = invite.New(invite.Config{
		Store: servertest.Store(t, romeo, "nurse@example.com"), Now: func() time.Time { return w.now },
		Terms: func() invite.Terms {
			return invite.Terms{Page: "https://example.com/invite/#", Accounts: true, Keep: time.Hour}
		},
		MayInvite: func(_ context.Context, a jid.JID) bool { return true },
		MayCreate: func(_ context.Context, a jid.JID) bool { return a.String() == romeo },
		Approve: func(_ context.Context, account, contact jid.JID) error {
			w.approved = append(w.approved, account.String()+" "+contact.String())
			return nil
		},
	})
	w.commands = command.New(w.book.Now, w.book.Commands()...).Feature()
	return w
}

// does runs a command, gives what came, and the token in it.
func (w *world) does(who, node, in string) (said, token string) {
	w.Helper()
	said = servertest.Said(w.T, servertest.Set(w.T, w.commands, who, "example.com", "<command xmlns='http://jabber.org/protocol/commands' node='"+node+"' "+in+"</command>"))
	_, after, _ := strings.Cut(said, "https://example.com/invite/#")
	token, _, _ = strings.Cut(after, "<")
	return said, token
}

// TestInvite has the course of XEP-0401 §3 and XEP-0379 §3.
func TestInvite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said, token := w.does(romeo+"/x", "urn:xmpp:invite#invite", ">")
	for _, want := range []string{
		"<value>urn:xmpp:invite#invitation</value>", "<value>xmpp:romeo@example.com?roster;preauth=" + token + ";ibr=y</value>",
		"<value>https://example.com/invite/#" + token + "</value>", "<value>2001-09-09T02:46:40Z</value>",
		"label='Invitation'", "label='Page that explains it'", "label='Good until'", // profanity calls a field without label (null)
	} {
		if !strings.Contains(said, want) || token == "" {
			t.Errorf("%s is not in %s", want, said)
		}
	}
	subscribe := func(from, to, token string) {
		t.Helper()
		got, err := servertest.Comes(t, w.book.Feature(), "<presence from='"+from+"' to='"+to+"' type='subscribe'><preauth xmlns='urn:xmpp:pars:0' token='"+token+"'/></presence>")
		if err != nil || !strings.Contains(got, "subscribe") {
			t.Errorf("%s, %v", got, err)
		}
	}
	subscribe("paris@far.example", romeo, "guess")
	subscribe("paris@far.example", "nurse@example.com", token) // it is not hers
	if w.approved != nil {
		t.Errorf("granted are %v", w.approved)
	}
	subscribe("juliet@far.example", romeo, token)
	subscribe("paris@far.example", romeo, token)
	if len(w.approved) != 1 || w.approved[0] != romeo+" juliet@far.example" {
		t.Errorf("granted are %v", w.approved)
	}
	if i, err := w.book.Use(t.Context(), "example.com", token, invite.Account); err != nil || i.Inviter.String() != romeo {
		t.Errorf("the account of who was invited: %+v, %v", i, err)
	}
	_, token = w.does(romeo+"/x", "urn:xmpp:invite#invite", ">")
	w.now = w.now.Add(2 * time.Hour)
	subscribe("late@far.example", romeo, token)
	if len(w.approved) != 1 {
		t.Errorf("granted are %v", w.approved)
	}
}

// TestCreateAccount has the course of XEP-0401 §4.
func TestCreateAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	filled := func(name string) (string, string) {
		t.Helper()
		said, _ := w.does(romeo+"/x", "urn:xmpp:invite#create-account", ">")
		_, after, _ := strings.Cut(said, "sessionid='")
		id, _, _ := strings.Cut(after, "'")
		return w.does(romeo+"/x", "urn:xmpp:invite#create-account", "sessionid='"+id+"'><x xmlns='jabber:x:data' type='submit'><field var='username'><value>"+name+"</value></field></x>")
	}
	said, token := filled("juliet")
	if !strings.Contains(said, "<value>xmpp:juliet@example.com?register;preauth="+token+"</value>") {
		t.Errorf("with a name: %s", said)
	}
	if i, err := w.book.Look(t.Context(), "example.com", token, invite.Account); err != nil || i.Local != "juliet" {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := w.book.Look(t.Context(), "example.com", token, invite.Contact); err == nil {
		t.Error("it is for a contact, too")
	}
	if said, token := filled(""); !strings.Contains(said, "<value>xmpp:example.com?register;preauth="+token+"</value>") {
		t.Errorf("without a name: %s", said)
	}
	if said, _ := filled("a@b"); said != "not-acceptable" {
		t.Errorf("a name that is none: %s", said)
	}
	if said, _ := w.does("nurse@example.com/x", "urn:xmpp:invite#create-account", ">"); said != "item-not-found" {
		t.Errorf("who may not: %s", said)
	}
	if said, _ := w.does("romeo@far.example/x", "urn:xmpp:invite#invite", ">"); said != "item-not-found" {
		t.Errorf("somebody from afar: %s", said)
	}
	for range invite.MaxOpen {
		said, _ = w.does(romeo+"/x", "urn:xmpp:invite#invite", ">")
	}
	if said != "not-acceptable" {
		t.Errorf("too many: %s", said)
	}
}
