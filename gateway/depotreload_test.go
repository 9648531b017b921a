package gateway_test

import (
	"testing"
	"time"
)

func TestReloadRefusesWhatIsQueued(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.wires.cut(sat)
		e.wires.cut(hf)
		sent := e.send(3)
		e.settle(time.Minute)
		e.shore.site.rules = oneRule(`action = "refuse"`)
		e.shore.site.write(t)
		e.shore.reloads <- struct{}{}
		e.settle(time.Minute)
		e.mend()
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), nil)
		wantSame(t, e.shore.got("a.example"), sent)
		for _, d := range e.shore.node.link.to("a.example") {
			if d.condition() != "policy-violation" {
				t.Errorf("the sender is told %q", d.condition())
			}
		}
		refused := 0
		for _, r := range e.shore.records(settlements) {
			if r.Outcome == "refused" && r.Stage == "rules" {
				refused++
			}
		}
		if c := e.counts(e.shore); c.Refused != 3 || refused != 3 {
			t.Errorf("%+v, %d records", c, refused)
		}
	})
}

// TestReloadOfLinks: links come, go and change their order under traffic, and nothing is lost, doubled or turned round.
func TestReloadOfLinks(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.wires.delay = 30 * time.Millisecond
		both := e.shore.site.more
		var sent []string
		for _, more := range []string{
			linkTable("hf", "b", hf, "connect", ""), both,
			linkTable("sat", "b", sat, "connect", "priority = 9") + linkTable("hf", "b", hf, "connect", "priority = 1"),
			linkTable("sat", "b", sat, "connect", ""), both,
		} {
			for range 10 {
				sent = append(sent, e.send(3)...)
				e.settle(20 * time.Millisecond)
			}
			e.shore.site.more = more
			e.shore.site.write(t)
			e.shore.reloads <- struct{}{}
			sent = append(sent, e.send(3)...)
			e.settle(20 * time.Second)
		}
		e.settle(10 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)
		if c := e.counts(e.shore); int(c.Delivered) != len(sent) || c.Queued != 0 {
			t.Errorf("%d sent, %+v", len(sent), c)
		}
	})
}
