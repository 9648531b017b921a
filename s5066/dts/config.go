package dts

import (
	"errors"
	"fmt"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// ErrConfig is wrapped by the errors of New and SetTiming.
var ErrConfig = errors.New("data transfer configuration")

// Config is what an operator decides. DefaultConfig gives working values for everything but Own.
type Config struct {
	Own         s5066.Address
	FullDuplex  bool          // EOT 0, nobody waits for anybody
	SegmentSize int           // bytes, 1 to 1023; with AdaptSize where it starts
	AdaptSize   bool          // the size follows the loss, between MinSegment and MaxSegment
	MinSegment  int           // bytes
	MaxSegment  int           // bytes
	Window      int           // frames under way, 1 to 128
	MaxTransmit time.Duration // of one transmission, at most 127.5 s
	MaxLifetime time.Duration // for a request with none, and the limit for one with more
	Attempts    int           // transmissions without any answer after which the link is lost
	MaxSends    int           // of one frame, after which its C_PDU is given up
	MaxRetries  int           // of a reset or management message
	MaxCPDU     int           // bytes
	MaxQueue    int           // C_PDUs waiting for one remote
	MaxRemotes  int
	MaxPartial  int  // non-ARQ C_PDUs being reassembled
	WithErrors  bool // hand up what came of non-ARQ C_PDUs when their window is over
	Rate        RateControl
	Capability  uint8  // answer to a capabilities message, bit map of C.13
	Seed        uint64 // of the random waits after a lost turn: different in every node
}

// RateControl is the data rate change of C.14. Zero is off: with a self-identifying waveform the sender just transmits at another rate.
type RateControl struct {
	On         bool
	Rates      []int             // bit/s that this modem can do, ascending; each one of dpdu.Rates
	Interleave dpdu.Interleaving // asked for with every rate
	Down       float64           // share of frames lost above which the next lower rate is asked for
	Up         float64           // share of frames lost below which the next higher one is
	Frames     int               // that must have been judged since the last change
	Hold       time.Duration     // before a rate that failed is tried again; doubles each time, up to 16 times
}

// DefaultConfig is what a node uses that is told only its address.
func DefaultConfig(own s5066.Address) Config {
	return Config{
		Own: own, SegmentSize: 200, AdaptSize: true, MinSegment: 50, MaxSegment: dpdu.MaxSegment, Window: dpdu.Window,
		MaxTransmit: dpdu.MaxTransmission, MaxLifetime: 24 * time.Hour, Attempts: 16, MaxSends: 64, MaxRetries: 3,
		MaxCPDU: 4096, MaxQueue: 256, MaxRemotes: 64, MaxPartial: 64,
	}
}

func (c Config) validate() error {
	within := func(name string, v, low, high int) error {
		if v < low || v > high {
			return fmt.Errorf("%w: %s is %d, want %d to %d", ErrConfig, name, v, low, high)
		}
		return nil
	}
	if !c.Own.IsUnicast() {
		return fmt.Errorf("%w: own address %s", ErrConfig, c.Own)
	}
	if c.MaxTransmit <= 0 || c.MaxTransmit > dpdu.MaxTransmission || c.MaxLifetime <= 0 {
		return fmt.Errorf("%w: transmissions of %v, lifetime of %v", ErrConfig, c.MaxTransmit, c.MaxLifetime)
	}
	return errors.Join(
		within("segment size", c.SegmentSize, 1, dpdu.MaxSegment), within("smallest segment", c.MinSegment, 1, c.MaxSegment),
		within("largest segment", c.MaxSegment, 1, dpdu.MaxSegment), within("window", c.Window, 1, dpdu.Window),
		within("attempts", c.Attempts, 1, 1000), within("sends", c.MaxSends, 1, 10000), within("retries", c.MaxRetries, 1, 100),
		within("C_PDU size", c.MaxCPDU, 1, 65535), within("queue", c.MaxQueue, 1, 65535), within("remotes", c.MaxRemotes, 1, 4096),
		within("partial C_PDUs", c.MaxPartial, 1, 64), c.Rate.validate(),
	)
}

func (r RateControl) validate() error {
	if !r.On {
		return nil
	}
	last := 0
	for _, rate := range r.Rates {
		if _, ok := rateCode(rate); !ok || rate <= last {
			return fmt.Errorf("%w: rate %d bit/s has no code, or does not ascend", ErrConfig, rate)
		}
		last = rate
	}
	if last == 0 || !(r.Up >= 0 && r.Up < r.Down && r.Down <= 1) || r.Frames < 1 || r.Hold <= 0 || r.Interleave > dpdu.LongInterleaver {
		return fmt.Errorf("%w: rate control wants rates, 0 <= up < down <= 1, frames and a hold time", ErrConfig)
	}
	return nil
}

// rateCode is the code of a rate in an EOW.
func rateCode(rate int) (uint8, bool) {
	for i, r := range dpdu.Rates() {
		if r == rate {
			return uint8(i), true
		}
	}
	return 0, false
}
