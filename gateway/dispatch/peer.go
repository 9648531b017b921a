package dispatch

import (
	"slices"
	"time"

	"sallyport/links"
)

// Peer is the scheduler of one neighbour. It is owned by one goroutine or one lock. Every input returns what is to be done,
// in order; the slice is good until the next input.
type Peer struct {
	o        Options
	links    []link
	lanes    [links.Lanes]lane
	items    map[uint64]*item
	aside    []stray          // by order
	strays   map[talk][]stray // what is or was aside and has not ended since, by order
	handouts uint64           // hand-outs so far
	poison   struct{ n, losses uint64 }
	expiry   time.Time // no item expires before
	deadline time.Time
	halted   bool
	out      []Output
}

// link is the changing side of a Link.
type link struct {
	Link
	up       bool
	since    time.Time // up since
	turn     uint64
	failures uint
	until    time.Time // after failures: not before
	silent   bool      // owes a report beyond its time
	heard    time.Time // last report, or when it got the first item
	used     time.Time // last item given
	resting  bool      // was told to close
	air      int       // with those that are being announced
	sent     int       // without
	airBytes int
	airOf    [links.Lanes]int
	budgets  [links.Lanes]budget
	weight   int // thousandths of its bytes that an item has on the link
}

// lane is one class of precedence.
type lane struct {
	items   []*item // by number
	on      int     // link it is or was on, -1 for none yet
	turn    uint64  // of that link, of what is in the air
	air     int
	high    uint64   // the highest number in the air
	settled uint64   // the highest number confirmed
	leaving []uint64 // of what ended without having been delivered, while a crash could bring it back
	credit  int      // bytes that it may send before higher classes
}

type state uint8

const (
	waiting    state = iota
	announcing       // "sending" is not durable yet
	inAir
	moving // being set aside
)

type item struct {
	Item
	state   state
	link    int
	handout uint64    // order of hand-outs
	written bool      // it may have been on a wire
	at      time.Time // when a link got it
	before  bool      // the same, before the present hand-out
	suspect bool      // it broke its stream once too often, and whether the neighbour has it is not known: see Greeted
	notYet  time.Time
	paid    int // bytes, from the budget of its class, for the present hand-out
}

// New returns the scheduler of a peer with all links down.
func New(o Options) *Peer {
	if o.Hold <= 0 {
		o.Hold = defaultHold
	}
	if o.PoisonAfter <= 0 {
		o.PoisonAfter = defaultPoison
	}
	p := &Peer{o: o, items: map[uint64]*item{}, strays: map[talk][]stray{}}
	for _, l := range o.Links[:min(len(o.Links), MaxLinks)] {
		p.links = append(p.links, link{Link: l, budgets: budgeted(&l.Profile), weight: 1000})
	}
	for i := range p.lanes {
		p.lanes[i].on = -1
	}
	return p
}

// Queued takes an item. Numbers of a lane may come in any order, but not below what was sent already.
func (p *Peer) Queued(now time.Time, it Item) []Output {
	p.begin()
	if it.Order == 0 {
		it.Order = it.Number
	}
	if int(it.Lane) >= len(p.lanes) || p.items[it.Number] != nil {
		return nil
	}
	x := &item{Item: it, written: it.Sent}
	p.track(x)
	p.items[it.Number] = x
	l := &p.lanes[it.Lane]
	at, _ := slices.BinarySearchFunc(l.items, it.Number, func(e *item, n uint64) int { return compare(e.Number, n) })
	l.items = slices.Insert(l.items, at, x)
	if it.Sent && p.o.Custody && it.Number <= l.settled {
		p.finish(x, Delivered) // the neighbour said so before it was queued here
		return p.done(now)
	}
	if !it.Expires.IsZero() && (p.expiry.IsZero() || it.Expires.Before(p.expiry)) {
		p.expiry = it.Expires
	}
	return p.done(now)
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Link tells that a link begins or ends to take what is sent.
func (p *Peer) Link(now time.Time, at int, up bool) []Output {
	p.begin()
	if at < 0 || at >= len(p.links) {
		return nil
	}
	l := &p.links[at]
	if up && !l.up {
		l.since, l.heard = now, now
	}
	if up {
		l.silent, l.failures, l.until = false, 0, time.Time{}
	}
	l.up = up
	return p.done(now)
}

// Turn tells the turn of a link (links.Turns), 0 while it takes nothing; links that have no turns have one that never ends. The
// owner asks the link before every other input: nothing of an earlier turn may be unreported when a later one is told.
func (p *Peer) Turn(at int, turn uint64) {
	if at >= 0 && at < len(p.links) {
		p.links[at].turn = turn
	}
}

// Announced tells that "sending" is durable for a number.
func (p *Peer) Announced(now time.Time, number uint64) []Output {
	p.begin()
	it := p.items[number]
	if it == nil || it.state != announcing {
		return nil
	}
	if l := &p.links[it.link]; !p.usable(l, now) || l.turn != p.lanes[it.Lane].turn || p.overtakes(it) {
		p.back(it)
		return p.done(now)
	}
	p.toWire(it, now)
	p.emit(Output{Action: Send, Number: number, Link: it.link, Turn: p.lanes[it.Lane].turn})
	return p.done(now)
}

// overtakes reports whether something earlier of one of its conversations was to go before it and waits again.
func (p *Peer) overtakes(it *item) bool {
	for _, e := range p.lanes[it.Lane].items {
		if e.Number >= it.Number {
			break
		}
		if (e.state == waiting || e.state == announcing) && e.speaksWith(&it.Item) {
			return true
		}
	}
	return false
}

// NotAnnounced tells that "sending" could not be made durable.
func (p *Peer) NotAnnounced(now time.Time, number uint64) []Output {
	p.begin()
	if it := p.items[number]; it != nil && it.state == announcing {
		p.back(it)
		it.notYet = now.Add(notYet)
	}
	return p.done(now)
}

// notYet is how long something that the disk refused is left alone.
const notYet = 10 * time.Second

// Restrict says over which links an item may go, as judged again. Judged before a Send is carried out: when the link of the
// Send is not in the set, report Returned and Unwritten after.
func (p *Peer) Restrict(now time.Time, number uint64, may Set) []Output {
	p.begin()
	if it := p.items[number]; it != nil {
		it.Item.Links = may
	}
	return p.done(now)
}

// Hold keeps what has a higher number in its lane from a neighbour with custody, until Free: the owner is about to end the item, and
// it is not yet durable that it was not delivered. After a crash it would be there again, and the neighbour, who has something later, be
// thought to have it too. What the scheduler ends otherwise than delivered it holds itself. It may be said before the item is Queued.
func (p *Peer) Hold(class uint8, number uint64) {
	if int(class) >= len(p.lanes) || !p.o.Custody {
		return
	}
	if l := &p.lanes[class]; !slices.Contains(l.leaving, number) {
		l.leaving = append(l.leaving, number)
	}
}

// Free ends a Hold.
func (p *Peer) Free(now time.Time, class uint8, number uint64) []Output {
	p.begin()
	if int(class) >= len(p.lanes) {
		return nil
	}
	l := &p.lanes[class]
	if at := slices.Index(l.leaving, number); at >= 0 {
		l.leaving = slices.Delete(l.leaving, at, at+1)
	}
	return p.done(now)
}

// held reports whether something before an item is about to be ended.
func (l *lane) held(it *item) bool {
	return slices.ContainsFunc(l.leaving, func(n uint64) bool { return n < it.Number })
}

// Ended tells that the owner ended an item: refused, expired by hand, superseded. An item that a link has is forgotten with
// its report. It is false for an item that is not there.
func (p *Peer) Ended(now time.Time, number uint64) ([]Output, bool) {
	p.begin()
	it := p.items[number]
	if it == nil {
		at := slices.IndexFunc(p.aside, func(s stray) bool { return s.number == number })
		if at < 0 {
			return nil, false
		}
		s := p.aside[at]
		p.aside = slices.Delete(p.aside, at, at+1)
		p.forget(s.talks, s.order)
		return p.done(now), true
	}
	p.remove(it)
	return p.done(now), true
}

// Covered tells that the neighbour holds everything of a lane up to a number, as it says first on a carrier.
func (p *Peer) Covered(now time.Time, class uint8, number uint64) []Output {
	p.begin()
	if int(class) >= len(p.lanes) {
		return nil
	}
	l := &p.lanes[class]
	for _, it := range slices.Clone(l.items) {
		if it.Number > number {
			break
		}
		if it.state == waiting && it.written {
			p.finish(it, Delivered)
		}
	}
	l.settled = max(l.settled, number)
	return p.done(now)
}

// Greeted tells that the neighbour has said on a new carrier of a link what it holds; Covered was called with it. What is held to have
// broken the last one, and did not arrive over it, is taken out now.
func (p *Peer) Greeted(now time.Time, at int) []Output {
	p.begin()
	for i := range p.lanes {
		for _, it := range slices.Clone(p.lanes[i].items) {
			if it.suspect && it.link == at && it.state == waiting {
				p.finish(it, Poison)
			}
		}
	}
	return p.done(now)
}

// Tick is time passing; call it at Deadline.
func (p *Peer) Tick(now time.Time) []Output {
	p.begin()
	if !p.expiry.IsZero() && !now.Before(p.expiry) {
		p.expire(now)
	}
	for i := range p.links {
		p.watch(i, now)
	}
	return p.done(now)
}

// Deadline is when Tick is wanted; zero for never.
func (p *Peer) Deadline() time.Time { return p.deadline }

// Waiting is how many items of a lane are queued and not handed to a link, for those who feed it from a longer queue.
func (p *Peer) Waiting(class uint8) (n int) {
	for _, it := range p.lanes[class].items {
		if it.state == waiting {
			n++
		}
	}
	return n
}

// Halt ends sending for good. Reports are still taken.
func (p *Peer) Halt() { p.halted = true }

// Retry forgets that links have failed, so that they are tried at once.
func (p *Peer) Retry(now time.Time) []Output {
	p.begin()
	for i := range p.links {
		p.links[i].failures, p.links[i].until = 0, time.Time{}
	}
	return p.done(now)
}

// InAir reports whether a link has an item, or is about to get it.
func (p *Peer) InAir(number uint64) bool {
	it := p.items[number]
	return it != nil && (it.state == inAir || it.state == announcing)
}

// Has reports whether an item is queued, in the air or being moved.
func (p *Peer) Has(number uint64) bool { return p.items[number] != nil }

// Len is how many items there are.
func (p *Peer) Len() int { return len(p.items) }

// Carries is the link that a lane is or was last on, -1 for none.
func (p *Peer) Carries(class uint8) int { return p.lanes[class].on }

func (p *Peer) begin() { p.out = p.out[:0] }

func (p *Peer) emit(o Output) { p.out = append(p.out, o) }

func (p *Peer) done(now time.Time) []Output {
	p.recall(now)
	for p.step(now) {
	}
	p.arm(now)
	return p.out
}
