package dts

import (
	"fmt"
	"math/rand/v2"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// Machine is the data transfer sublayer of one node, for all the nodes it speaks with. New makes it. It is not safe for
// concurrent use: one goroutine owns it.
type Machine struct {
	cfg      Config
	timing   Timing
	random   *rand.Rand
	now      time.Time // the latest that was told
	remotes  []*remote
	rotate   int
	turn     turn
	near     neighbours
	keyed    bool // Keyed was said of the last train
	casts    casts
	parts    reassembly
	warnings warnings
	ignored  uint64 // non-ARQ frames that cannot be
	out      []Event
}

// New makes a machine without links. Errors wrap ErrConfig.
func New(cfg Config, timing Timing) (*Machine, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("make a data transfer machine: %w", err)
	}
	if err := timing.validate(); err != nil {
		return nil, fmt.Errorf("make a data transfer machine: %w", err)
	}
	return &Machine{cfg: cfg, timing: timing, random: rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Own.Word())))}, nil
}

// begin and end enclose every input: what happens between is told as events.
func (m *Machine) begin(now time.Time) {
	m.now = later(m.now, now)
	m.out = nil
	m.silence()
}

func (m *Machine) end() []Event { return m.out }

func (m *Machine) tell(e Event) { m.out = append(m.out, e) }

// SetTiming says that the modem now has another rate, interleaver or turnaround.
func (m *Machine) SetTiming(t Timing) error {
	if err := t.validate(); err != nil {
		return err
	}
	m.timing = t
	return nil
}

// Connect says that a link with the remote node was made, or made again. Its windows start anew; what was under way is sent again.
func (m *Machine) Connect(now time.Time, remote s5066.Address) ([]Event, error) {
	m.begin(now)
	if !remote.IsUnicast() || remote == m.cfg.Own {
		return nil, fmt.Errorf("%w: link with %s", ErrRequest, remote)
	}
	r := m.know(m.now, remote)
	if r == nil {
		return nil, fmt.Errorf("link with %s: %d others: %w", remote, len(m.remotes), ErrFull)
	}
	r.requeue()
	m.fresh(r)
	m.release(remote)
	r.connected = true
	return m.end(), nil
}

// Disconnect says that the link with the remote node has ended. What waited for it is rejected.
func (m *Machine) Disconnect(now time.Time, remote s5066.Address) []Event {
	m.begin(now)
	if r := m.at(remote); r != nil {
		r.connected = false
		m.rejectAll(r, LinkEnded)
		m.fresh(r)
		m.release(remote)
	}
	return m.end()
}

// Send takes a C_PDU. Its end is a Confirmed, Rejected or Broadcast. Errors wrap ErrRequest, ErrNotConnected or ErrFull.
func (m *Machine) Send(now time.Time, q Request) error {
	m.now = later(m.now, now)
	if err := m.check(q); err != nil {
		return err
	}
	life := m.cfg.MaxLifetime
	if q.Lifetime > 0 {
		life = min(life, q.Lifetime)
	}
	deadline := m.now.Add(life)
	if !q.Mode.arq() {
		if !m.casts.push(&cast{req: q, deadline: deadline}, m.cfg.MaxQueue) {
			return fmt.Errorf("non-ARQ C_PDU to %s: %w", q.Remote, ErrFull)
		}
		return nil
	}
	r := m.at(q.Remote)
	if r == nil || !r.connected {
		return fmt.Errorf("C_PDU to %s: %w", q.Remote, ErrNotConnected)
	}
	if r.queue.count+len(r.exp.queue) >= m.cfg.MaxQueue {
		return fmt.Errorf("C_PDU to %s: %w", q.Remote, ErrFull)
	}
	o := &outgoing{req: q, deadline: deadline}
	if q.Mode == ExpeditedARQ {
		r.exp.queue = append(r.exp.queue, o)
	} else {
		r.queue.push(o)
	}
	return nil
}

func (m *Machine) check(q Request) error {
	n := len(q.CPDU)
	switch {
	case q.Mode < ARQ || q.Mode > ExpeditedNonARQ:
		return fmt.Errorf("%w: mode %s", ErrRequest, q.Mode)
	case !q.Remote.Valid() || q.Remote == m.cfg.Own || q.Mode.arq() && !q.Remote.IsUnicast():
		return fmt.Errorf("%w: %s to %s", ErrRequest, q.Mode, q.Remote)
	case n == 0 || n > m.cfg.MaxCPDU || q.Mode == ExpeditedARQ && n > dpdu.Window*dpdu.MaxSegment:
		return fmt.Errorf("%w: C_PDU of %d bytes, want 1 to %d", ErrRequest, n, m.cfg.MaxCPDU)
	case !q.Priority.Valid() || q.Lifetime < 0 || q.Repeats < 0 || q.Repeats > maxRepeats:
		return fmt.Errorf("%w: priority %d, lifetime %v, %d repeats", ErrRequest, q.Priority, q.Lifetime, q.Repeats)
	}
	return nil
}

// FullReset begins a full reset with the remote node.
func (m *Machine) FullReset(now time.Time, remote s5066.Address) error {
	m.now = later(m.now, now)
	r := m.at(remote)
	if r == nil || !r.connected {
		return fmt.Errorf("full reset with %s: %w", remote, ErrNotConnected)
	}
	r.sync.start(dpdu.Reset{Full: true})
	return nil
}

// Deadline is when Tick wants to be called, and false for never. It has to be asked again after every input.
func (m *Machine) Deadline() (time.Time, bool) {
	first, ok := m.parts.deadline()
	at := func(t time.Time, have bool) {
		if have {
			first, ok = earlier(first, ok, t)
		}
	}
	at(m.casts.deadline())
	at(m.turn.hold, m.turn.await.Valid() && !m.turn.carrier)
	if w, want := m.Want(m.now); want && w.NotBefore.After(m.now) {
		at(w.NotBefore, true)
	}
	for _, r := range m.remotes {
		at(r.deadline())
		if t := m.unspoken(r); t.After(m.now) {
			at(t, true)
		}
	}
	return first, ok
}

// deadline is the end of the first lifetime, or of the wait for a confirmation of the new rate.
func (r *remote) deadline() (first time.Time, ok bool) {
	first, ok = r.queue.deadline()
	for _, o := range append(r.tx.underWay(), r.exp.queue...) {
		if !o.gone {
			first, ok = earlier(first, ok, o.deadline)
		}
	}
	if r.exp.current != nil {
		first, ok = earlier(first, ok, r.exp.current.deadline)
	}
	if p := r.rate.pending; p != nil && !p.until.IsZero() {
		first, ok = earlier(first, ok, p.until)
	}
	return first, ok
}

// Tick says how late it is.
func (m *Machine) Tick(now time.Time) []Event {
	m.begin(now)
	m.casts.expire(m)
	m.expireParts()
	for _, r := range append([]*remote(nil), m.remotes...) {
		m.expire(r)
		m.rateUnconfirmed(r)
		if m.turn.keying.Before(m.now) || m.keyed {
			m.rateKeyed(r)
		}
	}
	return m.end()
}

// expire rejects what has outlived its lifetime, numbered or not.
func (m *Machine) expire(r *remote) {
	for _, o := range r.queue.expire(m.now) {
		m.reject(r, o, Expired)
	}
	for _, o := range r.tx.underWay() {
		if !o.gone && !m.now.Before(o.deadline) {
			m.reject(r, o, Expired)
			r.tx.giveUp(o)
		}
	}
	if o := r.exp.current; o != nil && !m.now.Before(o.deadline) {
		r.exp.current = nil
		m.reject(r, o, Expired)
	}
	keep := r.exp.queue[:0]
	for _, o := range r.exp.queue {
		if m.now.Before(o.deadline) {
			keep = append(keep, o)
		} else {
			m.reject(r, o, Expired)
		}
	}
	clear(r.exp.queue[len(keep):])
	r.exp.queue = keep
}
