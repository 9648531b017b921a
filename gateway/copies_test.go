package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
)

// occupants are behind the ship.
const occupants = 20

func mergedRooms(shore, _ *site) {
	shore.more += "\n[peer.b.thin]\nrooms = \"merged\"\n[spool]\nmerge-window = \"500ms\"\n"
}

func occupant(i int) string { return fmt.Sprintf("v%02d@b.example/r", i) }

func roomSays(id string, i int, more string) string {
	return fmt.Sprintf("<message id='%s' from='room@a.example/nick' to='%s' type='groupchat'><body>%s</body></message>", id, occupant(i), more)
}

// said lets a room say something to all of its occupants.
func (e *ends) said(text string) string {
	id := freshID()
	for i := range occupants {
		e.shore.arrive(roomSays(id, i, text))
	}
	return id
}

// wroteOut is what shore has written to its links.
func (e *ends) wroteOut() (stanzas, bytes uint64) {
	all, err := e.shore.Links(context.Background())
	if err != nil {
		e.t.Fatal(err)
	}
	for _, l := range all {
		stanzas += uint64(l.StanzasOut)
		bytes += uint64(l.BytesOut)
	}
	return stanzas, bytes
}

// heardBy is what each occupant got, in order.
func heardBy(x *end) map[string][]string {
	out := map[string][]string{}
	for _, d := range x.node.link.to("b.example") {
		out[d.to] = append(out[d.to], d.id)
	}
	return out
}

func TestARoomCrossesOnce(t *testing.T) {
	for _, compression := range []string{"none", "fresh", "shared"} {
		t.Run(compression, func(t *testing.T) { roomCrossesOnce(t, compression) })
	}
}

func roomCrossesOnce(t *testing.T, compression string) {
	edit := func(shore, ship *site) {
		for _, s := range []*site{shore, ship} {
			s.more = strings.ReplaceAll(s.more, "\npriority", fmt.Sprintf("\ncompression = %q\npriority", compression))
		}
		mergedRooms(shore, ship)
	}
	between(t, edit, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.shore.arrive(roomSays(freshID(), 0, "one"))
		e.settle(time.Minute)
		_, bytes := e.wroteOut()
		e.shore.arrive(roomSays(freshID(), 0, "one"))
		e.settle(5 * time.Second)
		_, alone := e.wroteOut()
		alone -= bytes
		stanzas, bytes := e.wroteOut()
		var want []string
		for _, text := range []string{"first", "second", "third"} {
			want = append(want, e.said(text))
			e.settle(5 * time.Second)
		}
		after, bytesAfter := e.wroteOut()
		if after-stanzas != 3 {
			t.Errorf("%d consignments for 3 messages", after-stanzas)
		}
		if each := (bytesAfter - bytes) / 3; each > alone+occupants*40 {
			t.Errorf("%d bytes for %d occupants, %d for one", each, occupants, alone)
		} else {
			t.Logf("%d bytes for %d occupants, %d for one", each, occupants, alone)
		}
		if all, _ := e.shore.Links(context.Background()); all[0].Folded+all[1].Folded < 3*(occupants-1)*100 {
			t.Errorf("%d and %d bytes spared", all[0].Folded, all[1].Folded)
		}
		heard := heardBy(e.ship)
		for i := 1; i < occupants; i++ {
			wantSame(t, heard[occupant(i)], want)
		}
		if c := e.counts(e.ship); c.Accepted != 3*occupants+2 || c.Delivered != c.Accepted {
			t.Errorf("ship %+v", c)
		}
		if c := e.counts(e.shore); c.Delivered != 3*occupants+2 {
			t.Errorf("shore %+v", c)
		}
		if n := len(e.ship.records(decisions)); n != 3*occupants+2 {
			t.Errorf("%d records", n)
		}
	})
}

// TestOneOccupantIsRefused: by either gateway, and the others get their copies.
func TestOneOccupantIsRefused(t *testing.T) {
	for _, where := range []string{"shore", "shore, later", "ship"} {
		t.Run(where, func(t *testing.T) {
			rule := oneRule(`when = { to = ["v00@b.example", "v07@b.example"] }` + "\naction = \"refuse\"")
			edit := func(shore, ship *site) {
				mergedRooms(shore, ship)
				switch where {
				case "shore":
					shore.rules = rule
				case "ship":
					ship.rules = rule
				}
			}
			between(t, edit, func(t *testing.T, e *ends) {
				e.settle(time.Second)
				if where == "shore, later" {
					e.wires.cut(sat)
					e.wires.cut(hf)
				}
				id := e.said("hello")
				e.settle(5 * time.Second)
				if where == "shore, later" {
					e.shore.site.rules = rule
					e.shore.site.write(t)
					e.shore.reloads <- struct{}{}
					e.settle(time.Minute)
					e.mend()
				}
				e.settle(5 * time.Minute)
				heard := heardBy(e.ship)
				for i := range occupants {
					want := []string{id}
					if i == 0 || i == 7 {
						want = nil
					}
					wantSame(t, heard[occupant(i)], want)
				}
				at := e.shore
				if where == "ship" {
					at = e.ship
				}
				if c := e.counts(at); c.Refused != 2 || c.Delivered < occupants-2 {
					t.Errorf("%+v", c)
				}
				e.counts(e.shore)
				e.counts(e.ship)
				if n := len(e.shore.got("a.example")); n != 2 {
					t.Errorf("%d errors", n)
				}
			})
		})
	}
}

// TestACopyFollowsWhatStandsAside: what was said to one occupant alone waits for a link that is cleared for it. What the room says
// afterwards comes to him after it, and to the others at once.
func TestACopyFollowsWhatStandsAside(t *testing.T) {
	edit := func(shore, ship *site) {
		mergedRooms(shore, ship)
		for _, s := range []*site{shore, ship} {
			s.peers = strings.ReplaceAll(s.peers, "policy/outside.clearance.xml", "policy/inside.clearance.xml")
			s.more = strings.ReplaceAll(s.more, "priority = 2", "priority = 2\nclearance = \"policy/outside.clearance.xml\"")
		}
	}
	for _, atOnce := range []bool{false, true} { // the second is said before the first stands aside
		t.Run(fmt.Sprint(atOnce), func(t *testing.T) {
			between(t, edit, func(t *testing.T, e *ends) {
				e.settle(time.Second)
				e.wires.cut(sat)
				e.settle(time.Second)
				secret := freshID()
				e.shore.arrive(strings.NewReplacer("u@a.example/r", "room@a.example/nick", "v@b.example", occupant(7)).Replace(
					labelled(secret, "a.example", "b.example", "SECRET")))
				e.shore.arrive(message(freshID(), "a.example", "b.example")) // what stands in nobody's way is not set aside
				if !atOnce {
					e.settle(time.Minute)
				}
				want := []string{e.said("one")}
				e.settle(time.Second)
				want = append(want, e.said("two"))
				e.settle(5 * time.Minute)
				heard := heardBy(e.ship)
				wantSame(t, heard[occupant(7)], nil)
				if !atOnce {
					wantSame(t, heard[occupant(8)], want)
				}
				e.mend()
				e.settle(10 * time.Minute)
				heard = heardBy(e.ship)
				wantSame(t, heard[occupant(7)], append([]string{secret}, want...))
				wantSame(t, heard[occupant(8)], want)
				if c := e.counts(e.shore); c.Queued != 0 || c.Delivered != 2*occupants+2 {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

// TestTheLogFailsAmongRecipients: the record of one recipient can be kept, those of the others cannot. Nobody hears anything, the peer
// has all of it still, and the node does not wait for flights that nobody lands.
func TestTheLogFailsAmongRecipients(t *testing.T) {
	edit := func(shore, ship *site) {
		mergedRooms(shore, ship)
		ship.node = "\n[audit]\nsegment-bytes = \"64 KiB\"\nmax-bytes = \"128 KiB\"\n"
	}
	between(t, edit, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		fill := func() int64 {
			before := e.ship.used()
			e.ship.arrive(message(freshID(), "b.example", "a.example"))
			e.settle(100 * time.Millisecond)
			return e.ship.used() - before
		}
		for one := fill(); 128<<10-e.ship.used() > occupants*one; {
			fill()
		}
		e.settle(5 * time.Second)
		before := len(e.ship.records(decisions))
		e.said("hello")
		e.settle(time.Minute)
		if n := len(e.ship.records(decisions)) - before; n == 0 || n == occupants {
			t.Errorf("%d of %d on record", n, occupants)
		}
		if heard := heardBy(e.ship); len(heard) != 0 {
			t.Errorf("heard %v", heard)
		}
		e.ship.stopped = true
		e.ship.cancel()
		stopping := time.Now()
		if err := <-e.ship.done; !errors.Is(err, audit.ErrFull) {
			t.Errorf("run ended with %v", err)
		}
		if took := time.Since(stopping); took > time.Second {
			t.Errorf("the stop took %v", took)
		}
		if c := e.counts(e.ship); c.Refused != occupants {
			t.Errorf("ship %+v", c)
		}
		if c := e.counts(e.shore); c.Queued != occupants {
			t.Errorf("shore %+v", c)
		}
	})
}

// TestRoomsSurvive: whatever is killed when, each occupant hears what the room said once, and in order.
func TestRoomsSurvive(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			between(t, mergedRooms, func(t *testing.T, e *ends) {
				r := rand.New(rand.NewPCG(seed, 6))
				e.wires.delay, e.ship.spool.sync, e.shore.spool.sync = 30*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
				e.settle(time.Second)
				var sent []string
				heard := map[string][]string{}
				look := func() {
					for who, ids := range heardBy(e.ship) {
						heard[who] = append(heard[who], ids...)
					}
				}
				for range 8 {
					for range r.IntN(3) {
						sent = append(sent, e.said("hello"))
						e.settle(time.Duration(r.IntN(400)) * time.Millisecond)
					}
					e.settle(time.Duration(r.IntN(900)) * time.Millisecond)
					switch r.IntN(4) {
					case 0:
						look()
						e.kill(e.ship, r.IntN)
						e.mend()
						e.ship.start(t, e.ship.site)
					case 1:
						e.acknowledged()
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
				look()
				doubtful := map[string]bool{}
				for _, r := range e.ship.records(settlements) {
					doubtful[r.StanzaID] = doubtful[r.StanzaID] || r.Outcome == "uncertain"
				}
				for i := range occupants {
					got := heard[occupant(i)]
					if order := slices.Clone(got); !slices.IsSortedFunc(order, func(a, b string) int { return slices.Index(sent, a) - slices.Index(sent, b) }) {
						t.Errorf("%s heard %s", occupant(i), strings.Join(got, " "))
					}
					for _, id := range sent {
						n := 0
						for _, g := range got {
							if g == id {
								n++
							}
						}
						if n > 1 || n == 0 && !doubtful[id] {
							t.Errorf("%s heard %s %d times", occupant(i), id, n)
						}
					}
				}
				if c := e.counts(e.shore); c.Queued != 0 {
					t.Errorf("shore %+v", c)
				}
			})
		})
	}
}
