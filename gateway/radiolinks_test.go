package gateway_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestOverRadio: from the configuration to the other gateway's disk, in each mode, with everything in the books of both.
func TestOverRadio(t *testing.T) {
	for mode, more := range map[string]string{
		"compact": "",
		"stream":  "compression = \"fresh\"\n",
		"rcop":    "framing = \"plain\"\n",
	} {
		t.Run(mode, func(t *testing.T) {
			shore, ship := endSite(t, "shore", "a", "b", "connect"), endSite(t, "ship", "b", "a", "listen")
			for i, s := range []*site{shore, ship} {
				s.more = fmt.Sprintf("\n[link.hf]\nkind = \"hf\"\npeer = %q\nconnect = [%q]\nbits-per-second = 1200\nround-trip = \"8s\"\nhalf-duplex = true\n%s\n[link.hf.hf]\nmode = %q\nremote = %q\n",
					[]string{"b", "a"}[i], radioNode(i), more, mode, radioAddress(1-i))
			}
			synctest.Test(t, func(t *testing.T) {
				w := newWires()
				defer newEther(t, w)()
				e := &ends{t: t, wires: w}
				e.ship = newEnd(t, "ship", ship, w)
				e.shore = newEnd(t, "shore", shore, w)
				defer e.stop()
				e.settle(time.Minute)
				sent := e.send(20)
				e.settle(10 * time.Minute)
				wantSame(t, e.ship.got("b.example"), sent)
				if c := e.counts(e.shore); c.Delivered != 20 {
					t.Errorf("shore %+v", c)
				}
				if c := e.counts(e.ship); c.Delivered != 20 {
					t.Errorf("ship %+v", c)
				}
			})
		})
	}
}
