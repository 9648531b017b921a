package dts

import (
	"time"

	"sallyport/s5066"
)

// remote is what is kept of one other node.
type remote struct {
	addr      s5066.Address
	connected bool
	heard     time.Time

	queue queue // ARQ C_PDUs without frames
	tx    sendWindow
	rx    receiveWindow
	exp   expedited
	sync  resync
	man   management
	rate  rateState
	size  sizer

	ackOwed bool      // type 1 or 2
	silent  int       // transmissions in a row that nothing answered
	retry   time.Time // not before, after one of them
	figures Figures
}

// Figures counts what passed between this node and another one.
type Figures struct {
	FramesSent, FramesAgain uint64 // ARQ data frames keyed, and how many of them not for the first time
	FramesLost              uint64 // of those an acknowledgement spoke of
	FramesJudged            uint64
	Heard, Damaged          uint64 // frames from it
	OutOfStep               uint64 // data frames and acknowledgements
	Resets                  uint64 // full resets and window commands obeyed or made
	Ignored                 uint64 // commands over the limit, frames that make no sense
	Delivered, Confirmed    uint64 // C_PDUs
	Rejected                uint64
}

// at finds a remote, nil without.
func (m *Machine) at(a s5066.Address) *remote {
	for _, r := range m.remotes {
		if r.addr == a {
			return r
		}
	}
	return nil
}

// know finds or makes a remote. When there are too many, the one without a link that was not heard for longest goes; nil if all have links.
func (m *Machine) know(now time.Time, a s5066.Address) *remote {
	if r := m.at(a); r != nil {
		return r
	}
	if len(m.remotes) >= m.cfg.MaxRemotes && !m.forgetOne() {
		return nil
	}
	r := &remote{addr: a, heard: now}
	m.fresh(r)
	m.remotes = append(m.remotes, r)
	return r
}

func (m *Machine) forgetOne() bool {
	oldest := -1
	for i, r := range m.remotes {
		if !r.connected && r.queue.count == 0 && len(r.exp.queue) == 0 && (oldest < 0 || r.heard.Before(m.remotes[oldest].heard)) {
			oldest = i
		}
	}
	if oldest < 0 {
		return false
	}
	m.remotes = append(m.remotes[:oldest], m.remotes[oldest+1:]...)
	return true
}

// fresh gives a remote the state of a new link; what waits stays.
func (m *Machine) fresh(r *remote) {
	m.windows(r)
	r.exp = expedited{queue: r.exp.queue, heard: -1, rx: newReceiveWindow(m.cfg.MaxCPDU)}
	r.sync = resync{last: -1, limit: r.sync.limit}
	r.man = management{queue: r.man.queue, last: -1}
	r.rate.pending = nil
	if r.size.sizes == nil {
		r.size = newSizer(m.cfg, m.turnShare)
	}
	r.silent, r.retry = 0, time.Time{}
}

// windows sets the pointers of both directions to their initial values (C.7).
func (m *Machine) windows(r *remote) {
	r.tx, r.rx, r.ackOwed = newSendWindow(), newReceiveWindow(m.cfg.MaxCPDU), false
}

// requeue puts what was under way back before what waits, from its first byte.
func (r *remote) requeue() {
	all := r.tx.underWay()
	for i := len(all) - 1; i >= 0; i-- {
		if o := all[i]; !o.gone {
			o.rewind()
			r.queue.pushFront(o)
		}
	}
	if o := r.exp.current; o != nil {
		o.rewind()
		r.exp.queue = append([]*outgoing{o}, r.exp.queue...)
		r.exp.current = nil
	}
}

// reject ends a C_PDU without delivery.
func (m *Machine) reject(r *remote, o *outgoing, why Reason) {
	if !o.gone {
		r.figures.Rejected++
		m.tell(rejected(o, r.addr, why))
	}
	o.gone = true
}

// rejectAll ends everything that waits for a remote or is under way to it.
func (m *Machine) rejectAll(r *remote, why Reason) {
	for _, o := range r.tx.underWay() {
		m.reject(r, o, why)
	}
	m.rejectExpedited(r, why)
	for _, o := range r.queue.drain() {
		m.reject(r, o, why)
	}
	m.endManagement(r)
	m.windows(r)
}

// lose ends a link that does not work any more.
func (m *Machine) lose(r *remote, why Reason) {
	r.connected = false
	m.rejectAll(r, why)
	m.fresh(r)
	m.release(r.addr)
	m.tell(LinkLost{Remote: r.addr, Reason: why})
}
