package dts

import (
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// builder puts one transmission together.
type builder struct {
	timing Timing
	limit  time.Duration
	bytes  int
	out    []dpdu.PDU
	ends   []time.Time // of reception windows, beside out
	keyed  []*sendFrame
	expect s5066.Address
}

// fits reports whether the train may grow by a frame. One frame always may, up to what an EOT can announce.
func (b *builder) fits(size int) bool {
	if len(b.out) == 0 {
		return b.timing.Air(size) <= dpdu.MaxTransmission
	}
	return b.timing.Air(b.bytes+size) <= b.limit
}

// room is how many more bytes there may be.
func (b *builder) room() int { return b.timing.within(b.limit) - b.bytes }

func (b *builder) add(p dpdu.PDU) {
	p.AddressSize = 7
	b.bytes += p.Size()
	b.out = append(b.out, p)
	b.ends = append(b.ends, time.Time{})
}

// Train gives what is keyed now; without PDUs there is nothing, or it is not this node's turn. The caller keys all of it, and says Keyed.
func (m *Machine) Train(now time.Time, budget Budget) (Train, []Event) {
	m.begin(now)
	if !m.cfg.FullDuplex && (m.turn.carrier || m.now.Before(m.over())) || m.now.Before(m.turn.keying) {
		return Train{}, m.end()
	}
	b := &builder{timing: m.timing, limit: m.cfg.MaxTransmit}
	if budget.Duration > 0 {
		b.limit = min(b.limit, budget.Duration)
	}
	r := m.target()
	m.addWarnings(b)
	to := m.casts.addUrgent(m, b)
	if r != nil && to.Valid() && to != r.addr {
		r = nil // its answer would collide with the other one
	}
	m.addFor(b, r)
	m.addAcks(b)
	if len(b.out) == 0 {
		return Train{}, m.end()
	}
	if !b.expect.Valid() && to.IsUnicast() {
		b.expect = to
	}
	return m.seal(b), m.end()
}

// target is the remote whose turn it is: the most urgent, in rotation among equals.
func (m *Machine) target() *remote {
	var best *remote
	var most urge
	n := len(m.remotes)
	for i := range n {
		r := m.remotes[(m.rotate+i)%n]
		u, ok := m.urge(r)
		if !ok || u.from.After(m.now) {
			continue
		}
		if best == nil || u.expedited && !most.expedited || u.expedited == most.expedited && u.priority > most.priority {
			best, most = r, u
		}
	}
	m.rotate++
	return best
}

// addFor adds what one remote is owed and waits for, by the table of C.15: management alone, resets alone, expedited data alone, data.
func (m *Machine) addFor(b *builder, r *remote) {
	if r == nil {
		m.casts.addNormal(m, b, -1)
		return
	}
	state := m.state(r)
	if state == ManagementState {
		m.addManagement(b, r)
		return
	}
	m.addResync(b, r)
	if state == ExpeditedState {
		m.addExpedited(b, r)
		return
	}
	p, ok := m.dataPriority(r)
	if !ok {
		p = 0
	}
	m.casts.addNormal(m, b, int(p))
	if r.sync.pending == nil && !m.now.Before(r.retry) {
		m.addData(b, r)
	}
	m.casts.addNormal(m, b, -1)
}

// maxCopies is how often a management message is said in one transmission at most.
const maxCopies = 8

func (m *Machine) addManagement(b *builder, r *remote) {
	g := &r.man
	g.begin()
	p := dpdu.PDU{Type: dpdu.Management, To: r.addr, From: m.cfg.Own, Management: dpdu.Message{Ack: g.owed, ID: g.owedID}}
	if g.pending != nil && (g.owed || !m.now.Before(r.retry)) {
		if g.sends > m.cfg.MaxRetries {
			m.managementUnanswered(r)
		} else {
			g.sends++
			b.expect = r.addr
			p.EOW = g.pending.eow
			p.Management = dpdu.Message{Ack: g.owed, Valid: true, ID: g.id, Extended: g.pending.extended}
		}
	}
	if !p.Management.Ack && !p.Management.Valid {
		return
	}
	g.owed = false
	// A lost DT_ACK leaves the ends at different rates: as many copies as do not take longer than the lead.
	n := max(m.copies(p, maxCopies), min(int(m.timing.Lead/max(m.timing.bits(p.Size()), 1)), maxCopies))
	for range n {
		b.add(p)
	}
}

// copies is how often a short frame is said: as often as goes into one interleaver block, which is on the air anyway, and twice where the loss
// of it, which costs a turn, is dearer than the second one.
func (m *Machine) copies(p dpdu.PDU, most int) int {
	n := int(int64(m.timing.Rate)*int64(m.timing.Block)/int64(8*time.Second)) / p.Size()
	if m.timing.bits(p.Size()) < (m.timing.Lead+m.timing.Turnaround)/2 {
		n = max(n, 2)
	}
	return min(max(n, 1), most)
}

func (m *Machine) addResync(b *builder, r *remote) {
	s := &r.sync
	frame := func(c dpdu.Reset) {
		b.add(dpdu.PDU{Type: dpdu.Resync, To: r.addr, From: m.cfg.Own, Resync: c})
	}
	if s.answer != nil {
		// The answer to a full reset has no ID. Late, it would be taken for the answer to the next one; the command will be repeated.
		if m.now.Sub(s.asked) < m.roundTrips(2) {
			frame(*s.answer)
		}
		s.answer = nil
	}
	if s.pending == nil || m.now.Before(r.retry) {
		return
	}
	if s.sends > m.cfg.MaxRetries {
		s.pending = nil
		m.lose(r, NoManagement)
		return
	}
	s.sends++
	frame(*s.pending)
	b.expect = r.addr
}

func (m *Machine) addExpedited(b *builder, r *remote) {
	e := &r.exp
	if e.owed {
		e.owed = false
		p := dpdu.PDU{Type: dpdu.ExpeditedAck, To: r.addr, From: m.cfg.Own, Acks: e.rx.acks()}
		for range m.copies(p, 3) {
			b.add(p)
		}
	}
	if m.now.Before(r.retry) {
		return
	}
	e.begin(r.size.size())
	if e.current == nil {
		return
	}
	m.askAgain(r)
	for {
		fsn, _, ok := e.tx.next(-1)
		if !ok {
			return
		}
		f := e.tx.frames[fsn]
		p := dpdu.PDU{
			Type: dpdu.ExpeditedData, To: r.addr, From: m.cfg.Own, Segment: f.segment,
			Data: dpdu.Data{FSN: fsn, Start: f.start, End: f.end, CPDU: e.id},
		}
		if !b.fits(p.Size()) {
			return
		}
		b.add(p)
		f.due, f.fresh = false, true
		f.sends++
		b.keyed = append(b.keyed, f)
		b.expect = r.addr
	}
}

// addAcks adds what is owed to anybody and did not go with data.
func (m *Machine) addAcks(b *builder) {
	for _, r := range m.remotes {
		if !r.ackOwed || m.state(r) == ManagementState || r.sync.full() {
			continue
		}
		p := dpdu.PDU{Type: dpdu.AckOnly, To: r.addr, From: m.cfg.Own, Acks: r.rx.acks()}
		if !b.fits(p.Size()) {
			continue
		}
		r.ackOwed = false
		b.add(p)
		for range m.copies(p, 3) - 1 {
			if b.fits(p.Size()) {
				b.add(p)
			}
		}
	}
}

func (m *Machine) addWarnings(b *builder) {
	for _, w := range m.warnings.waiting {
		b.add(dpdu.PDU{Type: dpdu.Warning, To: w.to, From: m.cfg.Own, Warning: w.complaint})
	}
	m.warnings.waiting = nil
}

// seal gives every frame what depends on the whole: the end of the transmission, the edges of the window, what is left of reception windows.
func (m *Machine) seal(b *builder) Train {
	air := m.timing.Air(b.bytes)
	start := m.now.Add(m.timing.Lead)
	before := 0
	for i := range b.out {
		p := &b.out[i]
		at := m.timing.bits(before)
		before += p.Size()
		if !m.cfg.FullDuplex {
			p.EOT = dpdu.EOT(air - at)
		}
		if p.Type.IsNonARQ() {
			p.NonARQ.Window = dpdu.HalfSeconds(b.ends[i].Sub(start.Add(at)))
		}
		if r := m.at(p.To); r != nil && (p.Type == dpdu.DataOnly || p.Type == dpdu.DataAck) {
			p.Data.TXLWE, p.Data.TXUWE = p.Data.FSN == r.tx.lwe, p.Data.FSN == r.tx.uwe
		}
	}
	end := start.Add(air)
	m.turn.planned = end
	for _, f := range b.keyed {
		f.airEnd = end
	}
	if r := m.at(b.expect); r != nil && r.exp.current != nil {
		r.exp.airEnd = end
	}
	m.turn.reply = false
	if b.expect.Valid() && !(m.cfg.FullDuplex && m.turn.await.Valid()) {
		m.turn.await = b.expect
	}
	m.ownEnd(end)
	m.keyed = false
	return Train{PDUs: b.out, Bytes: b.bytes, Air: air, Expect: b.expect.Valid()}
}
