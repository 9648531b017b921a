package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/admin"
)

// TestLists: what is on a list after each of some changes, and what is refused.
func TestLists(t *testing.T) {
	t.Parallel()
	many := make([]string, admin.MaxListed+1)
	for i := range many {
		many[i] = fmt.Sprintf("n%d.example", i)
	}
	w := newWorld(t)
	for _, c := range []struct {
		name        string
		add, remove []string
		exactly     bool
		want        []string // nil: it is refused, and the list stays
	}{
		{name: "first", add: []string{"far.example", "Juliet@B2.example"}, want: []string{"far.example", "juliet@b2.example"}},
		{name: "again", add: []string{"far.example"}, want: []string{"far.example", "juliet@b2.example"}},
		{name: "a client", add: []string{"far.example/x"}, remove: []string{"juliet@b2.example"}, want: []string{"far.example", "far.example/x"}},
		{name: "who is not on it", remove: []string{"juliet@b2.example"}, want: []string{"far.example", "far.example/x"}},
		{name: "our own", add: []string{"romeo@a.example"}},
		{name: "our other domain", add: []string{"b.example"}},
		{name: "no address", add: []string{"@"}},
		{name: "no address to remove", remove: []string{""}},
		{name: "too many", add: many},
		{name: "as many as there can be", add: many[1:], exactly: true, want: slices.Sorted(slices.Values(many[1:]))},
		{name: "nobody", exactly: true, want: []string{}},
	} {
		before := lists(w)
		heard := len(w.listed)
		var done admin.Done
		err := w.Ask(t.Context(), jid.MustParse(chief), jid.MustParse(domain), "domain.blacklist", admin.ListChange{Domain: domain, Add: c.add, Remove: c.remove, Exactly: c.exactly}, &done)
		got := lists(w)
		switch {
		case c.want == nil && (err == nil || !slices.Equal(got, before) || len(w.listed) != heard):
			t.Errorf("%s: %v, and the list is %v", c.name, err, got)
		case c.want != nil && (err != nil || !slices.Equal(got, c.want) || done.Count != len(c.want) || len(w.listed) != heard+1):
			t.Errorf("%s: %v, %v, %d were heard of", c.name, err, got, len(w.listed)-heard)
		}
	}
	if n := strings.Count(strings.Join(w.record, "\n"), "domain.blacklist a.example"); n != 11 {
		t.Errorf("%d of 11 changes are recorded", n)
	}
}

func lists(w *world) []string {
	w.Helper()
	var l admin.Lists
	if err := w.Ask(w.Context(), jid.MustParse(nurse), jid.MustParse(domain), "domain.lists", admin.DomainQuestion{Domain: domain}, &l); err != nil || len(l.Whitelist) > 0 {
		w.Fatalf("%v, %v", l.Whitelist, err)
	}
	return l.Blacklist
}
