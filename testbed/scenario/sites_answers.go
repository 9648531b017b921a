package scenario

import (
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/gateway/control"
	"sallyport/testbed/cable"
)

// answeredWhileCut: what the far side has said of itself is told at home while the link is cut, to everybody who may hear it, and by
// nobody but the gateway; what it has not said waits, and comes when the link is back.
func answeredWhileCut(t *testing.T, w *World) {
	s := w.sites(t)
	alice, carol := w.Inside(t, "alice"), w.Inside(t, "carol")
	server := w.Bed.Ejabberd.Domain
	first, err := alice.DiscoInfo(server)
	alice.must(err)
	s.Cables["satellite"].Set(cable.Broken)
	s.Gateway.wantLink(t, "satellite", false)
	crossed := s.Cables["satellite"].Stats().Bytes
	for _, who := range []*User{alice, carol} {
		again, err := who.DiscoInfo(server)
		who.must(err)
		if features(again) == "" || features(again) != features(first) {
			t.Errorf("told at home %s, before %s", again, first)
		}
	}
	if n := s.Cables["satellite"].Stats().Bytes; n != crossed {
		t.Errorf("%d bytes crossed a link that is cut", n-crossed)
	}
	var shown control.PeerDetail
	s.Gateway.show(t, &shown, "peer", "show", outsidePeer)
	if shown.Answered != 2 || shown.Saved == 0 || shown.Kept == 0 {
		t.Errorf("the operator is shown %d answered, %d bytes saved, %d kept", shown.Answered, shown.Saved, shown.Kept)
	}
	lines, err := s.Gateway.Audit()
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, l := range lines {
		if l.Kind == audit.Decision && l.Outcome == "answered" {
			answered++
		}
	}
	if answered != 2 {
		t.Errorf("%d records of requests that were answered at home, want 2", answered)
	}
	s.Cables["satellite"].Set(cable.Whole)
	s.Gateway.wantLink(t, "satellite", true)
	items, err := alice.DiscoItems(server)
	alice.must(err)
	if !strings.Contains(items, w.Bed.Ejabberd.Rooms()) {
		t.Errorf("no room service among the items: %s", items)
	}
	s.Gateway.wantDrained(t)
}

// features are what a server says of itself, without the addresses and the id of one answer.
func features(xml string) string {
	_, query, _ := strings.Cut(xml, "query>")
	return query
}
