package dtls

import (
	"encoding/binary"
	"encoding/hex"
)

// Sizes of a record (RFC 6347 §4.3.1, RFC 9146 §4), in bytes.
const (
	recordHeader = 13
	// CIDBytes is the length of our connection ids; all have it, or a record could not be parsed before its association is known.
	CIDBytes  = 8
	cidHeader = recordHeader + CIDBytes
	// maxRecords bounds what one datagram may hold: a flight of a handshake has six.
	maxRecords = 16
)

// Content types (RFC 5246 §6.2.1, RFC 9146 §4).
const (
	typeChangeCipherSpec = 20
	typeAlert            = 21
	typeHandshake        = 22
	typeCID              = 25
)

// CID is a connection id of ours: whoever sends to us puts it into every protected record.
type CID [CIDBytes]byte

// String returns it in hexadecimal digits.
func (c CID) String() string { return hex.EncodeToString(c[:]) }

// record is one DTLS record of a datagram. It aliases the datagram.
type record struct {
	typ   byte
	epoch uint16
	cid   CID
	raw   []byte // with its header
	body  []byte
}

// nextRecord takes the first record off b. Nothing is taken from one that is not whole, or not of DTLS 1.x.
func nextRecord(b []byte) (r record, rest []byte, ok bool) {
	if len(b) < recordHeader {
		return record{}, nil, false
	}
	header := recordHeader
	if b[0] == typeCID {
		header = cidHeader
	}
	if len(b) < header || b[1] != 0xFE || b[2] != 0xFD && b[2] != 0xFF {
		return record{}, nil, false
	}
	size := header + int(binary.BigEndian.Uint16(b[header-2:]))
	if size == header || size > len(b) {
		return record{}, nil, false
	}
	r = record{typ: b[0], epoch: binary.BigEndian.Uint16(b[3:]), raw: b[:size], body: b[header:size]}
	if b[0] == typeCID {
		copy(r.cid[:], b[11:])
	}
	return r, b[size:], true
}

// clear reports whether it is a record of the unprotected part of a handshake.
func (r *record) clear() bool {
	return r.epoch == 0 && (r.typ == typeHandshake || r.typ == typeChangeCipherSpec || r.typ == typeAlert)
}

// protected reports whether it is a record under keys, of the only epoch there is: nothing is negotiated a second time.
func (r *record) protected() bool { return r.typ == typeCID && r.epoch == 1 }
