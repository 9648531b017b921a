package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/s5066/channel"
)

// radioMode is a mode of links of kind hf with what else it needs.
type radioMode struct{ mode, more string }

var radioModes = []radioMode{{"compact", ""}, {"stream", "compression = \"fresh\"\n"}, {"rcop", "framing = \"plain\"\n"}}

// radioRate is a waveform as both gateways are told of it.
type radioRate struct {
	wave string
	bits int
	trip time.Duration
}

var radioRates = []radioRate{
	{"110a-75-short", 75, 40 * time.Second},
	{"110a-300-short", 300, 15 * time.Second},
	{"110a-1200-short", 1200, 8 * time.Second},
	{"110a-2400-short", 2400, 6 * time.Second},
	{"4539-9600-short", 9600, 5 * time.Second},
}

// radioSites are both sites with one link of kind hf.
func radioSites(t *testing.T, r radioRate, m radioMode, more string) (shore, ship *site) {
	t.Helper()
	sites := []*site{endSite(t, "shore", "a", "b", "connect"), endSite(t, "ship", "b", "a", "listen")}
	for i, s := range sites {
		peer := []string{"b", "a"}[i]
		s.more = fmt.Sprintf("\n[link.hf]\nkind = \"hf\"\npeer = %q\nconnect = [%q]\nbits-per-second = %d\nround-trip = %q\nhalf-duplex = true\n%s\n[link.hf.hf]\nmode = %q\nremote = %q\n",
			peer, radioNode(i), r.bits, r.trip, m.more, m.mode, radioAddress(1-i))
		s.more += more
		if m.mode != "rcop" { // which has no lists
			s.more += "\n[peer." + peer + ".thin]\nrooms = \"merged\"\n"
		}
	}
	return sites[0], sites[1]
}

// overAir runs a test in virtual time with both gateways and their nodes.
func overAir(t *testing.T, shore, ship *site, cfg etherConfig, test func(t *testing.T, e *ends, air *ether)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWires()
		air := newEtherOf(t, w, cfg)
		defer air.stop()
		e := &ends{t: t, wires: w}
		e.ship = newEnd(t, "ship", ship, w)
		e.shore = newEnd(t, "shore", shore, w)
		defer e.stop()
		e.settle(time.Minute)
		test(t, e, air)
	})
}

// TestEveryRateAndLoss: chats both ways, presence, and a room, at each rate, with each share of frames lost, in each mode: all arrive once and in
// order, and the books of both gateways say so. A message of a room crosses as one where the mode has lists.
func TestEveryRateAndLoss(t *testing.T) {
	for _, rate := range radioRates {
		for _, percent := range []int{5, 10, 20, 30} {
			for i, mode := range radioModes {
				if testing.Short() && (mode.mode == "compact" || (rate.bits/75+percent/5+i)%7 != 0) {
					continue
				}
				t.Run(fmt.Sprintf("%d bits per second, %d percent, %s", rate.bits, percent, mode.mode), func(t *testing.T) {
					shore, ship := radioSites(t, rate, mode, "[spool]\nmerge-window = \"500ms\"\nlifetime = \"7d\"\n")
					p := channel.FrameLoss(float64(percent)/100, 200)
					overAir(t, shore, ship, etherConfig{wave: rate.wave, profile: &p, seed: uint64(percent)}, func(t *testing.T, e *ends, _ *ether) {
						pause := 90 * time.Second
						if rate.bits == 75 && mode.mode == "rcop" { // a stanza takes most of a minute, and may wait in the link for a few
							pause = 10 * time.Minute
						}
						crossed(t, e, mode.mode, pause)
					})
				})
			}
		}
	}
}

// crossed says a few things, half of them at the same moment at both ends, and checks that all arrive.
func crossed(t *testing.T, e *ends, mode string, pause time.Duration) {
	t.Helper()
	const listeners = 4
	var out, back, room []string
	for i := range 4 {
		out = append(out, freshID())
		e.shore.arrive(message(out[i], "a.example", "b.example"))
		back = append(back, freshID())
		e.ship.arrive(message(back[i], "b.example", "a.example"))
		if i%2 == 0 {
			e.settle(pause)
		}
	}
	for i := range 2 {
		out = append(out, e.says(fmt.Sprint("w", i), "", ""))
		room = append(room, freshID())
		for i := range listeners {
			e.shore.arrive(roomSays(room[len(room)-1], i, "hello, all"))
		}
		e.settle(pause)
	}
	want := len(out) + listeners*len(room)
	for range 24 * 60 {
		if e.counts(e.shore).Delivered+e.counts(e.ship).Delivered >= int64(2*(want+len(back))) {
			break
		}
		e.settle(time.Minute)
	}
	e.settle(10 * time.Minute) // nothing comes twice afterwards
	got := e.ship.got("b.example")
	inRoom := func(id string) bool { return slices.Contains(room, id) }
	if len(got) != want {
		t.Errorf("%d of %d arrived: %s", len(got), want, strings.Join(got, " "))
	}
	wantSame(t, slices.DeleteFunc(slices.Clone(got), inRoom), out)
	heard := heardBy(e.ship)
	for i := range listeners {
		wantSame(t, heard[occupant(i)], room)
	}
	wantSame(t, e.shore.got("a.example"), back)
	for _, c := range []*end{e.shore, e.ship} {
		if n := e.counts(c); n.Delivered != int64(want+len(back)) || n.Queued+n.InDoubt+n.Bounced+n.Expired != 0 {
			t.Errorf("%s: %+v", c.name, n)
		}
	}
	if stanzas, _ := e.wroteOut(); mode != "rcop" && stanzas != uint64(len(out)+len(room)) {
		t.Errorf("%d consignments for %d stanzas and %d of a room", stanzas, len(out), len(room))
	}
}
