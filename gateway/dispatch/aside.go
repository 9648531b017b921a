package dispatch

import (
	"slices"
	"time"
)

// talk is what has to stay in order: one conversation in one lane.
type talk struct {
	conversation uint64
	lane         uint8
}

func talkOf(it *item) talk { return talk{it.Conversation, it.Lane} }

// stray is an item that stands where it holds nothing up, or that did and waits again.
type stray struct {
	talk
	order  uint64
	number uint64 // there; of one that is back, in its lane
	links  Set
	back   bool // it is in its lane
	coming bool // Recall was said
}

// maxComing is how many are brought back at a time.
const maxComing = 64

// Moved tells that an item which was to be set aside is stored there, durably, under another number.
func (p *Peer) Moved(now time.Time, number, there uint64) []Output {
	p.begin()
	it := p.items[number]
	if it == nil || it.state != moving {
		return nil
	}
	p.strand(stray{talk: talkOf(it), order: it.Order, number: there, links: it.Item.Links})
	delete(p.items, number)
	l := &p.lanes[it.Lane]
	if at := slices.Index(l.items, it); at >= 0 {
		l.items = slices.Delete(l.items, at, at+1)
	}
	return p.done(now)
}

// NotMoved tells that it could not be stored. It stays where it is for a while, and so do those behind it.
func (p *Peer) NotMoved(now time.Time, number uint64) []Output {
	p.begin()
	if it := p.items[number]; it != nil && it.state == moving {
		it.state, it.notYet = waiting, now.Add(notYet)
	}
	return p.done(now)
}

// Aside tells of an item that was set aside in an earlier life.
func (p *Peer) Aside(now time.Time, it Item) []Output {
	p.begin()
	if it.Order == 0 {
		it.Order = it.Number
	}
	p.strand(stray{talk: talk{it.Conversation, it.Lane}, order: it.Order, number: it.Number, links: it.Links})
	return p.done(now)
}

// Recalled tells that an item is back: it will be Queued under another number, with its old Order.
func (p *Peer) Recalled(now time.Time, there uint64) []Output {
	p.begin()
	p.aside = slices.DeleteFunc(p.aside, func(s stray) bool { return s.number == there })
	return p.done(now)
}

// NotRecalled tells that it could not be brought back now.
func (p *Peer) NotRecalled(there uint64) {
	for i := range p.aside {
		if p.aside[i].number == there {
			p.aside[i].coming = false
		}
	}
}

// OrderAside is the place in its conversation of an item that is set aside, 0 for none.
func (p *Peer) OrderAside(there uint64) uint64 {
	for i := range p.aside {
		if p.aside[i].number == there {
			return p.aside[i].order
		}
	}
	return 0
}

// LenAside is how many items are set aside.
func (p *Peer) LenAside() int { return len(p.aside) }

func byOrder(s stray, order uint64) int { return compare(s.order, order) }

func (p *Peer) strand(s stray) {
	at, _ := slices.BinarySearchFunc(p.aside, s.order, byOrder)
	p.aside = slices.Insert(p.aside, at, s)
	all := p.strays[s.talk]
	if i, have := slices.BinarySearchFunc(all, s.order, byOrder); have {
		all[i] = s
	} else {
		p.strays[s.talk] = slices.Insert(all, i, s)
	}
}

// track notes that a stray is in its lane again.
func (p *Peer) track(it *item) {
	all := p.strays[talkOf(it)]
	if i, have := slices.BinarySearchFunc(all, it.Order, byOrder); have {
		all[i].back, all[i].number = true, it.Number
	}
}

// forget ends a stray.
func (p *Peer) forget(t talk, order uint64) {
	all := p.strays[t]
	i, have := slices.BinarySearchFunc(all, order, byOrder)
	switch {
	case !have:
	case len(all) == 1:
		delete(p.strays, t)
	default:
		p.strays[t] = slices.Delete(all, i, i+1)
	}
}

// follows reports whether something earlier of its conversation stands aside, or behind it in the lane.
func (p *Peer) follows(it *item) bool {
	if len(p.strays) == 0 {
		return false
	}
	for _, s := range p.strays[talkOf(it)] {
		if s.order >= it.Order {
			return false
		}
		if !s.back || s.number > it.Number {
			return true
		}
	}
	return false
}

// inTheWay reports whether the head of a lane cannot be sent now and something behind it can; or can never be sent under
// its number, because a later one was confirmed. Under custody what was once written keeps its number, and its lane
// waits: nobody could tell it under another number from a second one.
func (p *Peer) inTheWay(l *lane, it *item, now time.Time) bool {
	if p.o.Custody && (it.written || it.Number <= l.settled) {
		return !it.written
	}
	if p.target(it, now) >= 0 && !p.follows(it) {
		return false
	}
	for _, behind := range l.items {
		if behind.Number > it.Number && behind.state == waiting && (behind.Conversation != it.Conversation || behind.Order < it.Order) &&
			!p.follows(behind) && p.target(behind, now) >= 0 {
			return true
		}
	}
	return false
}

func (p *Peer) moveAside(it *item) {
	it.state = moving
	p.emit(Output{Action: SetAside, Number: it.Number})
}

// recall brings back what can go now, in order; in a conversation nothing before what cannot.
func (p *Peer) recall(now time.Time) {
	if len(p.aside) == 0 {
		return
	}
	var usable Set
	for i := range p.links {
		if p.usable(&p.links[i], now) {
			usable |= Of(i)
		}
	}
	if usable == 0 {
		return
	}
	coming := 0
	stuck := map[talk]bool{}
	for i := range p.aside {
		s := &p.aside[i]
		switch {
		case s.links&usable == 0:
			stuck[s.talk] = true
		case s.coming:
			coming++
		case !stuck[s.talk] && coming < maxComing:
			s.coming = true
			coming++
			p.emit(Output{Action: Recall, Number: s.number})
		}
	}
}
