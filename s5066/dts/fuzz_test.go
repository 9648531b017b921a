package dts_test

import (
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
)

// tape reads a fuzzer's bytes; at the end there are zeros.
type tape []byte

func (t *tape) next() byte {
	if len(*t) == 0 {
		return 0
	}
	b := (*t)[0]
	*t = (*t)[1:]
	return b
}

// frame is any frame from B or, rarely, from somebody else.
func (t *tape) frame() dpdu.PDU {
	flags, a, b := t.next(), t.next(), t.next()
	p := dpdu.PDU{
		Type: dpdu.Type(t.next() & 15), To: nodeA, From: nodeB, EOT: t.next() & 15, EOW: dpdu.EOW(a&15)<<8 | dpdu.EOW(b),
		Data:       dpdu.Data{FSN: a, Start: flags&1 != 0, End: flags&2 != 0, InOrder: flags&4 != 0, Drop: flags&8 != 0, TXUWE: flags&16 != 0, TXLWE: flags&32 != 0, CPDU: b & 15},
		Acks:       dpdu.Acks{LWE: b},
		Resync:     dpdu.Reset{Full: flags&1 != 0, TXRequest: flags&2 != 0, RXCommand: flags&4 != 0, Ack: flags&8 != 0, LWE: a, ID: b},
		Management: dpdu.Message{ID: b, Valid: flags&1 != 0, Ack: flags&2 != 0},
		NonARQ:     dpdu.Datagram{ID: uint16(a&7) * 600, InOrder: flags&4 != 0, Size: uint16(b) * 20, Offset: uint16(a) * 16, Window: uint16(flags)},
		Warning:    dpdu.Complaint{Cause: dpdu.Type(a & 15), Reason: dpdu.WarningReason(b & 3)},
		Damaged:    flags&64 != 0,
	}
	if p.Type.HasSegment() {
		p.Segment = make([]byte, int(t.next())*4)
	}
	for range t.next() & 7 {
		p.Acks.Set(b + t.next())
	}
	if flags&128 != 0 {
		p.From = s5066.Unicast(uint32(a))
	}
	return p
}

// witness knows which frames of B arrived, and checks what A acknowledges of them.
type witness struct {
	t    *testing.T
	good [256]bool
	lwe  uint8
	lost bool // a window command moved the window: nothing is known until a full reset
}

func (w *witness) heard(p dpdu.PDU) {
	if p.From != nodeB {
		return
	}
	if (p.Type == dpdu.DataOnly || p.Type == dpdu.DataAck) && (!p.Damaged || p.Data.Drop) {
		w.good[p.Data.FSN] = true
	}
	if p.Type == dpdu.Resync && p.Resync.RXCommand {
		w.lost = true
	}
}

func (w *witness) told(events []dts.Event, again bool) {
	for _, e := range events {
		if _, ok := e.(dts.WindowsReset); ok {
			again = true
		}
	}
	if again {
		w.good, w.lwe, w.lost = [256]bool{}, 0, false
	}
}

func (w *witness) acknowledged(p dpdu.PDU) {
	if w.lost || p.To != nodeB || p.Type != dpdu.AckOnly && p.Type != dpdu.DataAck {
		return
	}
	for ; w.lwe != p.Acks.LWE; w.lwe++ {
		if !w.good[w.lwe] {
			w.t.Fatalf("frame %d is acknowledged by RX LWE %d and never came", w.lwe, p.Acks.LWE)
		}
		w.good[w.lwe] = false // the next frame of this number is another one
	}
	for i := range 256 {
		if p.Acks.Has(uint8(i)) && !w.good[i] {
			w.t.Fatalf("frame %d is acknowledged and never came", i)
		}
	}
}

// FuzzMachine throws frames, requests and time at one node in any order. It never panics, keeps within its bounds, always comes to rest, keys what
// has a form, and acknowledges only what came.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 7, 0, 0, 0, 2, 1, 0, 9, 200, 3, 40, 0, 7, 1, 0, 0, 0, 9})
	f.Add([]byte{1, 100, 1, 200, 9, 9, 0, 0, 0, 1, 1, 0, 0, 9, 9, 0, 1, 0, 5, 3, 0, 0, 9})
	f.Fuzz(func(t *testing.T, program []byte) {
		b := newBench(t, true, func(c *dts.Config) {
			c.MaxQueue, c.MaxRemotes, c.MaxPartial, c.MaxTransmit = 8, 4, 4, 20*time.Second
			c.Rate = dts.RateControl{On: true, Rates: []int{600, 1200, 2400}, Down: 0.3, Up: 0.1, Frames: 5, Hold: time.Minute}
		})
		w := &witness{t: t}
		ids := make(map[uint64]int)
		tape := tape(program)
		for steps := 0; len(tape) > 0 && steps < 2000; steps++ {
			b.settle(w, ids, b.step(&tape, w, ids))
			for _, r := range b.m.Status().Remotes {
				if r.UnderWay > dpdu.Window || r.Queued > 8+dpdu.Window {
					t.Fatalf("%+v", r)
				}
			}
			if s := b.m.Status(); len(s.Remotes) > 4 || s.Casts > 16 || s.Partial > 4+257 {
				t.Fatalf("%+v", s)
			}
		}
	})
}

// step does one thing, and tells the witness.
func (b *bench) step(tape *tape, w *witness, ids map[uint64]int) (ev []dts.Event) {
	again := false
	op := tape.next()
	b.now = b.now.Add(time.Duration(op>>4) * 100 * time.Millisecond)
	switch op & 15 {
	case 0, 1, 2, 3, 4, 5, 6:
		p := tape.frame()
		ev = b.m.Heard(b.now, p)
		w.told(ev, false)
		w.heard(p) // a window command may come with the answer to a reset
		return ev
	case 7, 8:
		a := tape.next()
		q := dts.Request{
			ID: uint64(len(ids) + 1), Remote: nodeB, Mode: dts.Mode(a & 7), Priority: s5066.Priority(a >> 4), CPDU: make([]byte, int(tape.next())*10),
			Lifetime: time.Duration(tape.next()) * time.Second, Unordered: a&8 != 0, Repeats: int(a >> 6),
		}
		if b.m.Send(b.now, q) == nil {
			ids[q.ID] = 0
		}
	case 9, 10:
		b.now = b.now.Add(time.Duration(tape.next()) * time.Second)
		ev = b.m.Tick(b.now)
	case 11:
		ev = b.m.Carrier(b.now, tape.next()&1 != 0)
	case 12:
		_ = b.m.FullReset(b.now, nodeB)
	case 13:
		ev, _ = b.m.Connect(b.now, nodeB)
		again = true
	case 14:
		ev = b.m.Disconnect(b.now, nodeB)
		again = true
	case 15:
		_ = b.m.Manage(b.now, nodeB, dpdu.EOW(tape.next()), "")
	}
	w.told(ev, again)
	return ev
}

// settle keys until there is nothing to key, as a node would.
func (b *bench) settle(w *witness, ids map[uint64]int, ev []dts.Event) {
	b.ends(ids, ev)
	for empty := 0; ; {
		want, ok := b.m.Want(b.now)
		if !ok || want.NotBefore.After(b.now) {
			return
		}
		train, ev := b.m.Train(b.now, dts.Budget{})
		b.ends(ids, ev)
		w.told(ev, false)
		if len(train.PDUs) == 0 {
			if empty++; empty > 8 {
				b.t.Fatalf("wants to transmit %+v, and has nothing: %+v", want, b.m.Status())
			}
			continue
		}
		if train.Air > dpdu.MaxTransmission {
			b.t.Fatalf("transmission of %v", train.Air)
		}
		for _, p := range train.PDUs {
			if _, err := dpdu.Append(nil, p); err != nil {
				b.t.Fatal(err)
			}
			w.acknowledged(p)
		}
		b.now = b.now.Add(600*time.Millisecond + train.Air)
		ev = b.m.Keyed(b.now)
		b.ends(ids, ev)
		w.told(ev, false)
	}
}

// ends checks that every request has one end at most.
func (b *bench) ends(ids map[uint64]int, events []dts.Event) {
	for _, e := range events {
		id := uint64(0)
		switch e := e.(type) {
		case dts.Confirmed:
			id = e.ID
		case dts.Rejected:
			id = e.ID
		case dts.Broadcast:
			id = e.ID
		default:
			continue
		}
		if _, ok := ids[id]; !ok || ids[id] > 0 {
			b.t.Fatalf("request %d ended %d times before: %+v", id, ids[id], e)
		}
		ids[id]++
	}
}
