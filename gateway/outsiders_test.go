package gateway_test

import (
	"context"
	"errors"
	"testing"

	"sallyport/gateway"
	"sallyport/internal/xmpp/jid"
	"sallyport/peering"
	"sallyport/server/admin"
	"sallyport/server/servertest"
)

// TestExcluded: who is kept out by which lists.
func TestExcluded(t *testing.T) {
	t.Parallel()
	l := func(s ...string) []string { return s }
	const in, listed, unlisted = peering.NotExcluded, peering.SenderListed, peering.SenderUnlisted
	for _, c := range []struct {
		black, white []string
		who          string
		component    bool
		want         peering.Exclusion
	}{
		{l(), l(), "bob@far.example/x", false, in},
		{l("far.example"), l(), "bob@far.example/x", false, listed},
		{l("far.example"), l(), "far.example", false, listed},
		{l("far.example"), l(), "bob@sub.far.example", false, in},
		{l("bob@far.example"), l(), "bob@far.example/x", false, listed},
		{l("bob@far.example"), l(), "far.example", false, in},
		{l("bob@far.example/x"), l(), "bob@far.example/x", false, listed},
		{l("bob@far.example/x"), l(), "bob@far.example", false, in},
		{l(), l("far.example"), "bob@far.example/x", false, in},
		{l(), l("far.example"), "bob@near.example/x", false, unlisted},
		{l(), l("far.example"), "rooms.home.example", true, in},
		{l(), l("ann@far.example"), "bob@far.example/x", false, unlisted},
		{l("bob@far.example"), l("far.example"), "bob@far.example/x", false, listed},
		{l("rooms.home.example"), l(), "rooms.home.example/bob", true, listed},
	} {
		got, err := gateway.Excluded(admin.Lists{Blacklist: c.black, Whitelist: c.white}, jid.MustParse(c.who), c.component)
		if err != nil || got != c.want {
			t.Errorf("%s with %v and %v: %d, %v, want %d", c.who, c.black, c.white, got, err, c.want)
		}
	}
}

// TestListsThatCannotBeRead: where nobody knows who is on the lists, nobody comes in from beyond, until somebody knows.
func TestListsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := &brokenLists{Store: servertest.Store(t, "juliet@home.example")}
	o := gateway.NewOutsiders(s)
	bob := jid.MustParse("bob@far.example")
	if err := o.Open("home.example"); err != nil || o.Excludes("home.example", bob) {
		t.Fatalf("kept out, or %v", err)
	}
	s.broken = true
	if err := o.Changed("home.example"); !errors.Is(err, errBroken) || !o.Excludes("home.example", bob) {
		t.Errorf("let in, or %v", err)
	}
	if err := o.Open("home.example"); !errors.Is(err, errBroken) {
		t.Errorf("opened: %v", err)
	}
	s.broken = false
	if err := o.Open("home.example"); err != nil || o.Excludes("home.example", bob) {
		t.Errorf("kept out for good, or %v", err)
	}
}

var errBroken = errors.New("the disk is gone")

type brokenLists struct {
	admin.Store
	broken bool
}

func (s *brokenLists) Setting(ctx context.Context, domain, name string) ([]byte, error) {
	if s.broken {
		return nil, errBroken
	}
	return s.Store.Setting(ctx, domain, name)
}
