package hf

import (
	"encoding/binary"
	"errors"
)

// The header of a U_PDU of Compact, in one of two forms:
//
//	byte 0   1 0 g m v u l l   g: a greeting is the first record behind it
//	                           m: the records go on in the next number   v: void, what went on so far is dropped
//	                           u: outside the numbers (acknowledgements, greetings)   l: the lane
//	1        number within session and lane, from 0; absent with u
//	2, 3     with g: the sender's session, drawn anew after every loss
//	4, 5     with g: the session of the other's that it answers, 0 for none
//	6, 7     check
//
//	byte 0   0 l l x n n n n   the records are one consignment of links/compact whose number has one byte, with expiry if x; its first byte is
//	                           left out. n: the number's last four bits; the receiver stands no further than seven before it
//	1, 2     check
//
// Behind it come records of links/compact. The check is a CRC of session, number, and all bytes but itself: it proves what the checksum of a
// D_PDU's header (16 bits) may miss, and that a unit is of the session that both know, which is not said again.
const (
	unitMark   = 0x80
	unitKind   = 0xC0
	bitGreets  = 0x20
	bitMore    = 0x10
	bitVoid    = 0x08
	bitLoose   = 0x04
	bitsLane   = 0x03
	unitHeader = 8 // bytes, at most

	briefMask    = 0x80 // of byte 0: clear in the brief form
	briefLane    = 5
	briefExpires = 0x10
	briefNumber  = 0x0F
	briefAhead   = 7

	loneHead    = 0x01 // first byte of a consignment to the end of the unit, with one byte of number, in lane 0
	loneExpires = 0x02
	loneLane    = 4
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
	brief   bool // the brief form is allowed; of one that was read: four bits of the number are known, and the session is not
	body    []byte

	check   uint16
	checked []byte // what was read, without the check
}

func appendUnit(dst []byte, u *unit) []byte {
	begin := len(dst)
	body := u.body
	if u.isBrief() {
		dst = append(dst, u.lane<<briefLane|body[0]&loneExpires<<3|u.number&briefNumber)
		body = body[1:]
	} else {
		dst = u.appendHead(dst)
	}
	crc := u.sum(u.session, u.number, dst[begin:], body)
	return append(binary.BigEndian.AppendUint16(dst, crc), body...)
}

// isBrief reports that the brief form says all of it.
func (u *unit) isBrief() bool {
	return u.brief && !u.greets && !u.more && !u.void && !u.loose && len(u.body) > 1 && u.body[0]&^loneExpires == loneHead|u.lane<<loneLane
}

func (u *unit) appendHead(dst []byte) []byte {
	head := unitMark | u.lane&bitsLane
	for _, b := range []struct {
		set bool
		bit byte
	}{{u.greets, bitGreets}, {u.more, bitMore}, {u.void, bitVoid}, {u.loose, bitLoose}} {
		if b.set {
			head |= b.bit
		}
	}
	dst = append(dst, head)
	if !u.loose {
		dst = append(dst, u.number)
	}
	if u.greets {
		dst = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(dst, u.session), u.answers)
	}
	return dst
}

// parseUnit reads one; the body is part of b, but for the brief form. Whether it is of a session, verify says.
func parseUnit(b []byte) (u unit, err error) {
	if len(b) > 0 && b[0]&briefMask == 0 {
		return parseBrief(b)
	}
	if len(b) < 1 || b[0]&unitKind != unitMark {
		return u, errUnit
	}
	head, all := b[0], b
	u = unit{lane: head & bitsLane, greets: head&bitGreets != 0, more: head&bitMore != 0, void: head&bitVoid != 0, loose: head&bitLoose != 0}
	need := 1 + 2
	if !u.loose {
		need++
	}
	if u.greets {
		need += 4
	}
	if len(b) < need {
		return unit{}, errUnit
	}
	b = b[1:]
	if !u.loose {
		u.number, b = b[0], b[1:]
	}
	if u.greets {
		u.session, u.answers, b = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	u.check, u.body = binary.BigEndian.Uint16(b), b[2:]
	u.checked = all[:need-2]
	if u.greets && u.session == 0 || u.loose && (u.more || u.void || u.lane != 0) || u.void && len(u.body) > 0 && !u.greets {
		return unit{}, errUnit
	}
	return u, nil
}

func parseBrief(b []byte) (u unit, err error) {
	if len(b) < 5 {
		return u, errUnit
	}
	u = unit{lane: b[0] >> briefLane & bitsLane, number: b[0] & briefNumber, brief: true, check: binary.BigEndian.Uint16(b[1:]), checked: b[:1]}
	u.body = append([]byte{loneHead | u.lane<<loneLane | b[0]&briefExpires>>3}, b[3:]...)
	return u, nil
}

// complete finds the number of a unit of the brief form, for a receiver that waits for next.
func (u *unit) complete(next uint8) {
	if u.brief {
		from := next - (briefNumber - briefAhead)
		u.number = from + (u.number-from)&briefNumber
	}
}

// verify reports that a unit, whose number is complete, is of that session and came unchanged.
func (u *unit) verify(session uint16) bool {
	body := u.body
	if u.brief {
		body = body[1:]
	}
	return u.check == u.sum(session, u.number, u.checked, body)
}

// sum is a CRC-16 (x^16+x^12+x^5+1, not that of D_PDUs): sessions that differ in nothing else never have the same.
func (u *unit) sum(session uint16, number uint8, parts ...[]byte) (crc uint16) {
	const polynomial = 0x1021
	take := func(b byte) {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ polynomial
			} else {
				crc <<= 1
			}
		}
	}
	take(byte(session >> 8))
	take(byte(session)) //nolint:gosec // the low half
	take(number)
	for _, p := range parts {
		for _, b := range p {
			take(b)
		}
	}
	return crc
}
