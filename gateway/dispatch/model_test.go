package dispatch_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"sallyport/gateway/dispatch"
	"sallyport/links"
)

// entry is one stanza as the world outside of the scheduler knows it.
type entry struct {
	id     uint64 // the number it had at first
	lane   uint8
	talks  []uint64 // of each recipient
	may    dispatch.Set
	number uint64 // now
	back   bool
}

// carrier is one link: what is on its way, and what it owes.
type carrier struct {
	up   bool
	turn uint64
	wire []sent // handed over and not reported, in order
	read int    // of these, how many the neighbour has
}

type sent struct {
	number uint64
	lane   uint8
	id     uint64
}

// world is the owner of a scheduler, its disk, its links and its neighbour, in virtual time.
type world struct {
	p       *dispatch.Peer
	custody bool
	now     time.Time
	next    uint64
	main    map[uint64]*entry
	aside   map[uint64]*entry
	links   []*carrier
	marks   [links.Lanes]uint64
	got     []entry // by the neighbour
	ended   map[uint64]dispatch.Action
	leaving map[uint64]uint8  // undelivered, and that is not on disk
	todo    []dispatch.Output // disk work that takes its time
	bad     []string
}

func newWorld(o dispatch.Options) *world {
	w := &world{
		p: dispatch.New(o), custody: o.Custody, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), main: map[uint64]*entry{},
		aside: map[uint64]*entry{}, ended: map[uint64]dispatch.Action{}, leaving: map[uint64]uint8{},
	}
	for range o.Links {
		w.links = append(w.links, &carrier{turn: 1})
	}
	return w
}

func (w *world) fail(format string, args ...any) { w.bad = append(w.bad, fmt.Sprintf(format, args...)) }

// turns is what the owner does before every input.
func (w *world) turns() {
	for i, l := range w.links {
		w.p.Turn(i, l.turn)
	}
}

func (w *world) accept(lane uint8, talk uint64, may dispatch.Set, bytes int, also ...uint64) uint64 {
	w.next++
	e := &entry{id: w.next, lane: lane, talks: append([]uint64{talk}, also...), may: may, number: w.next}
	w.main[e.number] = e
	w.queue(e, bytes)
	return e.id
}

func (w *world) queue(e *entry, bytes int) {
	w.turns()
	w.carry(w.p.Queued(w.now, dispatch.Item{Number: e.number, Order: e.id, Lane: e.lane, Bytes: bytes, Links: e.may, Conversation: e.talks[0], Also: e.talks[1:]}))
}

// carry does what the scheduler said.
func (w *world) carry(outs []dispatch.Output) {
	for _, o := range slices.Clone(outs) {
		switch o.Action {
		case dispatch.Send:
			w.send(o)
		case dispatch.Announce, dispatch.SetAside, dispatch.Recall:
			w.todo = append(w.todo, o)
		case dispatch.Requeue, dispatch.Cut, dispatch.Close, dispatch.Nothing:
		default:
			w.end(o)
		}
	}
}

func (w *world) end(o dispatch.Output) {
	e := w.main[o.Number]
	if e == nil {
		w.fail("%s of %d, which is not there", o.Action, o.Number)
		return
	}
	if _, twice := w.ended[e.id]; twice {
		w.fail("%d ended twice", e.id)
	}
	w.ended[e.id] = o.Action
	delete(w.main, o.Number)
	if w.custody && o.Action != dispatch.Delivered {
		w.leaving[o.Number] = e.lane
	}
}

// hidden reports whether something before an entry in its lane could come back after a crash.
func (w *world) hidden(e *entry) bool {
	for n, lane := range w.leaving {
		if lane == e.lane && n < e.number {
			return true
		}
	}
	return false
}

func (w *world) send(o dispatch.Output) {
	e, l := w.main[o.Number], w.links[o.Link]
	switch {
	case e == nil:
		w.fail("send of %d, which is not there", o.Number)
		return
	case w.hidden(e):
		w.fail("%d goes out before it is on disk what became of one before it", e.id)
	case !e.may.Has(o.Link):
		w.fail("%d on link %d, it may only use %b", e.id, o.Link, e.may)
	case !l.up:
		w.fail("%d on link %d, which is down", e.id, o.Link)
	case o.Turn != l.turn:
		w.fail("%d under turn %d of link %d, which has %d", e.id, o.Turn, o.Link, l.turn)
	}
	for at, other := range w.links {
		for _, s := range other.wire {
			switch {
			case s.lane != e.lane:
			case at != o.Link:
				w.fail("lane %d on links %d and %d", e.lane, at, o.Link)
			case s.number >= o.Number:
				w.fail("%d behind %d in lane %d", o.Number, s.number, e.lane)
			}
		}
	}
	l.wire = append(l.wire, sent{o.Number, e.lane, e.id})
}

// refuse ends the first of the waiting ones that the neighbour cannot have, as the owner may at any time.
func (w *world) refuse() {
	for _, n := range slices.Sorted(maps.Keys(w.main)) {
		e := w.main[n]
		arrived := slices.ContainsFunc(w.got, func(g entry) bool { return g.id == e.id })
		if arrived || w.p.InAir(n) || slices.ContainsFunc(w.todo, func(o dispatch.Output) bool { return o.Number == n }) {
			continue
		}
		w.p.Hold(e.lane, n)
		w.end(dispatch.Output{Action: dispatch.Expired, Number: n})
		w.turns()
		outs, ok := w.p.Ended(w.now, n)
		if !ok {
			w.fail("%d is not there to be ended", e.id)
		}
		w.carry(outs)
		return
	}
}

// disk finishes one piece of work; ok is false for a disk that refuses.
func (w *world) disk(ok bool) bool {
	if len(w.leaving) > 0 && ok {
		n := slices.Min(slices.Collect(maps.Keys(w.leaving)))
		lane := w.leaving[n]
		delete(w.leaving, n)
		w.turns()
		w.carry(w.p.Free(w.now, lane, n))
		return true
	}
	if len(w.todo) == 0 {
		return false
	}
	o := w.todo[0]
	w.todo = w.todo[1:]
	w.turns()
	switch {
	case o.Action == dispatch.Announce && ok:
		w.carry(w.p.Announced(w.now, o.Number))
	case o.Action == dispatch.Announce:
		w.carry(w.p.NotAnnounced(w.now, o.Number))
	case o.Action == dispatch.SetAside && ok:
		e := w.main[o.Number]
		delete(w.main, o.Number)
		w.next++
		e.number = w.next
		w.aside[e.number] = e
		w.carry(w.p.Moved(w.now, o.Number, e.number))
	case o.Action == dispatch.SetAside:
		w.carry(w.p.NotMoved(w.now, o.Number))
	case ok: // recall
		e := w.aside[o.Number]
		if e == nil {
			w.fail("recall of %d, which is not there", o.Number)
			return true
		}
		delete(w.aside, o.Number)
		w.next++
		e.number, e.back = w.next, true
		w.main[e.number] = e
		w.carry(w.p.Recalled(w.now, o.Number))
		w.queue(e, 100)
	default:
		w.p.NotRecalled(o.Number)
	}
	return true
}

// arrive lets the neighbour read the next of a link.
func (w *world) arrive(at int) bool {
	l := w.links[at]
	if !l.up || l.read == len(l.wire) {
		return false
	}
	s := l.wire[l.read]
	l.read++
	if w.custody && s.number <= w.marks[s.lane] {
		return true // a repetition
	}
	w.marks[s.lane] = max(w.marks[s.lane], s.number)
	for _, g := range w.got {
		if g.id == s.id {
			w.fail("%d arrived twice", s.id)
		}
	}
	e := w.main[s.number]
	if e == nil {
		w.fail("%d arrived after it ended", s.id)
		return true
	}
	for _, g := range w.got {
		common := slices.ContainsFunc(g.talks, func(talk uint64) bool { return slices.Contains(e.talks, talk) })
		if common && g.lane == e.lane && g.id > e.id {
			w.fail("%d arrived after %d in conversations %v", e.id, g.id, e.talks)
		}
	}
	w.got = append(w.got, *e)
	return true
}

// confirm reports the oldest that the neighbour has.
func (w *world) confirm(at int) bool {
	l := w.links[at]
	if !l.up || l.read == 0 {
		return false
	}
	w.report(at, links.Delivered, 0)
	return true
}

func (w *world) report(at int, d links.Disposition, f dispatch.Fault) {
	l := w.links[at]
	s := l.wire[0]
	l.wire, l.read = l.wire[1:], max(l.read-1, 0)
	w.turns()
	w.carry(w.p.Report(w.now, s.number, d, f))
}

// cut breaks a link: what is unconfirmed comes back in order, then a new turn begins.
func (w *world) cut(at int) {
	l := w.links[at]
	l.up = false
	w.turns()
	w.carry(w.p.Link(w.now, at, false))
	for len(l.wire) > 0 {
		d := links.Returned
		if !w.custody {
			d = links.InDoubt
			if l.read == 0 {
				d = links.Failed
			}
		}
		w.report(at, d, 0)
	}
	l.turn++
}

func (w *world) raise(at int) {
	w.links[at].up = true
	w.turns()
	w.carry(w.p.Link(w.now, at, true))
	if w.custody {
		for lane, n := range w.marks {
			w.carry(w.p.Covered(w.now, uint8(lane), n))
		}
		w.turns()
		w.carry(w.p.Greeted(w.now, at))
	}
}

func (w *world) pass(d time.Duration) {
	end := w.now.Add(d)
	for {
		due := w.p.Deadline()
		if due.IsZero() || due.After(end) {
			break
		}
		w.now = due
		w.turns()
		w.carry(w.p.Tick(w.now))
		if next := w.p.Deadline(); !next.IsZero() && !next.After(w.now) {
			w.fail("deadline %v does not move on at %v", next, w.now)
			break
		}
	}
	w.now = end
	w.turns()
	w.carry(w.p.Tick(w.now))
}

// drain lets every link work until nothing moves any more.
func (w *world) drain() {
	for i := range w.links {
		if !w.links[i].up {
			w.raise(i)
		}
	}
	for range 100_000 {
		moved := w.disk(true)
		for i := range w.links {
			for w.arrive(i) {
				moved = true
			}
			for w.confirm(i) {
				moved = true
			}
		}
		if !moved {
			if len(w.main)+len(w.aside) == 0 {
				return
			}
			w.pass(time.Minute)
			if len(w.todo) == 0 && w.onWire() == 0 {
				break
			}
		}
	}
}

func (w *world) onWire() (n int) {
	for _, l := range w.links {
		n += len(l.wire)
	}
	return n
}
