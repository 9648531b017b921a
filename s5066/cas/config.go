package cas

import (
	"errors"
	"fmt"
	"time"

	"sallyport/s5066"
)

// ErrConfig is wrapped by the errors of New.
var ErrConfig = errors.New("channel access configuration")

// Timers are counted from the end of the transmission that had the C_PDU.
type Timers struct {
	Call  time.Duration // until a request is sent again: at least what the slowest answer takes
	Break time.Duration // until BREAK is
	First time.Duration // that the called node waits for data
}

// Config is what an operator decides. No link is made with, or accepted from, a node that Permit does not name; without Permit there is none.
type Config struct {
	Own       s5066.Address
	Permit    func(s5066.Address) bool
	Broadcast bool // no links at all
	MaxLinks  int  // nonexclusive ones, 1 to 64
	Tries     int  // of a request or a BREAK, 1 to 16
	Patience  time.Duration
	Timers    Timers
	// Wait is added to Call and Break, the tries-th time: two nodes that called at once have to call again at different times. nil: nothing.
	Wait func(now time.Time, remote s5066.Address, tries int) time.Duration
}

// DefaultPatience is how long a C_PDU may wait to be keyed before it counts as lost.
const DefaultPatience = 10 * time.Minute

func (c *Config) validate() error {
	if c.Patience == 0 {
		c.Patience = DefaultPatience
	}
	t := c.Timers
	switch {
	case !c.Own.IsUnicast():
		return fmt.Errorf("%w: own address %s", ErrConfig, c.Own)
	case c.MaxLinks < 1 || c.MaxLinks > 64:
		return fmt.Errorf("%w: %d links, want 1 to 64", ErrConfig, c.MaxLinks)
	case c.Tries < 1 || c.Tries > 16:
		return fmt.Errorf("%w: %d tries, want 1 to 16", ErrConfig, c.Tries)
	case t.Call <= 0 || t.Break <= 0 || t.First <= 0 || c.Patience < 0:
		return fmt.Errorf("%w: timers %+v", ErrConfig, t)
	}
	return nil
}
