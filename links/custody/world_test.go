package custody_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"sallyport/links"
	"sallyport/links/custody"
)

// fault is something that must be caught by the same runs that are to pass.
type fault uint8

const (
	none fault = iota
	noDeduplication
	ackBeforeCommit
	newerFirst // the lane is not started again after a loss
	ackBeyond  // an acknowledgement of more than is settled
)

// wire is one carrier: what is on it, each way.
type wire struct {
	frames   []links.Frame
	acks     []links.Mark
	carried  custody.Carried
	cut      bool
	receipts map[uint64]uint64 // id: seq
}

// world is a sender's queue, two links, and a receiver with durable marks, in one random order of events.
type world struct {
	dice      *rand.Rand
	fault     fault
	entries   [links.Lanes][]uint64 // not yet confirmed, in order
	next      [links.Lanes]int      // how many of these are given to the link now
	link      [links.Lanes]int      // where the lane is
	senders   [2]*custody.Sender
	wires     [2]*wire
	stale     []*wire // cut for the sender, and still trickling in
	receiver  *custody.Receiver
	ids       uint64
	owners    map[uint64]*wire
	disk      []links.Mark // durable
	inHand    []links.Frame
	got       [links.Lanes][]uint64 // durable deliveries
	confirmed [links.Lanes][]uint64
	problem   string
}

func newWorld(seed uint64, f fault) *world {
	w := &world{dice: rand.New(rand.NewPCG(seed, 1)), fault: f, owners: map[uint64]*wire{}} //nolint:gosec // dice of a test
	number := uint64(0)
	for range 60 {
		lane := w.dice.IntN(links.Lanes)
		number += 1 + uint64(w.dice.IntN(3)) //nolint:gosec // small
		w.entries[lane] = append(w.entries[lane], number)
	}
	w.receiver = custody.NewReceiver(nil)
	for i := range w.senders {
		w.senders[i] = custody.NewSender(7, custody.Window{Items: 8, Bytes: 1 << 20})
		w.open(i)
	}
	return w
}

// open makes a new carrier; its greeting arrives at once.
func (w *world) open(i int) {
	w.wires[i] = &wire{receipts: map[uint64]uint64{}}
	w.receiver.Greeted(7)
	w.senders[i].Greeted(w.receiver.Marks(), func(uint64) {})
	for _, m := range w.receiver.Marks() {
		w.confirm(m)
	}
}

// confirm is the spool's part: everything of the lane up to the mark is done with.
func (w *world) confirm(m links.Mark) {
	e := &w.entries[m.Lane]
	for len(*e) > 0 && (*e)[0] <= m.Number {
		w.confirmed[m.Lane] = append(w.confirmed[m.Lane], (*e)[0])
		*e = (*e)[1:]
		w.next[m.Lane] = max(w.next[m.Lane]-1, 0)
	}
}

func (w *world) send(lane int) {
	if w.next[lane] >= len(w.entries[lane]) {
		return
	}
	i := w.link[lane]
	f := frame(7, uint8(lane), w.entries[lane][w.next[lane]]) //nolint:gosec // small
	switch w.senders[i].Send(f, f.Number, 10) {
	case custody.Transmit:
		w.wires[i].frames = append(w.wires[i].frames, f)
		w.next[lane]++
	case custody.Already:
		w.confirm(f.Mark())
	case custody.Full:
	case custody.Refused:
		if w.fault == none {
			w.problem = fmt.Sprintf("%v refused", f)
		}
		w.next[lane]++
	}
}

// lose cuts a link for the sender: everything comes back, and its lanes start again, here or on the other link.
func (w *world) lose(i int) {
	w.senders[i].Lost(func(uint64) {})
	w.stale = append(w.stale, w.wires[i])
	w.wires[i].cut = true
	for lane := range w.link {
		if w.link[lane] == i {
			if w.fault != newerFirst {
				w.next[lane] = 0
			}
			w.link[lane] = w.dice.IntN(2)
		}
	}
	w.open(i)
}

func (w *world) arrive(x *wire) {
	if len(x.frames) == 0 {
		return
	}
	f := x.frames[0]
	x.frames = x.frames[1:]
	w.ids++
	id := w.ids
	w.owners[id] = x
	x.receipts[id] = x.carried.Arrived(f)
	d := w.receiver.Take(f, id)
	if w.fault == noDeduplication && d != custody.Foreign && d != custody.New {
		w.got[f.Lane] = append(w.got[f.Lane], f.Number)
	}
	if d == custody.New {
		w.inHand = append(w.inHand, f)
	}
	if d == custody.Repetition || w.fault == ackBeforeCommit {
		w.settle(id)
	}
	if w.fault == ackBeyond {
		x.acks = append(x.acks, f.Mark())
	}
}

func (w *world) settle(id uint64) {
	x := w.owners[id]
	x.carried.Settled(x.receipts[id])
	x.acks = x.carried.Due(x.acks)
}

// commit makes the oldest in hand durable, with its mark.
func (w *world) commit() {
	if len(w.inHand) == 0 {
		return
	}
	f := w.inHand[0]
	w.inHand = w.inHand[1:]
	w.got[f.Lane] = append(w.got[f.Lane], f.Number)
	w.disk = append(w.disk, f.Mark())
	if err := w.receiver.Committed(f.Mark(), w.settle); err != nil {
		w.problem = err.Error()
	}
}

// crash is kill -9 of the receiver: marks stay, everything else is gone.
func (w *world) crash() {
	w.inHand = nil
	w.receiver = custody.NewReceiver(w.disk)
	for i := range w.wires {
		w.wires[i].frames, w.wires[i].acks = nil, nil
		w.lose(i)
	}
	w.stale = nil
}

func (w *world) acknowledge(i int) {
	x := w.wires[i]
	if len(x.acks) == 0 {
		return
	}
	m := x.acks[0]
	x.acks = x.acks[1:]
	if err := w.senders[i].Acked(m, func(uint64) {}); err != nil {
		w.problem = fmt.Sprintf("%v: %v", m, err)
	}
	w.confirm(m)
}

func (w *world) step(calm bool) {
	i := w.dice.IntN(2)
	switch n := w.dice.IntN(40); {
	case n < 12:
		w.send(w.dice.IntN(links.Lanes))
	case n < 20:
		w.arrive(w.wires[i])
	case n < 28:
		w.commit()
	case n < 36:
		w.acknowledge(i)
	case n < 38 && len(w.stale) > 0:
		w.arrive(w.stale[w.dice.IntN(len(w.stale))])
	case n == 38 && !calm:
		w.lose(i)
	case n == 39 && !calm && w.dice.IntN(4) == 0:
		w.crash()
	}
}

// run plays a world to its end and says what went wrong.
func run(seed uint64, f fault) string {
	w := newWorld(seed, f)
	var all [links.Lanes][]uint64
	for i := range all {
		all[i] = slices.Clone(w.entries[i])
	}
	for n := 0; n < 20_000 && w.problem == ""; n++ {
		w.step(n > 600)
		if n > 600 && len(slices.Concat(w.entries[:]...)) == 0 && len(w.inHand) == 0 {
			break
		}
	}
	for lane := range all {
		switch {
		case w.problem != "":
		case !slices.Equal(w.got[lane], all[lane]):
			w.problem = fmt.Sprintf("lane %d: delivered %v, sent %v", lane, w.got[lane], all[lane])
		case !slices.Equal(w.confirmed[lane], all[lane]):
			w.problem = fmt.Sprintf("lane %d: confirmed %v, sent %v", lane, w.confirmed[lane], all[lane])
		}
	}
	return w.problem
}

// TestExactlyOnce: cuts, stale carriers, lanes that move, crashes of the receiver: everything arrives once, in order, and is confirmed;
// and the same runs see each planted fault.
func TestExactlyOnce(t *testing.T) {
	const most = 3000
	rows := []struct {
		name  string
		fault fault
	}{
		{"right", none},
		{"de-duplication off", noDeduplication},
		{"acknowledged before commit", ackBeforeCommit},
		{"newer first after a loss", newerFirst},
		{"acknowledged beyond what is settled", ackBeyond},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			failures, seeds := 0, uint64(most)
			if row.fault != none {
				seeds = 100
			}
			for seed := range seeds {
				if why := run(seed, row.fault); why != "" {
					if failures++; row.fault == none {
						t.Fatalf("seed %d: %s", seed, why)
					}
				}
			}
			if row.fault != none && failures == 0 {
				t.Errorf("%d seeds and nobody noticed", seeds)
			}
			t.Logf("%d of %d seeds fail", failures, seeds)
		})
	}
}

// FuzzCustody: any order of anything a peer can say: no panic, nothing new twice, no confirmation without a mark that covers it.
func FuzzCustody(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 17, 200, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, script []byte) {
		s := custody.NewSender(1, custody.Window{Items: 16, Bytes: 4096})
		r := custody.NewReceiver(nil)
		var c custody.Carried
		open := map[uint64]bool{}
		seen := map[links.Mark]bool{}
		var id uint64
		done := func(token uint64) {
			if !open[token] {
				t.Fatalf("token %d came back twice", token)
			}
			delete(open, token)
		}
		for i := 0; i+2 < len(script); i += 3 {
			fr := links.Frame{Epoch: uint64(script[i] >> 6), Lane: script[i+1] >> 5, Number: uint64(script[i+2])}
			id++
			switch script[i] % 8 {
			case 0, 1:
				if s.Send(fr, id, int(script[i+1])) == custody.Transmit {
					open[id] = true
				}
			case 2:
				_ = s.Acked(fr.Mark(), done)
			case 3:
				s.Greeted([]links.Mark{fr.Mark()}, done)
			case 4:
				s.Lost(done)
			case 5:
				if r.Take(fr, id) == custody.New {
					if seen[fr.Mark()] {
						t.Fatalf("%+v is new twice", fr)
					}
					seen[fr.Mark()] = true
				}
			case 6:
				if r.Greeted(fr.Epoch) {
					clear(seen)
				}
				_ = r.Committed(fr.Mark(), func(uint64) {})
			case 7:
				c.Settled(c.Arrived(fr) - uint64(script[i+1]%4))
				c.Due(nil)
			}
		}
		s.Lost(done)
		if n, b := s.Unconfirmed(); n != 0 || b != 0 || len(open) != 0 {
			t.Fatalf("%d items, %d bytes, %d tokens left", n, b, len(open))
		}
	})
}
