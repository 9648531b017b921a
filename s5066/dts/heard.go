package dts

import (
	"time"

	"sallyport/s5066/dpdu"
)

// Heard takes a frame that the modem has given out, whose last byte came now. Frames for others only tell who is speaking.
func (m *Machine) Heard(now time.Time, p dpdu.PDU) []Event {
	m.begin(now)
	if p.From == m.cfg.Own || !p.From.IsUnicast() || !p.To.Valid() {
		return m.end()
	}
	m.overheard(p)
	if p.To != m.cfg.Own && !p.To.IsGroup() {
		return m.end()
	}
	m.release(p.From)
	if p.Type.IsNonARQ() {
		if r := m.at(p.From); r != nil {
			m.count(r, p)
		}
		m.reassemble(p)
		return m.end()
	}
	if p.To != m.cfg.Own {
		return m.end() // groups get non-ARQ data only
	}
	r := m.at(p.From)
	if r == nil && p.Type == dpdu.Management {
		r = m.know(now, p.From)
	}
	if r != nil {
		m.count(r, p)
	}
	m.dispatch(r, p)
	return m.end()
}

func (m *Machine) count(r *remote, p dpdu.PDU) {
	r.heard = m.now
	r.figures.Heard++
	if p.Damaged {
		r.figures.Damaged++
	}
	r.silent, r.retry = 0, time.Time{} // who goes first is settled: it did
	if o := p.EOW; p.Type != dpdu.Management && o.Type() == dpdu.RateRequest && o.Rate().Advice {
		m.tell(RateAdvice{Remote: r.addr, Order: o.Rate()})
	}
}

// dispatch is the table of C.15: what a frame does depends on whether there is a link, and on what is under way. r is nil for unknown nodes.
func (m *Machine) dispatch(r *remote, p dpdu.PDU) {
	switch p.Type {
	case dpdu.Management:
		if r != nil {
			m.heardManagement(r, p)
		}
		return
	case dpdu.Warning:
		m.heardWarning(r, p)
		return
	case dpdu.DataOnly, dpdu.AckOnly, dpdu.DataAck, dpdu.Resync, dpdu.ExpeditedData, dpdu.ExpeditedAck:
	case dpdu.NonARQ, dpdu.ExpeditedNonARQ:
		return // reassembled before
	default:
		m.warn(p.From, p.Type, dpdu.Unrecognised)
		return
	}
	if r == nil || !r.connected {
		m.warn(p.From, p.Type, dpdu.NotConnected)
		m.tell(Unconnected{From: p.From, Type: p.Type})
		return
	}
	switch p.Type {
	case dpdu.DataOnly:
		m.heardData(r, p)
	case dpdu.DataAck:
		m.heardAck(r, p.Acks)
		m.heardData(r, p)
	case dpdu.AckOnly:
		m.heardAck(r, p.Acks)
	case dpdu.Resync:
		m.heardResync(r, p.Resync)
	case dpdu.ExpeditedData:
		m.heardExpedited(r, p)
	default:
		m.heardExpeditedAck(r, p.Acks)
	}
}

// outOfStep is how many frames in a row have to fail a synchronisation test before something is done about it:
// one may be an old repetition.
const outOfStep = 3

func (m *Machine) heardData(r *remote, p dpdu.PDU) {
	if r.sync.full() {
		return // the windows are about to change
	}
	if !r.rx.inStep(p.Data) {
		r.figures.OutOfStep++
		r.ackOwed = true
		if r.rx.outside++; r.rx.outside >= outOfStep {
			r.rx.outside = 0
			r.sync.start(dpdu.Reset{TXRequest: true})
		}
		return
	}
	r.rx.outside = 0
	r.ackOwed = true
	for _, c := range r.rx.take(p.Data, p.Segment, p.Damaged) {
		m.deliver(r, ARQ, c)
	}
}

func (m *Machine) deliver(r *remote, mode Mode, cpdu []byte) {
	if len(cpdu) == 0 {
		return
	}
	r.figures.Delivered++
	m.tell(Delivered{From: r.addr, To: m.cfg.Own, Mode: mode, CPDU: cpdu})
}

func (m *Machine) heardAck(r *remote, a dpdu.Acks) {
	if r.sync.full() {
		return
	}
	h := r.tx.acknowledge(a, m.crossed())
	if h.outside {
		r.figures.OutOfStep++
		if r.tx.outside++; r.tx.outside >= outOfStep {
			r.tx.outside = 0
			m.resynchronise(r)
		}
		return
	}
	r.tx.outside = 0
	r.retry = time.Time{}
	m.learn(r, h)
	for _, o := range h.confirmed {
		m.confirm(r, o)
	}
}

func (m *Machine) confirm(r *remote, o *outgoing) {
	r.figures.Confirmed++
	o.gone = true
	m.tell(Confirmed{ID: o.req.ID, Remote: r.addr})
}

// learn lets the size of segments and the rate follow what an acknowledgement told.
func (m *Machine) learn(r *remote, h heardAck) {
	for _, t := range h.judged {
		r.figures.FramesJudged += uint64(t.frames)
		r.figures.FramesLost += uint64(t.lost)
		r.size.judge(t.size, t.frames, t.lost)
		m.judgeRate(r, t)
	}
}
