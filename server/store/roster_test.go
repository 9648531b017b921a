package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/hybrid"
	"sallyport/server/roster"
	"sallyport/server/store"
)

func book(s *store.Store) *roster.Book {
	return &roster.Book{Store: s, Node: "n1", Now: func() time.Time { return time.Unix(5, 0) }}
}

var sameID = cmp.Comparer(func(a, b hybrid.ID) bool { return a == b })

// withOwner is a store with an account.
func withOwner(t *testing.T, p place) (*store.Store, jid.JID) {
	t.Helper()
	s := p.open(t)
	domain(t, s, "a.example")
	a := someAccount("juliet@a.example")
	if err := s.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return s, a.JID
}

func TestRoster(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		romeo := jid.MustParse("romeo@b.example")
		if _, err := book(s).Change(ctx, jid.MustParse("nobody@a.example"), romeo, func(*roster.Item) error { return nil }); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("a roster without account: %v", err)
		}
		items, version, err := s.Roster(ctx, juliet)
		if err != nil || len(items) > 0 || !version.IsZero() {
			t.Errorf("the first roster is %v, version %s, %v", items, version, err)
		}
		want := roster.Item{
			Contact: romeo, Name: "Roméo", Groups: []string{"Friends", "a,\"b"}, Subscription: roster.To, Ask: true, Approved: true,
			Request: []byte("<presence type='subscribe'/>"),
		}
		got, err := book(s).Change(ctx, juliet, romeo, func(i *roster.Item) error {
			*i = want
			return nil
		})
		if err != nil || got.Version.IsZero() {
			t.Fatal(got, err)
		}
		want.Version = got.Version
		items, version, err = s.Roster(ctx, juliet)
		if d := cmp.Diff([]roster.Item{want}, items, same, sameID); err != nil || d != "" || version != want.Version {
			t.Errorf("%v, version %s\n%s", err, version, d)
		}
		if err := s.PutItem(ctx, juliet, hybrid.ID{}, want); !errors.Is(err, account.ErrChanged) {
			t.Errorf("a change of the first version: %v", err)
		}
		if err := s.RemoveAccount(ctx, juliet); err != nil {
			t.Fatal(err)
		}
		if items, version, err = s.Roster(ctx, juliet); err != nil || len(items) > 0 || !version.IsZero() {
			t.Errorf("left of a removed account are %v, version %s, %v", items, version, err)
		}
		if _, whole, err := s.RosterSince(ctx, juliet, want.Version); err != nil || !whole {
			t.Errorf("a client of the removed account is not told to start again: %v", err)
		}
	})
}

// client keeps a copy of a roster as RFC 6121 §2.6.3 has it.
type client struct {
	items   map[jid.JID]roster.Item
	version hybrid.ID
}

func (c *client) sync(t *rapid.T, s *store.Store, owner jid.JID) {
	changes, whole, err := s.RosterSince(t.Context(), owner, c.version)
	if err != nil {
		t.Fatal(err)
	}
	if whole {
		c.items = make(map[jid.JID]roster.Item)
		if changes, c.version, err = s.Roster(t.Context(), owner); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range changes {
		if i.Removed {
			delete(c.items, i.Contact)
		} else {
			c.items[i.Contact] = i
		}
		if i.Version.Compare(c.version) > 0 {
			c.version = i.Version
		}
	}
}

// TestVersionsLeadToTheRoster: whatever was changed, and whenever clients ask, each ends with what the roster is.
func TestVersionsLeadToTheRoster(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		b := book(s)
		rapid.Check(t, func(t *rapid.T) {
			clients := []*client{{items: map[jid.JID]roster.Item{}}, {items: map[jid.JID]roster.Item{}}}
			for range rapid.IntRange(1, 12).Draw(t, "steps") {
				contact := jid.MustParse(rapid.SampledFrom([]string{"a@b.example", "b@b.example", "c.example"}).Draw(t, "contact"))
				gone := rapid.Bool().Draw(t, "gone")
				name := rapid.SampledFrom([]string{"", "n", "ñ"}).Draw(t, "name")
				if _, err := b.Change(t.Context(), owner, contact, func(i *roster.Item) error {
					i.Name, i.Removed = name, gone
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				if n := rapid.IntRange(0, len(clients)).Draw(t, "who asks"); n < len(clients) {
					clients[n].sync(t, s, owner)
				}
			}
			items, version, err := s.Roster(t.Context(), owner)
			if err != nil {
				t.Fatal(err)
			}
			for n, c := range clients {
				c.sync(t, s, owner)
				var got []roster.Item
				for _, i := range c.items {
					got = append(got, i)
				}
				slices.SortFunc(got, func(a, b roster.Item) int { return strings.Compare(a.Contact.String(), b.Contact.String()) })
				if d := cmp.Diff(items, got, same, sameID); d != "" || c.version != version {
					t.Fatalf("client %d has version %s of %s:\n%s", n, c.version, version, d)
				}
			}
		})
	})
}

// Removals beyond the bound are forgotten, and who knows only what was before is told the whole.
func TestRemovalsAreForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		var versions []hybrid.ID
		var before hybrid.ID
		for i := range roster.MaxRemoved + 2 {
			now, err := hybrid.After(before, time.Unix(1, 0), "n1")
			if err != nil {
				t.Fatal(err)
			}
			gone := roster.Item{Contact: jid.MustParse(fmt.Sprintf("u%d@b.example", i)), Version: now, Removed: true}
			if err := s.PutItem(t.Context(), owner, before, gone); err != nil {
				t.Fatal(err)
			}
			versions, before = append(versions, now), now
		}
		for _, tt := range []struct {
			name  string
			from  hybrid.ID
			whole bool
			n     int
		}{
			{"no version", hybrid.ID{}, true, 0},
			{"the first, which is forgotten", versions[0], true, 0},
			{"the last that is forgotten", versions[1], false, roster.MaxRemoved},
			{"the newest", before, false, 0},
			{"one that was never given", mustAfter(t, before), true, 0},
		} {
			changes, whole, err := s.RosterSince(t.Context(), owner, tt.from)
			if err != nil || whole != tt.whole || len(changes) != tt.n {
				t.Errorf("%s: %d changes, whole %t, %v", tt.name, len(changes), whole, err)
			}
		}
	})
}

func mustAfter(t *testing.T, id hybrid.ID) hybrid.ID {
	t.Helper()
	id, err := hybrid.After(id, time.Unix(9, 0), "n2")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Changes from several nodes at once are all kept, in one order.
func TestRosterOfManyWriters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for n := range errs {
			b := &roster.Book{Store: s, Node: fmt.Sprint("n", n), Now: func() time.Time { return time.Unix(int64(n), 0) }}
			wg.Go(func() {
				contact := jid.MustParse(fmt.Sprintf("u%d@b.example", n))
				_, errs[n] = b.Change(t.Context(), owner, contact, func(i *roster.Item) error {
					i.Subscription = roster.Both
					return nil
				})
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		items, version, err := s.Roster(t.Context(), owner)
		last := slices.MaxFunc(items, func(a, b roster.Item) int { return a.Version.Compare(b.Version) })
		if err != nil || len(items) != len(errs) || last.Version != version {
			t.Errorf("%d contacts, the last of %s, version %s, %v", len(items), last.Version, version, err)
		}
	})
}

func TestGroupsFillARoster(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		romeo, nurse := jid.MustParse("romeo@a.example"), jid.MustParse("nurse@a.example")
		groups := []account.Group{{Name: "crew", Members: []jid.JID{owner, romeo, nurse}}}
		if _, err := book(s).Change(t.Context(), owner, nurse, func(i *roster.Item) error {
			i.Name = "mine"
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time changes nothing
			if _, err := book(s).Fill(t.Context(), owner, groups); err != nil {
				t.Fatal(err)
			}
		}
		items, _, err := s.Roster(t.Context(), owner)
		if err != nil || len(items) != 2 || items[0].Name != "mine" || items[0].Subscription != roster.None || items[1].Subscription != roster.Both {
			t.Errorf("the roster is %+v, %v", items, err)
		}
	})
}

func TestItemsThatCannotBeKept(t *testing.T) {
	t.Parallel()
	s, owner := withOwner(t, fresh(t, "sqlite"))
	for name, change := range map[string]func(*roster.Item){
		"a long name":          func(i *roster.Item) { i.Name = strings.Repeat("x", roster.MaxTextBytes+1) },
		"a group twice":        func(i *roster.Item) { i.Groups = []string{"a", "a"} },
		"a group without name": func(i *roster.Item) { i.Groups = []string{""} },
		"many groups": func(i *roster.Item) {
			i.Groups = strings.Split(string(bytes.Repeat([]byte("x,"), roster.MaxItemGroups)), ",")
		},
		"no such subscription": func(i *roster.Item) { i.Subscription = 9 },
	} {
		_, err := book(s).Change(t.Context(), owner, jid.MustParse("x@b.example"), func(i *roster.Item) error {
			change(i)
			return nil
		})
		if !errors.Is(err, roster.ErrItem) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if items, _, err := s.Roster(t.Context(), owner); err != nil || len(items) > 0 {
		t.Errorf("kept are %v, %v", items, err)
	}
}
