package hf

import (
	"encoding/binary"
	"errors"

	"sallyport/links/x2x"
)

// The header of a U_PDU of Stream, in one of two forms. SLEP's own layout is not published; this is ours, and claims no compatibility with it.
//
//	byte 0   1 1 0 0 i i i i   the stream, 0 to 15: the lane under custody, 0 without
//	byte 1   bit 0 open: whoever does not know the generation takes it up (data comes along, there is no answer to wait for)
//	         bit 1 reset: the receiver's stream of that generation is over, or whatever stream it has where that is 0; nothing follows
//	2, 3     generation of the stream, the sender's own; of the receiver's with reset
//	4 to 7   where the data begins
//	8, 9     with open: the generation of the other's that it is paired with, 0 for none yet
//	last 2   check
//
//	byte 0   1 0 0 r i i i i   the same of a stream that both know, when everything before it is confirmed; r: it is one record of links/x2x,
//	                           whose length is left out
//	1, 2     check
//
// Behind it come bytes of the stream. The check is a CRC of generation, place, header and data: DEFLATE has none, and the brief form says
// neither generation nor place, nor the generation of the other's, which is in its check too. There is neither a window nor an acknowledgement of its own: the subnetwork confirms, and the stream above
// acknowledges.
const (
	chunkMark   = 0xC0
	chunkBrief  = 0x80
	chunkRecord = 0x10
	chunkKind   = 0xF0
	flagOpen    = 0x01
	flagReset   = 0x02
	chunkHeader = 12 // bytes, at most
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

	brief bool   // may be brief; or of one that was read, is: generation and place are not known
	check uint16 // of one that was read
	head  []byte // the same, without the check
}

func appendChunk(dst []byte, c *chunk) []byte {
	begin := len(dst)
	if !c.brief || c.open || c.reset {
		dst = c.appendHead(dst)
		return append(binary.BigEndian.AppendUint16(dst, c.sum(dst[begin:])), c.data...)
	}
	head := chunkBrief | c.stream&(maxStreams-1)
	if body, lone := x2x.Lone(c.data); lone {
		dst = append(dst, head|chunkRecord)
		return append(append(binary.BigEndian.AppendUint16(dst, c.sum(dst[begin:])), c.data[0]), body...)
	}
	dst = append(dst, head)
	return append(binary.BigEndian.AppendUint16(dst, c.sum(dst[begin:])), c.data...)
}

func (c *chunk) appendHead(dst []byte) []byte {
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
	return dst
}

func (c *chunk) sum(head []byte) uint16 {
	var place [8]byte
	binary.BigEndian.PutUint16(place[:], c.generation)
	binary.BigEndian.PutUint32(place[2:], c.offset)
	if isBrief(head[0]) {
		binary.BigEndian.PutUint16(place[6:], c.paired)
	}
	return crc16(0, place[:], head, c.data)
}

func isBrief(head byte) bool { return head&chunkKind&^chunkRecord == chunkBrief }

// proven reports that a brief chunk is the next of that generation, and answers that one of ours.
func (c *chunk) proven(generation uint16, offset uint32, ours uint16) bool {
	c.generation, c.offset, c.paired = generation, offset, ours
	return c.check == c.sum(c.head)
}

// parseChunk reads one; the data is part of b. Whether a brief one is proven is still to be asked.
func parseChunk(b []byte) (c chunk, err error) {
	if len(b) >= 4 && isBrief(b[0]) {
		c = chunk{stream: b[0] &^ chunkKind, brief: true, check: binary.BigEndian.Uint16(b[1:]), head: b[:1], data: b[3:]}
		if b[0]&chunkRecord != 0 {
			c.data = x2x.AppendLone(nil, b[3], b[4:])
		}
		if _, lone := x2x.Lone(c.data); lone != (b[0]&chunkRecord != 0) {
			return chunk{}, errChunk
		}
		return c, nil
	}
	if len(b) < 10 || b[0]&chunkKind != chunkMark || b[1]&^(flagOpen|flagReset) != 0 {
		return c, errChunk
	}
	c = chunk{
		stream: b[0] &^ chunkKind, open: b[1]&flagOpen != 0, reset: b[1]&flagReset != 0, generation: binary.BigEndian.Uint16(b[2:]),
		offset: binary.BigEndian.Uint32(b[4:]),
	}
	n := 8
	if c.open {
		if len(b) < 12 {
			return chunk{}, errChunk
		}
		c.paired, n = binary.BigEndian.Uint16(b[8:]), 10
	}
	c.head, c.check, c.data = b[:n], binary.BigEndian.Uint16(b[n:]), b[n+2:]
	if c.generation == 0 && !c.reset || c.reset && (c.open || len(c.data) > 0 || c.offset != 0) || c.check != c.sum(c.head) {
		return chunk{}, errChunk
	}
	return c, nil
}
