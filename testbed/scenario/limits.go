package scenario

import (
	"slices"
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/testbed/client"
	"sallyport/testbed/peers"
)

// smallStanza is the least that a server may take (RFC 6120 §13.12).
const smallStanza = 10_000

// SmallStanzas makes Prosody take no larger stanza from other servers than every server must, and say so (XEP-0478). It
// closes the stream on which a much larger one comes.
func SmallStanzas() Setup {
	return Setup{Peers: peers.Options{Prosody: func(s *peers.Settings, _ *peers.CA) error {
		s.StanzaLimit = smallStanza
		return nil
	}}}
}

// tooLargeForNeighbour: what is larger than Prosody says it takes is not written; its sender gets it back, the log says
// why, and the stream lives (XEP-0478 §3).
func tooLargeForNeighbour(t *testing.T, w *World) {
	gateway := w.gateway(t)
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	fits := "this fits " + strings.Repeat("x", smallStanza-1_000)
	bob.Says(alice.JID, fits)
	alice.Hears(fits)
	before := outward(t, gateway, insidePeer)
	for range 3 {
		bob.must(bob.Send(client.Message{To: alice.JID, ID: "large", Body: strings.Repeat("y", 3*smallStanza)}))
		e := bob.SeesError("policy-violation")
		if e.ID != "large" || strings.Contains(e.XML, " by=") {
			t.Errorf("not the answer to what was sent, or with a by: %s", e.XML)
		}
		bob.Says(alice.JID, "still there?")
		alice.Hears("still there?")
	}
	alice.HearsNothing(func(e client.Event) bool { return strings.HasPrefix(e.Body, "yyy") })
	if after := outward(t, gateway, insidePeer); len(before) == 0 || !slices.Equal(before, after) {
		t.Errorf("streams to Prosody before %v, after %v", before, after)
	}
	var lines []audit.Entry
	settled := 0
	all := func() bool { // a record of what became of something may follow the answer
		var err error
		if lines, err = gateway.Audit(); err != nil {
			t.Fatal(err)
		}
		settled = tooBig(lines, bob.JID)
		return settled >= 3
	}
	if !eventually(Patience, all) || settled != 3 {
		t.Errorf("%d records say that it was too big, want 3: %+v", settled, tail(lines, 12))
	}
}

// tooBig counts what was released, and then was too big for whom it was for.
func tooBig(lines []audit.Entry, from string) (settled int) {
	decided := map[uint64]bool{}
	for _, l := range lines {
		switch {
		case l.Kind == audit.Decision && l.From == from && l.StanzaID == "large":
			decided[l.Seq] = l.Outcome == "released" && l.Size > smallStanza
		case l.Kind == audit.Settlement && decided[l.Of] && l.Outcome == "too-big":
			settled++
		}
	}
	return settled
}

// stream is one that the gateway opened.
type stream struct{ local, address, since string }

// outward are the streams that carry stanzas to a peer.
func outward(t *testing.T, g *Gateway, peer string) []stream {
	t.Helper()
	p, err := g.Peer(peer)
	if err != nil {
		t.Fatal(err)
	}
	var all []stream
	for _, s := range p.Open {
		if s.Direction != directionIn {
			all = append(all, stream{s.Local, s.Address, s.Since.String()})
		}
	}
	return all
}

// directionIn is how control calls a stream that only brings stanzas.
const directionIn = "in"
