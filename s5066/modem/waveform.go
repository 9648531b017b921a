package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Waveform is one combination of family, rate and interleaver. Values are comparable; the zero value is no waveform, is what
// Carrier has when only energy is heard, and cannot be keyed.
type Waveform struct {
	family      Family
	rate        int32
	interleaver Interleaver
}

// endOfMessageBits follow the data inside the last block.
const endOfMessageBits = 32

// NewWaveform returns the waveform of the table with these properties.
func NewWaveform(f Family, rate int, i Interleaver) (Waveform, error) {
	w := Waveform{f, int32(rate), i} //nolint:gosec // compared with the table in the next line
	if int(w.rate) != rate || !w.Valid() {
		return Waveform{}, fmt.Errorf("waveform %s-%d-%s: %w", f, rate, i, ErrWaveform)
	}
	return w, nil
}

// ParseWaveform reads what String writes, such as "110a-1200-short". Errors wrap ErrWaveform.
func ParseWaveform(s string) (Waveform, error) {
	part := strings.Split(s, "-")
	if len(part) != 3 {
		return Waveform{}, fmt.Errorf("waveform %.40q, wanted family-rate-interleaver: %w", s, ErrWaveform)
	}
	f := slices.Index(familyNames[:], part[0])
	i := slices.Index(interleaverNames[:], part[2])
	rate, err := strconv.Atoi(part[1])
	if f < 1 || i < 1 || err != nil || strconv.Itoa(rate) != part[1] {
		return Waveform{}, fmt.Errorf("waveform %.40q: %w", s, ErrWaveform)
	}
	return NewWaveform(Family(f), rate, Interleaver(i))
}

// Valid reports whether the waveform is in the table. The zero value is not.
func (w Waveform) Valid() bool {
	for _, s := range table {
		if s.family == w.family && slices.Contains(s.rates, int(w.rate)) {
			return slices.ContainsFunc(s.blocks, func(b block) bool { return b.interleaver == w.interleaver && b.serves(int(w.rate)) })
		}
	}
	return false
}

// String is the waveform's name; "none" for the zero value.
func (w Waveform) String() string {
	if w == (Waveform{}) {
		return "none"
	}
	return w.family.String() + "-" + strconv.Itoa(int(w.rate)) + "-" + w.interleaver.String()
}

// Family is the standard it belongs to.
func (w Waveform) Family() Family { return w.family }

// Rate is the user's data rate in bit/s.
func (w Waveform) Rate() int { return int(w.rate) }

// Interleaver is the name of its depth.
func (w Waveform) Interleaver() Interleaver { return w.interleaver }

// WithRate is the waveform of the same family and interleaver at another rate, and false if the table has none.
func (w Waveform) WithRate(rate int) (Waveform, bool) {
	n, err := NewWaveform(w.family, rate, w.interleaver)
	return n, err == nil
}

// Block is the time of one interleaver block, 0 for no waveform.
func (w Waveform) Block() time.Duration { return units(w.figures().units) }

// BlockBits is how many bits of data one block holds. It need not be whole bytes: 45 at 75 bit/s with the short interleaver.
func (w Waveform) BlockBits() int { return w.figures().units * int(w.rate) / unitsPerSecond }

// Preamble is the time from the carrier's begin to the first block.
func (w Waveform) Preamble() time.Duration { return w.figures().preamble }

// Detect is how far into the preamble a receiver notices the carrier.
func (w Waveform) Detect() time.Duration { return min(w.Preamble(), detect) }

// Blocks is how many blocks a transmission of n bytes takes, end of message included; 0 for no waveform.
func (w Waveform) Blocks(n int) int {
	bits := w.BlockBits()
	if bits == 0 {
		return 0
	}
	return (8*max(n, 0) + endOfMessageBits + bits - 1) / bits
}

// Air is how long n bytes are on the air: preamble and whole blocks.
func (w Waveform) Air(n int) time.Duration {
	return w.Preamble() + units(w.Blocks(n)*w.figures().units)
}

// BlockOf is the block that the byte at this offset comes out with.
func (w Waveform) BlockOf(offset int) int {
	if w.BlockBits() == 0 {
		return 0
	}
	return (8*(max(offset, 0)+1) - 1) / w.BlockBits()
}

// BlockEnd is when block k has been on the air completely, from the begin of block 0.
func (w Waveform) BlockEnd(k int) time.Duration { return units((k + 1) * w.figures().units) }

// Bytes is how many bytes the bare line carries in d, with neither preamble nor blocks: 1195 in 127.5 s at 75 bit/s.
func (w Waveform) Bytes(d time.Duration) int {
	return int(int64(d/time.Millisecond) * int64(w.rate) / 8000)
}

// Bare is how long the bits of n bytes alone take on the line.
func (w Waveform) Bare(n int) time.Duration {
	if w.rate == 0 {
		return 0
	}
	return time.Duration(int64(n) * 8 * int64(time.Second) / int64(w.rate))
}
