package dts_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
)

func TestExpeditedOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for seed := range seeds(50, 400) {
		l := newLine(t, seed, shortTiming(1200), nil)
		l.loss, l.repeat = l.random.Float64()*0.3, l.random.Float64()*0.1
		a, b := l.stations[0], l.stations[1]
		var want, normal [][]byte
		for i := range 20 {
			c := numbered(uint32(i), 4+l.random.IntN(600))
			q := dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ExpeditedARQ, CPDU: c}
			if i%3 == 0 {
				q.Mode = dts.ARQ
				normal = append(normal, c)
			} else {
				want = append(want, c)
			}
			l.send(a, q)
		}
		l.run(6 * time.Hour)
		var gotNormal, gotExpedited [][]byte
		for _, e := range b.events {
			if d, ok := e.(dts.Delivered); ok && d.Mode == dts.ARQ {
				gotNormal = append(gotNormal, d.CPDU)
			} else if ok {
				gotExpedited = append(gotExpedited, d.CPDU)
			}
		}
		if !slices.EqualFunc(gotNormal, normal, bytes.Equal) || !slices.EqualFunc(gotExpedited, want, bytes.Equal) {
			t.Fatalf("seed %d: %d of %d expedited, %d of %d others; %+v", seed, len(gotExpedited), len(want), len(gotNormal), len(normal), a.m.Status())
		}
		for id, f := range a.fates {
			if len(f) != 1 || f[0] != "confirmed" {
				t.Fatalf("seed %d: %d: %v", seed, id, f)
			}
		}
	}
}

// The law of sums with full resets at any time: every C_PDU has one end, what is confirmed was handed up once, what is rejected without
// doubt never was, nothing is handed up twice.
func TestSumsHoldThroughResetsAndLifetimes(t *testing.T) {
	t.Parallel()
	for seed := range seeds(100, 1000) {
		l := newLine(t, seed, shortTiming(2400), nil)
		l.loss, l.cut = l.random.Float64()*0.3, l.random.Float64()*0.1
		const each = 15
		for i := range each {
			for _, s := range l.stations {
				q := dts.Request{ID: uint64(i), Remote: l.other(s).addr, Mode: dts.ARQ, CPDU: numbered(uint32(i), 4+l.random.IntN(1200)), Priority: s5066.Priority(l.random.IntN(16))}
				q.Unordered = l.random.IntN(4) == 0
				if l.random.IntN(3) == 0 {
					q.Lifetime = time.Duration(1+l.random.IntN(60)) * time.Second
				}
				if l.random.IntN(5) == 0 {
					q.Mode = dts.ExpeditedARQ
				}
				l.send(s, q)
			}
			if l.random.IntN(4) == 0 {
				s := l.stations[l.random.IntN(2)]
				if err := s.m.FullReset(l.now, l.other(s).addr); err != nil && !errors.Is(err, dts.ErrNotConnected) {
					t.Fatal(err)
				}
			}
			l.run(time.Duration(l.random.IntN(30_000)) * time.Millisecond)
			if lost := l.relink(); lost {
				break
			}
		}
		l.run(12 * time.Hour)
		for _, s := range l.stations {
			if !s.m.Status().Remotes[0].Connected {
				l.took(s, s.m.Disconnect(l.now, l.other(s).addr)) // nobody makes the link again
			}
			l.sums(seed, s)
		}
	}
}

func (l *line) other(s *station) *station {
	if s == l.stations[0] {
		return l.stations[1]
	}
	return l.stations[0]
}

// relink reports whether a link was given up, which ends the test of order.
func (l *line) relink() bool {
	return count[dts.LinkLost](l.stations[0].events)+count[dts.LinkLost](l.stations[1].events) > 0
}

func (l *line) sums(seed uint64, s *station) {
	l.t.Helper()
	times := make(map[uint32]int)
	for _, c := range l.other(s).delivered {
		times[numberOf(c)]++
	}
	for id, fate := range s.fates {
		n := times[uint32(id)]
		ok := len(fate) == 1
		if ok {
			switch {
			case fate[0] == "confirmed":
				ok = n == 1
			case bytes.HasSuffix([]byte(fate[0]), []byte("doubt=true")):
				ok = n <= 1
			default:
				ok = n == 0
			}
		}
		if !ok {
			l.t.Fatalf("seed %d: C_PDU %d of %s was handed up %d times, and %v", seed, id, s.addr, n, fate)
		}
	}
	if st := s.m.Status().Remotes[0]; st.Queued+st.UnderWay != 0 {
		l.t.Fatalf("seed %d: %s has not come to an end: %+v", seed, s.addr, st)
	}
}

func TestUrgentFirstBetweenTrains(t *testing.T) {
	t.Parallel()
	l := newLine(t, 1, shortTiming(300), func(c *dts.Config) { c.MaxTransmit = 15 * time.Second })
	a, b := l.stations[0], l.stations[1]
	for i := range 10 {
		l.send(a, dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(uint32(i), 500), Priority: 3})
	}
	l.after(5*time.Second, func() {
		l.send(a, dts.Request{ID: 100, Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(100, 100), Priority: 12})
		l.send(a, dts.Request{ID: 101, Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(101, 100), Priority: 12})
	})
	l.run(time.Hour)
	var order []uint32
	for _, c := range b.delivered {
		order = append(order, numberOf(c))
	}
	at := slices.Index(order, 100)
	if at < 0 || at > 2 || order[at+1] != 101 {
		t.Fatalf("order %v", order)
	}
	order = slices.Delete(order, at, at+2)
	if !slices.IsSorted(order) || len(order) != 10 {
		t.Errorf("reordered within one precedence: %v", order)
	}
}

func TestSilentPeer(t *testing.T) {
	t.Parallel()
	l := newLine(t, 1, shortTiming(1200), nil)
	l.loss = 1
	a, b := l.stations[0], l.stations[1]
	for i := range 5 {
		l.send(a, dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(uint32(i), 2000)})
	}
	l.run(24 * time.Hour)
	if count[dts.LinkLost](a.events) != 1 || a.trains > 16 {
		t.Fatalf("%d trains, events %v", a.trains, a.events)
	}
	for id, f := range a.fates {
		if len(f) != 1 || f[0] != "rejected no answer doubt="+fmt.Sprint(id < 4) && id != 4 {
			t.Errorf("%d: %v", id, f)
		}
	}
	if err := a.m.Send(l.now, dts.Request{Remote: b.addr, Mode: dts.ARQ, CPDU: []byte("x")}); !errors.Is(err, dts.ErrNotConnected) {
		t.Errorf("Send without a link: %v", err)
	}
}

func TestLinkMadeAgainSendsAgain(t *testing.T) {
	t.Parallel()
	l := newLine(t, 3, shortTiming(1200), nil)
	a, b := l.stations[0], l.stations[1]
	for i := range 3 {
		l.send(a, dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(uint32(i), 1000)})
	}
	l.took(b, b.m.Disconnect(l.now, a.addr)) // B has restarted: it answers with WARNINGs
	l.run(time.Minute)
	if n := count[dts.LinkLost](a.events); n != 1 || len(a.fates) != 0 {
		t.Fatalf("%d links lost, %v", n, a.fates)
	}
	l.connect(a, b)
	l.connect(b, a)
	l.run(time.Hour)
	l.want(b, [][]byte{numbered(0, 1000), numbered(1, 1000), numbered(2, 1000)})
}

func TestBroadcastWithRepeats(t *testing.T) {
	t.Parallel()
	whole, total := 0, 0
	for seed := range seeds(20, 100) {
		l := newLine(t, seed, shortTiming(600), nil)
		l.loss, l.repeat = 0.2, 0.1
		a, b := l.stations[0], l.stations[1]
		for i := range 10 {
			l.send(a, dts.Request{ID: uint64(i), Remote: s5066.AllStations(), Mode: dts.NonARQ, Repeats: 3, CPDU: numbered(uint32(i), 500)})
		}
		l.run(time.Hour)
		total += 10
		whole += len(b.delivered)
		last := -1
		for _, c := range b.delivered {
			n := int(numberOf(c))
			if n <= last || !bytes.Equal(c, numbered(uint32(n), 500)) {
				t.Fatalf("seed %d: number %d after %d", seed, n, last)
			}
			last = n
		}
		if n := count[dts.Broadcast](a.events); n != 10 || b.trains != 0 {
			t.Fatalf("seed %d: %d ends, the listener keyed %d times", seed, n, b.trains)
		}
	}
	if whole*100 < total*97 {
		t.Errorf("%d of %d came through four copies at 20 %% loss", whole, total)
	}
}

func TestDeliveryWithErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t, false, func(c *dts.Config) { c.WithErrors = true })
	bad := datagram(1, 12, 3, "BAD")
	bad.Damaged = true
	b.hear(datagram(1, 12, 0, "abc"), bad, datagram(1, 12, 9, "jkl"))
	b.now = b.now.Add(time.Minute)
	b.events = append(b.events, b.m.Tick(b.now)...)
	if len(b.events) != 1 {
		t.Fatalf("%v", b.events)
	}
	d, _ := b.events[0].(dts.Delivered)
	if string(d.CPDU) != "abcBAD\x00\x00\x00jkl" || !slices.Equal(d.Damaged, []dts.Block{{Offset: 3, Length: 3}}) || !slices.Equal(d.Missing, []dts.Block{{Offset: 6, Length: 3}}) {
		t.Errorf("%+v", d)
	}
}

func TestNonARQInOrderWaitsForEarlierOnes(t *testing.T) {
	t.Parallel()
	ordered := func(p dpdu.PDU) dpdu.PDU { p.NonARQ.InOrder = true; return p }
	b := newBench(t, false, nil)
	b.hear(ordered(datagram(4095, 4, 0, "on")), ordered(datagram(0, 5, 0, "two..")), datagram(1, 4, 0, "free"))
	same(t, delivered(b.events), "free")
	b.hear(ordered(datagram(4095, 4, 2, "e.")))
	same(t, delivered(b.events), "free", "one.", "two..")
}

func TestManagement(t *testing.T) {
	t.Parallel()
	l := newLine(t, 4, shortTiming(300), func(c *dts.Config) { c.Capability = 0xB0 })
	a, b := l.stations[0], l.stations[1]
	if err := a.m.Manage(l.now, b.addr, dpdu.MakeEOW(dpdu.Capabilities, 0x20), ""); err != nil {
		t.Fatal(err)
	}
	if err := a.m.Manage(l.now, b.addr, dpdu.MakeEOW(9, 7), "extended"); err != nil {
		t.Fatal(err)
	}
	l.send(a, dts.Request{ID: 1, Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(1, 300)})
	l.run(time.Hour)
	var got []string
	for _, e := range append(slices.Clone(a.events), b.events...) {
		switch e := e.(type) {
		case dts.Managed:
			got = append(got, e.From.String()+" "+e.EOW.String()+e.Extended)
		case dts.ManagementDone:
			got = append(got, fmt.Sprint("done ", e.EOW, e.Acked))
		}
	}
	slices.Sort(got)
	want := []string{
		"1.2.3.4 capabilities b0", "1.2.3.4 message type 9 not recognised", "1.2.3.5 capabilities 20", "1.2.3.5 message type 9, data 07extended",
		"done capabilities 20 true", "done message type 9, data 07 true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	l.want(b, [][]byte{numbered(1, 300)})
}

func TestRateFollowsLossWithHysteresis(t *testing.T) {
	t.Parallel()
	// With half of the frames lost, one line in a hundred loses all copies of the message on which both change, and with it the link.
	l := newLine(t, 5, shortTiming(2400), func(c *dts.Config) {
		c.Rate = dts.RateControl{On: true, Rates: []int{600, 1200, 2400}, Interleave: dpdu.ShortInterleaver, Down: 0.3, Up: 0.05, Frames: 30, Hold: 10 * time.Minute}
		c.MaxTransmit = 20 * time.Second
	})
	l.onEvent = func(s *station, e dts.Event) {
		if c, ok := e.(dts.RateChange); ok {
			s.rates = append(s.rates, c.Rate)
			l.setRate(s, c.Rate)
		}
	}
	a, b := l.stations[0], l.stations[1]
	l.lossAt = map[int]float64{2400: 0.5, 1200: 0.02, 600: 0}
	for i := range 60 {
		l.send(a, dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ARQ, CPDU: numbered(uint32(i), 2000)})
	}
	l.run(24 * time.Hour)
	if len(b.delivered) != 60 || len(a.rates) == 0 || a.rates[0] != 1200 || !slices.Equal(a.rates, b.rates) {
		t.Fatalf("%d delivered, rates %v and %v", len(b.delivered), a.rates, b.rates)
	}
	if len(a.rates) > 8 {
		t.Errorf("changes in both directions again and again: %v", a.rates)
	}
}

func TestFullDuplex(t *testing.T) {
	t.Parallel()
	for seed := range seeds(20, 100) {
		l := newLine(t, seed, shortTiming(2400), func(c *dts.Config) { c.FullDuplex, c.MaxTransmit = true, 5*time.Second })
		l.duplex, l.loss = true, 0.2
		a, b := l.stations[0], l.stations[1]
		var toA, toB [][]byte
		for i := range 20 {
			toA, toB = append(toA, numbered(uint32(i), 700)), append(toB, numbered(uint32(i), 900))
			l.send(a, dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ARQ, CPDU: toB[i]})
			l.send(b, dts.Request{ID: uint64(i), Remote: a.addr, Mode: dts.ARQ, CPDU: toA[i]})
		}
		l.run(time.Hour)
		if len(b.delivered) != 20 {
			t.Fatalf("%d: %+v\n%+v\n%v %v", seed, a.m.Status(), b.m.Status(), a.fates, l.now.Sub(epoch))
		}
		l.want(a, toA)
		l.want(b, toB)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, func(c *dts.Config) { c.MaxQueue = 2 })
	for name, q := range map[string]dts.Request{
		"zero value": {}, "no mode": {Remote: nodeB, CPDU: []byte("x")}, "no C_PDU": {Remote: nodeB, Mode: dts.ARQ},
		"ARQ to a group": {Remote: s5066.AllStations(), Mode: dts.ARQ, CPDU: []byte("x")}, "to itself": {Remote: nodeA, Mode: dts.ARQ, CPDU: []byte("x")},
		"too long":     {Remote: nodeB, Mode: dts.ARQ, CPDU: make([]byte, 4097)},
		"priority 16":  {Remote: nodeB, Mode: dts.ARQ, CPDU: []byte("x"), Priority: 16},
		"many repeats": {Remote: nodeB, Mode: dts.NonARQ, CPDU: []byte("x"), Repeats: 16},
	} {
		if err := b.m.Send(b.now, q); !errors.Is(err, dts.ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, mode := range []dts.Mode{dts.ARQ, dts.NonARQ} {
		var err error
		for range 3 {
			err = b.m.Send(b.now, dts.Request{Remote: nodeB, Mode: mode, CPDU: []byte("x")})
		}
		if !errors.Is(err, dts.ErrFull) {
			t.Errorf("third %s: %v", mode, err)
		}
	}
	if _, err := dts.New(dts.Config{}, shortTiming(75)); !errors.Is(err, dts.ErrConfig) {
		t.Errorf("empty configuration: %v", err)
	}
	if _, err := dts.New(dts.DefaultConfig(nodeA), dts.Timing{}); !errors.Is(err, dts.ErrConfig) {
		t.Errorf("empty timing: %v", err)
	}
}

// A robust waveform with a long interleaver: nothing waits for less than the modem takes, and little waits for much more.
func TestSlowestWaveform(t *testing.T) {
	t.Parallel()
	for seed := range seeds(10, 50) {
		timing := dts.Timing{
			Rate: 75, Block: 4800 * time.Millisecond, Lead: 5300 * time.Millisecond, Latency: 9600 * time.Millisecond,
			Turnaround: 2 * time.Second, Tail: 100 * time.Millisecond,
		}
		l := newLine(t, seed, timing, nil)
		l.loss = 0.2
		a, b := l.stations[0], l.stations[1]
		want := [][]byte{numbered(0, 500), numbered(1, 90), numbered(2, 500)}
		for i, c := range want {
			l.send(a, dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ARQ, CPDU: c})
		}
		l.run(24 * time.Hour)
		l.want(b, want)
		if took := l.now.Sub(epoch); took > time.Hour || l.overlaps > 2 {
			t.Errorf("seed %d: took %v, %d collisions", seed, took, l.overlaps)
		}
	}
}
