package dts

import (
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// turn is what is known of the channel: who speaks, until when, and whose answer is awaited.
type turn struct {
	busy    time.Time     // a heard EOT has not run out before
	speaker s5066.Address // whose EOT
	carrier bool
	senses  bool          // the modem tells of carriers
	quiet   time.Time     // the modem may still give out what it heard until then
	keying  time.Time     // own transmission ends
	planned time.Time     // the same as it was when the train was made
	yield   time.Time     // the addressee of the last one may begin until then
	hold    time.Time     // an answer is awaited until then
	await   s5066.Address // from
	reply   bool          // this node was spoken to last
}

// overheard takes the EOT of any frame, counted from the frame's start on the air.
func (m *Machine) overheard(p dpdu.PDU) {
	if m.cfg.FullDuplex {
		return
	}
	began := m.now.Add(-m.timing.bits(p.Size()) - m.timing.Latency)
	ends := began.Add(dpdu.Span(uint16(p.EOT)))
	m.near.heard(m.now, p.From)
	if p.From == m.turn.speaker || ends.After(m.turn.busy) {
		m.turn.busy, m.turn.speaker = ends, p.From
	}
	m.turn.reply = p.To == m.cfg.Own
	if p.From == m.turn.await && !m.turn.reply && !p.To.IsGroup() {
		m.release(p.From) // it speaks with somebody else, and will not answer now
		if r := m.at(p.From); r != nil {
			r.retry = m.now.Add(m.Backoff(m.now, p.From, 1))
		}
	}
}

// release ends the wait for an answer.
func (m *Machine) release(a s5066.Address) {
	if m.turn.await == a {
		m.turn.await, m.turn.hold = s5066.Address{}, time.Time{}
	}
}

// Carrier says that the modem hears somebody, or nobody any more.
func (m *Machine) Carrier(now time.Time, on bool) []Event {
	m.begin(now)
	m.turn.senses = true
	if m.turn.carrier && !on && m.turn.await.Valid() {
		// This was somebody else, nothing came of it, or what was sent is still inside the modem. Whoever keyed meanwhile waits as long from now.
		m.turn.hold = m.now.Add(m.reply())
	}
	if m.turn.carrier && !on {
		m.turn.quiet = m.now
		if m.timing.Drains {
			m.ended(m.now.Add(-m.timing.Latency - m.timing.Silence))
		} else {
			m.turn.quiet = m.now.Add(m.timing.Latency + 50*time.Millisecond)
		}
	}
	m.turn.carrier = on
	return m.end()
}

// ended says when a transmission left the air. An EOT tells that within half a second, and where in its block its frame began nobody has seen: what
// is within that is over now. What is announced for much longer has faded, and goes on.
func (m *Machine) ended(at time.Time) {
	if latest := at.Add(rounding); m.turn.busy.After(latest) && m.turn.busy.Sub(latest) <= m.timing.Block {
		m.turn.busy = latest
	}
}

// Keyed says that the transmission of the last train has ended now.
func (m *Machine) Keyed(now time.Time) []Event {
	m.begin(now)
	m.ownEnd(m.now)
	m.keyed = true
	for _, r := range m.remotes {
		m.rateKeyed(r)
	}
	return m.end()
}

// ownEnd says when the own transmission ends, planned or seen.
func (m *Machine) ownEnd(at time.Time) {
	m.turn.keying = at
	m.turn.yield = at
	if !m.cfg.FullDuplex {
		m.turn.yield = at.Add(m.timing.Answer())
	}
	if m.turn.await.Valid() {
		m.turn.hold = at.Add(m.reply())
	}
}

// silence ends a wait that was in vain.
func (m *Machine) silence() {
	t := &m.turn
	if !t.await.Valid() || t.hold.IsZero() || m.now.Before(t.hold) || t.carrier {
		return
	}
	to := t.await
	t.await, t.hold = s5066.Address{}, time.Time{}
	r, vain := m.at(to), 1
	if r != nil {
		r.silent++
		vain = r.silent
	}
	retry := m.now.Add(m.Backoff(m.now, to, vain))
	if !m.cfg.FullDuplex { // others may have keyed at the same time, and waited for as long
		t.yield = later(t.yield, retry)
	}
	switch {
	case r == nil:
	case r.silent >= m.cfg.Attempts && r.connected:
		m.lose(r, NoAnswer)
	default:
		r.retry = retry
	}
}

// crossed is the latest end of a transmission that an acknowledgement heard now can speak of.
func (m *Machine) crossed() time.Time {
	if m.cfg.FullDuplex {
		return m.now.Add(-2*m.timing.Latency - m.timing.Turnaround - m.timing.Block)
	}
	return m.now
}

// Want says whether there is something to transmit, and from when on. While somebody is heard there is not.
func (m *Machine) Want(now time.Time) (Want, bool) {
	m.now = later(m.now, now)
	if m.turn.carrier && !m.cfg.FullDuplex {
		return Want{}, false
	}
	w, at, some := Want{}, time.Time{}, false
	for _, r := range m.remotes {
		u, ok := m.urge(r)
		if !ok {
			continue
		}
		at, some = earlier(at, some, u.from)
		w.Priority = max(w.Priority, u.priority)
		w.Expedited = w.Expedited || u.expedited
	}
	if p, expedited, ok := m.casts.urge(); ok {
		at, some = earlier(at, some, m.now)
		w.Priority = max(w.Priority, p)
		w.Expedited = w.Expedited || expedited
	}
	if len(m.warnings.waiting) > 0 {
		at, some = earlier(at, some, m.now)
	}
	if !some {
		return Want{}, false
	}
	w.Reply = m.turn.reply
	w.NotBefore = later(m.free(), at)
	return w, true
}

// over is when the last bytes of what was announced have come out of the modem.
func (m *Machine) over() time.Time {
	if m.turn.busy.IsZero() {
		return m.turn.quiet
	}
	if m.timing.Drains {
		return later(m.turn.quiet, m.turn.busy)
	}
	return later(m.turn.quiet, m.turn.busy.Add(m.timing.Latency))
}

// free is when the channel is this node's to use, as far as frames tell.
func (m *Machine) free() time.Time {
	t := m.turn
	if m.cfg.FullDuplex {
		return t.keying
	}
	at := later(m.over(), t.keying)
	if !t.reply {
		at = later(at, t.yield)
	}
	if t.await.Valid() && !t.reply { // who is spoken to does not wait for another one, which has heard that too
		at = later(at, t.hold)
	}
	return at
}

// urge is what one remote has to transmit.
type urge struct {
	from      time.Time
	priority  s5066.Priority
	expedited bool
}

func (m *Machine) urge(r *remote) (urge, bool) {
	u := urge{from: m.now}
	pending := func(priority s5066.Priority, expedited bool) (urge, bool) {
		u.from = later(u.from, r.retry)
		u.priority, u.expedited = priority, expedited
		return u, true
	}
	switch state := m.state(r); {
	case r.man.owed:
		return urge{m.now, 15, true}, true
	case state != ManagementState && (r.exp.owed || r.sync.answer != nil):
		return urge{m.now, 15, true}, true
	case state == ManagementState:
		return pending(15, true)
	case r.sync.pending != nil:
		return pending(15, false)
	case state == ExpeditedState:
		if r.ackOwed {
			return urge{from: m.now}, true
		}
		if r.exp.current == nil && len(r.exp.queue) == 0 {
			return urge{r.exp.until, 0, false}, true // data waits for the peer's expedited C_PDU
		}
		return pending(15, true)
	case state == DataState:
		p, ok := m.dataPriority(r)
		if r.ackOwed {
			return urge{m.now, p, false}, true
		}
		if ok {
			return pending(p, false)
		}
	}
	return urge{}, false
}

// dataPriority is the most urgent of what can be keyed of types 0 and 2.
func (m *Machine) dataPriority(r *remote) (s5066.Priority, bool) {
	m.askAgain(r)
	best, some := 0, false
	if _, p, ok := r.tx.next(-1); ok {
		best, some = p, true
	}
	if r.tx.used() < m.cfg.Window {
		if r.tx.part != nil {
			best, some = max(best, int(r.tx.part.req.Priority)), true
		}
		if o := r.queue.head(); o != nil {
			best, some = max(best, int(o.req.Priority)), true
		}
	}
	return s5066.Priority(best), some
}

// askAgain makes frames due again when the peer's turn is over and it has not spoken of them.
func (m *Machine) askAgain(r *remote) {
	if t := m.unspoken(r); t.IsZero() || t.After(m.now) {
		return
	}
	if r.tx.waiting() {
		r.tx.poll(m.pollBytes())
	}
	if r.exp.current != nil && r.exp.tx.waiting() {
		r.exp.tx.poll(m.pollBytes())
	}
}

// unspoken is when frames become due again that were keyed and not spoken of: when the peer's turn is over, in full duplex when its answer should have
// come. It is zero when there are none, or an answer is awaited.
func (m *Machine) unspoken(r *remote) time.Time {
	if m.turn.await == r.addr || !r.tx.waiting() && (r.exp.current == nil || !r.exp.tx.waiting()) {
		return time.Time{}
	}
	if f := r.tx.frames[r.tx.lwe]; m.cfg.FullDuplex && f != nil {
		return f.airEnd.Add(m.reply())
	}
	return later(m.over(), m.turn.keying)
}

// pollBytes is how much may be repeated on suspicion: what costs no more than the turn itself.
func (m *Machine) pollBytes() int {
	turn := m.timing.Lead + m.timing.Turnaround + 2*m.timing.Latency
	return int(int64(m.timing.Rate) * int64(turn/time.Millisecond) / 8000)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
