package dts

import (
	"bytes"

	"sallyport/s5066/dpdu"
)

// receivedFrame is a segment above the window's lower edge.
type receivedFrame struct {
	have, start, end, drop bool
	ordered                bool
	done                   bool // handed up already, out of order
	segment                []byte
}

// receiveWindow is the receiving half of selective repeat, and the C_PDU that its lower edge stands in.
type receiveWindow struct {
	lwe, uwe  uint8
	frames    [256]receivedFrame
	limit     int // bytes of a C_PDU
	part      []byte
	inside    bool // a START has come and no END yet
	outside   int  // frames in a row that are out of step
	discarded uint64
}

func newReceiveWindow(limit int) receiveWindow { return receiveWindow{uwe: 255, limit: limit} }

// between is a ≤ b ≤ c on the circle of 256 numbers.
func between(a, b, c uint8) bool { return b-a <= c-a }

// inStep makes the synchronisation tests 1 to 3 of C.7.
func (w *receiveWindow) inStep(d dpdu.Data) bool {
	const span = dpdu.Window - 1
	return between(w.uwe-span, d.FSN, w.lwe+span) &&
		(!d.TXUWE || between(w.uwe, d.FSN, w.lwe+span)) &&
		(!d.TXLWE || between(w.uwe-span, d.FSN, w.lwe))
}

// take puts a frame that is in step into the window, and gives the C_PDUs that are complete with it.
func (w *receiveWindow) take(d dpdu.Data, segment []byte, damaged bool) (done [][]byte) {
	at := d.FSN - w.lwe
	if damaged && !d.Drop || at >= dpdu.Window || w.frames[d.FSN].have {
		return nil
	}
	f := receivedFrame{have: true, start: d.Start, end: d.End, drop: d.Drop, ordered: d.InOrder}
	if !d.Drop {
		f.segment = bytes.Clone(segment)
	}
	w.frames[d.FSN] = f
	if at >= w.uwe-w.lwe+1 {
		w.uwe = d.FSN
	}
	if !f.ordered && !f.drop && at > 0 {
		done = w.early(d.FSN)
	}
	for w.frames[w.lwe].have {
		f := w.frames[w.lwe]
		w.frames[w.lwe] = receivedFrame{}
		w.lwe++
		if c := w.pass(f); c != nil {
			done = append(done, c)
		}
	}
	return done
}

// pass moves the lower edge over a frame, and gives the C_PDU that ends with it.
func (w *receiveWindow) pass(f receivedFrame) []byte {
	if f.start || f.done || f.drop {
		if w.inside {
			w.discarded++ // its end did not come, or was dropped
		}
		w.inside, w.part = false, nil
	}
	switch {
	case f.done, f.drop:
		return nil
	case f.start:
		w.inside = true
	case !w.inside:
		if len(f.segment) > 0 {
			w.discarded++ // its start did not come
		}
		return nil
	}
	if len(w.part)+len(f.segment) > w.limit {
		w.inside, w.part = false, nil
		w.discarded++
		return nil
	}
	w.part = append(w.part, f.segment...)
	if !f.end {
		return nil
	}
	whole := w.part
	w.inside, w.part = false, nil
	return whole
}

// early hands up a C_PDU above a gap, if it may overtake and fsn completed it.
func (w *receiveWindow) early(fsn uint8) [][]byte {
	free := func(i uint8) bool {
		f := &w.frames[i]
		return f.have && !f.ordered && !f.drop && !f.done
	}
	first := fsn
	for !w.frames[first].start {
		if first == w.lwe || !free(first-1) || w.frames[first-1].end {
			return nil
		}
		first--
	}
	size, last := len(w.frames[first].segment), first
	for !w.frames[last].end {
		last++
		if last-w.lwe >= dpdu.Window || !free(last) || w.frames[last].start {
			return nil
		}
		size += len(w.frames[last].segment)
	}
	if size > w.limit {
		return nil
	}
	whole := make([]byte, 0, size)
	for i := first; ; i++ {
		whole = append(whole, w.frames[i].segment...)
		w.frames[i].done, w.frames[i].segment = true, nil
		if i == last {
			return [][]byte{whole}
		}
	}
}

// acks is what the sender has to be told.
func (w *receiveWindow) acks() dpdu.Acks {
	a := dpdu.Acks{LWE: w.lwe}
	for i := uint8(1); i < dpdu.Window; i++ {
		if w.frames[w.lwe+i].have {
			a.Set(w.lwe + i)
		}
	}
	return a
}

// move obeys a window command: the next frame has this number, whatever was kept.
func (w *receiveWindow) move(lwe uint8) {
	if lwe == w.lwe {
		w.outside = 0
		return
	}
	kept := w.discarded
	*w = newReceiveWindow(w.limit)
	w.lwe, w.uwe, w.discarded = lwe, lwe-1, kept
}
