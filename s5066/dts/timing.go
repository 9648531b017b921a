package dts

import (
	"fmt"
	"time"

	"sallyport/s5066/dpdu"
)

// Timing is what the modem in use makes of bytes and turns. Every timer of the machine follows from it.
type Timing struct {
	Rate       int           // user bit/s
	Block      time.Duration // interleaver block, in which data goes on the air as a whole; 0 for none
	Lead       time.Duration // from the order to the first bit of data: keying and preamble
	Tail       time.Duration // on the air behind the last block
	Latency    time.Duration // from a bit's end on the air until the other modem gives it out
	Turnaround time.Duration // of the slowest peer, from end of reception until it keys
	Sense      time.Duration // from the order until others notice that somebody has begun; 0: not before the first block has come out
	Silence    time.Duration // from the last byte until the modem says that nobody is heard any more, where it does not know sooner
	Behind     int           // bytes that the modem sends behind the data, in the last block
	// Drains: the modem ends a carrier only when it has given out all of what it heard, so nothing has to be waited for then.
	Drains bool
}

func (t Timing) validate() error {
	if t.Rate < 1 || t.Rate > 10_000_000 || min(t.Block, t.Lead, t.Tail, t.Latency, t.Turnaround, t.Sense, t.Silence) < 0 || t.Behind < 0 || t.Behind > dpdu.MaxSize {
		return fmt.Errorf("%w: timing %+v", ErrConfig, t)
	}
	return nil
}

// bits is the time that bytes take at the rate, without blocks.
func (t Timing) bits(bytes int) time.Duration {
	return time.Duration(int64(bytes) * 8 * int64(time.Second) / int64(t.Rate))
}

// Air is the time from the first bit of data to the end of the transmission: whole interleaver blocks and the tail.
func (t Timing) Air(bytes int) time.Duration {
	d := t.bits(bytes + t.Behind)
	if t.Block > 0 {
		d = (d + t.Block - 1) / t.Block * t.Block
	}
	return d + t.Tail
}

// within is how many bytes Air says take at most so long.
func (t Timing) within(limit time.Duration) int {
	d := limit - t.Tail
	if t.Block > 0 {
		d = d / t.Block * t.Block
	}
	return max(int(int64(d)*int64(t.Rate)/int64(8*time.Second))-t.Behind, 0)
}

// rounding is that of an EOT.
const rounding = 500 * time.Millisecond

// Reply is how long after the end of an own transmission the first frame of an answer may take to be heard, with a fifth on top, where the
// modem does not tell that it hears somebody.
func (t Timing) Reply() time.Duration {
	d := 2*t.Latency + t.Turnaround + rounding + t.Lead + t.Tail + 2*t.Block + t.bits(dpdu.MaxSize)
	return d + d/5
}

// Answer is the same until it is noticed that somebody answers, for a modem that tells.
func (t Timing) Answer() time.Duration {
	d := t.Latency + t.Silence + t.Turnaround + rounding + t.sense() + t.Tail
	return d + d/5
}

// reply is one or the other, for the modem in use.
func (m *Machine) reply() time.Duration {
	if m.turn.senses {
		return m.timing.Answer()
	}
	return m.timing.Reply()
}

func (t Timing) sense() time.Duration {
	if t.Sense > 0 {
		return t.Sense
	}
	return t.Lead + t.Block + t.Latency
}

// turnShare is what share of the time a sender transmits that sends windows of full segments and hears them acknowledged. Where the window is
// full before the transmission is long enough, what was lost of one holds up the next: then every second transmission is a short one.
func (m *Machine) turnShare(segment int, loss float64) float64 {
	t := m.timing
	window := t.Air(m.cfg.Window * (segment + overhead))
	train := min(m.cfg.MaxTransmit, window)
	turns := 2*(t.Lead+t.Latency+t.Turnaround) + t.Tail + t.Air(2*overhead)
	if window < m.cfg.MaxTransmit && loss*float64(m.cfg.Window) >= 1 {
		turns *= 2
	}
	return float64(train) / float64(train+turns)
}

// Slot is the unit of random waits: what one node needs to hear that another has begun.
func (t Timing) Slot() time.Duration { return t.sense() + t.Turnaround + 100*time.Millisecond }
