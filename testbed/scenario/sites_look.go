package scenario

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/gateway/control"
)

// queued is how much the gateway says that it keeps and has not sent.
func (g *Gateway) queued(t *testing.T) int64 {
	t.Helper()
	var status control.Status
	g.show(t, &status, "status")
	return status.Stanzas.Queued
}

func (g *Gateway) show(t *testing.T, into any, args ...string) {
	t.Helper()
	out, err := g.command(append(args, "--json")...)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("sallyport %v: %v: %s", args, err, out)
	}
}

// wantWaiting waits until at least n stanzas wait.
func (g *Gateway) wantWaiting(t *testing.T, n int64) {
	t.Helper()
	if !eventually(Patience, func() bool { return g.queued(t) >= n }) {
		t.Errorf("%s: %d wait, want %d at least", filepath.Base(g.dir), g.queued(t), n)
	}
}

// wantDrained waits until nothing waits, and wants the account of the node to add up.
func (g *Gateway) wantDrained(t *testing.T) {
	t.Helper()
	if !eventually(Patience, func() bool { return g.queued(t) == 0 }) {
		t.Errorf("%s: %d still wait", filepath.Base(g.dir), g.queued(t))
	}
	var status control.Status
	if !eventually(Patience, func() bool { g.show(t, &status, "status"); return len(status.Problems) == 0 }) {
		t.Errorf("%s: problems: %q", filepath.Base(g.dir), status.Problems)
	}
}

// wantSettled wants a record of what became of something of a sender that had been accepted.
func (g *Gateway) wantSettled(t *testing.T, outcome, from string) {
	t.Helper()
	found := eventually(Patience, func() bool {
		lines, err := g.Audit()
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(lines, func(l audit.Entry) bool {
			return l.Kind == audit.Settlement && l.Outcome == outcome && l.From == from
		})
	})
	if !found {
		t.Errorf("%s: no record that something of %s was %s", filepath.Base(g.dir), from, outcome)
	}
}

// publicClearance is the file of the clearance for what is PUBLIC.
func publicClearance() string { return testdata() + "/clearance-public.xml" }
