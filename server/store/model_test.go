package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/account/accounttest"
	"sallyport/server/store"
)

// TestStoreIsTheModel does the same to a store and to the model in memory; both have to answer the same.
func TestStoreIsTheModel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s := p.open(t)
		rapid.Check(t, func(rt *rapid.T) { history(rt, s, []string{"a.example", "b.example"}) })
	})
}

// pairOf is the store and the model.
type pairOf struct {
	*rapid.T
	ctx     context.Context
	real    *store.Store
	model   *accounttest.Memory
	domains []string
}

func history(t *rapid.T, s *store.Store, domains []string) {
	x := &pairOf{t, context.Background(), s, &accounttest.Memory{}, domains}
	for _, d := range domains { // what the history before has left
		if err := s.RemoveDomain(x.ctx, d); err != nil && !errors.Is(err, account.ErrNotFound) {
			t.Fatal(err)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"ensure domain": func(*rapid.T) {
			d := account.Domain{Name: x.domain(), Created: moment(rapid.Int64Range(0, 9).Draw(t, "created")), Decoy: x.secret()}
			do(x, func(s account.Store) (any, error) { return s.EnsureDomain(x.ctx, d) })
		},
		"remove domain": func(*rapid.T) {
			d := x.domain()
			if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
				do(x, func(s account.Store) (any, error) { return nil, s.RemoveDomain(x.ctx, d) })
			}
		},
		"create account": func(*rapid.T) {
			a := x.account()
			do(x, func(s account.Store) (any, error) { return nil, s.CreateAccount(x.ctx, a) })
		},
		"replace account": func(*rapid.T) {
			a := x.account()
			if now, err := x.model.Account(x.ctx, a.JID); err == nil {
				a.Revision, a.Created = now.Revision-rapid.Int64Range(0, 1).Draw(t, "behind"), now.Created
			}
			do(x, func(s account.Store) (any, error) { return nil, s.ReplaceAccount(x.ctx, a) })
		},
		"remove account": func(*rapid.T) {
			j := x.user()
			do(x, func(s account.Store) (any, error) { return nil, s.RemoveAccount(x.ctx, j) })
		},
		"put group": func(*rapid.T) {
			g := x.group()
			do(x, func(s account.Store) (any, error) { return nil, s.PutGroup(x.ctx, g) })
		},
		"remove group": func(*rapid.T) {
			d, name := x.domain(), x.groupName()
			do(x, func(s account.Store) (any, error) { return nil, s.RemoveGroup(x.ctx, d, name) })
		},
		"": func(*rapid.T) { x.compare() },
	})
}

// do does one thing to both.
func do(x *pairOf, once func(account.Store) (any, error)) {
	x.Helper()
	got, gotErr := once(x.real)
	want, wantErr := once(x.model)
	for _, known := range []error{nil, account.ErrNotFound, account.ErrExists, account.ErrChanged} {
		if errors.Is(gotErr, known) != errors.Is(wantErr, known) {
			x.Fatalf("the store says %v, the model %v", gotErr, wantErr)
		}
	}
	if d := cmp.Diff(want, got, same); d != "" {
		x.Fatalf("the store differs from the model:\n%s", d)
	}
}

// compare asks both everything about one domain.
func (x *pairOf) compare() {
	for _, d := range []string{x.domain()} {
		do(x, func(s account.Store) (any, error) { return s.Domain(x.ctx, d) })
		do(x, func(s account.Store) (any, error) {
			a, g, err := s.CountAccounts(x.ctx, d)
			return []int64{a, g}, err
		})
		do(x, func(s account.Store) (any, error) { return s.ListAccounts(x.ctx, d, "a", 2) })
		do(x, func(s account.Store) (any, error) { return s.ListGroups(x.ctx, d, "", 2) })
		for _, local := range locals {
			j := jid.MustParse(local + "@" + d)
			do(x, func(s account.Store) (any, error) { return s.Account(x.ctx, j) })
			do(x, func(s account.Store) (any, error) { return s.GroupsOf(x.ctx, d, j) })
		}
		for _, name := range groups {
			do(x, func(s account.Store) (any, error) { return s.Group(x.ctx, d, name) })
		}
	}
}

var (
	locals = []string{"a", "b.c", "ä"}
	groups = []string{"crew", "Крю"}
)

func (x *pairOf) domain() string    { return rapid.SampledFrom(x.domains).Draw(x.T, "domain") }
func (x *pairOf) groupName() string { return rapid.SampledFrom(groups).Draw(x.T, "group") }
func (x *pairOf) secret() []byte    { return rapid.SliceOfN(rapid.Byte(), 1, 4).Draw(x.T, "secret") }

func (x *pairOf) user() jid.JID {
	return jid.MustParse(rapid.SampledFrom(locals).Draw(x.T, "local") + "@" + x.domain())
}

func (x *pairOf) account() account.Account {
	a := account.Account{
		JID: x.user(), State: account.State(rapid.IntRange(0, 1).Draw(x.T, "state")),
		Clearance: rapid.SampledFrom([]string{"", "staff", `'"; --`}).Draw(x.T, "clearance"),
		Created:   moment(rapid.Int64Range(0, 9).Draw(x.T, "created")), Changed: moment(rapid.Int64Range(0, 9).Draw(x.T, "changed")),
	}
	for _, h := range account.Hashes() {
		if rapid.Bool().Draw(x.T, "hash") {
			a.Credentials = append(a.Credentials, account.Credential{Hash: h, Iterations: 1, Salt: x.secret(), StoredKey: x.secret(), ServerKey: x.secret()})
		}
	}
	return a
}

func (x *pairOf) group() account.Group {
	g := account.Group{Domain: x.domain(), Name: x.groupName(), Title: rapid.SampledFrom([]string{"", "T"}).Draw(x.T, "title")}
	for range rapid.IntRange(0, 3).Draw(x.T, "members") {
		if m := x.user(); !slices.Contains(g.Members, m) {
			g.Members = append(g.Members, m)
		}
	}
	if now, err := x.model.Group(x.ctx, g.Domain, g.Name); err == nil && rapid.Bool().Draw(x.T, "known") {
		g.Revision = now.Revision - rapid.Int64Range(0, 1).Draw(x.T, "behind")
	}
	return g
}
