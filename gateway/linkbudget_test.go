package gateway_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/control"
)

// budgets are what the operator on shore is shown of a link.
func (e *ends) budgets(link string) []control.LinkBudget {
	e.t.Helper()
	all, err := e.shore.Links(context.Background())
	if err != nil {
		e.t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(l control.LinkStatus) bool { return l.Name == link })
	if at < 0 {
		e.t.Fatalf("no link %s", link)
	}
	return all[at].Budgets
}

// TestBudgetOfALink: routine traffic waits for its budget, not for a link that costs more, and in order; what is more urgent passes; the
// operator sees what is left, and when it goes on.
func TestBudgetOfALink(t *testing.T) {
	edit := func(shore, _ *site) {
		shore.more += "\n[link.sat.budget]\nroutine = \"3 KiB/1h\"\n[precedence.kind]\n\"message.headline\" = \"flash\"\n"
	}
	between(t, edit, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		routine := e.send(80)
		e.settle(time.Minute)
		first := e.ship.got("b.example")
		if n := len(first); n < 10 || n > 40 || !slices.Equal(first, routine[:n]) {
			t.Fatalf("%d of %d went on a budget of 3 KiB: %v", n, len(routine), first)
		}
		if c := e.counts(e.shore); int(c.Queued) != len(routine)-len(first) || c.Bounced+c.Expired+c.InDoubt != 0 {
			t.Errorf("%+v", c)
		}
		b := e.budgets("sat")
		if len(b) != 1 || b[0].Class != "routine" || b[0].Bytes != 3<<10 || b[0].Period != 3600 || !b[0].Waits || b[0].Left > 0 || b[0].Reopened <= 0 || b[0].Reopened > 3600 {
			t.Errorf("the operator is shown %+v", b)
		}
		if b := e.budgets("hf"); len(b) != 0 {
			t.Errorf("and of the other link %+v", b)
		}
		flash := freshID()
		e.shore.arrive(strings.Replace(message(flash, "a.example", "b.example"), "'chat'", "'headline'", 1))
		e.settle(2 * time.Second)
		wantSame(t, e.ship.got("b.example"), append(slices.Clone(first), flash))
		e.settle(59 * time.Minute)
		second := e.ship.got("b.example")
		if len(second) <= len(first)+1 || len(second) > 2*len(first)+2 {
			t.Errorf("%d after an hour, %d in the first", len(second), len(first))
		}
		e.settle(12 * time.Hour)
		wantSame(t, e.ship.got("b.example"), slices.Concat(first, []string{flash}, routine[len(first):]))
		for _, r := range e.ship.records(decisions) {
			if r.Link != "sat" {
				t.Errorf("%s came by %s", r.StanzaID, r.Link)
			}
		}
		if c := e.counts(e.shore); c.Queued != 0 || int(c.Delivered) != len(routine)+1 {
			t.Errorf("%+v", c)
		}
	})
}
