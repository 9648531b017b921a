package dispatch

import (
	"time"

	"sallyport/links"
)

// usable reports whether something may be handed to a link now.
func (p *Peer) usable(l *link, now time.Time) bool {
	if p.halted || !l.up || l.turn == 0 || l.InboundOnly || l.silent || now.Before(l.until) {
		return false
	}
	open, _ := l.Profile.Open(now)
	return open
}

// target is the link that an item goes by: the best that works, but a lane stays on a worse one until the better has been
// up for the hold time. -1 is none.
func (p *Peer) target(it *item, now time.Time) int {
	best := -1
	for i := range p.links {
		if it.Item.Links.Has(i) && p.usable(&p.links[i], now) && (best < 0 || p.links[i].Priority < p.links[best].Priority) {
			best = i
		}
	}
	on := p.lanes[it.Lane].on
	if best < 0 || on < 0 || on == best || !it.Item.Links.Has(on) || !p.usable(&p.links[on], now) {
		return best
	}
	if p.links[on].Priority > p.links[best].Priority && now.Sub(p.links[best].since) >= p.o.Hold {
		return best
	}
	return on
}

// head is the first item of a lane that waits, if it may be sent before the others of its lane have landed.
func (p *Peer) head(l *lane, now time.Time) *item {
	for _, it := range l.items {
		switch it.state {
		case inAir, announcing:
			continue
		case moving:
			return nil // until it is stored elsewhere
		case waiting:
		}
		if now.Before(it.notYet) || l.air > 0 && it.Number < l.high || l.held(it) {
			return nil
		}
		return it
	}
	return nil
}

// candidate is the head of a lane with the link that it can go by now; link is -1 when it cannot.
type candidate struct {
	it   *item
	link int
	fits bool // there is room for it in the air
}

func (p *Peer) candidate(class int, now time.Time) candidate {
	l := &p.lanes[class]
	it := p.head(l, now)
	if it == nil {
		return candidate{link: -1}
	}
	if p.inTheWay(l, it, now) {
		p.moveAside(it)
		return candidate{link: -1}
	}
	at := p.target(it, now)
	switch {
	case at < 0 || p.follows(it), it.suspect && at == it.link:
		return candidate{it: it, link: -1}
	case !p.links[at].budgets[class].open(now):
		return candidate{it: it, link: -1} // it waits for its budget, not for a link that costs more
	case l.air > 0 && (at != l.on || p.links[at].turn != l.turn):
		return candidate{it: it, link: -1} // first all that is in the air has to land
	}
	return candidate{it, at, p.fits(&p.links[at], class, it.Bytes)}
}

// step sends one item; false when none can be sent.
func (p *Peer) step(now time.Time) bool {
	var all [links.Lanes]candidate
	for class := range all {
		all[class] = p.candidate(class, now)
	}
	for at := range p.links {
		if class := p.first(&all, at); class >= 0 {
			p.charge(&all, class)
			p.hand(all[class], now)
			return true
		}
	}
	return false
}

// first is the class that goes next by a link: one whose share is due, else the highest. While one whose share is due finds
// no room, a higher class goes only when nothing of it is in the air, so that room comes about. -1 is none.
func (p *Peer) first(all *[links.Lanes]candidate, at int) int {
	highest, owed := -1, false
	for class := len(all) - 1; class >= 0; class-- {
		c := all[class]
		if c.link != at {
			continue
		}
		due := p.lanes[class].credit >= c.it.Bytes
		switch {
		case due && highest >= 0 && c.fits:
			return class
		case due && highest >= 0:
			owed = true
		case c.fits && highest < 0:
			highest = class
		}
	}
	if owed && p.above(&p.links[at], highest) > 0 {
		return -1
	}
	return highest
}

// charge takes from the share of the class that goes what it has, and gives those below theirs.
func (p *Peer) charge(all *[links.Lanes]candidate, class int) {
	l, c := &p.lanes[class], all[class]
	l.credit = max(0, l.credit-c.it.Bytes)
	for below := range class {
		if it := all[below].it; it != nil && it.Item.Links.Has(c.link) {
			p.credit(&p.lanes[below], it.Bytes, c.it.Bytes)
		}
	}
}

// Shares of the lower classes.
const (
	sharePercent = 8       // of what every higher class sends, while they wait
	maxCredit    = 1 << 20 // bytes
)

// credit lets a lane with that much at its head have its share of what another sends.
func (p *Peer) credit(l *lane, head, sent int) {
	l.credit = min(l.credit+max(1, sent*sharePercent/100), max(maxCredit, head))
}

func (p *Peer) hand(c candidate, now time.Time) {
	it, l, lane := c.it, &p.links[c.link], &p.lanes[c.it.Lane]
	l.air++
	l.airBytes += it.Bytes
	l.airOf[it.Lane]++
	l.used, l.resting = now, false
	p.pay(it, l, now)
	lane.on, lane.turn, lane.high = c.link, l.turn, max(lane.high, it.Number)
	lane.air++
	p.handouts++
	it.handout, it.link, it.suspect = p.handouts, c.link, false
	if p.o.Custody {
		p.toWire(it, now)
		p.emit(Output{Action: Send, Number: it.Number, Link: c.link, Turn: l.turn})
		return
	}
	it.state = announcing
	p.emit(Output{Action: Announce, Number: it.Number, Link: c.link})
}

// toWire notes that an item may be on the wire from now on.
func (p *Peer) toWire(it *item, now time.Time) {
	l := &p.links[it.link]
	if l.sent == 0 {
		l.heard = now
	}
	l.sent++
	it.state, it.before, it.written, it.at = inAir, it.written, true, now
}

// Bounds of what may be in the air on one link.
const (
	fastBytes = 1 << 20
	fastItems = 1024
	thinBytes = 2 << 10 // at least
	airTime   = 8 * time.Second
)

// room is the part of the room in the air, in eighths, that is open to a class.
var room = [links.Lanes]int{4, 5, 6, 8}

// fits reports whether one more item may be in the air. Something of a class always may, when nothing of it or above is
// there: what was sent before must not hold up what is more urgent.
func (p *Peer) fits(l *link, class, bytes int) bool {
	if p.above(l, class) == 0 {
		return true
	}
	part, most := room[class], airBytes(l.Profile)
	if p.lanes[class].credit >= bytes {
		part = room[len(room)-1] // its share is due
	}
	return l.airBytes+bytes <= most/8*part && l.air < fastItems/8*part
}

// above is how many of a class and those above it are in the air.
func (p *Peer) above(l *link, class int) (n int) {
	for c := class; c < len(l.airOf); c++ {
		n += l.airOf[c]
	}
	return n
}

// airBytes is what occupies the line for its round trips and a few seconds.
func airBytes(f links.Profile) int {
	if f.BitsPerSecond <= 0 {
		return fastBytes
	}
	n := float64(f.BitsPerSecond) / 8 * (2*f.RoundTrip + airTime).Seconds()
	return int(min(max(n, thinBytes), fastBytes))
}

// watch looks at what a link owes and whether it is idle.
func (p *Peer) watch(at int, now time.Time) {
	l := &p.links[at]
	if l.sent > 0 && !l.silent && !now.Before(p.owes(l)) {
		l.silent = true
		p.emit(Output{Action: Cut, Link: at})
	}
	if due := p.rests(l); !due.IsZero() && !now.Before(due) {
		l.resting = true
		p.emit(Output{Action: Close, Link: at})
	}
}

// owes is when a link that has items must have reported something.
func (p *Peer) owes(l *link) time.Time { return l.heard.Add(l.Profile.AnswerTimeout(l.airBytes)) }

// rests is when a link is idle; zero for never.
func (p *Peer) rests(l *link) time.Time {
	if !l.up || l.resting || l.air > 0 || l.used.IsZero() || l.Profile.IdleClose <= 0 {
		return time.Time{}
	}
	return l.used.Add(l.Profile.IdleClose)
}

// arm computes the next deadline.
func (p *Peer) arm(now time.Time) {
	p.deadline = p.expiry
	want := func(t time.Time) {
		if t.After(now) && (p.deadline.IsZero() || t.Before(p.deadline)) {
			p.deadline = t
		}
	}
	for i := range p.links {
		l := &p.links[i]
		want(l.until)
		for class := range l.budgets {
			if b := &l.budgets[class]; !b.open(now) && len(p.lanes[class].items) > 0 {
				want(b.opens())
			}
		}
		if l.sent > 0 && !l.silent {
			want(p.owes(l))
		}
		want(p.rests(l))
		if len(p.items)+len(p.aside) == 0 {
			continue
		}
		if _, again := l.Profile.Open(now); l.up {
			want(again)
		}
		if l.up {
			want(l.since.Add(p.o.Hold))
		}
	}
	for i := range p.lanes {
		for _, it := range p.lanes[i].items {
			want(it.notYet)
		}
	}
}
