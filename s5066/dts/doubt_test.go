package dts_test

import (
	"testing"
	"time"

	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
)

// What a WARNING "not connected" tells of C_PDUs: one keyed first in the transmission that it answers was heard without a link; one that was
// keyed before may have arrived.
func TestNoLinkAndDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before bool // a first transmission goes through, and its acknowledgement is lost
		want   string
	}{
		"peer had no link from the first": {false, "rejected link ended doubt=false"},
		"acknowledgement lost before":     {true, "rejected link ended doubt=true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t, 1, shortTiming(2400), nil)
			a, b := l.stations[0], l.stations[1]
			l.send(a, dts.Request{ID: 7, Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(7, 60)})
			if c.before {
				l.heardHook = func(s *station, p dpdu.PDU) {
					if s == b {
						l.loss = 1 // of what comes after
					}
				}
				l.run(5 * time.Second)
				l.heardHook, l.loss = nil, 0
			}
			l.took(b, b.m.Disconnect(l.now, a.addr))
			l.run(time.Minute)
			if count[dts.LinkLost](a.events) != 1 {
				t.Fatalf("events %+v", a.events)
			}
			l.took(a, a.m.Disconnect(l.now, b.addr))
			if f := a.fates[7]; len(f) != 1 || f[0] != c.want {
				t.Errorf("%v, want %s", f, c.want)
			}
		})
	}
}

// A modem that ends a carrier only when it is empty costs no wait; what it sends behind the data counts when blocks are filled.
func TestModemFiguresThatAreTold(t *testing.T) {
	t.Parallel()
	timing := shortTiming(2400)
	want := func(timing dts.Timing) time.Duration {
		l := newLine(t, 1, timing, nil)
		a, b := l.stations[0], l.stations[1]
		l.took(a, a.m.Carrier(l.now, true))
		l.took(a, a.m.Carrier(l.now, false))
		l.send(a, dts.Request{ID: 1, Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(1, 60)})
		w, ok := a.m.Want(l.now)
		if !ok {
			t.Fatal("nothing to transmit")
		}
		return w.NotBefore.Sub(l.now)
	}
	if got := want(timing); got < timing.Latency {
		t.Errorf("may key after %v, before the modem has given out what it heard", got)
	}
	timing.Drains = true
	if got := want(timing); got != 0 {
		t.Errorf("waits %v for a modem that is empty", got)
	}
	block := 2400 * 120 / 8000 // bytes
	if got := timing.Air(block); got != timing.Block+timing.Tail {
		t.Errorf("a full block takes %v", got)
	}
	timing.Behind = 4
	if got := timing.Air(block); got != 2*timing.Block+timing.Tail {
		t.Errorf("a full block and what follows it take %v", got)
	}
}
