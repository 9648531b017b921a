package dpdu

import "time"

const (
	halfSecond = 500 * time.Millisecond
	// MaxTransmission is the longest transmission that an EOT can announce.
	MaxTransmission = 255 * halfSecond
)

// EOT is the field's value for what is left of a transmission: half seconds, rounded up, 255 at most. Nothing left is 0.
func EOT(left time.Duration) uint8 {
	return uint8(min(HalfSeconds(left), 255))
}

// HalfSeconds rounds up to the unit of EOT and of reception windows, 65535 at most.
func HalfSeconds(left time.Duration) uint16 {
	if left <= 0 {
		return 0
	}
	return uint16(min((left+halfSecond-1)/halfSecond, 65535))
}

// Span is the time that a number of half seconds means.
func Span(half uint16) time.Duration { return time.Duration(half) * halfSecond }
