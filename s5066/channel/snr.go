package channel

import (
	"math"

	"sallyport/s5066/modem"
)

// reportedSNR is what a path without an SNR is said to have.
const reportedSNR = 40

// Needs is the SNR in dB, in the waveform's own bandwidth, that a waveform is made for; in orders of magnitude. +Inf for no waveform.
func Needs(w modem.Waveform) float64 {
	rate := w.Rate()
	if w.Family() == modem.Wideband {
		rate /= 8 // the same modulations in eight times the bandwidth
	}
	for _, n := range []struct {
		rate int
		dB   float64
	}{{0, math.Inf(1)}, {75, 0}, {150, 3}, {300, 6}, {600, 11}, {1200, 14}, {2400, 20}, {3200, 21}, {4800, 24}, {6400, 27}, {8000, 30}, {9600, 33}, {16000, 37}} {
		if rate <= n.rate {
			return n.dB
		}
	}
	return math.Inf(1)
}

// missingSNR is how many dB a path is short of what the waveform needs; 0 if it is not.
func missingSNR(p Path, w modem.Waveform) float64 {
	if p.SNR == 0 {
		return 0
	}
	return max(0, Needs(w)-p.SNR)
}

// snrErrors is the bit error rate that a lack of SNR adds.
func snrErrors(short float64) float64 {
	if short <= 0 {
		return 0
	}
	return min(0.5, 1e-5*math.Pow(10, short))
}

func reported(p Path) int8 {
	if p.SNR == 0 {
		return reportedSNR
	}
	return int8(min(max(math.Round(p.SNR), -100), 100))
}
