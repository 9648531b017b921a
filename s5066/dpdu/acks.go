package dpdu

import "math/bits"

// Window is the most frames that may be under way, half of the numbers there are (C.7).
const Window = 128

// Acks says what a receiver has of the frames sent to it: everything below LWE, not LWE, and above it what was Set (C.6).
type Acks struct {
	LWE  uint8
	bits [MaxAckBytes]byte
}

// Set notes that the frame arrived. Numbers that no list can hold (LWE itself, and those beyond LWE+128) are ignored.
func (a *Acks) Set(fsn uint8) {
	if d := fsn - a.LWE; d >= 1 && d <= Window {
		a.bits[(d-1)/8] |= 1 << ((d - 1) % 8)
	}
}

// Has reports whether the list names the frame as received; it says nothing about frames below LWE.
func (a Acks) Has(fsn uint8) bool {
	d := fsn - a.LWE
	return d >= 1 && d <= Window && a.bits[(d-1)/8]&(1<<((d-1)%8)) != 0
}

// Highest is the last frame that the list names, and false when it names none.
func (a Acks) Highest() (uint8, bool) {
	n := a.size()
	if n == 0 {
		return 0, false
	}
	return a.LWE + uint8((n-1)*8+bits.Len8(a.bits[n-1])), true
}

// Count is the number of frames the list names.
func (a Acks) Count() int {
	n := 0
	for _, b := range a.bits {
		n += bits.OnesCount8(b)
	}
	return n
}

// size is how many bytes of the list have to be sent.
func (a Acks) size() int {
	for n := MaxAckBytes; n > 0; n-- {
		if a.bits[n-1] != 0 {
			return n
		}
	}
	return 0
}
