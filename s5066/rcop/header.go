package rcop

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// HeaderSize is the bytes of a header; they are inside the MTU.
const HeaderSize = 6

// FirstFreeApp is where application IDs begin that nobody administers.
const FirstFreeApp = 0x8000

// ErrHeader is wrapped by errors of ParseHeader, AppendHeader and Split.
var ErrHeader = errors.New("not an RCOP or UDOP header")

// Header is what stands before each segment.
type Header struct {
	Connection uint8 // 0 to 15; 0 is the first, or the only one
	ID         uint8 // of the U_PDU, counting up in each connection
	Segment    uint16
	App        uint16
}

// AppendHeader appends the header. The error wraps ErrHeader: the connection has four bits.
func AppendHeader(dst []byte, h Header) ([]byte, error) {
	if h.Connection > 15 {
		return dst, fmt.Errorf("%w: connection %d", ErrHeader, h.Connection)
	}
	dst = append(dst, h.Connection<<4, h.ID)
	dst = binary.BigEndian.AppendUint16(dst, h.Segment)
	return binary.BigEndian.AppendUint16(dst, h.App), nil
}

// ParseHeader reads the header and returns the data behind it, which is still part of b. The reserved
// bits are ignored.
func ParseHeader(b []byte) (Header, []byte, error) {
	if len(b) < HeaderSize {
		return Header{}, b, fmt.Errorf("%w: %d bytes", ErrHeader, len(b))
	}
	h := Header{b[0] >> 4, b[1], binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:])}
	return h, b[HeaderSize:], nil
}

// Split makes the U_PDUs of a message: segments of at most mtu bytes with their headers,
// numbered from h.Segment. No data is one segment. The error wraps ErrHeader.
func Split(h Header, data []byte, mtu int) ([][]byte, error) {
	room := mtu - HeaderSize
	if room < 1 || len(data) > room*(1<<16-int(h.Segment)) {
		return nil, fmt.Errorf("%w: %d bytes with an MTU of %d", ErrHeader, len(data), mtu)
	}
	var list [][]byte
	for {
		n := min(room, len(data))
		updu, err := AppendHeader(make([]byte, 0, HeaderSize+n), h)
		if err != nil {
			return nil, err
		}
		list = append(list, append(updu, data[:n]...))
		data = data[n:]
		if len(data) == 0 {
			return list, nil
		}
		h.Segment++
	}
}
