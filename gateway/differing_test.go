package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/control"
	"sallyport/links"
)

// TestCopiesThatDifferAfterAReload: copies were the same when they were merged, and under the policy of today one leaves with less. They
// cannot be one consignment any more: the many get theirs, in order, and for the one the room is told that he did not.
func TestCopiesThatDifferAfterAReload(t *testing.T) {
	const state = "hello</body><active xmlns='http://jabber.org/protocol/chatstates'/><body xml:lang='de'>hallo"
	for _, who := range []int{0, 7} {
		t.Run(occupant(who), func(t *testing.T) {
			between(t, mergedRooms, func(t *testing.T, e *ends) {
				e.settle(time.Second)
				e.wires.cut(sat)
				e.wires.cut(hf)
				id := e.said(state)
				after := e.said("afterwards")
				e.settle(5 * time.Second)
				to, _, _ := strings.Cut(occupant(who), "/")
				e.shore.site.rules = oneRule(`when = { to = ["` + to + `"] }` + "\naction = \"drop-chat-states\"")
				e.shore.site.write(t)
				e.shore.reloads <- struct{}{}
				e.settle(time.Minute)
				e.mend()
				e.settle(5 * time.Minute)
				heard := heardBy(e.ship)
				for i := range occupants {
					want := []string{id, after}
					if i == who {
						want = want[1:]
					}
					wantSame(t, heard[occupant(i)], want)
				}
				wantSame(t, e.shore.got("a.example"), []string{id})
				if c := e.counts(e.shore); c.Queued != 0 || c.Delivered != 2*occupants-1 || c.Bounced != 1 {
					t.Errorf("%+v", c)
				}
				if n := recordsOf(e.shore, "taken-out"); n != 1 {
					t.Errorf("%d records", n)
				}
			})
		})
	}
}

// TestCopiesThatDifferFromTheBeginning: what a rule makes different for one recipient is an entry of its own, also when the disk is full
// for a while.
func TestCopiesThatDifferFromTheBeginning(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprint(full), func(t *testing.T) {
			edit := func(shore, ship *site) {
				mergedRooms(shore, ship)
				ship.rules = oneRule(`when = { to = ["v07@b.example"] }` + "\naction = \"drop-chat-states\"")
			}
			between(t, edit, func(t *testing.T, e *ends) {
				e.settle(time.Second)
				e.ship.node.link.setFate(func(*delivery) fate { return fate{d: links.Failed, cause: links.ErrUnreachable} })
				if full {
					e.ship.spool.SetCapacity(1)
				}
				id := e.said("hello</body><active xmlns='http://jabber.org/protocol/chatstates'/><body xml:lang='de'>hallo")
				e.settle(time.Minute)
				e.ship.spool.SetCapacity(0)
				e.settle(time.Minute)
				if st, err := e.ship.Spool(t.Context(), control.SpoolQuestion{}); err != nil || st.Entries != 2 {
					t.Errorf("%d entries, %v", st.Entries, err)
				}
				before := len(e.ship.node.link.to("b.example"))
				e.ship.node.link.setFate(nil)
				e.settle(30 * time.Minute)
				heard := map[string]int{}
				for _, d := range e.ship.node.link.to("b.example")[before:] {
					heard[d.to]++
					if d.id != id || strings.Contains(d.text(), "chatstates") == (d.to == occupant(7)) {
						t.Errorf("%s", d.text())
					}
				}
				if c := e.counts(e.ship); len(heard) != occupants || c.Delivered != occupants || c.Queued != 0 {
					t.Errorf("%d heard, %+v", len(heard), c)
				}
			})
		})
	}
}
