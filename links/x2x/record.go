package x2x

import (
	"encoding/binary"
	"time"

	"sallyport/links"
	"sallyport/links/deflate"
)

// Records of a compressed carrier: type, length as a varint, body.
const (
	recordXML     = 1 // plain XML, whole elements but for very long ones, which go over several records
	recordStanza  = 2 // one compressed stanza
	recordCustody = 3 // lane, number and expiry as varints, then one compressed stanza
	recordMarks   = 4 // acknowledgements under custody, see appendMarks

	maxRecord  = deflate.MaxFrame + 32
	maxXMLPart = 32 << 10
)

type record struct {
	kind  byte
	body  []byte
	bytes int // on the wire
}

// nextRecord takes one record off the front of b; ok is false when it has not come whole, bad when it never will.
func nextRecord(b []byte) (r record, rest []byte, ok, bad bool) {
	if len(b) == 0 {
		return r, b, false, false
	}
	r.kind = b[0]
	if r.kind < recordXML || r.kind > recordMarks {
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

// appendCustodyHead appends what stands in clear before a compressed stanza.
func appendCustodyHead(dst []byte, f links.Frame) []byte {
	dst = binary.AppendUvarint(append(dst, f.Lane), f.Number)
	if f.Expires.IsZero() {
		return append(dst, 0)
	}
	return binary.AppendUvarint(dst, uint64(max(f.Expires.Unix(), 1))) //nolint:gosec // not negative
}

// custodyHead reads it.
func custodyHead(b []byte, epoch uint64) (f links.Frame, frame []byte, ok bool) {
	if len(b) == 0 {
		return f, nil, false
	}
	f.Epoch, f.Lane = epoch, b[0]
	number, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return f, nil, false
	}
	f.Number = number
	b = b[1+n:]
	expires, n := binary.Uvarint(b)
	if n <= 0 || expires >= farthestStamp {
		return f, nil, false
	}
	if expires > 0 {
		f.Expires = time.Unix(int64(expires), 0).UTC() //nolint:gosec // bounded
	}
	return f, b[n:], f.Valid()
}
