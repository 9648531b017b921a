package modem

import (
	"fmt"
	"slices"
	"time"
)

// Plain describes a modem that is a plain stream of bytes, a serial line or a socket: it keys when bytes come, and nothing is known of its state.
type Plain struct {
	Waveform Waveform      // what it is set to; a Key order for another one is refused
	Radio    Radio         // what its equipment takes
	Unpaced  bool          // Sent as soon as the bytes are written, for peers that take any amount at once
	Idle     time.Duration // a carrier ends after so long without a byte; 0: a block and a half, and 0.3 s
}

// Figures are those of the equipment, and what follows from knowing of no carrier.
func (p Plain) Figures() Radio {
	r := p.Radio
	if r.Idle = p.Idle; r.Idle <= 0 { // bytes come by the block
		r.Idle = 3*p.Waveform.Block()/2 + 300*time.Millisecond
	}
	return r
}

// Implied is the machine of a Plain modem. Its Sent is what the figures say, not what the modem reports; its Carrier, that bytes come.
type Implied struct {
	cfg   Plain
	key   *outstanding
	quiet time.Time // when the carrier ends; zero: it is off
}

// NewImplied returns the machine. Errors wrap ErrWaveform.
func NewImplied(cfg Plain) (*Implied, error) {
	if !cfg.Waveform.Valid() {
		return nil, fmt.Errorf("plain modem: %w", ErrWaveform)
	}
	cfg.Idle = cfg.Figures().Idle
	return &Implied{cfg: cfg}, nil
}

// Ready is always so.
func (*Implied) Ready() bool { return true }

// Order writes a transmission's bytes. What was written cannot be taken back: Abort does nothing.
func (m *Implied) Order(now time.Time, o Order) Step {
	k, ok := o.(Key)
	switch {
	case !ok:
		return Step{}
	case m.key != nil:
		return Step{Events: []Event{Lost{k.ID, Busy}}}
	case !acceptable(k) || k.Waveform != m.cfg.Waveform:
		return Step{Events: []Event{Lost{k.ID, Refused}}}
	}
	m.key = &outstanding{k.ID, now}
	if !m.cfg.Unpaced {
		m.key.due = now.Add(Timing{k.Waveform, m.cfg.Radio}.Duration(len(k.Data)))
	}
	return Step{Write: k.Data, Events: []Event{Keyed{k.ID}}}
}

// Receive passes bytes on; they imply a carrier.
func (m *Implied) Receive(now time.Time, b []byte) Step {
	if len(b) == 0 {
		return Step{}
	}
	var s Step
	if m.quiet.IsZero() {
		s.Events = append(s.Events, Carrier{On: true, Waveform: m.cfg.Waveform, SNR: SNRUnknown})
	}
	m.quiet = now.Add(m.cfg.Idle)
	s.Events = append(s.Events, Data{slices.Clone(b)})
	return s
}

// Deadline is when the transmission counts as sent, or the carrier as over.
func (m *Implied) Deadline() (time.Time, bool) {
	switch {
	case m.key == nil:
		return m.quiet, !m.quiet.IsZero()
	case m.quiet.IsZero():
		return m.key.due, true
	}
	return earlier(m.key.due, m.quiet), true
}

// Tick says what is over.
func (m *Implied) Tick(now time.Time) Step {
	var s Step
	if m.key != nil && !now.Before(m.key.due) {
		s.Events = append(s.Events, Sent{m.key.id})
		m.key = nil
	}
	if !m.quiet.IsZero() && !now.Before(m.quiet) {
		s.Events = append(s.Events, Carrier{SNR: SNRUnknown})
		m.quiet = time.Time{}
	}
	return s
}

// End is what the station gets when the stream is gone.
func (m *Implied) End() []Event {
	var events []Event
	if m.key != nil {
		events = append(events, Lost{m.key.id, Gone})
		m.key = nil
	}
	if !m.quiet.IsZero() {
		events = append(events, Carrier{SNR: SNRUnknown})
		m.quiet = time.Time{}
	}
	return events
}
