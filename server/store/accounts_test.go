package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/store"
)

func someAccount(address string) account.Account {
	return account.Account{
		JID: jid.MustParse(address), State: account.Enabled, Clearance: "staff",
		Credentials: []account.Credential{
			{Hash: account.SHA512, Salt: []byte("salt\x00\xff"), Iterations: 4096, StoredKey: []byte{1, 2}, ServerKey: []byte{3}},
			{Hash: account.SHA1, Salt: []byte("pepper"), Iterations: 10000, StoredKey: []byte{4}, ServerKey: []byte{5, 6}},
		},
		Created: moment(1), Changed: moment(2),
	}
}

func domain(t *testing.T, s *store.Store, name string) {
	t.Helper()
	if _, err := s.EnsureDomain(t.Context(), account.Domain{Name: name, Created: moment(1), Decoy: []byte("decoy")}); err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// same compares addresses by value.
var same = cmp.Comparer(func(a, b jid.JID) bool { return a == b })

func TestAccounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx, s := t.Context(), p.open(t)
		a := someAccount("juliet@a.example")
		wants(t, "an account without its domain", s.CreateAccount(ctx, a), account.ErrNotFound)
		domain(t, s, "a.example")
		wants(t, "create", s.CreateAccount(ctx, a), nil)
		wants(t, "create again", s.CreateAccount(ctx, a), account.ErrExists)
		wants(t, "replace with no revision", s.ReplaceAccount(ctx, a), account.ErrChanged)

		a.Revision = 1
		got, err := s.Account(ctx, a.JID)
		if d := cmp.Diff(a, got, same); err != nil || d != "" {
			t.Fatalf("%v\n%s", err, d)
		}
		a.State, a.Clearance, a.Catalogue, a.Changed = account.Disabled, "", "own", moment(3)
		a.Credentials = a.Credentials[:1]
		wants(t, "replace", s.ReplaceAccount(ctx, a), nil)
		wants(t, "replace what has changed", s.ReplaceAccount(ctx, a), account.ErrChanged)
		a.Revision = 2
		if got, err = s.Account(ctx, a.JID); err != nil || cmp.Diff(a, got, same) != "" {
			t.Fatalf("%v\n%s", err, cmp.Diff(a, got, same))
		}

		wants(t, "remove", s.RemoveAccount(ctx, a.JID), nil)
		wants(t, "remove again", s.RemoveAccount(ctx, a.JID), account.ErrNotFound)
		wants(t, "replace what is gone", s.ReplaceAccount(ctx, a), account.ErrNotFound)
		_, err = s.Account(ctx, a.JID)
		wants(t, "find what is gone", err, account.ErrNotFound)
	})
}

// Order is that of bytes on both databases, whatever the language of the machine.
func TestListsArePagedInTheOrderOfBytes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx, s := t.Context(), p.open(t)
		domain(t, s, "a.example")
		domain(t, s, "b.example")
		want := []string{"a.b", "a_b", "ab", "zoë", "ä", "дом"}
		for _, local := range []string{"zoë", "ab", "дом", "a.b", "ä", "a_b"} {
			for _, d := range []string{"a.example", "b.example"} {
				if err := s.CreateAccount(ctx, someAccount(local+"@"+d)); err != nil {
					t.Fatal(err)
				}
			}
		}
		var got []string
		for after := ""; ; {
			page, err := s.ListAccounts(ctx, "a.example", after, 4)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, a := range page {
				if len(a.Credentials) != 0 {
					t.Error("a list shows credentials")
				}
				got = append(got, a.JID.Local())
			}
			after = page[len(page)-1].JID.Local()
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if page, err := s.ListAccounts(ctx, "a.example", "", -1); err != nil || len(page) != 0 {
			t.Errorf("a negative limit gave %d accounts, %v", len(page), err)
		}
	})
}

func TestGroups(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx, s := t.Context(), p.open(t)
		juliet, romeo := jid.MustParse("juliet@a.example"), jid.MustParse("romeo@b.example")
		g := account.Group{Domain: "a.example", Name: "crew", Title: "The crew", Members: []jid.JID{juliet, romeo}}
		wants(t, "a group without its domain", s.PutGroup(ctx, g), account.ErrNotFound)
		domain(t, s, "a.example")
		wants(t, "create", s.PutGroup(ctx, g), nil)
		wants(t, "create again", s.PutGroup(ctx, g), account.ErrExists)
		g.Revision = 1
		got, err := s.Group(ctx, "a.example", "crew")
		if d := cmp.Diff(g, got, same); err != nil || d != "" {
			t.Fatalf("%v\n%s", err, d)
		}
		twice := g
		twice.Members = []jid.JID{romeo, romeo}
		wants(t, "a member twice", s.PutGroup(ctx, twice), account.ErrExists)
		wants(t, "an account of the group", s.CreateAccount(ctx, someAccount("juliet@a.example")), nil)
		wants(t, "remove the account", s.RemoveAccount(ctx, juliet), nil)
		wants(t, "a change begun before", s.PutGroup(ctx, g), account.ErrChanged)
		g.Revision, g.Members = 2, []jid.JID{romeo}
		if got, err = s.Group(ctx, "a.example", "crew"); err != nil || cmp.Diff(g, got, same) != "" {
			t.Fatalf("%v\n%s", err, cmp.Diff(g, got, same))
		}
		names, err := s.GroupsOf(ctx, "a.example", jid.MustParse("romeo@b.example/phone"))
		if err != nil || cmp.Diff([]string{"crew"}, names) != "" {
			t.Errorf("groups of romeo: %v, %v", names, err)
		}
		list, err := s.ListGroups(ctx, "a.example", "", 10)
		g.Members = nil
		if d := cmp.Diff([]account.Group{g}, list, same); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
		wants(t, "remove", s.RemoveGroup(ctx, "a.example", "crew"), nil)
		wants(t, "remove again", s.RemoveGroup(ctx, "a.example", "crew"), account.ErrNotFound)
		g.Revision = 2
		wants(t, "change what is gone", s.PutGroup(ctx, g), account.ErrNotFound)
	})
}

func TestDomains(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx, s := t.Context(), p.open(t)
		domain(t, s, "a.example")
		domain(t, s, "b.example")
		again, err := s.EnsureDomain(ctx, account.Domain{Name: "a.example", Created: moment(9), Decoy: []byte("another")})
		if err != nil || string(again.Decoy) != "decoy" || again.Created != moment(1) {
			t.Errorf("a domain that is there became %+v, %v", again, err)
		}
		for _, name := range []string{"a.example", "b.example"} {
			wants(t, "account", s.CreateAccount(ctx, someAccount("juliet@"+name)), nil)
			wants(t, "group", s.PutGroup(ctx, account.Group{Domain: name, Name: "crew", Members: []jid.JID{jid.MustParse("juliet@" + name)}}), nil)
		}
		wants(t, "remove", s.RemoveDomain(ctx, "a.example"), nil)
		wants(t, "remove again", s.RemoveDomain(ctx, "a.example"), account.ErrNotFound)
		for name, want := range map[string]int64{"a.example": 0, "b.example": 1} {
			if a, g, err := s.CountAccounts(ctx, name); err != nil || a != want || g != want {
				t.Errorf("%s has %d accounts, %d groups, %v", name, a, g, err)
			}
		}
		all, err := s.ListDomains(ctx, "")
		if err != nil || len(all) != 1 || all[0].Name != "b.example" {
			t.Errorf("left are %v, %v", all, err)
		}
	})
}

// Of many changes that start from the same revision exactly one is made.
func TestOneOfManyChangesWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx, s := t.Context(), p.open(t)
		other := p.open(t) // another process
		domain(t, s, "a.example")
		a := someAccount("juliet@a.example")
		wants(t, "create", s.CreateAccount(ctx, a), nil)
		const writers = 8
		results := make([]error, writers)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				mine := a
				mine.Revision, mine.Clearance = 1, fmt.Sprint(i)
				if i%2 == 0 {
					results[i] = s.ReplaceAccount(ctx, mine)
				} else {
					results[i] = other.ReplaceAccount(ctx, mine)
				}
			})
		}
		wg.Wait()
		won := -1
		for i, err := range results {
			switch {
			case err == nil && won < 0:
				won = i
			case !errors.Is(err, account.ErrChanged):
				t.Errorf("writer %d: %v (writer %d has won)", i, err, won)
			}
		}
		got, err := s.Account(ctx, a.JID)
		if err != nil || got.Revision != 2 || got.Clearance != fmt.Sprint(won) {
			t.Errorf("%d has won, kept is %+v, %v", won, got, err)
		}
	})
}
