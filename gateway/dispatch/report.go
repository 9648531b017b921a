package dispatch

import (
	"slices"
	"time"

	"sallyport/links"
)

// Report tells what became of what was sent: exactly once for each Send.
func (p *Peer) Report(now time.Time, number uint64, d links.Disposition, f Fault) []Output {
	p.begin()
	it := p.items[number]
	if it == nil || it.state != inAir {
		return p.done(now)
	}
	l := &p.links[it.link]
	broken := l.silent // by us, as Cut asked
	l.heard, l.silent = now, false
	switch d {
	case links.Delivered:
		l.failures = 0
		lane := &p.lanes[it.Lane]
		lane.settled = max(lane.settled, number)
		if p.poison.n == number {
			p.poison.n, p.poison.losses = 0, 0
		}
		p.finish(it, Delivered)
	case links.Failed:
		p.failed(it, l, f, now)
	case links.Expired:
		if !it.Expires.IsZero() && !now.Before(it.Expires) {
			p.finish(it, Expired)
			break
		}
		p.failed(it, l, OfLink, now)
	case links.Returned, links.InDoubt, links.Unknown:
		p.returned(it, d, f, broken || f == Unheard || p.fellSilent(it, now))
	}
	return p.done(now)
}

// failed is for what did not get to the wire this time.
func (p *Peer) failed(it *item, l *link, f Fault, now time.Time) {
	switch f {
	case ItemTooBig:
		p.finish(it, TooBig)
		return
	case ItemNoRoute, ItemIsRefused:
		p.finish(it, Unroutable)
		return
	case OfLink, Unwritten, Unheard:
	}
	p.payBack(it)
	it.written = it.before
	p.back(it)
	if now.Before(l.until) {
		return // of the same failure
	}
	wait := l.Profile.RetryFirst() << min(l.failures, 10)
	l.failures++
	l.until = now.Add(min(wait, l.Profile.RetryMost()))
}

// fellSilent reports whether a link that comes back with an item may have given it up for want of an answer. What breaks a stream
// does so at once; a neighbour that does not answer, or whose disk is full, is not the fault of the item.
func (p *Peer) fellSilent(it *item, now time.Time) bool {
	return now.Sub(it.at) >= p.links[it.link].Profile.AnswerTimeout(0)*3/4
}

// returned is for what may have been on the wire. silent: it came back for want of an answer.
func (p *Peer) returned(it *item, d links.Disposition, f Fault, silent bool) {
	if f == Unwritten {
		p.payBack(it)
		it.written = it.before
		p.back(it)
		return
	}
	if p.o.Custody && it.Number <= p.lanes[it.Lane].settled {
		p.finish(it, Delivered) // it or a later one of the lane was confirmed; whatever broke the stream, the neighbour has it
		return
	}
	if !silent && p.lost(it) {
		if !p.o.Custody {
			p.finish(it, Poison)
			return
		}
		it.suspect = true // the neighbour may have it all the same, and says so when it greets
	}
	switch {
	case !p.o.Custody && !p.o.Resend && d != links.Returned:
		p.finish(it, InDoubt)
	default:
		p.back(it)
	}
}

// lost counts a stream loss when it is the head of it that comes back, and says whether that is one too many.
func (p *Peer) lost(it *item) bool {
	for _, other := range p.items {
		if other.state == inAir && other.link == it.link && other.handout < it.handout {
			return false
		}
	}
	if p.poison.n != it.Number {
		// What comes back behind the head of the same loss would begin a count of its own, which does no harm: the
		// head is sent first again.
		if head := p.items[p.poison.n]; head != nil && head.link == it.link && head.handout < it.handout {
			return false
		}
		p.poison.n, p.poison.losses = it.Number, 0
	}
	p.poison.losses++
	return p.poison.losses >= uint64(p.o.PoisonAfter)
}

// back lets an item wait again in its old place.
func (p *Peer) back(it *item) {
	if it.state == announcing {
		p.payBack(it)
	}
	p.land(it)
	it.state = waiting
	p.emit(Output{Action: Requeue, Number: it.Number})
}

// land takes an item out of the air.
func (p *Peer) land(it *item) {
	if it.state != inAir && it.state != announcing {
		return
	}
	l := &p.links[it.link]
	l.air--
	if it.state == inAir {
		l.sent--
	}
	if l.sent == 0 {
		l.silent = false
	}
	l.airBytes -= it.Bytes
	l.airOf[it.Lane]--
	lane := &p.lanes[it.Lane]
	if lane.air--; lane.air == 0 {
		lane.high = 0
	}
}

// finish ends an item with an output.
func (p *Peer) finish(it *item, how Action) {
	if how != Delivered {
		p.Hold(it.Lane, it.Number)
	}
	p.emit(Output{Action: how, Number: it.Number})
	p.remove(it)
}

func (p *Peer) remove(it *item) {
	p.land(it)
	delete(p.items, it.Number)
	p.forget(p.standing(it), it.Order)
	l := &p.lanes[it.Lane]
	if at := slices.Index(l.items, it); at >= 0 {
		l.items = slices.Delete(l.items, at, at+1)
	}
}

// expire ends what waits and is over its time. What a link has ends with its report.
func (p *Peer) expire(now time.Time) {
	p.expiry = time.Time{}
	for i := range p.lanes {
		for _, it := range slices.Clone(p.lanes[i].items) {
			switch {
			case it.Expires.IsZero():
			case it.state == waiting && !now.Before(it.Expires):
				p.finish(it, Expired)
			case it.state == waiting && (p.expiry.IsZero() || it.Expires.Before(p.expiry)):
				p.expiry = it.Expires
			}
		}
	}
}
