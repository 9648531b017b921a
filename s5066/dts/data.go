package dts

import (
	"time"

	"sallyport/s5066/dpdu"
)

// ackEvery is how many data frames apart the acknowledgement is said again, as long as there are data frames.
const ackEvery = 16

// addData adds frames of types 0 and 2 in the order of their precedence: what is missing at the peer, then what it has not seen.
func (m *Machine) addData(b *builder, r *remote) {
	limit := b.limit
	if r.silent > 0 {
		// Nobody answers: find out whether anybody is there before much is keyed.
		limit = min(limit, m.timing.Air(max(m.pollBytes(), 2*r.size.sizes[r.size.at])))
	}
	full := b.limit
	b.limit = limit
	defer func() { b.limit = full }()
	acked := r.ackOwed
	for n := 0; ; n++ {
		extra := 0
		if acked && n%ackEvery == 0 {
			extra = ackRoom
		}
		fsn, ok := m.pick(b, r, extra)
		if !ok {
			return
		}
		f := r.tx.frames[fsn]
		if f.sends >= m.cfg.MaxSends && !f.drop {
			m.reject(r, f.of, TooManySends)
			r.tx.giveUp(f.of)
		}
		p := dpdu.PDU{
			Type: dpdu.DataOnly, To: r.addr, From: m.cfg.Own, Segment: f.segment,
			Data: dpdu.Data{FSN: fsn, Start: f.start, End: f.end, InOrder: !f.of.req.Unordered, Drop: f.drop},
		}
		if extra > 0 {
			p.Type, p.Acks = dpdu.DataAck, r.rx.acks()
			r.ackOwed = false
		}
		b.add(p)
		b.expect = r.addr
		r.figures.FramesSent++
		if f.sends > 0 {
			r.figures.FramesAgain++
		}
		f.sends++
		f.due, f.fresh = false, true
		b.keyed = append(b.keyed, f)
	}
}

// ackRoom is what an acknowledgement may add to a data frame.
const ackRoom = 1 + dpdu.MaxAckBytes

// pick is the next frame to key, if it fits with so many bytes on top: one that has a number and is due, or a new one.
func (m *Machine) pick(b *builder, r *remote, extra int) (uint8, bool) {
	lent := r.queue.ordered()
	if o := r.tx.part; o != nil && !o.req.Unordered {
		lent = max(lent, int(o.req.Priority))
	}
	fsn, priority, due := r.tx.next(lent)
	o, fresh := r.tx.part, -1
	if head := r.queue.head(); head != nil {
		fresh = int(head.req.Priority)
		if o == nil {
			o = head
		}
	}
	if o == nil || r.tx.used() >= m.cfg.Window || r.silent > 0 && r.tx.used() > 0 {
		o = nil
	} else {
		fresh = max(fresh, int(o.req.Priority))
	}
	if due && (o == nil || priority >= fresh) {
		return fsn, b.fits(len(r.tx.frames[fsn].segment) + overhead + extra)
	}
	if o == nil {
		return 0, false
	}
	if o.offset == 0 {
		o.size = min(r.size.size(), m.largest(b.limit))
	}
	size := m.piece(o)
	if !b.fits(size + overhead + extra) {
		// What is left of the transmission goes by unused otherwise.
		if size = b.room() - overhead - extra; size < leastPiece {
			return 0, false
		}
	}
	if o.offset == 0 {
		r.queue.pop()
	}
	return r.tx.number(o, size), true
}

// leastPiece is the least number of bytes that are worth a frame of their own.
const leastPiece = 2 * overhead

// piece is how much of a C_PDU the next segment has: all of them about the same, so that none is hardly more than its header.
func (m *Machine) piece(o *outgoing) int {
	rest, most := len(o.req.CPDU)-o.offset, o.size
	if m.cfg.AdaptSize {
		most = min(most+most/4, m.cfg.MaxSegment)
	}
	pieces := (rest + most - 1) / most
	return (rest + pieces - 1) / pieces
}

// largest is the size of segment that fits into a transmission, so that slow rates with short turns work.
func (m *Machine) largest(limit time.Duration) int {
	return max(m.timing.within(limit)-ackRoom-overhead, 32)
}
