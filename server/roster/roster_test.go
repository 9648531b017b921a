package roster_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/hybrid"
	"sallyport/server/roster"
)

func TestPrefill(t *testing.T) {
	t.Parallel()
	j := jid.MustParse
	juliet, romeo, nurse, far := j("juliet@a.example"), j("romeo@a.example"), j("nurse@a.example"), j("x@far.example")
	groups := []account.Group{
		{Name: "crew", Title: "The crew", Members: []jid.JID{juliet, romeo, nurse}},
		{Name: "house", Members: []jid.JID{nurse, far, juliet}},
		{Name: "again", Title: "The crew", Members: []jid.JID{romeo}},
	}
	for _, tt := range []struct {
		name string
		have []roster.Item
		want []roster.Item
	}{
		{"a new account", nil, []roster.Item{
			{Contact: romeo, Name: "romeo", Groups: []string{"The crew"}, Subscription: roster.Both},
			{Contact: nurse, Name: "nurse", Groups: []string{"The crew", "house"}, Subscription: roster.Both},
			{Contact: far, Name: "x", Groups: []string{"house"}, Subscription: roster.Both},
		}},
		{"contacts that are there stay as they are", []roster.Item{{Contact: nurse}, {Contact: romeo}}, []roster.Item{
			{Contact: far, Name: "x", Groups: []string{"house"}, Subscription: roster.Both},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := roster.Prefill(juliet, tt.have, groups)
			if d := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b jid.JID) bool { return a == b }), cmp.Comparer(func(a, b hybrid.ID) bool { return a == b })); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSubscriptionNames(t *testing.T) {
	t.Parallel()
	for s, want := range map[roster.Subscription]string{roster.None: "none", roster.To: "to", roster.From: "from", roster.Both: "both", 9: "none"} {
		if s.String() != want {
			t.Errorf("%d is %q, want %q", s, s, want)
		}
	}
}
