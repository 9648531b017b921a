package dts

import (
	"time"

	"sallyport/s5066/dpdu"
)

// sendFrame is one segment that has a number.
type sendFrame struct {
	of         *outgoing
	segment    []byte
	start, end bool
	drop       bool
	sends      int
	airEnd     time.Time // when its last transmission ended
	acked      bool
	due        bool // to be keyed with the next train
	fresh      bool // keyed, and no acknowledgement has spoken of it
}

// sendWindow is the sending half of selective repeat (C.7). Frames are keyed when they get their number.
type sendWindow struct {
	lwe, uwe uint8
	frames   [256]*sendFrame
	part     *outgoing // numbered in part
	outside  int       // acknowledgements in a row that are out of step
}

func newSendWindow() sendWindow { return sendWindow{uwe: 255} }

// used is how many numbers are under way.
func (w *sendWindow) used() int { return int(w.uwe - w.lwe + 1) }

// number gives the next bytes of o a number, as one segment.
func (w *sendWindow) number(o *outgoing, size int) uint8 {
	end := min(o.offset+size, len(o.req.CPDU))
	f := &sendFrame{of: o, segment: o.req.CPDU[o.offset:end], start: o.offset == 0, end: end == len(o.req.CPDU), due: true}
	o.offset = end
	o.open++
	w.uwe++
	w.frames[w.uwe] = f
	w.part = o
	if f.end {
		w.part = nil
	}
	return w.uwe
}

// heardAck is what an acknowledgement told.
type heardAck struct {
	outside   bool // out of step: nothing was done
	judged    []tally
	confirmed []*outgoing
}

// tally counts the frames of one size that an acknowledgement was the first to speak of.
type tally struct{ size, frames, lost int }

func (h *heardAck) judge(f *sendFrame) {
	size, i := len(f.segment), 0
	for i < len(h.judged) && h.judged[i].size != size {
		i++
	}
	if i == len(h.judged) {
		h.judged = append(h.judged, tally{size: size})
	}
	h.judged[i].frames++
	if !f.acked {
		h.judged[i].lost++
	}
}

// acknowledge takes what the peer says. What it does not list of the frames that were keyed before `keyed` is due again.
func (w *sendWindow) acknowledge(a dpdu.Acks, keyed time.Time) (h heardAck) {
	n := w.used()
	below := int(a.LWE - w.lwe)
	high, some := a.Highest()
	if below > n || some && int(high-w.lwe) >= n || n == 0 && (below != 0 || some) {
		return heardAck{outside: true}
	}
	for i := range n {
		fsn := w.lwe + uint8(i)
		f := w.frames[fsn]
		if i < below || a.Has(fsn) {
			f.acked, f.due = true, false
		}
		if f.airEnd.After(keyed) && !f.acked {
			continue // crossed with the acknowledgement
		}
		if f.fresh {
			f.fresh = false
			h.judge(f)
		}
		f.due = !f.acked
	}
	for range below {
		f := w.frames[w.lwe]
		w.frames[w.lwe] = nil
		w.lwe++
		if f.of.open--; f.of.open == 0 && f.of.numbered() && !f.of.gone {
			h.confirmed = append(h.confirmed, f.of)
		}
	}
	return h
}

// waiting reports whether frames were keyed of which no acknowledgement has spoken.
func (w *sendWindow) waiting() bool {
	for i := range w.used() {
		if f := w.frames[w.lwe+uint8(i)]; !f.acked && !f.due {
			return true
		}
	}
	return false
}

// poll makes the last frame and the oldest ones due, as many bytes as given: usually the acknowledgement was lost, not the frames.
func (w *sendWindow) poll(bytes int) {
	n := w.used()
	if n == 0 {
		return
	}
	if last := w.frames[w.uwe]; !last.acked {
		last.due = true
		if bytes -= len(last.segment); bytes <= 0 {
			return
		}
	}
	for i := range n {
		if f := w.frames[w.lwe+uint8(i)]; !f.acked {
			f.due = true
			if bytes -= len(f.segment); bytes <= 0 {
				return
			}
		}
	}
}

// giveUp turns what is under way of a C_PDU into frames that only close the gap (C.8).
func (w *sendWindow) giveUp(o *outgoing) {
	o.gone = true
	for i := range w.used() {
		if f := w.frames[w.lwe+uint8(i)]; f.of == o && !f.acked {
			f.segment, f.drop, f.due = nil, true, true
		}
	}
	if w.part == o {
		w.part = nil
	}
}

// underWay lists the C_PDUs that have frames, oldest first.
func (w *sendWindow) underWay() (all []*outgoing) {
	for i := range w.used() {
		o := w.frames[w.lwe+uint8(i)].of
		if len(all) == 0 || all[len(all)-1] != o {
			all = append(all, o)
		}
	}
	if w.part != nil && (len(all) == 0 || all[len(all)-1] != w.part) {
		all = append(all, w.part)
	}
	return all
}

// atStart reports whether the window begins with a C_PDU, so that a window command loses nothing.
func (w *sendWindow) atStart() bool {
	if w.used() == 0 {
		return w.part == nil
	}
	return w.frames[w.lwe].start
}

// again makes everything due that the peer may have flushed.
func (w *sendWindow) again() {
	for i := range w.used() {
		f := w.frames[w.lwe+uint8(i)]
		f.acked, f.due = false, true
	}
	w.outside = 0
}

// next is the most urgent frame that is due. Ordered is the precedence of what waits behind the window for its turn to be handed up: it is lent to what it waits for.
func (w *sendWindow) next(ordered int) (fsn uint8, priority int, ok bool) {
	lent := ordered
	for i := w.used() - 1; i >= 0; i-- {
		at := w.lwe + uint8(i)
		f := w.frames[at]
		p := int(f.of.req.Priority)
		if !f.of.req.Unordered {
			p = max(p, lent)
			lent = p
		}
		if f.due && (!ok || p >= priority) {
			fsn, priority, ok = at, p, true
		}
	}
	return fsn, priority, ok
}
