package modem

import (
	"encoding/binary"
	"fmt"
	"time"
)

// ParseFrame reads one frame from b and returns what is behind it. Without a whole frame it returns nil, b and no error; how far it
// may have to wait is bounded by the frame's own length, which is checked first. Errors wrap ErrFrame. Bytes are copied.
func ParseFrame(b []byte) (f Frame, rest []byte, err error) {
	if len(b) < headerBytes {
		return nil, b, nil
	}
	head := binary.BigEndian.Uint32(b)
	typ, n := int(head>>24), int(head&0xffffff)
	if lo, hi := bounds(typ); n < lo || n > hi {
		return nil, b, fmt.Errorf("type %d with %d bytes: %w", typ, n, ErrFrame)
	}
	if len(b) < headerBytes+n {
		return nil, b, nil
	}
	f, err = parseBody(typ, b[headerBytes:headerBytes+n])
	if err != nil {
		return nil, b, err
	}
	return f, b[headerBytes+n:], nil
}

// bounds are the lengths that a body of this type may have; none for types that are not there.
func bounds(typ int) (least, most int) {
	switch typ {
	case typeHello:
		return 12, 12 + maxNameBytes
	case typeKey:
		return 6, maxFrameBytes
	case typeAbort, typeKeyed, typeSent, typePing, typePong:
		return 4, 4
	case typeLost:
		return 5, 5
	case typeCarrier:
		return 3, 3 + maxNameBytes
	case typeData:
		return 1, maxDataBytes
	}
	return 1, 0
}

func parseBody(typ int, b []byte) (Frame, error) {
	switch typ {
	case typeHello:
		return parseHello(b)
	case typeCarrier:
		return parseCarrier(b)
	case typeData:
		return Data{append([]byte(nil), b...)}, nil
	}
	id, b := binary.BigEndian.Uint32(b), b[4:] // bounds has seen to it
	switch typ {
	case typeKey:
		return parseKey(id, b)
	case typeAbort:
		return Abort{id}, nil
	case typeKeyed:
		return Keyed{id}, nil
	case typeSent:
		return Sent{id}, nil
	case typePing:
		return Ping{id}, nil
	case typePong:
		return Pong{id}, nil
	case typeLost:
		if r := Reason(b[0]); r < reasons {
			return Lost{id, r}, nil
		}
	}
	return nil, fmt.Errorf("type %d: %w", typ, ErrFrame)
}

func parseHello(b []byte) (Frame, error) {
	if b[0] != version {
		return nil, fmt.Errorf("version %d, wanted %d: %w", b[0], version, ErrFrame)
	}
	ms := func(i int) time.Duration { return time.Duration(binary.BigEndian.Uint16(b[i:])) * time.Millisecond }
	name, rest, ok := takeName(b[11:])
	if !ok || len(rest) > 0 || !nameable(name) {
		return nil, fmt.Errorf("name in hello: %w", ErrFrame)
	}
	return Hello{name, Radio{KeyUp: ms(1), KeyDown: ms(3), Decode: ms(5)}, float64(binary.BigEndian.Uint32(b[7:])) / 1000}, nil
}

func parseKey(id uint32, b []byte) (Frame, error) {
	name, data, ok := takeName(b)
	if !ok || len(data) == 0 || len(data) > MaxTransmission {
		return nil, fmt.Errorf("key order: %w", ErrFrame)
	}
	w, err := ParseWaveform(name)
	if err != nil {
		return nil, fmt.Errorf("key order: %w: %w", err, ErrFrame)
	}
	return Key{id, w, append([]byte(nil), data...)}, nil
}

func parseCarrier(b []byte) (Frame, error) {
	name, rest, ok := takeName(b[2:])
	if !ok || len(rest) > 0 || b[0] > 1 {
		return nil, fmt.Errorf("carrier: %w", ErrFrame)
	}
	c := Carrier{On: b[0] == 1, SNR: int8(b[1])} //nolint:gosec // two's complement is the format
	if name == "" {
		return c, nil
	}
	w, err := ParseWaveform(name)
	if err != nil {
		return nil, fmt.Errorf("carrier: %w: %w", err, ErrFrame)
	}
	c.Waveform = w
	return c, nil
}

func takeName(b []byte) (name string, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) || int(b[0]) > maxNameBytes {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], true
}

// Decoder cuts a byte stream into frames. It holds at most one frame and what one Write brought, and nothing after an error. One goroutine at a time.
type Decoder struct {
	buf []byte
	err error
}

// Write takes bytes in. It fails, as Next then does, once the stream is unusable.
func (d *Decoder) Write(b []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	d.buf = append(d.buf, b...)
	return len(b), nil
}

// Next returns the next frame, or nil if there is none yet. Errors wrap ErrFrame and stay.
func (d *Decoder) Next() (Frame, error) {
	if d.err != nil {
		return nil, d.err
	}
	f, rest, err := ParseFrame(d.buf)
	if err != nil {
		d.err, d.buf = err, nil
		return nil, err
	}
	if f != nil && len(rest) == 0 {
		rest = nil // a large transmission's memory is not kept
	}
	d.buf = rest
	return f, nil
}
