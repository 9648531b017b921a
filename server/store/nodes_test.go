package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/pep"
)

func TestNodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		node := func(name string) pep.Node { return pep.Node{Name: name, Options: pep.Defaults()} }
		if err := s.PutNode(ctx, juliet, node("n"), false); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("changed before it was there: %v", err)
		}
		if err := s.PutNode(ctx, juliet, node("n"), true); err != nil {
			t.Fatal(err)
		}
		if err := s.PutNode(ctx, juliet, node("n"), true); !errors.Is(err, account.ErrExists) {
			t.Errorf("made twice: %v", err)
		}
		changed := node("n")
		changed.Options.Groups, changed.Options.Access = []string{"Friends"}, pep.Roster
		if err := s.PutNode(ctx, juliet, changed, false); err != nil {
			t.Fatal(err)
		}
		all, err := s.Nodes(ctx, juliet)
		if d := cmp.Diff([]pep.Node{changed}, all, same); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
		if err := s.PutNode(ctx, jid.MustParse("nobody@a.example"), node("n"), true); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("without the account: %v", err)
		}
		for i := range pep.MaxNodes {
			err := s.PutNode(ctx, juliet, node(fmt.Sprint(i)), true)
			if last := i == pep.MaxNodes-1; errors.Is(err, pep.ErrNodes) != last || err != nil && !last {
				t.Fatalf("node %d: %v", i, err)
			}
		}
		if err := s.RemoveNode(ctx, juliet, "n"); err != nil {
			t.Error(err)
		}
		if err := s.RemoveNode(ctx, juliet, "n"); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("removed twice: %v", err)
		}
	})
}

func TestItems(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		item := func(id, payload string) pep.Item {
			return pep.Item{ID: id, Publisher: jid.MustParse("juliet@a.example/balcony"), Payload: []byte(payload)}
		}
		put := func(i pep.Item, at int) error { return s.PublishItem(ctx, juliet, "n", i, 3, millis(at), "n1") }
		if err := put(item("a", "<a/>"), 1); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("without its node: %v", err)
		}
		if err := s.PutNode(ctx, juliet, pep.Node{Name: "n", Options: pep.Defaults()}, true); err != nil {
			t.Fatal(err)
		}
		has := func(want string, limit int) {
			t.Helper()
			list, err := s.NodeItems(ctx, juliet, "n", limit)
			var got []string
			for _, i := range list {
				got = append(got, i.ID+string(i.Payload))
			}
			if strings.Join(got, " ") != want || err != nil {
				t.Errorf("got %v, %v; want %s", got, err, want)
			}
		}
		for n, id := range []string{"a", "b", "c", "a", "d"} { // the clock goes back
			if err := put(item(id, fmt.Sprintf("<i n='%d'/>", n)), 9-n); err != nil {
				t.Fatal(err)
			}
		}
		has("d<i n='4'/> a<i n='3'/> c<i n='2'/>", 10)
		has("d<i n='4'/>", 1)
		if got, err := s.NodeItem(ctx, juliet, "n", "a"); err != nil || got.Publisher.Resource() != "balcony" || got.Version.Node() != "n1" {
			t.Errorf("got %+v, %v", got, err)
		}
		for _, id := range []string{"b", "x"} {
			if _, err := s.NodeItem(ctx, juliet, "n", id); !errors.Is(err, account.ErrNotFound) {
				t.Errorf("%s is there: %v", id, err)
			}
		}
		if err := s.RetractItem(ctx, juliet, "n", "a"); err != nil {
			t.Error(err)
		}
		if err := s.RetractItem(ctx, juliet, "n", "a"); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("removed twice: %v", err)
		}
		has("d<i n='4'/> c<i n='2'/>", 10)
		large := strings.Repeat("x", pep.MaxBytes/2)
		if err := put(item("e", large), 1); err != nil {
			t.Error(err)
		}
		if err := put(item("f", large), 1); !errors.Is(err, pep.ErrBytes) {
			t.Errorf("too many bytes: %v", err)
		}
		if err := put(item("e", ""), 1); err != nil {
			t.Error(err)
		}
		has("e d<i n='4'/> c<i n='2'/>", 10)
		two := pep.Defaults()
		two.MaxItems = 2
		if err := s.PutNode(ctx, juliet, pep.Node{Name: "n", Options: two}, false); err != nil { // what it keeps now are the newest
			t.Error(err)
		}
		has("e d<i n='4'/>", 10)
		if err := s.PurgeNode(ctx, juliet, "n"); err != nil {
			t.Error(err)
		}
		has("", 10)
	})
}
