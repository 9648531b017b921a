package compact

import "math/bits"

// The logistic functions that predictions are mixed with, in integers throughout: both ends must come to the same bit, on any machine.
// Chances are of 65536; their stretched form ln(p/(1-p)) is in steps of 1/256.
const (
	stretchMost = 2815 // 11.0, where a chance is about one of 65536
	chanceBits  = 16
	chanceOne   = 1 << chanceBits
)

// logistic holds the tables; a Model carries one.
type logistic struct {
	squashed  [2*stretchMost + 1]uint16
	stretched [4096]int16
}

// expStep is e^(-1/256) of 2^62.
const expStep = 4593706758521714574

func newLogistic() *logistic {
	l := &logistic{}
	power := uint64(1) << 62
	for i := range stretchMost + 1 {
		// 1/(1+e^-x) of 65536, kept off 0 and 1
		q, _ := bits.Div64(1<<14, 0, 1<<62+power)
		p := uint16(min(max(q, 1), chanceOne-1)) //nolint:gosec // bounded
		l.squashed[stretchMost+i] = p
		l.squashed[stretchMost-i] = uint16(chanceOne - int(p)) //nolint:gosec // bounded
		hi, lo := bits.Mul64(power, expStep)
		power = hi<<2 | lo>>62
	}
	at := 0
	for i := range l.stretched {
		for at < 2*stretchMost && int(l.squashed[at]) < i<<4+8 {
			at++
		}
		l.stretched[i] = int16(at - stretchMost) //nolint:gosec // bounded
	}
	return l
}

// squash is the chance for a stretched one.
func (l *logistic) squash(x int) uint32 {
	return uint32(l.squashed[min(max(x, -stretchMost), stretchMost)+stretchMost])
}

// stretch is the inverse of squash.
func (l *logistic) stretch(p uint32) int { return int(l.stretched[p>>4]) }
