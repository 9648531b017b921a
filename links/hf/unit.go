package hf

import (
	"encoding/binary"
	"errors"
)

// The header of a U_PDU of Compact:
//
//	byte 0   1 0 g m v u l l   g: a greeting is the first record behind it, and two bytes name the session of the other's that it answers
//	                           m: the records go on in the next number   v: void, what went on so far is dropped
//	                           u: outside the numbers (acknowledgements, greetings)   l: the lane
//	1, 2     the sender's session, drawn anew after every loss
//	3        number within session and lane, from 0; absent with u
//	4, 5     with g: the session that it answers, 0 for none
//
// Behind it come records of links/compact.
const (
	unitMark   = 0x80
	unitKind   = 0xC0
	bitGreets  = 0x20
	bitMore    = 0x10
	bitVoid    = 0x08
	bitLoose   = 0x04
	bitsLane   = 0x03
	unitHeader = 6 // bytes, at most
)

var errUnit = errors.New("hf: not a unit")

// unit is one of them.
type unit struct {
	lane    uint8
	session uint16
	number  uint8
	greets  bool
	answers uint16
	more    bool
	void    bool
	loose   bool
	body    []byte
}

func appendUnit(dst []byte, u *unit) []byte {
	head := unitMark | u.lane&bitsLane
	for _, b := range []struct {
		set bool
		bit byte
	}{{u.greets, bitGreets}, {u.more, bitMore}, {u.void, bitVoid}, {u.loose, bitLoose}} {
		if b.set {
			head |= b.bit
		}
	}
	dst = binary.BigEndian.AppendUint16(append(dst, head), u.session)
	if !u.loose {
		dst = append(dst, u.number)
	}
	if u.greets {
		dst = binary.BigEndian.AppendUint16(dst, u.answers)
	}
	return append(dst, u.body...)
}

// parseUnit reads one; the body is part of b.
func parseUnit(b []byte) (u unit, err error) {
	if len(b) < 3 || b[0]&unitKind != unitMark {
		return u, errUnit
	}
	head := b[0]
	u = unit{
		lane: head & bitsLane, session: binary.BigEndian.Uint16(b[1:]), greets: head&bitGreets != 0, more: head&bitMore != 0,
		void: head&bitVoid != 0, loose: head&bitLoose != 0,
	}
	b = b[3:]
	if !u.loose {
		if len(b) < 1 {
			return unit{}, errUnit
		}
		u.number, b = b[0], b[1:]
	}
	if u.greets {
		if len(b) < 2 {
			return unit{}, errUnit
		}
		u.answers, b = binary.BigEndian.Uint16(b), b[2:]
	}
	if u.session == 0 || u.loose && (u.more || u.void || u.lane != 0) || u.void && len(b) > 0 && !u.greets {
		return unit{}, errUnit
	}
	u.body = b
	return u, nil
}
