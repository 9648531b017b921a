package cas

import (
	"errors"
	"fmt"
	"strconv"
)

// Type is the type of a C_PDU, four bits.
type Type uint8

// The types of CAS 1; 6 to 15 are not defined.
const (
	Data Type = iota
	Request
	Accepted
	Rejected
	Break
	BreakConfirm
	types
)

// String is the name in Annex B.
func (t Type) String() string {
	names := [types]string{
		"DATA", "PHYSICAL LINK REQUEST", "PHYSICAL LINK ACCEPTED", "PHYSICAL LINK REJECTED", "PHYSICAL LINK BREAK", "PHYSICAL LINK BREAK CONFIRM",
	}
	if t < types {
		return names[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// RejectReason is why a link was refused.
type RejectReason uint8

// The reasons of REJECTED; values that are not assigned are kept.
const (
	RejectUnknown   RejectReason = iota
	RejectBroadcast              // the node broadcasts only
	RejectPriority               // a request of higher priority is pending
	RejectExclusive              // the node supports an exclusive link
)

// BreakReason is why a link ends.
type BreakReason uint8

// The reasons of BREAK; values that are not assigned are kept.
const (
	BreakUnknown    BreakReason = iota
	BreakRequested              // a higher layer asked for it
	BreakBroadcast              // the node goes over to broadcast
	BreakPriority               // a request of higher priority is pending
	BreakNoMoreData             // there is no more data
)

// CPDU is a C_PDU of any type.
type CPDU struct {
	Type      Type
	Exclusive bool         // Request
	Reject    RejectReason // Rejected
	Break     BreakReason  // Break
	SPDU      []byte       // Data
}

// HeaderBytes is what a Data has besides its S_PDU.
const HeaderBytes = 1

// Errors of Parse and Append.
var (
	ErrShort   = errors.New("C_PDU is empty")
	ErrUnknown = errors.New("C_PDU of an unknown type")
	ErrValue   = errors.New("value that a C_PDU cannot carry")
)

const nibble = 0x0F

// Append appends the C_PDU. Errors wrap ErrUnknown or ErrValue.
func Append(dst []byte, p CPDU) ([]byte, error) {
	low := uint8(0)
	switch p.Type {
	case Data, Accepted, BreakConfirm:
	case Request:
		if p.Exclusive {
			low = 1
		}
	case Rejected:
		low = uint8(p.Reject)
	case Break:
		low = uint8(p.Break)
	default:
		return dst, fmt.Errorf("%w: %d", ErrUnknown, p.Type)
	}
	if low > nibble {
		return dst, fmt.Errorf("%w: reason %d of %s", ErrValue, low, p.Type)
	}
	dst = append(dst, uint8(p.Type)<<4|low)
	if p.Type == Data {
		dst = append(dst, p.SPDU...)
	}
	return dst, nil
}

// Parse reads a C_PDU, which is all of b. The S_PDU is a part of b; what follows one byte of link control is ignored. Errors wrap ErrShort
// or ErrUnknown.
func Parse(b []byte) (CPDU, error) {
	if len(b) == 0 {
		return CPDU{}, ErrShort
	}
	p, low := CPDU{Type: Type(b[0] >> 4)}, b[0]&nibble
	switch p.Type {
	case Data:
		p.SPDU = b[HeaderBytes:]
	case Accepted, BreakConfirm:
	case Request:
		p.Exclusive = low&1 != 0
	case Rejected:
		p.Reject = RejectReason(low)
	case Break:
		p.Break = BreakReason(low)
	default:
		return CPDU{}, fmt.Errorf("%w: %d", ErrUnknown, p.Type)
	}
	return p, nil
}

// String is the reason as operators read it, here and below.
func (r RejectReason) String() string {
	return word(uint8(r), "unknown", "broadcast-only node", "higher-priority request pending", "supporting an exclusive link")
}

func (r BreakReason) String() string {
	return word(uint8(r), "unknown", "higher layer asked", "going to broadcast", "higher-priority request pending", "no more data")
}

func word(v uint8, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return "reason " + strconv.Itoa(int(v))
}
