package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/links"
)

func TestOverCustody(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		sent := e.send(20)
		e.settle(5 * time.Second)
		wantSame(t, e.ship.got("b.example"), sent)
		if c := e.counts(e.shore); c.Delivered != 20 || c.Queued != 0 {
			t.Errorf("shore %+v", c)
		}
		if c := e.counts(e.ship); c.Accepted != 20 || c.Delivered != 20 {
			t.Errorf("ship %+v", c)
		}
		if n := e.shore.receipts.settled(); n != 20 {
			t.Errorf("%d of 20 acknowledged", n)
		}
	})
}

func TestOutageIsKeptAndDrainedInOrder(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.wires.cut(sat)
		e.wires.cut(hf)
		sent := e.send(200)
		e.settle(12 * time.Hour)
		if c := e.counts(e.shore); c.Queued != 200 || e.shore.receipts.settled() != 200 {
			t.Errorf("%+v, %d acknowledged", c, e.shore.receipts.settled())
		}
		e.mend()
		e.settle(10 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)
		for _, d := range e.ship.node.link.to("b.example") {
			if !strings.Contains(d.text(), "urn:xmpp:delay") {
				t.Fatalf("no stamp on %s", d.text())
			}
		}
	})
}

func TestFailOverAndFallForwardUnderTraffic(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		var sent []string
		traffic := func(d time.Duration) {
			for range int(d / time.Second) {
				sent = append(sent, e.send(2)...)
				e.settle(time.Second)
			}
		}
		traffic(5 * time.Second)
		for range 3 {
			e.wires.cut(sat)
			traffic(20 * time.Second)
			e.wires.mend(sat)
			traffic(5 * time.Minute)
		}
		e.settle(time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)
		carried := map[string]int{}
		for _, r := range e.ship.records(decisions) {
			carried[r.Link]++
		}
		if carried["hf"] < 60 || carried["sat"] < 1000 || carried["hf"]+carried["sat"] != len(sent) {
			t.Errorf("carried %v of %d", carried, len(sent))
		}
	})
}

// TestKilledAtAnyMoment: whatever is killed when, what was acknowledged arrives once and in order.
func TestKilledAtAnyMoment(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			between(t, nil, func(t *testing.T, e *ends) {
				r := rand.New(rand.NewPCG(seed, 4))
				e.wires.delay, e.ship.spool.sync, e.shore.spool.sync = 30*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
				e.wires.cut(sat)
				e.wires.cut(hf)
				e.mend()
				var sent, got []string
				for range 12 {
					sent = append(sent, e.send(1+r.IntN(30))...)
					e.settle(time.Duration(r.IntN(150)) * time.Millisecond)
					switch r.IntN(4) {
					case 0:
						e.kill(e.ship, r.IntN)
						got = append(got, e.ship.got("b.example")...)
						e.mend()
						e.ship.start(t, e.ship.site)
					case 1:
						e.acknowledged() // what is not would be sent again by its server
						e.kill(e.shore, r.IntN)
						e.mend()
						e.shore.start(t, e.shore.site)
					case 2:
						e.wires.cut(sat)
					default:
						e.mend()
					}
					e.settle(time.Duration(r.IntN(5000)) * time.Millisecond)
				}
				e.mend()
				e.settle(15 * time.Minute)
				got = append(got, e.ship.got("b.example")...)
				seen, last := map[string]bool{}, -1
				for _, id := range got {
					at := slices.Index(sent, id)
					if seen[id] {
						t.Errorf("%s twice", id)
					}
					seen[id] = true
					if at < last {
						t.Errorf("%s out of order", id)
					}
					last = max(last, at)
				}
				doubtful := map[string]bool{} // between the ship and its own server, and on record
				for _, r := range e.ship.records(settlements) {
					doubtful[r.StanzaID] = doubtful[r.StanzaID] || r.Outcome == "uncertain"
				}
				for _, id := range sent {
					if !seen[id] && !doubtful[id] {
						t.Errorf("%s is lost", id)
					}
				}
				if c := e.counts(e.shore); c.Queued != 0 {
					t.Errorf("shore %+v", c)
				}
			})
		})
	}
}

func TestLifetimeIsOverAndTheSenderIsTold(t *testing.T) {
	between(t, func(shore, _ *site) { shore.more += "\n[spool]\nlifetime = \"10m\"\n" }, func(t *testing.T, e *ends) {
		e.wires.cut(sat)
		e.wires.cut(hf)
		e.settle(time.Minute)
		sent := e.send(3)
		e.settle(11 * time.Minute)
		wantSame(t, e.shore.got("a.example"), sent)
		if c := e.counts(e.shore); c.Expired != 3 || c.Queued != 0 {
			t.Errorf("%+v", c)
		}
		if n := len(e.shore.records(settlements)); n != 3 {
			t.Errorf("%d records", n)
		}
		e.mend()
		e.settle(time.Minute)
		wantSame(t, e.ship.got("b.example"), nil)
	})
}

// TestRefusedFarAway: what the other gateway refuses is answered through both spools.
func TestRefusedFarAway(t *testing.T) {
	between(t, func(_, ship *site) { ship.rules = oneRule(`action = "refuse"`) }, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		sent := e.send(3)
		e.settle(time.Minute)
		wantSame(t, e.shore.got("a.example"), sent)
		if c := e.counts(e.ship); c.Refused != 3 || c.Accepted != 3 {
			t.Errorf("ship %+v", c)
		}
		if c := e.counts(e.shore); c.Delivered != 6 { // three there, three errors back
			t.Errorf("shore %+v", c)
		}
	})
}

func TestRequestAndAnswerOverASlowWay(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.shore.arrive("<iq type='get' id='q1' from='u@a.example/r' to='b.example'><ping xmlns='urn:xmpp:ping'/></iq>")
		e.settle(5 * time.Second)
		wantSame(t, e.ship.got("b.example"), []string{"q1"})
		e.ship.arrive("<iq type='result' id='q1' from='b.example' to='u@a.example/r'/>")
		e.settle(5 * time.Second)
		wantSame(t, e.shore.got("a.example"), []string{"q1"})
	})
}

// TestUnclearedBearer: what a link is not cleared for waits for one that is, and holds nothing else up.
func TestUnclearedBearer(t *testing.T) {
	between(t, onlySat, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.wires.cut(sat)
		e.settle(time.Second)
		secret, open := freshID(), freshID()
		e.shore.arrive(labelled(secret, "a.example", "b.example", "SECRET"))
		e.shore.arrive(strings.Replace(message(open, "a.example", "b.example"), "'u@", "'w@", 1))
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), []string{open})
		if c := e.counts(e.shore); c.Queued != 1 || c.Delivered != 1 {
			t.Errorf("%+v", c)
		}
		e.mend()
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), []string{open, secret})
		for _, r := range e.ship.records(decisions) {
			if r.StanzaID == secret && r.Link != "sat" {
				t.Errorf("SECRET came by %s", r.Link)
			}
		}
		if c := e.counts(e.shore); c.Delivered != 2 || c.Superseded != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestSpoolOfStreams: a server behind ordinary streams that cannot be reached is waited for.
func TestSpoolOfStreams(t *testing.T) {
	edit := func(s *site) {
		s.peers = peerTable("a", "in", allKinds) + peerTable("b", "out", allKinds, "spool = true") + peerTable("c", "in", allKinds)
	}
	bubble(t, edit, func(t *testing.T, n *node) {
		n.link.setFate(func(d *delivery) fate {
			if d.Released.Remote().Domain() == "b.example" {
				return fate{d: links.Failed, cause: links.ErrUnreachable}
			}
			return fate{d: links.Delivered}
		})
		var sent []string
		for range 30 {
			sent = append(sent, freshID())
			n.arrive(message(sent[len(sent)-1], "a.example", "b.example"))
		}
		time.Sleep(10 * time.Minute)
		n.rest()
		if c := n.balanced(); c.Queued != 30 || n.receipts.settled() != 30 {
			t.Errorf("%+v, %d acknowledged", c, n.receipts.settled())
		}
		before := len(n.link.to("b.example"))
		n.link.setFate(nil)
		time.Sleep(10 * time.Minute)
		n.rest()
		if got := ids(n.link.to("b.example")[before:]); !slices.Equal(got, sent) {
			t.Errorf("got %v, want %v", got, sent)
		}
		if c := n.balanced(); c.Delivered != 30 || c.Queued != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestUrgentGoesFirst: what waits leaves in the order of its precedence, and each in the order it came.
func TestUrgentGoesFirst(t *testing.T) {
	edit := func(shore, _ *site) { shore.more += "\n[precedence.kind]\n\"message.headline\" = \"flash\"\n" }
	between(t, edit, func(t *testing.T, e *ends) {
		e.wires.cut(sat)
		e.wires.cut(hf)
		e.settle(time.Minute)
		routine := e.send(30)
		var flash []string
		for range 3 {
			flash = append(flash, freshID())
			e.shore.arrive(strings.Replace(message(flash[len(flash)-1], "a.example", "b.example"), "'chat'", "'headline'", 1))
		}
		e.settle(time.Minute)
		e.mend()
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), append(flash, routine...))
	})
}
