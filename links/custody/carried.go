package custody

import "sallyport/links"

// Carried is the receiving side of one carrier: what came in on it, what of it is settled, and what may be acknowledged. Receipts come
// in any order; acknowledgements follow the order of the lane. The zero value is ready. One goroutine, or one mutex, owns it.
type Carried struct {
	lanes     [links.Lanes]arriving
	next      uint64 // Seq of the next arrival
	places    map[uint64]place
	unsettled int
}

type place struct {
	lane uint8
	at   uint64 // index of the arrival within its lane
}

// arriving is one lane; open[0] is arrival number base of it.
type arriving struct {
	open  []arrival
	base  uint64
	mark  links.Mark // everything the carrier brought up to here is settled
	stale bool       // mark is to be told, also when it did not grow: that was a repetition
}

type arrival struct {
	mark    links.Mark
	settled bool
}

// Arrived takes one consignment and returns what its receipt will say. A number that goes back within the lane is no fault: it is a
// repetition.
func (c *Carried) Arrived(f links.Frame) (seq uint64) {
	if c.places == nil {
		c.places = make(map[uint64]place)
	}
	c.next++
	l := &c.lanes[f.Lane%links.Lanes]
	c.places[c.next] = place{f.Lane % links.Lanes, l.base + uint64(len(l.open))}
	l.open = append(l.open, arrival{mark: f.Mark()})
	c.unsettled++
	return c.next
}

// Settled takes a receipt. It reports whether there is something new to acknowledge. A receipt of nobody is ignored.
func (c *Carried) Settled(seq uint64) (due bool) {
	p, ok := c.places[seq]
	if !ok {
		return false
	}
	delete(c.places, seq)
	c.unsettled--
	l := &c.lanes[p.lane]
	l.open[p.at-l.base].settled = true
	done := 0
	for done < len(l.open) && l.open[done].settled {
		if m := l.open[done].mark; m.Epoch != l.mark.Epoch || m.Number > l.mark.Number {
			l.mark = m
		}
		done++
		l.stale = true
	}
	l.open = l.open[done:]
	l.base += uint64(done)
	return done > 0
}

// Due appends the marks to acknowledge now, one for each lane that moved.
func (c *Carried) Due(dst []links.Mark) []links.Mark {
	for i := range c.lanes {
		l := &c.lanes[i]
		if l.stale && l.mark.Epoch != 0 {
			dst = append(dst, l.mark)
		}
		l.stale = false
	}
	return dst
}

// Unsettled counts arrivals that wait for their receipt.
func (c *Carried) Unsettled() int { return c.unsettled }
