package capture

import (
	"encoding/binary"
	"time"
)

// Direction is who transmitted. The zero value is another node.
type Direction uint8

// The directions.
const (
	Heard Direction = iota
	Keyed
)

// Damage is what is wrong with a packet from the air.
type Damage uint8

// The kinds there are.
const (
	Whole     Damage = iota
	Segment          // the header is right, the checksum of the segment is not
	Header           // a sync word with a header behind it whose checksum is wrong; more of the frame cannot be told from what follows
	BrokenOff        // the transmission ended, or could not be heard any more, in the middle of it
	damages
)

// String is the comment that a packet gets.
func (d Damage) String() string {
	return [damages]string{"", "damaged: its segment is not as it was sent", "damaged: its header is not as it was sent", "damaged: broken off"}[min(d, damages-1)]
}

// Constants of pcapng (draft-ietf-opsawg-pcapng): block types, options, flags of a packet.
const (
	blockSection   = 0x0A0D0D0A
	blockInterface = 1
	blockPacket    = 6
	byteOrder      = 0x1A2B3C4D
	optionEnd      = 0
	optionComment  = 1
	optionFlags    = 2
	flagInbound    = 1
	flagOutbound   = 2
	flagBadSum     = 1 << 24
)

// AppendSection appends the beginning of a pcapng file with packets of one kind. Unlike AppendHeader's, its packets say who transmitted, and what is wrong.
func AppendSection(dst []byte, l Link) []byte {
	dst = appendBlock(dst, blockSection, func(b []byte) []byte {
		b = binary.BigEndian.AppendUint32(b, byteOrder)
		b = append(b, 0, 1, 0, 0)                           // version 1.0
		return binary.BigEndian.AppendUint64(b, ^uint64(0)) // length not told
	})
	return appendBlock(dst, blockInterface, func(b []byte) []byte {
		b = binary.BigEndian.AppendUint16(b, uint16(l)) //nolint:gosec // a link type
		b = append(b, 0, 0)
		return binary.BigEndian.AppendUint32(b, maxPacket)
	})
}

// AppendPacket appends one packet of such a file. Packets longer than 64 KiB are cut.
func AppendPacket(dst []byte, at time.Time, d Direction, wrong Damage, packet []byte) []byte {
	size := uint32(len(packet)) //nolint:gosec // bounded by any caller's memory
	packet = packet[:min(len(packet), maxPacket)]
	micro := uint64(at.UnixMicro()) //nolint:gosec // after 1970
	return appendBlock(dst, blockPacket, func(b []byte) []byte {
		b = append(b, 0, 0, 0, 0) // interface 0
		b = binary.BigEndian.AppendUint64(b, micro)
		b = binary.BigEndian.AppendUint32(b, uint32(len(packet))) //nolint:gosec // at most 64 KiB
		b = binary.BigEndian.AppendUint32(b, size)
		b = padded(append(b, packet...))
		flags := uint32(flagInbound)
		if d == Keyed {
			flags = flagOutbound
		}
		if wrong != Whole {
			flags |= flagBadSum
			b = appendOption(b, optionComment, []byte(wrong.String()))
		}
		b = appendOption(b, optionFlags, binary.BigEndian.AppendUint32(nil, flags))
		return appendOption(b, optionEnd, nil)
	})
}

func appendOption(b []byte, code uint16, value []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, code)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value))) //nolint:gosec // ours are short
	return padded(append(b, value...))
}

// padded fills up to a multiple of four bytes; blocks begin at one.
func padded(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func appendBlock(dst []byte, kind uint32, body func([]byte) []byte) []byte {
	content := body(nil)
	length := uint32(len(content) + 12) //nolint:gosec // at most a packet and its options
	dst = binary.BigEndian.AppendUint32(dst, kind)
	dst = binary.BigEndian.AppendUint32(dst, length)
	dst = append(dst, content...)
	return binary.BigEndian.AppendUint32(dst, length)
}
