package dts

import (
	"time"

	"sallyport/s5066/dpdu"
)

// resync is stop and wait for resets and window commands (C.8). Data and acknowledgements wait meanwhile.
type resync struct {
	pending *dpdu.Reset // ours, not answered yet
	sends   int
	next    uint8
	last    int // ID of the peer's last command, -1 before any
	answer  *dpdu.Reset
	asked   time.Time // when the command came that it answers
	limit   limiter
}

func (s *resync) busy() bool { return s.pending != nil || s.answer != nil }

// full reports whether a full reset of ours is on its way: windows of before mean nothing any more.
func (s *resync) full() bool { return s.pending != nil && s.pending.Full }

// start begins a command, unless one is under way that is at least as strong.
func (s *resync) start(c dpdu.Reset) {
	if s.pending != nil && (s.pending.Full || !c.Full) {
		return
	}
	c.ID = s.next
	s.next++
	s.pending, s.sends = &c, 0
}

// resynchronise repairs what this node's frames count from: by a window command, which loses nothing, where the window begins with a
// C_PDU, by a full reset otherwise.
func (m *Machine) resynchronise(r *remote) {
	if r.tx.atStart() {
		r.sync.start(dpdu.Reset{RXCommand: true, LWE: r.tx.lwe})
		return
	}
	r.sync.start(dpdu.Reset{Full: true})
}

// heardResync takes a type 3.
func (m *Machine) heardResync(r *remote, c dpdu.Reset) {
	if r.man.busy() {
		m.warn(r.addr, dpdu.Resync, dpdu.WrongState)
		return
	}
	if c.Ack {
		m.resyncAcked(r, c)
	}
	if !c.Full && !c.RXCommand && !c.TXRequest {
		return
	}
	if int(c.ID) != r.sync.last {
		if !r.sync.limit.allow(m.now) {
			r.figures.Ignored++
			return
		}
		r.sync.last = int(c.ID)
		r.figures.Resets++
		m.obey(r, c)
	}
	r.sync.asked = m.now
	switch {
	case c.Full:
		r.sync.answer = &dpdu.Reset{Ack: true}
	case c.RXCommand:
		r.sync.answer = &dpdu.Reset{Ack: true, ID: c.ID}
	default:
		m.resynchronise(r)
	}
}

func (m *Machine) obey(r *remote, c dpdu.Reset) {
	switch {
	case c.Full:
		m.fullReset(r)
	case c.RXCommand:
		r.rx.move(c.LWE)
		if r.sync.pending != nil && r.sync.pending.TXRequest {
			r.sync.pending = nil // that is what was asked for
		}
	}
}

func (m *Machine) resyncAcked(r *remote, c dpdu.Reset) {
	p := r.sync.pending
	switch {
	case p == nil || r.sync.sends == 0 || p.TXRequest || p.RXCommand && c.ID != p.ID:
		return
	case p.Full:
		r.figures.Resets++
		m.fullReset(r)
	default:
		r.tx.again()
	}
	r.sync.pending = nil
}

// fullReset sets both windows to their beginning. What was under way is rejected: whether it arrived, the peer has forgotten.
func (m *Machine) fullReset(r *remote) {
	for _, o := range r.tx.underWay() {
		m.reject(r, o, Reset)
	}
	m.rejectExpedited(r, Reset)
	m.windows(r)
	m.tell(WindowsReset{Remote: r.addr})
}

// limiter lets four things happen a minute.
type limiter struct{ recent [4]time.Time }

func (l *limiter) allow(now time.Time) bool {
	if !l.recent[0].IsZero() && now.Sub(l.recent[0]) < time.Minute {
		return false
	}
	copy(l.recent[:], l.recent[1:])
	l.recent[len(l.recent)-1] = now
	return true
}
