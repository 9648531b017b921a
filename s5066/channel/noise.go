package channel

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// A deep interleaver averages over its block, and the code behind it either copes or does not (see the package's model).
const (
	deepBlock    = 4 * time.Second
	codeCopes    = 1e-2
	codeLeaves   = 1e-6
	noiseOnly    = 0.5
	leastErrors  = 1e-12
	mostErrorGap = 1 << 40
)

// receive is what the decoder makes of the bytes from, to of a block that ended now.
func (r *reception) receive(from, to int, now time.Time) []byte {
	b := slices.Clone(r.tx.data[from:to])
	ber := r.errorRate(now)
	if ber >= noiseOnly {
		var draw uint64
		for i := range b {
			if i%8 == 0 {
				draw = r.path.noise.Uint64()
			}
			b[i] = byte(draw >> (i % 8 * 8)) //nolint:gosec // a byte of it
		}
		r.mark(from, to)
		return b
	}
	flip(b, ber, r.path.noise, func(i int) { r.mark(from+i, from+i+1) })
	return b
}

func (r *reception) errorRate(now time.Time) float64 {
	p, block := r.path.Profile, r.tx.Waveform.Block()
	bad := r.path.fading.share(now.Add(-block), now)
	ber := p.BERGood*(1-bad) + p.BERBad*bad
	if p.BlockLoss > 0 && r.path.noise.Float64() < p.BlockLoss {
		return noiseOnly
	}
	if block >= deepBlock && !p.Decoded {
		if ber >= codeCopes {
			return noiseOnly
		}
		ber = min(ber, codeLeaves)
	}
	return ber + snrErrors(missingSNR(r.path.Path, r.tx.Waveform))
}

// flip turns bits at that rate, and tells which bytes it damaged, in order.
func flip(b []byte, ber float64, rng *rand.Rand, damaged func(i int)) {
	if ber < leastErrors {
		return
	}
	scale := math.Log1p(-ber)
	for bit := 0; ; bit++ {
		bit += int(min(math.Log1p(-rng.Float64())/scale, mostErrorGap)) // the gap to the next error is geometric
		if bit >= 8*len(b) {
			return
		}
		b[bit/8] ^= 1 << (bit % 8)
		damaged(bit / 8)
	}
}
