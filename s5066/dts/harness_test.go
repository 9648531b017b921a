package dts_test

import (
	"bytes"
	"testing"
	"time"

	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
)

// bench is one machine whose only neighbour is the test.
type bench struct {
	t      testing.TB
	m      *dts.Machine
	now    time.Time
	events []dts.Event
}

func newBench(t testing.TB, connected bool, change func(*dts.Config)) *bench {
	t.Helper()
	c := dts.DefaultConfig(nodeA)
	if change != nil {
		change(&c)
	}
	m, err := dts.New(c, shortTiming(2400))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, m: m, now: epoch}
	if connected {
		if _, err := m.Connect(b.now, nodeB); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// hear gives frames from B, a moment apart.
func (b *bench) hear(frames ...dpdu.PDU) {
	b.t.Helper()
	for _, p := range frames {
		if !p.From.Valid() {
			p.From = nodeB
		}
		if !p.To.Valid() {
			p.To = nodeA
		}
		b.now = b.now.Add(10 * time.Millisecond)
		b.events = append(b.events, b.m.Heard(b.now, p)...)
	}
}

// key lets the time go on until the machine transmits, and gives what; nil if it does not within a minute.
func (b *bench) key() []dpdu.PDU {
	b.t.Helper()
	for end := b.now.Add(time.Minute); b.now.Before(end); {
		if w, ok := b.m.Want(b.now); ok && !w.NotBefore.After(b.now) {
			train, ev := b.m.Train(b.now, dts.Budget{})
			b.events = append(b.events, ev...)
			if len(train.PDUs) > 0 {
				b.now = b.now.Add(600*time.Millisecond + train.Air)
				b.events = append(b.events, b.m.Keyed(b.now)...)
				return train.PDUs
			}
		}
		b.now = b.now.Add(50 * time.Millisecond)
		b.events = append(b.events, b.m.Tick(b.now)...)
	}
	return nil
}

// first is the first frame of a type.
func first(frames []dpdu.PDU, t dpdu.Type) (dpdu.PDU, bool) {
	for _, p := range frames {
		if p.Type == t {
			return p, true
		}
	}
	return dpdu.PDU{}, false
}

func (b *bench) acks() dpdu.Acks {
	b.t.Helper()
	p, ok := first(b.key(), dpdu.AckOnly)
	if !ok {
		b.t.Fatal("no acknowledgement")
	}
	return p.Acks
}

func count[E dts.Event](events []dts.Event) (n int) {
	for _, e := range events {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}

func delivered(events []dts.Event) (all []string) {
	for _, e := range events {
		if d, ok := e.(dts.Delivered); ok {
			all = append(all, string(d.CPDU))
		}
	}
	return all
}

// piece is a data frame: s start, e end, o in order, d drop, u and l the edges.
func piece(fsn int, flags, segment string) dpdu.PDU {
	has := func(c byte) bool { return bytes.IndexByte([]byte(flags), c) >= 0 }
	return dpdu.PDU{Type: dpdu.DataOnly, Segment: []byte(segment), Data: dpdu.Data{
		FSN: uint8(fsn), Start: has('s'), End: has('e'), InOrder: has('o'), Drop: has('d'), TXUWE: has('u'), TXLWE: has('l'),
	}}
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("delivered %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("delivered %q, want %q", got, want)
		}
	}
}
