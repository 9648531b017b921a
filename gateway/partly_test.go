package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/links"
)

// copiesOf counts what each occupant was given, of those for whom it counts.
func copiesOf(x *end, counts func(*delivery) bool) map[string]int {
	out := map[string]int{}
	for _, d := range x.node.link.to("b.example") {
		if counts(d) {
			out[d.to]++
		}
	}
	return out
}

// TestSomeHaveTheirCopy: of a message for several some copies are delivered, and the others have to wait. Who has his is never sent it
// again, whatever happens meanwhile, and nobody is told that he has not.
func TestSomeHaveTheirCopy(t *testing.T) {
	rows := []struct {
		name  string
		do    func(e *ends)
		ends  map[string]int64 // of the ship; what the others come to
		again bool             // the others get theirs
	}{
		{"sent again", func(*ends) {}, map[string]int64{"delivered": occupants}, true},
		{"other links meanwhile", func(e *ends) {
			e.ship.site.peers = strings.Replace(e.ship.site.peers, `domains = ["b.example"]`, "domains = [\"b.example\"]\nin-doubt = \"resend\"", 1)
			e.ship.site.write(e.t)
			e.ship.reloads <- struct{}{}
		}, map[string]int64{"delivered": occupants}, true},
		{"their time is over", func(e *ends) { e.settle(30 * time.Minute) }, map[string]int64{"delivered": 2, "expired": occupants - 2}, false},
		{"killed", func(e *ends) {
			e.kill(e.ship, func(int) int { return 0 })
			e.mend()
			e.ship.start(e.t, e.ship.site)
		}, nil, false},
	}
	there := func(d *delivery) bool { return d.to == occupant(0) || d.to == occupant(2) }
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			edit := func(shore, ship *site) {
				mergedRooms(shore, ship)
				ship.more += "\n[spool]\nlifetime = \"20m\"\n"
			}
			between(t, edit, func(t *testing.T, e *ends) {
				e.settle(time.Second)
				e.ship.node.link.setFate(func(d *delivery) fate {
					if d.Released.Remote().Domain() == "b.example" && !there(d) {
						return fate{d: links.Failed, cause: links.ErrUnreachable}
					}
					return fate{d: links.Delivered}
				})
				e.said("hello")
				e.settle(time.Minute)
				first := copiesOf(e.ship, there)
				if want := map[string]int{occupant(0): 1, occupant(2): 1}; fmt.Sprint(first) != fmt.Sprint(want) {
					t.Errorf("delivered %v", first)
				}
				if c := e.counts(e.ship); c.Delivered != 2 || c.Queued != occupants-2 {
					t.Errorf("%+v", c)
				}
				was := e.ship.node.link
				before := len(was.to("b.example"))
				row.do(e)
				if e.ship.node.link != was {
					before = 0
				}
				e.ship.node.link.setFate(nil)
				e.settle(time.Hour)
				later := map[string]bool{}
				for _, d := range e.ship.node.link.to("b.example")[before:] {
					if later[d.to] = true; there(d) {
						t.Errorf("%s has it twice", d.to)
					}
				}
				c := e.counts(e.ship)
				if row.ends != nil && (c.Delivered != row.ends["delivered"] || c.Expired != row.ends["expired"]) || c.Queued != 0 {
					t.Errorf("%+v", c)
				}
				told := len(e.shore.got("a.example"))
				if row.again && (told != 0 || len(later) != occupants-2) || !row.again && told < occupants-2 {
					t.Errorf("%d errors, %d copies", told, len(later))
				}
			})
		})
	}
}

// TestReloadWhileRoomIsWaitedFor: what was judged and waits for room in the queue of its link is judged again when it leaves under
// another policy.
func TestReloadWhileRoomIsWaitedFor(t *testing.T) {
	edit := func(s *site) {
		s.peers = peerTable("a", "in", allKinds) + peerTable("b", "out", allKinds, "spool = true") + peerTable("c", "in", allKinds)
	}
	bubble(t, edit, func(t *testing.T, n *node) {
		n.link.setFull("b.example", true)
		id := freshID()
		n.arrive(message(id, "a.example", "b.example"))
		time.Sleep(time.Second)
		n.rest()
		n.site.rules = oneRule(`action = "refuse"`)
		n.site.write(t)
		n.reloads <- struct{}{}
		n.rest()
		n.link.setFull("b.example", false)
		time.Sleep(time.Minute)
		n.rest()
		n.wantIDs("b.example")
		n.wantIDs("a.example", id)
		if c := n.balanced(); c.Refused != 1 || c.Queued != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestReloadWhileRoomForCopies is the same for several recipients, of whom one may not have it any more.
func TestReloadWhileRoomForCopies(t *testing.T) {
	between(t, mergedRooms, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.ship.node.link.setFull("b.example", true)
		e.said("hello")
		e.settle(5 * time.Second)
		e.ship.site.rules = oneRule(`when = { to = ["v07@b.example"] }` + "\naction = \"refuse\"")
		e.ship.site.write(t)
		e.ship.reloads <- struct{}{}
		e.settle(time.Second)
		e.ship.node.link.setFull("b.example", false)
		e.settle(time.Minute)
		if heard := heardBy(e.ship); len(heard) != occupants-1 || heard[occupant(7)] != nil {
			t.Errorf("%v", heard)
		}
		if c := e.counts(e.ship); c.Refused != 1 || c.Delivered != occupants-1 {
			t.Errorf("%+v", c)
		}
	})
}

// TestClearanceOfALinkIsLowered: what was cleared for either link when it was taken, and is no more, waits for the one that still is.
func TestClearanceOfALinkIsLowered(t *testing.T) {
	edit := func(shore, ship *site) {
		for _, s := range []*site{shore, ship} {
			s.peers = strings.ReplaceAll(s.peers, "policy/outside.clearance.xml", "policy/inside.clearance.xml")
		}
	}
	between(t, edit, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.wires.cut(sat)
		e.wires.cut(hf)
		secret := freshID()
		e.shore.arrive(labelled(secret, "a.example", "b.example", "SECRET"))
		e.settle(time.Minute)
		e.shore.site.more = strings.ReplaceAll(e.shore.site.more, "priority = 2", "priority = 2\nclearance = \"policy/outside.clearance.xml\"")
		e.shore.site.write(t)
		e.shore.reloads <- struct{}{}
		e.settle(time.Second)
		e.wires.mend(hf)
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), nil)
		wantSame(t, e.shore.got("a.example"), nil)
		e.mend()
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), []string{secret})
		for _, r := range e.ship.records(decisions) {
			if r.Link != "sat" {
				t.Errorf("SECRET came by %s", r.Link)
			}
		}
	})
}
