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
//	byte 0   0 l l x c c c c   the records are one consignment of links/compact to the end of the unit, with expiry if x; of it the first two
//	                           bytes are left out: c are the last four bits of its number
//	         1 1 l l x 0 0 0   the same, and only the first byte is left out
//	1, 2     check
//
// Behind it come records of links/compact. The check is a CRC of session, number, and all bytes but itself, with those that are left out. It
// proves what the checksum of a D_PDU's header (16 bits) may miss; and that a unit is of the session that both know, and which number it has,
// which need not be said again: a receiver tries the numbers from eight before the one that it waits for to seven behind it.
const (
	unitMark   = 0x80
	unitKind   = 0xC0
	bitGreets  = 0x20
	bitMore    = 0x10
	bitVoid    = 0x08
	bitLoose   = 0x04
	bitsLane   = 0x03
	unitHeader = 8 // bytes, at most

	narrowKind    = 0x80 // of byte 0: clear in the form without the number of the consignment
	narrowLane    = 5
	narrowExpires = 4
	narrowNumber  = 0x0F
	briefKind     = 0xC0
	briefLane     = 4
	briefExpires  = 3
	briefNone     = 0x07 // bits that are not used
	briefBack     = 8
	briefAhead    = 7

	loneHead    = 0x01 // first byte of a consignment to the end of the unit, with one byte of number, in lane 0
	loneExpires = 1
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
	brief   bool // without session and number, if the records are such a consignment
	narrow  bool // the same, and without the number of the consignment
	body    []byte

	check   uint16
	checked []byte // what was read, without the check
}

func appendUnit(dst []byte, u *unit) []byte {
	begin := len(dst)
	left := 0 // of the body
	if u.isBrief() {
		dst, left = u.appendBrief(dst)
	} else {
		dst = u.appendHead(dst)
	}
	crc := u.sum(u.session, dst[begin:])
	return append(binary.BigEndian.AppendUint16(dst, crc), u.body[left:]...)
}

// isBrief reports that a brief form says all of it.
func (u *unit) isBrief() bool {
	return u.brief && !u.greets && !u.more && !u.void && !u.loose && len(u.body) > 2 && u.body[0]&^(1<<loneExpires) == loneHead|u.lane<<loneLane
}

func (u *unit) appendBrief(dst []byte) (out []byte, left int) {
	expires := u.body[0] >> loneExpires & 1
	if u.narrow {
		return append(dst, u.lane<<narrowLane|expires<<narrowExpires|u.body[1]&narrowNumber), 2
	}
	return append(dst, briefKind|u.lane<<briefLane|expires<<briefExpires), 1
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

// parseUnit reads one; the body is part of b, but for the brief forms. Whether it is of a session, and its number where it is brief, prove
// says.
func parseUnit(b []byte) (u unit, err error) {
	if len(b) < 1 {
		return u, errUnit
	}
	if b[0]&unitKind != unitMark {
		return parseBrief(b)
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
	if len(b) < 4 {
		return u, errUnit
	}
	u = unit{brief: true, narrow: b[0]&narrowKind == 0, check: binary.BigEndian.Uint16(b[1:]), checked: b[:1]}
	var expires byte
	if u.narrow {
		u.lane, expires = b[0]>>narrowLane&bitsLane, b[0]>>narrowExpires&1
		u.body = append([]byte{0, b[0] & narrowNumber}, b[3:]...)
	} else {
		u.lane, expires = b[0]>>briefLane&bitsLane, b[0]>>briefExpires&1
		u.body = append([]byte{0}, b[3:]...)
	}
	u.body[0] = loneHead | u.lane<<loneLane | expires<<loneExpires
	if !u.narrow && b[0]&briefNone != 0 || !u.isBrief() {
		return unit{}, errUnit
	}
	return u, nil
}

// prove reports that a unit is of that session and came unchanged. next is the number that is waited for in its lane.
func (u *unit) prove(session uint16, next uint8) bool {
	if !u.brief {
		return u.check == u.sum(session, u.checked)
	}
	for ahead := range uint8(briefBack + briefAhead + 1) {
		if u.number = next + ahead; ahead > briefAhead {
			u.number = next - (ahead - briefAhead)
		}
		if u.check == u.sum(session, u.checked) {
			return true
		}
	}
	return false
}

// sum is the check: sessions that differ in nothing else never have the same.
func (u *unit) sum(session uint16, head []byte) uint16 {
	return crc16(0, []byte{byte(session >> 8), byte(session), u.number}, head, u.body) //nolint:gosec // both halves
}
