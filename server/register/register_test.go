package register_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/invite"
	"sallyport/server/register"
	"sallyport/server/servertest"
)

const (
	bill, billFull = "bill@shakespeare.lit", "bill@shakespeare.lit/globe"
	domain         = "shakespeare.lit"
	good           = "a long enough pass phrase"
)

type world struct {
	*testing.T
	service   *register.Service
	directory *account.Directory
	book      *invite.Book
	now       time.Time
	friends   []string
	removed   []string
}

// newWorld lets change the configuration, in which everything but Open is on.
func newWorld(t *testing.T, change func(*register.Config)) *world {
	t.Helper()
	w := &world{T: t, now: time.Unix(1e9, 0)}
	s := servertest.Store(t)
	now := func() time.Time { return w.now }
	w.directory = &account.Directory{Store: s, Random: rand.Reader, Now: now, Policy: account.Policy{Iterations: 4096}}
	if err := w.directory.Add(t.Context(), jid.MustParse(bill), good); err != nil {
		t.Fatal(err)
	}
	w.book = invite.New(invite.Config{Store: s, Now: now})
	c := register.Config{
		Directory: w.directory, Now: now, Passwords: true, Removal: true, PerHour: 2, Invites: w.book,
		Removed: func(a jid.JID) { w.removed = append(w.removed, a.String()) },
		Befriend: func(_ context.Context, a, b jid.JID) error {
			w.friends = append(w.friends, a.String()+" "+b.String())
			return nil
		},
	}
	if change != nil {
		change(&c)
	}
	w.service = register.New(c)
	return w
}

func query(in string) string { return "<query xmlns='jabber:iq:register'>" + in + "</query>" }

func fields(name, password string) string {
	return query("<username>" + name + "</username><password>" + password + "</password>")
}

// TestLoggedIn has the examples of XEP-0077 §3.2 and §3.3.
func TestLoggedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	f := w.service.Feature()
	registered := query("<registered/><instructions>You have an account here.</instructions><username>bill</username><password/>")
	for _, tc := range []struct{ name, kind, to, in, want string }{
		{"§3.1.2, registered", "get", domain, "<query xmlns='jabber:iq:register'/>", registered},
		{"§3.3", "set", domain, fields("bill", "an even longer pass phrase"), ""},
		{"§3.3, at the account", "set", "", fields("bill", "an even longer pass phrase"), ""},
		{"§3.3, nothing", "set", domain, query("<username>bill</username>"), "bad-request"},
		{"§3.3, somebody else", "set", domain, fields("romeo", good), "not-allowed"},
		{"too easy", "set", domain, fields("bill", "x"), "not-acceptable"},
		{"another domain of ours", "set", "capulet.lit", fields("bill", good), "not-allowed"},
		{"§3.2.1, more than remove", "set", domain, query("<remove/><username>bill</username>"), "bad-request"},
		{"§3.2", "set", domain, query("<remove/>"), ""},
	} {
		a := servertest.Ask(t, f, tc.kind, billFull, tc.to, tc.in)
		if got := servertest.Said(t, a); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		if a.Then != nil {
			a.Then()
		}
		if tc.name == "§3.3, somebody else" {
			if err := w.directory.Verify(t.Context(), jid.MustParse(bill), "an even longer pass phrase"); err != nil {
				t.Errorf("the password is not the new one: %v", err)
			}
		}
	}
	if len(w.removed) != 1 || w.removed[0] != bill {
		t.Errorf("told of %v", w.removed)
	}
	if err := w.directory.Verify(t.Context(), jid.MustParse(bill), "an even longer pass phrase"); err == nil {
		t.Error("the account is still there")
	}
}

func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	nothing := func(c *register.Config) { c.Passwords, c.Removal, c.Invites = false, false, nil }
	w := newWorld(t, nothing)
	if f := w.service.Feature(); f.IQ != nil || f.ServerFeatures != nil || w.service.Offered() {
		t.Error("what is off is announced")
	}
	if _, a := w.service.Create(t.Context(), register.Applicant{Domain: jid.MustParse(domain), Address: "192.0.2.1"}, servertest.Element(t, fields("romeo", good))); a.Condition.String() != "not-allowed" {
		t.Errorf("an account is made: %s", a.Condition)
	}
	w = newWorld(t, func(c *register.Config) { nothing(c); c.Passwords = true })
	if got := servertest.Said(t, servertest.Set(t, w.service.Feature(), billFull, domain, query("<remove/>"))); got != "not-allowed" {
		t.Errorf("removal: %s", got)
	}
	w = newWorld(t, func(c *register.Config) { nothing(c); c.Removal = true })
	if got := servertest.Said(t, servertest.Set(t, w.service.Feature(), billFull, domain, fields("bill", good))); got != "not-allowed" {
		t.Errorf("passwords: %s", got)
	}
}

// creates asks for an account, and gives the condition.
func (w *world) creates(address, token, in string) string {
	w.Helper()
	who, a := w.service.Create(w.Context(), register.Applicant{Domain: jid.MustParse(domain), Address: address, Token: token}, servertest.Element(w.T, in))
	if (a.Condition.String() == "") == who.IsZero() {
		w.Errorf("made is %q, told %s", who, a.Condition)
	}
	return a.Condition.String()
}

// TestCreate has the course of §3.1.
func TestCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *register.Config) {
		c.Open, c.PerHour = true, 3
		c.Reserved = func(who jid.JID) bool { return who.Local() == "chief" }
	})
	want := query("<instructions>Choose a name and a password.</instructions><username/><password/>" +
		"<x xmlns='jabber:x:data' type='form'><title>A new account</title><instructions>Choose a name and a password.</instructions>" +
		"<field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>" +
		"<field label='Name' type='text-single' var='username'><required/></field>" +
		"<field label='Password' type='text-private' var='password'><required/></field></x>")
	if got := servertest.Text(t, w.service.Fields()); got != want {
		t.Errorf("§3.1.1: %s", got)
	}
	form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>" +
		"<field var='username'><value>Juliet</value></field><field var='password'><value>" + good + "</value></field></x>"
	for _, tc := range []struct{ name, address, in, want string }{
		{"§3.1.3", "192.0.2.1", fields("romeo", good), ""},
		{"§3.1.4, by a form", "192.0.2.1", query(form), ""},
		{"there is one", "192.0.2.1", fields("bill", good), "conflict"},
		{"too many from there", "192.0.2.1", fields("mercutio", good), "resource-constraint"},
		{"from elsewhere", "192.0.2.2", fields("mercutio", good), ""},
		{"one that the configuration gives a role to", "192.0.2.2", fields("Chief", good), "conflict"},
		{"no password", "192.0.2.3", fields("tybalt", ""), "not-acceptable"},
		{"no name", "192.0.2.3", fields("", good), "not-acceptable"},
		{"a name that is none", "192.0.2.3", fields("a@b", good), "jid-malformed"},
		{"too easy", "192.0.2.3", fields("tybalt", "x"), "not-acceptable"},
	} {
		if got := w.creates(tc.address, "", tc.in); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	if err := w.directory.Verify(t.Context(), jid.MustParse("juliet@shakespeare.lit"), good); err != nil {
		t.Error(err)
	}
	w.now = w.now.Add(time.Hour)
	if got := w.creates("192.0.2.1", "", fields("tybalt", good)); got != "" {
		t.Errorf("an hour later: %s", got)
	}
}

func TestCreateByInvitation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	token := func(p invite.Purpose, local string) string {
		t.Helper()
		token, _, err := w.book.Make(t.Context(), jid.MustParse(bill), p, local)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	named, any, contact := token(invite.Account, "romeo"), token(invite.Account|invite.Contact, ""), token(invite.Contact, "")
	for _, tc := range []struct{ name, token, in, want string }{
		{"without", "", fields("x1", good), "forbidden"},
		{"guessed", "guess", fields("x1", good), "forbidden"},
		{"for a contact only", contact, fields("x1", good), "forbidden"},
		{"for another name", named, fields("x1", good), "forbidden"},
		{"for this name", named, fields("romeo", good), ""},
		{"used", named, fields("romeo", good), "forbidden"},
		{"a bad password uses nothing up", any, fields("juliet", "x"), "not-acceptable"},
		{"for any name", any, fields("juliet", good), ""},
		{"used, too", any, fields("x2", good), "forbidden"},
	} {
		if got := w.creates("192.0.2.1", tc.token, tc.in); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	if len(w.friends) != 1 || w.friends[0] != bill+" juliet@shakespeare.lit" {
		t.Errorf("friends are %v", w.friends)
	}
}

// XEP-0445 §5: a name that an open invitation has is nobody else's, and looks like one that has an account.
func TestNamesOfInvitations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *register.Config) { c.Open, c.PerHour = true, 10 })
	invite := func(local string) string {
		t.Helper()
		token, _, err := w.book.Make(t.Context(), jid.MustParse(bill), invite.Account, local)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	first, second, any := invite("romeo"), invite("romeo"), invite("")
	for _, tc := range []struct{ name, token, in, want string }{
		{"without an invitation", "", fields("romeo", good), "conflict"},
		{"another way to write it", "", fields("ROMEO", good), "conflict"},
		{"with one for any name", any, fields("romeo", good), "conflict"},
		{"another name", "", fields("mercutio", good), ""},
		{"with one of two for it", second, fields("romeo", good), ""},
		{"with the other one", first, fields("romeo", good), "conflict"},
	} {
		if got := w.creates("192.0.2.1", tc.token, tc.in); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	invite("juliet")
	w.now = w.now.Add(8 * 24 * time.Hour)
	if got := w.creates("192.0.2.1", "", fields("juliet", good)); got != "" {
		t.Errorf("after the invitation: %s", got)
	}
}

// XEP-0445 §4: who has shown an invitation in time may take his time to register.
func TestInvitationShownInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	token, expires, err := w.book.Make(t.Context(), jid.MustParse(bill), invite.Account, "romeo")
	if err != nil {
		t.Fatal(err)
	}
	w.now = expires.Add(time.Minute)
	if _, _, err := w.book.Make(t.Context(), jid.MustParse(bill), invite.Account, ""); err != nil { // old ones are forgotten on the way
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		shown time.Time
		want  string
	}{
		{"when it was too old", expires.Add(time.Second), "forbidden"},
		{"now", time.Time{}, "forbidden"},
		{"in time", expires.Add(-time.Second), ""},
		{"in time, and used since", expires.Add(-time.Second), "forbidden"},
	} {
		who := register.Applicant{Domain: jid.MustParse(domain), Address: "192.0.2.1", Token: token, Shown: tc.shown}
		if _, a := w.service.Create(t.Context(), who, servertest.Element(t, fields("romeo", good))); a.Condition.String() != tc.want {
			t.Errorf("shown %s: %q, want %q", tc.name, a.Condition, tc.want)
		}
	}
}

// However many addresses there are, not all of them are remembered, and those that are not make no accounts.
func TestManyAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *register.Config) { c.Open = true })
	for i := range 10_000 {
		if got := w.creates(fmt.Sprint(i), "", fields("bill", "x")); got != "not-acceptable" {
			t.Fatalf("address %d: %s", i, got)
		}
	}
	if got := w.creates("new", "", fields("romeo", good)); got != "resource-constraint" {
		t.Errorf("one more address: %s", got)
	}
}
