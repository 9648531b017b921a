package modem

import (
	"errors"
	"slices"
	"time"
)

// ErrWaveform is in the chain of errors about waveforms that are not in the table.
var ErrWaveform = errors.New("no such waveform")

// Family is a waveform standard. The zero value is none.
type Family uint8

// The families there are.
const (
	_        Family = iota
	Serial          // MIL-STD-188-110A serial tone, which 110B and 110C keep; 75 to 2400 bit/s, 4800 without coding
	S4285           // STANAG 4285, 75 to 2400 bit/s
	S4539           // STANAG 4539, MIL-STD-188-110B appendix C, 3200 to 9600 bit/s
	Wideband        // MIL-STD-188-110C appendix D, STANAG 5069, in 24 kHz
)

var familyNames = [...]string{"none", "110a", "4285", "4539", "wb24"}

func (f Family) String() string {
	if int(f) < len(familyNames) {
		return familyNames[f]
	}
	return "unknown"
}

// Interleaver names how deep a waveform interleaves. How long that is depends on the family.
type Interleaver uint8

// The depths there are, from none at all to the deepest.
const (
	_ Interleaver = iota
	Zero
	UltraShort
	VeryShort
	Short
	Medium
	Long
	VeryLong
)

var interleaverNames = [...]string{"none", "zero", "ultrashort", "veryshort", "short", "medium", "long", "verylong"}

func (i Interleaver) String() string {
	if int(i) < len(interleaverNames) {
		return interleaverNames[i]
	}
	return "unknown"
}

// unitsPerSecond makes every block a whole number of units, and of bits at every rate.
const unitsPerSecond = 75

// detect is how much of a preamble is needed to notice it: three segments of 110A.
const detect = 600 * time.Millisecond

func units(n int) time.Duration { return time.Duration(n) * time.Second / unitsPerSecond }

type set struct {
	family Family
	rates  []int
	blocks []block
}

type block struct {
	interleaver Interleaver
	units       int
	preamble    time.Duration
	from, to    int // the rates it is there for; 0 is all
}

func (b block) serves(rate int) bool { return b.from == 0 || b.from <= rate && rate <= b.to }

var lowRates = []int{75, 150, 300, 600, 1200, 2400}

// table is never written to.
var table = [...]set{
	{Serial, append(slices.Clone(lowRates), 4800), []block{
		{Zero, 15, 600 * time.Millisecond, 0, 0},
		{Short, 45, 600 * time.Millisecond, 75, 2400},
		{Long, 360, 4800 * time.Millisecond, 75, 2400},
	}},
	{S4285, lowRates, []block{
		{Short, 64, units(16), 0, 0},
		{Long, 768, units(16), 0, 0},
	}},
	{S4539, []int{3200, 4800, 6400, 8000, 9600}, []block{
		{UltraShort, 9, 200 * time.Millisecond, 0, 0},
		{VeryShort, 27, 200 * time.Millisecond, 0, 0},
		{Short, 81, 200 * time.Millisecond, 0, 0},
		{Medium, 162, 200 * time.Millisecond, 0, 0},
		{Long, 324, 200 * time.Millisecond, 0, 0},
		{VeryLong, 648, 200 * time.Millisecond, 0, 0},
	}},
	{Wideband, []int{9600, 12800, 25600, 38400, 51200, 64000, 76800, 96000, 120000}, []block{
		{UltraShort, 9, 240 * time.Millisecond, 0, 0},
		{Short, 36, 240 * time.Millisecond, 0, 0},
		{Medium, 144, 240 * time.Millisecond, 0, 0},
		{Long, 576, 240 * time.Millisecond, 0, 0},
	}},
}

func (w Waveform) figures() block {
	for _, s := range table {
		if s.family != w.family {
			continue
		}
		for _, b := range s.blocks {
			if b.interleaver == w.interleaver {
				return b
			}
		}
	}
	return block{}
}

// Waveforms lists every waveform of the table, by family, interleaver and rate.
func Waveforms() []Waveform {
	var all []Waveform
	for _, s := range table {
		for _, b := range s.blocks {
			for _, r := range s.rates {
				if b.serves(r) {
					all = append(all, Waveform{s.family, int32(r), b.interleaver}) //nolint:gosec // of the table
				}
			}
		}
	}
	return all
}

// ForRate is the waveform usually taken for a rate in 3 kHz, with a short interleaver or a long one: 110A up to 2400 bit/s,
// STANAG 4539 from 3200 on. Errors wrap ErrWaveform.
func ForRate(rate int, i Interleaver) (Waveform, error) {
	if rate <= 2400 {
		return NewWaveform(Serial, rate, i)
	}
	return NewWaveform(S4539, rate, i)
}
