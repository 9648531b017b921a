package dpdu

import (
	"encoding/binary"
	"errors"
	"fmt"

	"sallyport/s5066"
)

// Errors of Parse. ErrShort means that the bytes may be the beginning of a frame; the others that they are none.
var (
	ErrShort  = errors.New("D_PDU is not complete")
	ErrSync   = errors.New("no sync word")
	ErrHeader = errors.New("not a D_PDU header")
)

// Parse reads one frame that begins at b[0] with its sync word and gives what follows it. A frame with a good header and a bad segment is no
// error: PDU.Damaged tells it. The segment is a copy. An unknown type ends with its header.
func Parse(b []byte) (PDU, []byte, error) {
	for i, want := range []byte{0x90, 0xEB} {
		if i >= len(b) {
			return PDU{}, b, ErrShort
		}
		if b[i] != want {
			return PDU{}, b, ErrSync
		}
	}
	p, size, n, err := parseHeader(b[syncSize:])
	if err != nil {
		return PDU{}, b, err
	}
	rest := b[syncSize+size:]
	if !p.Type.HasSegment() {
		return p, rest, nil
	}
	if len(rest) < n+segmentCRC {
		return PDU{}, b, ErrShort
	}
	p.Segment = append([]byte(nil), rest[:n]...)
	p.Damaged = CRC32(rest[:n+segmentCRC]) != 0
	return p, rest[n+segmentCRC:], nil
}

// parseHeader reads a header behind its sync word: the frame without segment, the bytes of the header, those of the segment.
func parseHeader(b []byte) (p PDU, size, segment int, err error) {
	if len(b) < fixedHeader {
		return PDU{}, 0, 0, ErrShort
	}
	p = PDU{Type: Type(b[0] >> 4), EOW: EOW(b[0]&15)<<8 | EOW(b[1]), EOT: b[2], AddressSize: b[3] >> 5}
	h, m := int(b[3]&31), int(p.AddressSize)
	low, high := p.Type.headerRange()
	if m == 0 || h < low || h > high {
		return PDU{}, 0, 0, fmt.Errorf("%w: %s of size %d, addresses of %d", ErrHeader, p.Type, h, m)
	}
	if len(b) < h+m {
		return PDU{}, 0, 0, ErrShort
	}
	if CRC16(b[:h+m]) != 0 {
		return PDU{}, 0, 0, fmt.Errorf("%w: checksum", ErrHeader)
	}
	parseAddresses(&p, b[fixedHeader:fixedHeader+m])
	segment, err = parseSpecific(&p, b[fixedHeader+m:h+m-headerCRC])
	return p, h + m, segment, err
}

func parseAddresses(p *PDU, b []byte) {
	both := uint64(0)
	for _, c := range b {
		both = both<<8 | uint64(c)
	}
	m := len(b)
	p.To, p.From = s5066.Unicast(uint32(both>>(4*m))), s5066.Unicast(uint32(both&(1<<(4*m)-1)))
}

// parseSpecific reads the type-specific part, whose length headerRange has checked, and gives the length of the segment.
func parseSpecific(p *PDU, b []byte) (segment int, err error) {
	switch p.Type {
	case DataOnly, DataAck:
		p.Data = Data{
			FSN: b[2], Start: b[0]&0x80 != 0, End: b[0]&0x40 != 0, InOrder: b[0]&0x20 != 0, Drop: b[0]&0x10 != 0,
			TXUWE: b[0]&8 != 0, TXLWE: b[0]&4 != 0,
		}
		if p.Type == DataAck {
			p.Acks = parseAcks(b[3:])
		}
	case AckOnly, ExpeditedAck:
		p.Acks = parseAcks(b)
		return 0, nil
	case Resync:
		p.Resync = Reset{Full: b[0]&8 != 0, TXRequest: b[0]&4 != 0, RXCommand: b[0]&2 != 0, Ack: b[0]&1 != 0, LWE: b[1], ID: b[2]}
		return 0, nil
	case ExpeditedData:
		p.Data = Data{FSN: b[2], Start: b[0]&0x80 != 0, End: b[0]&0x40 != 0, CPDU: b[0] >> 2 & 15}
	case Management:
		p.Management = Message{ID: b[1], Valid: b[0]&2 != 0, Ack: b[0]&1 != 0, Extended: string(b[2:])}
		if (b[0]&4 != 0) != (len(b) > 2) {
			return 0, fmt.Errorf("%w: extended message of %d bytes against its flag", ErrHeader, len(b)-2)
		}
		return 0, nil
	case NonARQ, ExpeditedNonARQ:
		p.NonARQ = Datagram{
			ID: uint16(b[0]>>4)<<8 | uint16(b[2]), InOrder: b[0]&8 != 0,
			Size: binary.BigEndian.Uint16(b[3:]), Offset: binary.BigEndian.Uint16(b[5:]), Window: binary.BigEndian.Uint16(b[7:]),
		}
		if b[0]&4 != 0 {
			p.To = s5066.Group(p.To.Value())
		}
	case Warning:
		p.Warning = Complaint{Cause: Type(b[0] >> 4), Reason: WarningReason(b[0] & 15)}
		return 0, nil
	default:
		p.Unknown = string(b)
		return 0, nil
	}
	return int(b[0]&3)<<8 | int(b[1]), nil
}

func parseAcks(b []byte) Acks {
	a := Acks{LWE: b[0]}
	copy(a.bits[:], b[1:])
	return a
}
