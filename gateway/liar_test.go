package gateway_test

import (
	"context"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/peering"
)

// Gateways of our own form that keep custody, and lie.

// frames lets something come in on the ship, under custody, as the gateway on shore would send it.
func (e *ends) frames(f links.Frame, s stanza.Stanza, also ...string) {
	in := links.Inbound{
		Stanza: s, Also: jids(also), Bytes: 100, Link: "sat", Side: "out", Peer: "a", Domain: jid.MustParse("a.example"),
		LocalDomain: jid.MustParse("b.example"), Proof: peering.Proof{Method: peering.SourceAddress}, Time: time.Now(), Frame: f,
	}
	e.ship.Accept(context.Background(), in)
}

func jids(texts []string) (out []jid.JID) {
	for _, text := range texts {
		out = append(out, jid.MustParse(text))
	}
	return out
}

// TestLieOfASpoolSetBack: a peer that says it holds numbers which were never given may be witness of a spool that was set back, at its
// first greeting. After that its word costs the others nothing: what is on its way to them arrives once, the numbers stay what they are.
func TestLieOfASpoolSetBack(t *testing.T) {
	for name, restarted := range map[string]bool{"a new spool": false, "an old one": true} {
		t.Run(name, func(t *testing.T) {
			between(t, nil, func(t *testing.T, e *ends) {
				e.wires.delay = 2 * time.Second
				e.settle(time.Minute)
				if restarted {
					e.kill(e.shore, func(int) int { return 0 })
					e.mend()
					e.shore.start(t, e.shore.site)
				}
				e.shore.Custodian().Greeted("sat", "c", 77, nil)
				var sent []string
				epochs := map[string]bool{}
				for range 6 {
					sent = append(sent, e.send(2)...)
					e.settle(3 * time.Second)
					e.shore.Custodian().Greeted("sat", "c", 77, []links.Mark{{Epoch: e.shore.Custodian().Epoch(), Number: 1 << 40}})
					e.settle(2 * time.Minute)
					epochs[e.epoch()] = true
				}
				wantSame(t, e.ship.got("b.example"), sent)
				if len(epochs) > 1 {
					t.Errorf("the numbers began anew %d times", len(epochs))
				}
				wantSame(t, e.shore.got("a.example"), nil)
				if n := len(e.shore.records(audit.Filter{Kind: audit.SecurityEvent})); n < 6 {
					t.Errorf("%d records of a lie", n)
				}
			})
		})
	}
}

// TestAnotherEpochAtEveryGreeting: what came in under an epoch that is over is not remembered.
func TestAnotherEpochAtEveryGreeting(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.ship.spool.sync = time.Minute
		e.settle(time.Second)
		e.ship.link.setFull("b.example", true)
		for epoch := range uint64(20) {
			e.ship.Custodian().Greeted("sat", "a", 100+epoch, nil)
			go e.frames(links.Frame{Epoch: 100 + epoch, Number: 1}, parseStanza(t, message(freshID(), "a.example", "b.example")))
			e.settle(time.Millisecond)
		}
		if n := e.ship.Unsettled("a"); n > 1 {
			t.Errorf("%d wait for their receipt", n)
		}
		e.ship.link.setFull("b.example", false)
		e.settle(time.Hour)
	})
}
