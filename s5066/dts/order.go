package dts

import (
	"fmt"
	"slices"
	"time"

	"sallyport/s5066"
)

// AskRate asks the other node of a link to agree on another data rate, for both directions, as an operator wants it; loss may change it again later.
// RateChange is its yes, Managed with a refusing RateResponse its no, LinkLost what becomes of silence. Errors wrap ErrRequest, ErrNotConnected or
// ErrFull: while one change is negotiated there is no other.
func (m *Machine) AskRate(now time.Time, remote s5066.Address, rate int) error {
	m.now = later(m.now, now)
	r := m.at(remote)
	switch {
	case !m.cfg.Rate.On:
		return fmt.Errorf("%w: this node's rate cannot be changed by agreement", ErrRequest)
	case !slices.Contains(m.cfg.Rate.Rates, rate):
		return fmt.Errorf("%w: %d bit/s is none of the rates %v", ErrRequest, rate, m.cfg.Rate.Rates)
	case rate == m.timing.Rate:
		return fmt.Errorf("%w: %d bit/s is the rate already", ErrRequest, rate)
	case r == nil || !r.connected:
		return fmt.Errorf("rate with %s: %w", remote, ErrNotConnected)
	case r.rate.pending != nil:
		return fmt.Errorf("rate with %s: a change is being negotiated: %w", remote, ErrFull)
	}
	if m.askRate(r, rate); r.rate.pending == nil {
		return fmt.Errorf("rate with %s: %w", remote, ErrFull)
	}
	return nil
}
