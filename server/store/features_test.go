package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/blocking"
	"sallyport/server/entity"
)

func TestSeen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		if _, err := s.Seen(ctx, juliet); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("never seen: %v", err)
		}
		for _, want := range []entity.Seen{{At: moment(5), Status: "Heading Home"}, {At: moment(4)}} {
			if err := s.PutSeen(ctx, juliet, want); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Seen(ctx, juliet); err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		}
		if err := s.PutSeen(ctx, jid.MustParse("nobody@a.example"), entity.Seen{At: moment(1)}); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("without the account: %v", err)
		}
	})
}

func TestBlocked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		list := func(names ...string) (all []jid.JID) {
			for _, n := range names {
				all = append(all, jid.MustParse(n))
			}
			return all
		}
		check := func(want ...string) {
			t.Helper()
			got, err := s.Blocked(ctx, juliet)
			if d := cmp.Diff(list(want...), got, same); err != nil || d != "" {
				t.Errorf("%v\n%s", err, d)
			}
		}
		check()
		for range 2 {
			if err := s.Block(ctx, juliet, list("b.example", "a@b.example/r", "c@b.example")); err != nil {
				t.Fatal(err)
			}
		}
		check("a@b.example/r", "b.example", "c@b.example")
		if err := s.Unblock(ctx, juliet, list("b.example", "x@b.example")); err != nil {
			t.Fatal(err)
		}
		check("a@b.example/r", "c@b.example")
		var many []jid.JID
		for i := range blocking.MaxBlocked - 1 {
			many = append(many, jid.MustParse(fmt.Sprintf("u%d@b.example", i)))
		}
		if err := s.Block(ctx, juliet, many); !errors.Is(err, blocking.ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		check("a@b.example/r", "c@b.example")
		if err := s.Unblock(ctx, juliet, nil); err != nil {
			t.Fatal(err)
		}
		check()
		if err := s.Block(ctx, jid.MustParse("nobody@a.example"), list("b.example")); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("without the account: %v", err)
		}
	})
}
