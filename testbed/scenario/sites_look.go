package scenario

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
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
	fine := func() bool {
		g.show(t, &status, "status")
		spool := g.spool(t)
		return len(status.Problems) == 0 && spool.Entries == 0 && spool.Balance == 0 && spool.Error == ""
	}
	if !eventually(Patience, fine) {
		t.Errorf("%s: problems: %q; %+v", filepath.Base(g.dir), status.Problems, g.spool(t))
	}
}

// both are the gateways of the two sites.
func (s *Sites) both() []*Gateway { return []*Gateway{s.Gateway, s.Ship} }

// wantBothDrained wants the same of both.
func (s *Sites) wantBothDrained(t *testing.T) {
	t.Helper()
	for _, g := range s.both() {
		g.wantDrained(t)
	}
}

// links is what `sallyport link status` shows.
func (g *Gateway) links(t *testing.T) map[string]control.LinkStatus {
	t.Helper()
	var shown struct{ Links []control.LinkStatus }
	g.show(t, &shown, "link", "status")
	all := map[string]control.LinkStatus{}
	for _, l := range shown.Links {
		all[l.Name] = l
	}
	return all
}

// wantLink waits until the operator is shown that a link is up, or that it is not.
func (g *Gateway) wantLink(t *testing.T, name string, up bool) {
	t.Helper()
	if !eventually(Patience, func() bool { return (g.links(t)[name].State == "up") == up }) {
		t.Errorf("%s: link %s: %+v, want up: %v", filepath.Base(g.dir), name, g.links(t)[name], up)
	}
}

// wantCarries waits until the operator is shown that a link carries what is routine.
func (g *Gateway) wantCarries(t *testing.T, name string) {
	t.Helper()
	if !eventually(Patience, func() bool { return slices.Contains(g.links(t)[name].Carries, "routine") }) {
		t.Errorf("%s: shown as carrying nothing: %+v", filepath.Base(g.dir), g.links(t)[name])
	}
}

// spool is what `sallyport spool list` shows, with some entries.
func (g *Gateway) spool(t *testing.T) control.SpoolStatus {
	t.Helper()
	var shown control.SpoolStatus
	g.show(t, &shown, "spool", "list", "--entries", "20")
	return shown
}

// wantAside waits until one entry stands aside, and wants it to be shown as waiting for one link alone.
func (g *Gateway) wantAside(t *testing.T, link string) {
	t.Helper()
	var aside []control.SpoolEntry
	eventually(Patience, func() bool {
		aside = slices.DeleteFunc(g.spool(t).List, func(e control.SpoolEntry) bool { return e.State != "aside" })
		return len(aside) == 1
	})
	if len(aside) != 1 {
		t.Errorf("%d entries stand aside, want one: %+v", len(aside), g.spool(t))
		return
	}
	var detail control.SpoolDetail
	g.show(t, &detail, "spool", "show", strconv.FormatUint(aside[0].Number, 10))
	if !slices.Equal(detail.Links, []string{link}) || detail.Outcome != "released" {
		t.Errorf("shown as %s by %v, want released by %s alone", detail.Outcome, detail.Links, link)
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
