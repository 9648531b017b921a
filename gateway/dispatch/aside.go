package dispatch

import (
	"iter"
	"slices"
	"time"
)

// talk is what has to stay in order: one conversation in one lane.
type talk struct {
	conversation uint64
	lane         uint8
}

// talks are all that an item speaks in: with several recipients, one for each.
func (it *Item) talks() iter.Seq[talk] {
	return func(yield func(talk) bool) {
		if !yield(talk{it.Conversation, it.Lane}) {
			return
		}
		for _, also := range it.Also {
			if !yield(talk{also, it.Lane}) {
				return
			}
		}
	}
}

// speaksWith reports whether two items of a lane have a conversation in common.
func (it *Item) speaksWith(other *Item) bool {
	if len(it.Also) == 0 && len(other.Also) == 0 {
		return it.Conversation == other.Conversation
	}
	for a := range it.talks() {
		for b := range other.talks() {
			if a == b {
				return true
			}
		}
	}
	return false
}

// stray is an item that stands where it holds nothing up, or that did and waits again.
type stray struct {
	talks  []talk
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
	p.strand(stray{talks: slices.Collect(it.talks()), order: it.Order, number: there, links: it.Item.Links})
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
	p.strand(stray{talks: slices.Collect(it.talks()), order: it.Order, number: it.Number, links: it.Links})
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

// Strayed reports whether something of a conversation stands aside, or is back and has not ended: what comes now has to follow it.
func (p *Peer) Strayed(conversation uint64, lane uint8) bool {
	return len(p.strays[talk{conversation, lane}]) > 0
}

// LenAside is how many items are set aside.
func (p *Peer) LenAside() int { return len(p.aside) }

func byOrder(s stray, order uint64) int { return compare(s.order, order) }

func (p *Peer) strand(s stray) {
	at, _ := slices.BinarySearchFunc(p.aside, s.order, byOrder)
	p.aside = slices.Insert(p.aside, at, s)
	for _, t := range s.talks {
		all := p.strays[t]
		if i, have := slices.BinarySearchFunc(all, s.order, byOrder); have {
			all[i] = s
		} else {
			p.strays[t] = slices.Insert(all, i, s)
		}
	}
}

// standing is in which conversations a stray was when it was set aside. It is found by the first, which never changes.
func (p *Peer) standing(it *item) []talk {
	all := p.strays[talk{it.Conversation, it.Lane}]
	if i, have := slices.BinarySearchFunc(all, it.Order, byOrder); have {
		return all[i].talks
	}
	return nil
}

// track notes that a stray is in its lane again.
func (p *Peer) track(it *item) {
	for _, t := range p.standing(it) {
		all := p.strays[t]
		if i, have := slices.BinarySearchFunc(all, it.Order, byOrder); have {
			all[i].back, all[i].number = true, it.Number
		}
	}
}

// forget ends a stray.
func (p *Peer) forget(talks []talk, order uint64) {
	for _, t := range talks {
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
}

// follows reports whether something earlier of one of its conversations stands aside, or behind it in the lane.
func (p *Peer) follows(it *item) bool {
	if len(p.strays) == 0 {
		return false
	}
	for t := range it.talks() {
		for _, s := range p.strays[t] {
			if s.order >= it.Order {
				break
			}
			if !s.back || s.number > it.Number {
				return true
			}
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
		if behind.Number > it.Number && behind.state == waiting && (behind.Order < it.Order || !behind.speaksWith(&it.Item)) &&
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
		waits := s.links&usable == 0 || slices.ContainsFunc(s.talks, func(t talk) bool { return stuck[t] })
		if waits {
			for _, t := range s.talks {
				stuck[t] = true
			}
		}
		switch {
		case s.coming:
			coming++
		case !waits && coming < maxComing:
			s.coming = true
			coming++
			p.emit(Output{Action: Recall, Number: s.number})
		}
	}
}
