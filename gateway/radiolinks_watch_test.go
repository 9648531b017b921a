package gateway_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/s5066"
	hfnode "sallyport/s5066/node"
)

// managed are nodes that permit managers.
var managed = etherConfig{edit: func(c *hfnode.Config) { c.SIS.MaxRank = s5066.RankManager }}

// words are the rules of the records about the link, in their order, with what else they must say.
func (x *end) wantChanges(want [][2]string) {
	x.t.Helper()
	all := x.records(audit.Filter{Kind: audit.PeerEvent, Link: "hf"})
	for i, w := range want {
		at := slices.IndexFunc(all, func(r audit.Entry) bool { return r.Rule == w[0] && strings.Contains(r.Reason, w[1]) })
		if at < 0 {
			x.t.Fatalf("no record %q after the first %d:\n%s", w, i, strings.Join(x.changes(), "\n"))
		}
		if all[at].FromPeer != "b" {
			x.t.Errorf("of peer %q: %+v", all[at].FromPeer, all[at].Record)
		}
		all = all[at+1:]
	}
}

// TestWhatTheNodeTellsIsRecorded: the link is made when there is something to send, and given up when there has been nothing for long.
func TestWhatTheNodeTellsIsRecorded(t *testing.T) {
	shore := radioSite(t, 0, "events = true\n")
	overEther(t, managed, shore, radioSite(t, 1, ""), func(t *testing.T, e *ends, _ *ether) {
		sent := e.send(3)
		e.settle(30 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)
		e.shore.node.end()
		e.shore.start(t, shore)
		e.settle(time.Minute)
		e.shore.wantChanges([][2]string{
			{"hf-watched", "is recorded"},
			{"hf-link-up", "nonexclusive"},
			{"hf-link-down", ""},
			{"hf-node-lost", "shut down"},
			{"hf-node-up", "bound to the node"},
		})
		for word, want := range map[string]int{"hf-watched": 2, "hf-not-watched": 1} {
			if n := len(e.shore.records(audit.Filter{Rule: word})); n != want {
				t.Errorf("%s: %d records, want %d", word, n, want)
			}
		}
	})
}

// TestANodeThatTellsNothing: that is recorded once, with what would help; the link works.
func TestANodeThatTellsNothing(t *testing.T) {
	overRadio(t, radioSite(t, 0, "events = true\n"), radioSite(t, 1, ""), func(t *testing.T, e *ends) {
		sent := e.send(3)
		e.settle(30 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)
		e.shore.wantChanges([][2]string{{"hf-not-watched", "max_rank = 15"}})
		if n := len(e.shore.records(audit.Filter{Rule: "hf-not-watched"})); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

// TestANodeUnderSilence says so to every client, and that is recorded.
func TestANodeUnderSilence(t *testing.T) {
	overEther(t, etherConfig{}, radioSite(t, 0, ""), radioSite(t, 1, ""), func(t *testing.T, e *ends, air *ether) {
		for _, on := range []bool{true, false} {
			air.nodes[0].SetEMCON(on)
			e.settle(time.Minute)
		}
		e.shore.wantChanges([][2]string{{"hf-node-up", ""}, {"hf-node-silent", "EMCON"}, {"hf-node-speaks", ""}})
	})
}
