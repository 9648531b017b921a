package disk

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// A frame is length (4 bytes, of the payload), mark (4), CRC32C over length, mark and payload (4), payload; all big
// endian. The mark is the offset in this file up to which the writer knew the contents to be durable when it wrote
// the frame, that is, the start of the batch the frame belongs to. It lets recovery tell a torn batch, which nobody
// was promised, from damage to what had been promised (see Scan).
const (
	FrameHeaderBytes = 12
	// MaxFrameBytes bounds the payload of any frame. It is below 0x09090909, so that no text that XML allows can
	// look like the length of a frame.
	MaxFrameBytes = 16 << 20
)

// ErrShort says that the input ends inside a frame.
var ErrShort = errors.New("frame incomplete")

// ErrFrame says that the bytes are not a frame: impossible length or wrong checksum.
var ErrFrame = errors.New("frame damaged")

// castagnoli selects CRC32C, which the processor computes; the table is never written.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Frame is one parsed frame. Payload shares memory with the input.
type Frame struct {
	Mark    uint32
	Payload []byte
}

// BeginFrame appends room for a frame header; the payload is appended after it, then EndFrame fills it in.
func BeginFrame(dst []byte) []byte {
	return append(dst, make([]byte, FrameHeaderBytes)...)
}

// EndFrame completes the frame that begins at start and reaches to the end of dst.
func EndFrame(dst []byte, start int, mark uint32) {
	b := dst[start:]
	binary.BigEndian.PutUint32(b, uint32(len(b)-FrameHeaderBytes))
	binary.BigEndian.PutUint32(b[4:], mark)
	binary.BigEndian.PutUint32(b[8:], checksum(b))
}

// AppendFrame appends a frame of 1 to MaxFrameBytes bytes of payload.
func AppendFrame(dst []byte, f Frame) []byte {
	start := len(dst)
	dst = append(BeginFrame(dst), f.Payload...)
	EndFrame(dst, start, f.Mark)
	return dst
}

// ParseFrame reads the frame at the beginning of b and returns what follows it.
func ParseFrame(b []byte) (Frame, []byte, error) {
	if len(b) < FrameHeaderBytes {
		return Frame{}, nil, ErrShort
	}
	n := int64(binary.BigEndian.Uint32(b))
	if n == 0 || n > MaxFrameBytes {
		return Frame{}, nil, ErrFrame
	}
	if int64(len(b)-FrameHeaderBytes) < n {
		return Frame{}, nil, ErrShort
	}
	end := FrameHeaderBytes + int(n)
	if checksum(b[:end]) != binary.BigEndian.Uint32(b[8:]) {
		return Frame{}, nil, ErrFrame
	}
	return Frame{Mark: binary.BigEndian.Uint32(b[4:]), Payload: b[FrameHeaderBytes:end:end]}, b[end:], nil
}

func checksum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:8], castagnoli), castagnoli, b[FrameHeaderBytes:])
}
