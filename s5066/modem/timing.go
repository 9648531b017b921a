package modem

import "time"

// MaxDuration is the longest transmission that an EOT field can announce (STANAG 5066 annex C).
const MaxDuration = 127500 * time.Millisecond

// EndOfMessageBytes are transmitted behind the data, inside the last block, and count when blocks are filled.
const EndOfMessageBytes = endOfMessageBits / 8

// Radio is what the equipment around the waveform adds.
type Radio struct {
	KeyUp   time.Duration // from the order to the carrier: transmitter and amplifier switch
	KeyDown time.Duration // from the carrier's end until the station hears again
	Decode  time.Duration // what a receiver takes beyond its interleaver
	// Idle is above zero where bytes alone imply a carrier (Plain): it is noticed with the first, and over so long after the last. A modem does not
	// tell this in its HELLO.
	Idle time.Duration
}

// DefaultRadio are figures of good equipment: 0.2 s to key, the least turnaround that is reached in practice.
func DefaultRadio() Radio {
	return Radio{KeyUp: 200 * time.Millisecond, KeyDown: 50 * time.Millisecond, Decode: 50 * time.Millisecond}
}

// Timing answers what the layers above need to plan turns. All times count from the Key order.
type Timing struct {
	Waveform Waveform
	Radio    Radio
}

// Lead is the time until the first bit of data is on the air.
func (t Timing) Lead() time.Duration { return t.Radio.KeyUp + t.Waveform.Preamble() }

// AirEnd is when the carrier of a transmission of n bytes ends.
func (t Timing) AirEnd(n int) time.Duration { return t.Radio.KeyUp + t.Waveform.Air(n) }

// Duration is the whole transmission of n bytes until Sent: key-up, preamble, whole blocks with end of message, key-down.
func (t Timing) Duration(n int) time.Duration { return t.AirEnd(n) + t.Radio.KeyDown }

// Arrival is when a receiver has the byte at this offset: two blocks after its block began, and the decoder's time.
func (t Timing) Arrival(offset int) time.Duration {
	return t.Lead() + t.Waveform.BlockEnd(t.Waveform.BlockOf(offset)) + t.Waveform.Block() + t.Radio.Decode
}

// Sense is when receivers notice that somebody transmits.
func (t Timing) Sense() time.Duration {
	if t.Radio.Idle > 0 {
		return t.Arrival(0)
	}
	return t.Radio.KeyUp + t.Waveform.Detect()
}

// Quiet is when receivers of a transmission of n bytes report the end of the carrier: after its last block has come out. Nobody
// whose decoder is emptying should key before that, and an EOT must not promise less.
func (t Timing) Quiet(n int) time.Duration {
	return t.AirEnd(n) + t.Waveform.Block() + t.Radio.Decode
}

// Latency is the delay of a byte on the way, from its place on the air to the receiver's output, at most.
func (t Timing) Latency() time.Duration { return 2*t.Waveform.Block() + t.Radio.Decode }

// Turnaround is the least time between the end of a reception and the first bit of data of the answer, and also
// between two transmissions of one station.
func (t Timing) Turnaround() time.Duration { return t.Lead() }

// Remaining is the time from the first bit of the byte at offset until the receiver is quiet again, in a transmission of n
// bytes: what the EOT of a D_PDU beginning there has to cover.
func (t Timing) Remaining(n, offset int) time.Duration {
	return max(0, t.Quiet(n)-t.Lead()-t.Waveform.Bare(offset))
}

// Fit is how many bytes a transmission may have so that Duration is at most d; 0 if none fit, or the waveform is none.
func (t Timing) Fit(d time.Duration) int {
	return t.fit(d - t.Radio.KeyUp - t.Radio.KeyDown)
}

// FitEOT is how many bytes a transmission may have so that the first D_PDU's EOT can still announce its end.
func (t Timing) FitEOT() int {
	return t.fit(MaxDuration + t.Waveform.Preamble() - t.Waveform.Block() - t.Radio.Decode)
}

func (t Timing) fit(air time.Duration) int {
	b := t.Waveform.Block()
	if b == 0 || air < t.Waveform.Preamble()+b {
		return 0
	}
	blocks := int((air - t.Waveform.Preamble()) / b)
	for t.Waveform.BlockEnd(blocks)+t.Waveform.Preamble() <= air { // the division by a rounded block may fall short by one
		blocks++
	}
	return max(0, (blocks*t.Waveform.BlockBits()-endOfMessageBits)/8)
}
