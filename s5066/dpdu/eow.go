package dpdu

import (
	"encoding/binary"
	"fmt"
	"time"
)

// EOW is the engineering order wire: 12 bits that any header carries, a type and eight bits of data (C.13).
type EOW uint16

// EOWType is the upper four bits of an EOW.
type EOWType uint8

// The messages of C.13; 5 and 6 belong to Annex I, 8 to 15 to users.
const (
	NoMessage        EOWType = 0
	RateRequest      EOWType = 1
	RateResponse     EOWType = 2
	UnknownMessage   EOWType = 3
	Capabilities     EOWType = 4
	HighRateRequest  EOWType = 7
	highRateExtended         = 6
)

// MakeEOW puts a message together; of the type four bits count.
func MakeEOW(t EOWType, data uint8) EOW { return EOW(t&15)<<8 | EOW(data) }

// Type is the kind of message.
func (e EOW) Type() EOWType { return EOWType(e >> 8 & 15) }

// Data is the message's eight bits.
func (e EOW) Data() uint8 { return uint8(e) }

// String shows an EOW to operators.
func (e EOW) String() string {
	switch e.Type() {
	case NoMessage:
		return "none"
	case RateRequest:
		return "rate request " + e.Rate().String()
	case RateResponse:
		return "rate response " + e.RateAnswer().String()
	case UnknownMessage:
		return fmt.Sprintf("message type %d not recognised", e.Data()&15)
	case Capabilities:
		return fmt.Sprintf("capabilities %02x", e.Data())
	}
	return fmt.Sprintf("message type %d, data %02x", e.Type(), e.Data())
}

// Rates are the data rates in bit/s that a RateRequest can name, by code.
func Rates() []int {
	return []int{75, 150, 300, 600, 1200, 2400, 3200, 3600, 4800, 6400, 8000, 9600}
}

// Interleaving is the length of the modem's interleaver as a RateRequest names it; 3 is undefined.
type Interleaving uint8

// The interleavers of C.13.
const (
	NoInterleaver Interleaving = iota
	ShortInterleaver
	LongInterleaver
)

// RateOrder is what a RateRequest says: code of the rate, interleaver, and whether it is an order or advice and for one direction or both.
type RateOrder struct {
	Code       uint8 // index of Rates
	Interleave Interleaving
	Both       bool // TX and RX alike
	Advice     bool // not a request: the receiver would like it
}

// EOW is the order's form on the wire.
func (o RateOrder) EOW() EOW {
	d := o.Code<<4 | uint8(o.Interleave&3)<<2
	if o.Advice {
		d |= 2
	}
	if o.Both {
		d |= 1
	}
	return MakeEOW(RateRequest, d)
}

// BitsPerSecond is the rate that the order names, and false for codes without one.
func (o RateOrder) BitsPerSecond() (int, bool) {
	if all := Rates(); int(o.Code) < len(all) {
		return all[o.Code], true
	}
	return 0, false
}

// String shows the order to operators.
func (o RateOrder) String() string {
	r, ok := o.BitsPerSecond()
	if !ok {
		return fmt.Sprintf("code %d", o.Code)
	}
	return fmt.Sprintf("%d bit/s, %s interleaver", r, [...]string{"no", "short", "long", "undefined"}[o.Interleave&3])
}

// Rate reads the data of a RateRequest.
func (e EOW) Rate() RateOrder {
	d := e.Data()
	return RateOrder{Code: d >> 4, Interleave: Interleaving(d >> 2 & 3), Advice: d&2 != 0, Both: d&1 != 0}
}

// RateVerdict is the answer to a RateRequest.
type RateVerdict uint8

// The verdicts of C.13.
const (
	RateAccept RateVerdict = iota
	RateRefuse
	RateCancel
	RateConfirm
)

// Reasons of a refusal (C.13).
const (
	RateUnconditional  = 0
	RateMustBeEqual    = 1
	RateFixed          = 2
	InterleaverFixed   = 3
	RateAndInterleaver = 4 // neither can change
	RateUnfit          = 5 // does not fit local conditions
)

// RateAnswer is the content of a RateResponse.
type RateAnswer struct {
	Verdict RateVerdict
	Reason  uint8
}

// EOW is the answer's form on the wire.
func (a RateAnswer) EOW() EOW {
	return MakeEOW(RateResponse, uint8(a.Verdict&7)<<5|a.Reason&31)
}

// RateAnswer reads the data of a RateResponse.
func (e EOW) RateAnswer() RateAnswer {
	return RateAnswer{Verdict: RateVerdict(e.Data() >> 5), Reason: e.Data() & 31}
}

// String shows the answer to operators.
func (a RateAnswer) String() string {
	verdicts := [...]string{"accept", "refuse", "cancel", "confirm"}
	if int(a.Verdict) < len(verdicts) {
		return fmt.Sprintf("%s, reason %d", verdicts[a.Verdict], a.Reason)
	}
	return fmt.Sprintf("verdict %d, reason %d", a.Verdict, a.Reason)
}

// HighRate is a HighRateRequest with its extended message. Only in a MANAGEMENT.
type HighRate struct {
	Waveform    uint8 // 0 to 31
	Channels    uint8 // 1 to 8
	Rate        uint32
	Interleaver time.Duration // unit 10 ms
}

// Message is the request's form on the wire: EOW and extended message.
func (h HighRate) Message() (EOW, string) {
	var b [highRateExtended]byte
	binary.BigEndian.PutUint32(b[:], h.Rate)
	binary.BigEndian.PutUint16(b[4:], uint16(min(max(h.Interleaver/(10*time.Millisecond), 0), 65535)))
	return MakeEOW(HighRateRequest, h.Waveform<<3|h.Channels&7), string(b[:])
}

// ParseHighRate reads what HighRate.Message wrote, and false if it is no such request.
func ParseHighRate(e EOW, extended string) (HighRate, bool) {
	if e.Type() != HighRateRequest || len(extended) != highRateExtended {
		return HighRate{}, false
	}
	h := HighRate{Waveform: e.Data() >> 3, Channels: e.Data() & 7, Rate: binary.BigEndian.Uint32([]byte(extended))}
	if h.Channels == 0 {
		h.Channels = 8
	}
	h.Interleaver = time.Duration(binary.BigEndian.Uint16([]byte(extended[4:]))) * 10 * time.Millisecond
	return h, true
}
