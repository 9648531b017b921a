package dts

import (
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

const (
	warnEvery  = 10 * time.Second // to one node
	maxWarned  = 16               // nodes warned within that time
	maxWarning = 8                // waiting to be keyed
)

type warning struct {
	to        s5066.Address
	complaint dpdu.Complaint
	at        time.Time
}

// warnings are those to be keyed, and whom one was made for lately.
type warnings struct {
	waiting []warning
	lately  []warning
}

// warn makes a WARNING, unless the node had one within ten seconds or too many nodes had.
func (m *Machine) warn(to s5066.Address, cause dpdu.Type, why dpdu.WarningReason) {
	w := &m.warnings
	keep := w.lately[:0]
	for _, l := range w.lately {
		if m.now.Sub(l.at) < warnEvery {
			keep = append(keep, l)
		}
	}
	w.lately = keep
	for _, l := range w.lately {
		if l.to == to {
			return
		}
	}
	if len(w.lately) >= maxWarned || len(w.waiting) >= maxWarning {
		return
	}
	one := warning{to: to, complaint: dpdu.Complaint{Cause: cause, Reason: why}, at: m.now}
	w.lately = append(w.lately, one)
	w.waiting = append(w.waiting, one)
}

// unheard marks what the peer cannot have had all of: one of its frames was keyed for the first time in the transmission that the peer, by its
// own word, has heard without a link.
func (m *Machine) unheard(frames [256]*sendFrame) {
	for _, f := range frames {
		if f != nil && !f.acked && f.sends == 1 && f.airEnd.Equal(m.turn.planned) {
			f.of.sure = true
		}
	}
}

// heardWarning stops what the other node complains about. It is never answered.
func (m *Machine) heardWarning(r *remote, p dpdu.PDU) {
	m.tell(Warned{From: p.From, Complaint: p.Warning})
	if r == nil || !r.connected {
		return
	}
	switch {
	case p.Warning.Reason == dpdu.NotConnected && p.Warning.Cause <= dpdu.ExpeditedAck:
		m.unheard(r.tx.frames)
		m.unheard(r.exp.tx.frames)
		r.requeue()
		r.connected = false
		m.fresh(r)
		m.release(r.addr)
		m.tell(LinkLost{Remote: r.addr, Reason: NoLink})
	case p.Warning.Cause == dpdu.AckOnly:
		r.ackOwed = false
	case p.Warning.Cause == dpdu.ExpeditedAck:
		r.exp.owed = false
	case p.Warning.Cause == dpdu.Resync:
		r.sync.pending, r.sync.answer = nil, nil
	case p.Warning.Cause == dpdu.ExpeditedData && r.exp.current != nil:
		o := r.exp.current
		r.exp.current = nil
		m.reject(r, o, NoAnswer)
	case p.Warning.Cause == dpdu.Management:
		m.endManagement(r)
	}
}
