package hf

import (
	"encoding/binary"
	"errors"
)

// The header of a U_PDU of Stream. SLEP's own layout is not published; this is ours, and claims no compatibility with it.
//
//	byte 0   1 1 0 0 i i i i   the stream, 0 to 15: the lane under custody, 0 without
//	byte 1   bit 0 open: whoever does not know the generation takes it up (data comes along, there is no answer to wait for)
//	         bit 1 reset: the receiver's stream of that generation is over; nothing follows
//	2, 3     generation of the stream, the sender's own; of the receiver's with reset
//	4 to 7   where the data begins
//	8, 9     with open: the generation of the other's that it is paired with, 0 for none yet
//
// Behind it come bytes of the stream. There is neither a window nor an acknowledgement of its own: the subnetwork confirms, and the stream
// above acknowledges.
const (
	chunkMark   = 0xC0
	flagOpen    = 0x01
	flagReset   = 0x02
	chunkHeader = 10 // bytes, at most
	maxStreams  = 16 // of a peer (N21)
)

var errChunk = errors.New("hf: not a chunk of a stream")

type chunk struct {
	stream     uint8
	open       bool
	reset      bool
	generation uint16
	paired     uint16
	offset     uint32
	data       []byte
}

func appendChunk(dst []byte, c *chunk) []byte {
	flags := byte(0)
	if c.open {
		flags |= flagOpen
	}
	if c.reset {
		flags |= flagReset
	}
	dst = binary.BigEndian.AppendUint16(append(dst, chunkMark|c.stream&(maxStreams-1), flags), c.generation)
	dst = binary.BigEndian.AppendUint32(dst, c.offset)
	if c.open {
		dst = binary.BigEndian.AppendUint16(dst, c.paired)
	}
	return append(dst, c.data...)
}

// parseChunk reads one; the data is part of b.
func parseChunk(b []byte) (c chunk, err error) {
	if len(b) < 8 || b[0]&0xF0 != chunkMark || b[1]&^(flagOpen|flagReset) != 0 {
		return c, errChunk
	}
	c = chunk{
		stream: b[0] &^ 0xF0, open: b[1]&flagOpen != 0, reset: b[1]&flagReset != 0, generation: binary.BigEndian.Uint16(b[2:]),
		offset: binary.BigEndian.Uint32(b[4:]),
	}
	b = b[8:]
	if c.open {
		if len(b) < 2 {
			return chunk{}, errChunk
		}
		c.paired, b = binary.BigEndian.Uint16(b), b[2:]
	}
	if c.generation == 0 || c.reset && (c.open || len(b) > 0 || c.offset != 0) {
		return chunk{}, errChunk
	}
	c.data = b
	return c, nil
}
