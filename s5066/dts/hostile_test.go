package dts_test

import (
	"bytes"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
)

// Row N10: unknown types addressed to this node are warned of, at most once in ten seconds; others' never.
func TestN10UnknownTypes(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	for range 50 {
		b.hear(dpdu.PDU{Type: 9})
	}
	b.hear(dpdu.PDU{Type: 10, To: nodeB, From: s5066.Unicast(7)})
	p, ok := first(b.key(), dpdu.Warning)
	if !ok || p.Warning != (dpdu.Complaint{Cause: 9, Reason: dpdu.Unrecognised}) || p.To != nodeB {
		t.Fatalf("warning %+v", p)
	}
	if again := b.key(); again != nil {
		t.Errorf("then %+v", again)
	}
	b.hear(dpdu.PDU{Type: 12}, dpdu.PDU{Type: dpdu.Warning, Warning: dpdu.Complaint{Cause: dpdu.Warning}})
	if p, ok := first(b.key(), dpdu.Warning); !ok || p.Warning.Cause != 12 {
		t.Errorf("after a minute: %+v", p)
	}
	if again := b.key(); again != nil {
		t.Errorf("a WARNING was answered: %+v", again)
	}
}

// Row N12: frames outside of the window, repeated ones, and the wrap from 255 to 0.
func TestN12WindowOfTheReceiver(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	b.hear(piece(200, "seo", "far off"), piece(129, "seou", "too far"))
	same(t, delivered(b.events))
	if a := b.acks(); a != (dpdu.Acks{}) {
		t.Errorf("acknowledged %+v", a)
	}
	b.hear(piece(0, "seo", "a"), piece(0, "seo", "a"), piece(0, "seo", "a"))
	same(t, delivered(b.events), "a")
	if a := b.acks(); a.LWE != 1 {
		t.Errorf("a repeated frame is acknowledged with %+v", a)
	}
	for i := 1; i < 300; i++ {
		b.hear(piece(i%256, "seo", "x"))
	}
	if n := len(delivered(b.events)); n != 300 {
		t.Errorf("%d C_PDUs over the wrap, want 300", n)
	}
	if a := b.acks(); a.LWE != 300%256 {
		t.Errorf("after the wrap: %+v", a)
	}
	if f := b.m.Status().Remotes[0].Figures; f.OutOfStep != 1 {
		t.Errorf("%d frames out of step", f.OutOfStep)
	}
}

func TestN12FramesOutOfStepAskForResynchronisation(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	b.hear(piece(0, "seo", "a"), piece(2, "seou", "c"))
	for range 3 {
		b.hear(piece(100, "seol", "lower edge above what is missing"))
	}
	p, ok := first(b.key(), dpdu.Resync)
	if !ok || !p.Resync.TXRequest {
		t.Fatalf("keyed %+v", p)
	}
	b.hear(dpdu.PDU{Type: dpdu.Resync, Resync: dpdu.Reset{RXCommand: true, LWE: 100, ID: 0}})
	if p, ok := first(b.key(), dpdu.Resync); !ok || p.Resync != (dpdu.Reset{Ack: true}) {
		t.Fatalf("answer to the command: %+v", p)
	}
	b.hear(piece(100, "seolu", "now"))
	same(t, delivered(b.events), "a", "now")
}

// Row N13: acknowledgements of what was never sent confirm nothing.
func TestN13AcknowledgementsOfNothing(t *testing.T) {
	t.Parallel()
	long := dpdu.Acks{LWE: 0}
	for f := 1; f < 128; f++ {
		long.Set(uint8(f))
	}
	for name, a := range map[string]dpdu.Acks{
		"lower edge ahead": {LWE: 2}, "far ahead": {LWE: 130}, "behind": {LWE: 255}, "bits beyond the window": long,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, true, nil)
			if err := b.m.Send(b.now, dts.Request{ID: 1, Remote: nodeB, Mode: dts.ARQ, CPDU: []byte("one frame")}); err != nil {
				t.Fatal(err)
			}
			b.hear(dpdu.PDU{Type: dpdu.AckOnly, Acks: dpdu.Acks{LWE: 1}})
			if n := count[dts.Confirmed](b.events); n != 0 {
				t.Fatal("confirmed before it was keyed")
			}
			b.key()
			b.hear(dpdu.PDU{Type: dpdu.AckOnly, Acks: a})
			if n := count[dts.Confirmed](b.events); n != 0 {
				t.Fatal("confirmed")
			}
			b.hear(dpdu.PDU{Type: dpdu.AckOnly, Acks: dpdu.Acks{LWE: 1}})
			if n := count[dts.Confirmed](b.events); n != 1 {
				t.Errorf("%d confirmations after the true one", n)
			}
		})
	}
}

// Row N14: resets in masses, again, and in the middle of a C_PDU.
func TestN14ResetStorm(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	b.hear(piece(0, "so", "first half"))
	for i := range 100 {
		b.hear(dpdu.PDU{Type: dpdu.Resync, Resync: dpdu.Reset{Full: true, ID: uint8(i)}})
	}
	if n := count[dts.WindowsReset](b.events); n != 4 {
		t.Errorf("%d resets obeyed of 100 within a minute, want 4", n)
	}
	if p, ok := first(b.key(), dpdu.Resync); !ok || p.Resync != (dpdu.Reset{Ack: true}) {
		t.Errorf("answer %+v", p)
	}
	b.hear(piece(0, "eo", "second half"), piece(1, "seo", "whole"))
	same(t, delivered(b.events), "whole")
	b.hear(dpdu.PDU{Type: dpdu.Resync, Resync: dpdu.Reset{Full: true, ID: 3}})
	if n := count[dts.WindowsReset](b.events); n != 4 {
		t.Error("a repeated command was obeyed again")
	}
	b.hear(piece(1, "seo", "whole"))
	same(t, delivered(b.events), "whole")
}

func TestN14FullResetInMidCPDUIsToldToTheSender(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	for i := range 2 {
		if err := b.m.Send(b.now, dts.Request{ID: uint64(i), Remote: nodeB, Mode: dts.ARQ, CPDU: numbered(7, 900)}); err != nil {
			t.Fatal(err)
		}
	}
	sent := b.key()
	b.hear(dpdu.PDU{Type: dpdu.Resync, Resync: dpdu.Reset{Full: true, ID: 9}})
	for _, e := range b.events {
		if r, ok := e.(dts.Rejected); ok && (r.Reason != dts.Reset || !r.InDoubt) {
			t.Errorf("%+v", r)
		}
	}
	if n := count[dts.Rejected](b.events); n != 2 {
		t.Errorf("%d rejected of %d frames keyed", n, len(sent))
	}
}

// Row N15: C_PDUs in pieces that do not belong together.
func TestN15Fragments(t *testing.T) {
	t.Parallel()
	big := string(bytes.Repeat([]byte("x"), 1000))
	for name, c := range map[string][]dpdu.PDU{
		"start missing":       {piece(0, "o", "x"), piece(1, "eo", "y")},
		"end missing":         {piece(0, "so", "x"), piece(1, "o", "y")},
		"two starts":          {piece(0, "so", "x"), piece(1, "so", "y")},
		"another in between":  {piece(0, "so", "x"), piece(1, "o", "y")},
		"longer than allowed": {piece(0, "so", big), piece(1, "o", big), piece(2, "o", big), piece(3, "o", big), piece(4, "eo", big)},
		"dropped":             {piece(0, "so", "x"), piece(1, "eod", "")},
		"dropped, bad CRC":    {piece(0, "so", "x"), func() dpdu.PDU { p := piece(1, "eod", "zz"); p.Damaged = true; return p }()},
		"empty frames":        {piece(0, "o", ""), piece(1, "o", "")},
		"out of order":        {piece(1, "eo", "y"), piece(0, "o", "x")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, true, nil)
			b.hear(c...)
			n := len(c)
			b.hear(piece(n, "seo", "intact"), piece(n+1, "so", "in "), piece(n+2, "eo", "two"))
			same(t, delivered(b.events), "intact", "in two")
			if a := b.acks(); int(a.LWE) != n+3 {
				t.Errorf("acknowledged %+v of %d", a, n+3)
			}
		})
	}
}

func TestDamagedFramesAreNotAcknowledged(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	bad := piece(0, "seo", "bad")
	bad.Damaged = true
	b.hear(bad, piece(1, "seo", "good"))
	if a := b.acks(); a.LWE != 0 || !a.Has(1) {
		t.Errorf("acknowledged %+v", a)
	}
	same(t, delivered(b.events))
	b.hear(piece(0, "seo", "again"))
	same(t, delivered(b.events), "again", "good")
}

func TestUnorderedCPDUsOvertake(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	b.hear(piece(1, "s", "un"), piece(2, "e", "ordered"), piece(3, "seo", "ordered"))
	same(t, delivered(b.events), "unordered")
	b.hear(piece(0, "seo", "first"))
	same(t, delivered(b.events), "unordered", "first", "ordered")
}

func datagram(id, size, offset int, segment string) dpdu.PDU {
	return dpdu.PDU{Type: dpdu.NonARQ, Segment: []byte(segment), NonARQ: dpdu.Datagram{ID: uint16(id), Size: uint16(size), Offset: uint16(offset), Window: 60}}
}

// Row N16: non-ARQ frames whose numbers lie.
func TestN16NonARQ(t *testing.T) {
	t.Parallel()
	b := newBench(t, false, nil)
	b.hear(datagram(1, 65535, 65000, "x"), datagram(2, 4, 2, "xyz"), datagram(3, 0, 0, "x"), datagram(4, 10, 65535, "abcdef"))
	if s := b.m.Status(); s.Partial != 0 || s.Ignored != 4 {
		t.Fatalf("%+v", s)
	}
	b.hear(datagram(5, 6, 0, "abc"), datagram(5, 9, 3, "???"), datagram(5, 6, 3, "def"), datagram(5, 6, 0, "abc"), datagram(5, 6, 3, "def"))
	same(t, delivered(b.events), "abcdef")
	for id := range 4096 {
		b.hear(datagram(id, 4096, 0, "x"))
	}
	if s := b.m.Status(); s.Partial > 64+1 {
		t.Errorf("%d partial C_PDUs", s.Partial)
	}
	b.hear(datagram(4095, 4096, 1, string(make([]byte, 1000))))
	b.now = b.now.Add(2 * time.Minute)
	b.m.Tick(b.now)
	if s := b.m.Status(); s.Partial != 0 {
		t.Errorf("%d partial C_PDUs after their windows", s.Partial)
	}
}

// Row N19: rates that do not exist, and orders that contradict each other.
func TestN19RateOrders(t *testing.T) {
	t.Parallel()
	order := func(id int, code uint8) dpdu.PDU {
		return dpdu.PDU{Type: dpdu.Management, EOW: dpdu.RateOrder{Code: code, Interleave: dpdu.ShortInterleaver}.EOW(), Management: dpdu.Message{Valid: true, ID: uint8(id)}}
	}
	on := dts.RateControl{On: true, Rates: []int{300, 1200, 2400}, Interleave: dpdu.ShortInterleaver, Down: 0.5, Up: 0.1, Frames: 10, Hold: time.Minute}
	for name, c := range map[string]struct {
		control dts.RateControl
		code    uint8
		want    dpdu.RateAnswer
	}{
		"control off":      {dts.RateControl{}, 4, dpdu.RateAnswer{Verdict: dpdu.RateRefuse, Reason: dpdu.RateAndInterleaver}},
		"code 0, unlisted": {on, 0, dpdu.RateAnswer{Verdict: dpdu.RateRefuse, Reason: dpdu.RateFixed}},
		"code 15":          {on, 15, dpdu.RateAnswer{Verdict: dpdu.RateRefuse, Reason: dpdu.RateFixed}},
		"a listed one":     {on, 4, dpdu.RateAnswer{Verdict: dpdu.RateAccept}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, true, func(k *dts.Config) { k.Rate = c.control })
			b.hear(order(0, c.code))
			p, ok := first(b.key(), dpdu.Management)
			if !ok || p.EOW.RateAnswer() != c.want || !p.Management.Ack || !p.Management.Valid {
				t.Fatalf("answer %s, %+v; want %s", p.EOW, p.Management, c.want)
			}
			if count[dts.RateChange](b.events) != 0 {
				t.Error("changed before the master's DT_ACK")
			}
		})
	}
	b := newBench(t, true, func(k *dts.Config) { k.Rate = on })
	for i := range 100 {
		b.hear(order(i, uint8(2+2*(i%2))))
		b.key()
		b.hear(dpdu.PDU{Type: dpdu.Management, Management: dpdu.Message{Ack: true, ID: uint8(i)}})
		b.now = epoch.Add(time.Duration(i) * 10 * time.Millisecond)
	}
	if n := count[dts.RateChange](b.events); n > 100/4 {
		t.Errorf("%d changes of rate by contradicting orders", n)
	}
}

func TestFramesWithoutALink(t *testing.T) {
	t.Parallel()
	for _, typ := range []dpdu.Type{dpdu.DataOnly, dpdu.AckOnly, dpdu.DataAck, dpdu.Resync, dpdu.ExpeditedData, dpdu.ExpeditedAck} {
		b := newBench(t, false, nil)
		b.hear(dpdu.PDU{Type: typ})
		p, ok := first(b.key(), dpdu.Warning)
		if !ok || p.Warning != (dpdu.Complaint{Cause: typ, Reason: dpdu.NotConnected}) || count[dts.Unconnected](b.events) != 1 {
			t.Errorf("%s: %+v, %v", typ, p, b.events)
		}
	}
}

func TestManyNodesStayFew(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	for i := range 5000 {
		b.hear(dpdu.PDU{Type: dpdu.Management, From: s5066.Unicast(uint32(i + 100)), EOW: dpdu.MakeEOW(9, 0), Management: dpdu.Message{Valid: true}})
	}
	s := b.m.Status()
	if len(s.Remotes) > 64 || !s.Remotes[0].Connected {
		t.Errorf("%d remotes, the linked one first: %+v", len(s.Remotes), s.Remotes[0])
	}
}

func TestNobodyKeysBeforeAHeardEOT(t *testing.T) {
	t.Parallel()
	b := newBench(t, true, nil)
	p := piece(0, "seo", "x")
	p.EOT = 40
	p.From, p.To = s5066.Unicast(5), s5066.Unicast(6)
	b.hear(p)
	heard := b.now
	if err := b.m.Send(b.now, dts.Request{ID: 1, Remote: nodeB, Mode: dts.ARQ, CPDU: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if train, _ := b.m.Train(b.now.Add(time.Second), dts.Budget{}); len(train.PDUs) != 0 {
		t.Error("keyed during somebody's transmission")
	}
	if b.key() == nil || b.now.Sub(heard) < 20*time.Second-time.Second {
		t.Errorf("keyed after %v", b.now.Sub(heard))
	}
}
