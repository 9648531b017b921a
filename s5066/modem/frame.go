package modem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// Limits of the framing.
const (
	version       = 1
	headerBytes   = 4
	maxNameBytes  = 64
	maxFrameBytes = MaxTransmission + 64
	maxDataBytes  = 256 << 10 // a block of the wideband set has 115,200 bytes
	maxRadio      = math.MaxUint16 * time.Millisecond
)

// ErrFrame is in the chain of every error about frames that cannot be read. The connection has to end.
var ErrFrame = errors.New("unusable modem frame")

// Frame is one frame of the TCP framing: Hello, Ping, Pong, or any Order or Event.
type Frame any

// Hello is the first frame of either end.
type Hello struct {
	Name  string  // of modem or station, at most 64 bytes of printable ASCII
	Radio Radio   // whole milliseconds up to 65,535, zero from stations
	Speed float64 // how much faster than real time the modem runs, 0.001 to 4,000,000; zero from stations
}

// Ping asks the other end whether it is there.
type Ping struct{ Token uint32 }

// Pong answers Ping.
type Pong struct{ Token uint32 }

const (
	typeHello = 1 + iota
	typeKey
	typeAbort
	typeKeyed
	typeSent
	typeLost
	typeCarrier
	typeData
	typePing
	typePong
)

// AppendFrame appends the frame. Errors wrap ErrFrame and mean that the value has no place in a frame; dst is returned as it was.
func AppendFrame(dst []byte, f Frame) ([]byte, error) {
	begin := len(dst)
	typ, b, err := appendBody(append(dst, 0, 0, 0, 0), f)
	if err != nil {
		return dst[:begin], err
	}
	n := len(b) - begin - headerBytes
	binary.BigEndian.PutUint32(b[begin:], uint32(typ)<<24|uint32(n)) //nolint:gosec // n is below maxFrameBytes
	return b, nil
}

func appendBody(b []byte, f Frame) (typ int, _ []byte, err error) {
	be := binary.BigEndian
	switch f := f.(type) {
	case Hello:
		b, err = appendHello(b, f)
		return typeHello, b, err
	case Key:
		if !f.Waveform.Valid() || len(f.Data) == 0 || len(f.Data) > MaxTransmission {
			return 0, b, fmt.Errorf("key order for %s with %d bytes: %w", f.Waveform, len(f.Data), ErrFrame)
		}
		return typeKey, append(appendName(be.AppendUint32(b, f.ID), f.Waveform.String()), f.Data...), nil
	case Abort:
		return typeAbort, be.AppendUint32(b, f.ID), nil
	case Keyed:
		return typeKeyed, be.AppendUint32(b, f.ID), nil
	case Sent:
		return typeSent, be.AppendUint32(b, f.ID), nil
	case Lost:
		if f.Reason >= reasons {
			return 0, b, fmt.Errorf("reason %d: %w", f.Reason, ErrFrame)
		}
		return typeLost, append(be.AppendUint32(b, f.ID), byte(f.Reason)), nil
	case Carrier:
		return typeCarrier, appendCarrier(b, f), nil
	case Data:
		if len(f.Bytes) == 0 || len(f.Bytes) > maxDataBytes {
			return 0, b, fmt.Errorf("%d bytes of data: %w", len(f.Bytes), ErrFrame)
		}
		return typeData, append(b, f.Bytes...), nil
	case Ping:
		return typePing, be.AppendUint32(b, f.Token), nil
	case Pong:
		return typePong, be.AppendUint32(b, f.Token), nil
	}
	return 0, b, fmt.Errorf("%T: %w", f, ErrFrame)
}

func appendHello(b []byte, h Hello) ([]byte, error) {
	if !nameable(h.Name) || h.Speed < 0 || h.Speed*1000 > math.MaxUint32 || h.Speed != h.Speed {
		return b, fmt.Errorf("hello of %.80q at speed %v: %w", h.Name, h.Speed, ErrFrame)
	}
	b = append(b, version)
	for _, d := range []time.Duration{h.Radio.KeyUp, h.Radio.KeyDown, h.Radio.Decode} {
		if d < 0 || d > maxRadio {
			return b, fmt.Errorf("radio figure %v: %w", d, ErrFrame)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(d/time.Millisecond)) //nolint:gosec // checked above
	}
	b = binary.BigEndian.AppendUint32(b, uint32(math.Round(h.Speed*1000)))
	return appendName(b, h.Name), nil
}

func appendCarrier(b []byte, c Carrier) []byte {
	on, name := byte(0), ""
	if c.On {
		on = 1
	}
	if c.Waveform.Valid() {
		name = c.Waveform.String()
	}
	return appendName(append(b, on, byte(c.SNR)), name)
}

func appendName(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func nameable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return len(s) <= maxNameBytes
}
