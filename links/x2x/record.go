package x2x

import (
	"encoding/binary"
	"time"

	"sallyport/links"
	"sallyport/links/deflate"
)

// Records of a compressed carrier: type, length as a varint, body. What stands in bits of the type is not in the body.
const (
	recordXML     = 1 // plain XML, whole elements but for very long ones, which go over several records
	recordStanza  = 2 // one compressed stanza
	recordCustody = 3 // number and expiry (custodyHead), then one compressed stanza; the lane is in the type
	recordMarks   = 4 // acknowledgements under custody, see appendMarks
	recordManaged = 5 // of XEP-0198: nothing asks, a varint answers

	recordKind   = 0x07
	recordID     = 0x08 // of compressed stanzas: the identifier stands before the frame (deflate.Identifier), and not in it
	recordUUID   = 0x40 // with it: the identifier is a UUID, and its first byte, which says that, is left out
	recordLane   = 4    // bits 4 and 5 of a custody record
	recordsForm  = "2"  // said in the greeting
	maxRecord    = deflate.MaxFrame + 128
	maxXMLPart   = 32 << 10
	farthestHead = 1 << 45
)

type record struct {
	kind  byte
	id    bool
	uuid  bool
	lane  uint8
	body  []byte
	bytes int // on the wire
}

// nextRecord takes one record off the front of b; ok is false when it has not come whole, bad when it never will.
func nextRecord(b []byte) (r record, rest []byte, ok, bad bool) {
	if len(b) == 0 {
		return r, b, false, false
	}
	if r, ok = recordType(b[0]); !ok {
		return r, b, false, true
	}
	size, n := binary.Uvarint(b[1:])
	switch {
	case n < 0 || size > maxRecord || n > 3:
		return r, b, false, true
	case n == 0:
		return r, b, false, len(b) > 4
	case uint64(len(b)-1-n) < size:
		return r, b, false, false
	}
	r.bytes = 1 + n + int(size) //nolint:gosec // bounded above
	r.body = b[1+n : r.bytes]
	return r, b[r.bytes:], true, false
}

func recordType(b byte) (r record, ok bool) {
	r = record{kind: b & recordKind, id: b&recordID != 0, uuid: b&recordUUID != 0, lane: b &^ recordUUID >> recordLane}
	if r.uuid && !r.id {
		return r, false
	}
	switch r.kind {
	case recordXML, recordMarks, recordManaged:
		return r, !r.id && r.lane == 0
	case recordStanza:
		return r, r.lane == 0
	case recordCustody:
		return r, r.lane < links.Lanes
	}
	return r, false
}

// Lone reports that b is one record and nothing else, for a carrier that keeps pieces apart: its first byte says the type, and behind what
// follows, its length, stands its body.
func Lone(b []byte) (body []byte, ok bool) {
	r, rest, ok, _ := nextRecord(b)
	return r.body, ok && len(rest) == 0
}

// AppendLone puts a record of a type and a body together.
func AppendLone(dst []byte, kind byte, body []byte) []byte { return appendRecord(dst, kind, body) }

// identifier takes the one that stands before a frame.
func (r *record) identifier(b []byte) (id string, frame []byte, ok bool) {
	if r.uuid {
		return deflate.UUID(b)
	}
	return deflate.Identifier(b)
}

func appendRecord(dst []byte, kind byte, parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	dst = binary.AppendUvarint(append(dst, kind), uint64(size)) //nolint:gosec // a length
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}

// appendXML splits XML into records.
func appendXML(dst, xml []byte) []byte {
	for len(xml) > maxXMLPart {
		dst = appendRecord(dst, recordXML, xml[:maxXMLPart])
		xml = xml[maxXMLPart:]
	}
	return appendRecord(dst, recordXML, xml)
}

// custodyHeads is what is said in clear before compressed stanzas: the number as what it is more than the one before in its lane, the expiry
// as the seconds that it is later than the one before, on this carrier in this direction. The zero value is its beginning.
type custodyHeads struct {
	numbers [links.Lanes]uint64
	expires int64
}

// append appends a head: the number's difference; 0 for never, or one more than the expiry's, its sign in the lowest bit.
func (h *custodyHeads) append(dst []byte, f links.Frame) []byte {
	dst = binary.AppendUvarint(dst, f.Number-h.numbers[f.Lane])
	h.numbers[f.Lane] = f.Number
	if f.Expires.IsZero() {
		return append(dst, 0)
	}
	at := max(f.Expires.Unix(), 1)
	later := at - h.expires
	h.expires = at
	return binary.AppendUvarint(dst, uint64(later<<1^(later>>63))+1) //nolint:gosec // the sign goes into the lowest bit
}

// read reads one.
func (h *custodyHeads) read(r record, epoch uint64) (f links.Frame, rest []byte, ok bool) {
	f.Epoch, f.Lane = epoch, r.lane
	more, n := binary.Uvarint(r.body)
	if n <= 0 || more == 0 || h.numbers[f.Lane]+more < more {
		return f, nil, false
	}
	f.Number = h.numbers[f.Lane] + more
	rest = r.body[n:]
	coded, n := binary.Uvarint(rest)
	if n <= 0 || coded > farthestHead {
		return f, nil, false
	}
	if coded > 0 {
		coded--
		at := h.expires + (int64(coded>>1) ^ -int64(coded&1)) //nolint:gosec // bounded
		if at < 1 || at >= farthestStamp {
			return f, nil, false
		}
		h.expires, f.Expires = at, time.Unix(at, 0).UTC()
	}
	h.numbers[f.Lane] = f.Number
	return f, rest[n:], f.Valid()
}
