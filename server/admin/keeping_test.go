package admin_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/admin"
)

// operates runs an operation for who needs no address, as the socket does.
func (w *world) operates(verb, args string) error {
	w.Helper()
	_, err := w.answers(verb, args)
	return err
}

func (w *world) answers(verb, args string) (any, error) {
	w.Helper()
	for _, op := range w.ops.List() {
		if op.Name == verb {
			return op.Run(w.Context(), jid.JID{}, func(into any) error { return json.Unmarshal([]byte(args), into) })
		}
	}
	w.Fatalf("no operation %s", verb)
	return nil, nil
}

// TestNameAndAddress: what is known of a new account is its vCard (XEP-0133 §4.1).
func TestNameAndAddress(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ filled, want string }{
		"all of it": {
			x("accountjid", "new@a.example", "password", good, "password-verify", good, "email", "new@mail.example", "given_name", "Nora", "surname", "New"),
			"new@a.example <vCard xmlns='vcard-temp'><FN>Nora New</FN><N><FAMILY>New</FAMILY><GIVEN>Nora</GIVEN></N><EMAIL><INTERNET/><USERID>new@mail.example</USERID></EMAIL></vCard>",
		},
		"an address alone": {
			x("accountjid", "new@a.example", "password", good, "password-verify", good, "email", "new@mail.example"),
			"new@a.example <vCard xmlns='vcard-temp'><FN>new</FN><N><FAMILY/><GIVEN/></N><EMAIL><INTERNET/><USERID>new@mail.example</USERID></EMAIL></vCard>",
		},
		"nothing":  {x("accountjid", "new@a.example", "password", good, "password-verify", good), ""},
		"too much": {x("accountjid", "new@a.example", "password", good, "password-verify", good, "surname", strings.Repeat("a", 257)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fills(chief, "add-user", tc.filled)
			if got := strings.Join(w.cards, ""); got != tc.want {
				t.Errorf("got %s", got)
			}
			_, err := w.store.Account(t.Context(), jid.MustParse("new@a.example"))
			if (err == nil) != (name != "too much") {
				t.Errorf("the account: %v", err)
			}
		})
	}
}

// TestClearance: it is one of the configuration, nobody gives it over XMPP, and whoever remembers the old one hears of it.
func TestClearance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, op := range w.ops.List() {
		if op.Name == "user.clearance" && op.Role != role.Policy {
			t.Errorf("it needs the role %s", op.Role)
		}
	}
	if _, ok := role.ParseGiven("policy"); ok {
		t.Error("the role policy can be given")
	}
	if err := w.operates("user.clearance", `{"user":"romeo@a.example","name":"staff"}`); err != nil {
		t.Fatal(err)
	}
	a, err := w.store.Account(t.Context(), jid.MustParse("romeo@a.example"))
	if err != nil || a.Clearance != "staff" || !slices.Equal(w.changed, []string{"romeo@a.example"}) {
		t.Errorf("%q, %v, changed %v", a.Clearance, err, w.changed)
	}
	for name, args := range map[string]string{
		"not of the configuration": `{"user":"romeo@a.example","name":"boss"}`, "nobody": `{"user":"ghost@a.example","name":"staff"}`,
		"elsewhere": `{"user":"romeo@c.example","name":"staff"}`, "a client": `{"user":"romeo@a.example/x","name":"staff"}`,
	} {
		if err := w.operates("user.clearance", args); err == nil {
			t.Errorf("%s: done", name)
		}
	}
	if err := w.operates("user.catalogue", `{"user":"romeo@a.example","name":"staff"}`); !errors.Is(err, admin.ErrQuestion) {
		t.Errorf("a catalogue that is not there: %v", err)
	}
	if err := w.operates("user.clearance", `{"user":"romeo@a.example"}`); err != nil {
		t.Error(err)
	}
	if a, err = w.store.Account(t.Context(), jid.MustParse("romeo@a.example")); err != nil || a.Clearance != "" {
		t.Errorf("%q, %v", a.Clearance, err)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, step := range []struct{ verb, args string }{
		{"group.add", `{"domain":"a.example","name":"crew","title":"The crew"}`},
		{"group.join", `{"domain":"a.example","name":"crew","users":["romeo@a.example","far@c.example"]}`},
		{"group.join", `{"domain":"a.example","name":"crew","users":["romeo@a.example","nurse@a.example"]}`},
		{"group.leave", `{"domain":"a.example","name":"crew","users":["far@c.example","ghost@a.example"]}`},
		{"group.title", `{"domain":"a.example","name":"crew","title":"Everybody"}`},
	} {
		if err := w.operates(step.verb, step.args); err != nil {
			t.Fatalf("%s: %v", step.verb, err)
		}
	}
	g, err := w.store.Group(t.Context(), "a.example", "crew")
	want := []jid.JID{jid.MustParse("nurse@a.example"), jid.MustParse("romeo@a.example")}
	if err != nil || g.Title != "Everybody" || !slices.Equal(g.Members, want) {
		t.Errorf("%+v, %v", g, err)
	}
	if w.regroup == 0 {
		t.Error("the server was not told")
	}
	for name, tc := range map[string]struct{ verb, args string }{
		"twice":         {"group.add", `{"domain":"a.example","name":"crew"}`},
		"no name":       {"group.add", `{"domain":"a.example"}`},
		"two lines":     {"group.add", `{"domain":"a.example","name":"a\nb"}`},
		"spaces around": {"group.add", `{"domain":"a.example","name":" a"}`},
		"too long":      {"group.add", `{"domain":"a.example","name":"` + strings.Repeat("a", 129) + `"}`},
		"elsewhere":     {"group.add", `{"domain":"c.example","name":"crew"}`},
		"not there":     {"group.join", `{"domain":"a.example","name":"none","users":["romeo@a.example"]}`},
		"nobody":        {"group.join", `{"domain":"a.example","name":"crew","users":["ghost@a.example"]}`},
		"a client":      {"group.join", `{"domain":"a.example","name":"crew","users":["romeo@a.example/x"]}`},
		"a domain":      {"group.join", `{"domain":"a.example","name":"crew","users":["a.example"]}`},
		"gone already":  {"group.remove", `{"domain":"a.example","name":"none"}`},
	} {
		if err := w.operates(tc.verb, tc.args); err == nil {
			t.Errorf("%s: done", name)
		}
	}
	if err := w.operates("group.remove", `{"domain":"a.example","name":"crew"}`); err != nil {
		t.Error(err)
	}
}

// TestRemovedDomain: only one that is not served goes, and its accounts only when that was wanted.
func TestRemovedDomain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := &account.Directory{Store: w.store, Random: strings.NewReader(strings.Repeat("x", 1000)), Now: func() time.Time { return w.now }}
	if err := d.AddGroup(t.Context(), "old.example", "crew", ""); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string]string{
		"served": `{"domain":"a.example","with_accounts":true}`, "with something": `{"domain":"old.example"}`,
		"not there": `{"domain":"none.example"}`, "no domain": `{"domain":"@"}`,
	} {
		if err := w.operates("domain.remove", args); err == nil {
			t.Errorf("%s: done", name)
		}
	}
	if err := w.operates("domain.remove", `{"domain":"old.example","with_accounts":true}`); err != nil {
		t.Error(err)
	}
	if _, err := w.store.Domain(t.Context(), "old.example"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
}
