package dts

import (
	"time"

	"sallyport/s5066/dpdu"
)

// expedited is stop and wait per C_PDU, both directions (C.10). Each C_PDU has numbers of its own, from 0.
type expedited struct {
	queue   []*outgoing
	current *outgoing
	id      uint8 // of current
	tx      sendWindow
	begun   bool // an ID was used on this link
	airEnd  time.Time

	heard int // ID that rx belongs to, -1 before any
	rx    receiveWindow
	whole bool      // it was handed up
	until time.Time // its other frames are waited for
	owed  bool      // type 5
}

func (e *expedited) busy(now time.Time) bool {
	return e.current != nil || len(e.queue) > 0 || e.owed || e.heard >= 0 && !e.whole && now.Before(e.until)
}

// begin takes the next C_PDU into work.
func (e *expedited) begin(size int) {
	if e.current != nil || len(e.queue) == 0 {
		return
	}
	e.current, e.queue = e.queue[0], e.queue[1:]
	if e.begun {
		e.id = (e.id + 1) & 15
	}
	e.begun, e.airEnd = true, time.Time{}
	e.tx = newSendWindow()
	size = max(size, (len(e.current.req.CPDU)+dpdu.Window-1)/dpdu.Window)
	for !e.current.numbered() {
		e.tx.number(e.current, size)
	}
}

func (m *Machine) rejectExpedited(r *remote, why Reason) {
	if r.exp.current != nil {
		m.reject(r, r.exp.current, why)
	}
	r.exp.current = nil
	for _, o := range r.exp.queue {
		m.reject(r, o, why)
	}
	r.exp.queue = nil
}

// heardExpedited takes a type 4.
func (m *Machine) heardExpedited(r *remote, p dpdu.PDU) {
	e := &r.exp
	id := int(p.Data.CPDU)
	if id != e.heard {
		if d := (id - e.heard) & 15; e.heard >= 0 && d > 8 {
			r.figures.Ignored++ // of one that was given up or handed up before
			return
		}
		if p.Damaged {
			return
		}
		e.heard, e.whole, e.rx = id, false, newReceiveWindow(m.cfg.MaxCPDU)
	}
	e.until = m.now.Add(m.roundTrips(2))
	e.owed = true
	if !e.rx.inStep(p.Data) {
		r.figures.OutOfStep++
		return
	}
	p.Data.InOrder = true
	for _, c := range e.rx.take(p.Data, p.Segment, p.Damaged) {
		if e.whole {
			r.figures.Ignored++ // a second START within one C_PDU ID
			continue
		}
		e.whole = true
		m.deliver(r, ExpeditedARQ, c)
	}
}

// heardExpeditedAck takes a type 5.
func (m *Machine) heardExpeditedAck(r *remote, a dpdu.Acks) {
	e := &r.exp
	if e.current == nil || e.airEnd.IsZero() || e.airEnd.After(m.now) {
		if !e.begun {
			m.warn(r.addr, dpdu.ExpeditedAck, dpdu.WrongState)
		}
		return
	}
	h := e.tx.acknowledge(a, m.crossed())
	if h.outside {
		r.figures.OutOfStep++
		return
	}
	r.silent = 0
	m.learn(r, h)
	for _, o := range h.confirmed {
		e.current = nil
		m.confirm(r, o)
	}
}
