package dpdu

import (
	"encoding/binary"
	"errors"
	"fmt"

	"sallyport/s5066"
)

// ErrUnsendable is wrapped by the errors of Append: the value has no form on the wire.
var ErrUnsendable = errors.New("D_PDU has no form on the wire")

// Size is the bytes that the frame takes on the air, sync word included.
func (p PDU) Size() int {
	n := syncSize + p.headerSize() + p.addressSize()
	if p.Type.HasSegment() {
		n += len(p.Segment) + segmentCRC
	}
	return n
}

func (p PDU) headerSize() int {
	low, _ := p.Type.headerRange()
	switch {
	case p.Type.HasAcks():
		low += p.Acks.size()
	case p.Type == Management:
		low += len(p.Management.Extended)
	case !p.Type.Known():
		low += len(p.Unknown)
	}
	return low
}

// Append writes the frame with its sync word and checksums behind dst. It fails, with dst unchanged, when a field does not fit.
func Append(dst []byte, p PDU) ([]byte, error) {
	if err := p.check(); err != nil {
		return dst, err
	}
	at := len(dst) + syncSize
	out := append(dst, 0x90, 0xEB, byte(p.Type)<<4|byte(p.EOW>>8&15), byte(p.EOW), p.EOT)
	out = append(out, byte(p.addressSize())<<5|byte(p.headerSize()))
	out = appendAddresses(out, p)
	out = appendSpecific(out, p)
	out = binary.LittleEndian.AppendUint16(out, CRC16(out[at:]))
	if p.Type.HasSegment() {
		out = append(out, p.Segment...)
		out = binary.LittleEndian.AppendUint32(out, CRC32(p.Segment))
	}
	return out, nil
}

func (p PDU) check() error {
	fits := func(a s5066.Address) bool { return a.Valid() && a.Value()>>(4*p.addressSize()) == 0 }
	switch {
	case p.Type > Warning:
		return fmt.Errorf("%w: type %d", ErrUnsendable, p.Type)
	case !fits(p.To) || !fits(p.From):
		return fmt.Errorf("%w: address %s or %s in %d half-bytes", ErrUnsendable, p.To, p.From, p.addressSize())
	case p.From.IsGroup() || p.To.IsGroup() && !p.Type.IsNonARQ():
		return fmt.Errorf("%w: group address in a %s", ErrUnsendable, p.Type)
	case len(p.Segment) > MaxSegment, len(p.Segment) > 0 && !p.Type.HasSegment():
		return fmt.Errorf("%w: segment of %d bytes in a %s", ErrUnsendable, len(p.Segment), p.Type)
	case p.headerSize() > maxHeaderSize:
		return fmt.Errorf("%w: header of %d bytes", ErrUnsendable, p.headerSize())
	case p.NonARQ.ID > 0xFFF || p.Data.CPDU > 15:
		return fmt.Errorf("%w: C_PDU ID %d, %d", ErrUnsendable, p.NonARQ.ID, p.Data.CPDU)
	case p.Type == Warning && (p.Warning.Cause > 15 || p.Warning.Reason > 15):
		return fmt.Errorf("%w: warning %d, reason %d", ErrUnsendable, p.Warning.Cause, p.Warning.Reason)
	}
	return nil
}

// appendAddresses packs the half-bytes of both addresses one behind the other, so an odd size shares a byte.
func appendAddresses(out []byte, p PDU) []byte {
	m := p.addressSize()
	both := uint64(p.To.Value())<<(4*m) | uint64(p.From.Value())
	for i := m - 1; i >= 0; i-- {
		out = append(out, byte(both>>(8*i)))
	}
	return out
}

func appendSpecific(out []byte, p PDU) []byte {
	n := len(p.Segment)
	switch p.Type {
	case DataOnly, DataAck:
		d := p.Data
		out = append(out, bit(d.Start, 7)|bit(d.End, 6)|bit(d.InOrder, 5)|bit(d.Drop, 4)|bit(d.TXUWE, 3)|bit(d.TXLWE, 2)|byte(n>>8), byte(n), d.FSN)
		if p.Type == DataAck {
			out = appendAcks(out, p.Acks)
		}
	case AckOnly, ExpeditedAck:
		out = appendAcks(out, p.Acks)
	case Resync:
		r := p.Resync
		out = append(out, bit(r.Full, 3)|bit(r.TXRequest, 2)|bit(r.RXCommand, 1)|bit(r.Ack, 0), r.LWE, r.ID)
	case ExpeditedData:
		d := p.Data
		out = append(out, bit(d.Start, 7)|bit(d.End, 6)|d.CPDU<<2|byte(n>>8), byte(n), d.FSN)
	case Management:
		m := p.Management
		out = append(out, bit(m.Extended != "", 2)|bit(m.Valid, 1)|bit(m.Ack, 0), m.ID)
		out = append(out, m.Extended...)
	case NonARQ, ExpeditedNonARQ:
		d := p.NonARQ
		out = append(out, byte(d.ID>>8)<<4|bit(d.InOrder, 3)|bit(p.To.IsGroup(), 2)|byte(n>>8), byte(n), byte(d.ID))
		out = binary.BigEndian.AppendUint16(out, d.Size)
		out = binary.BigEndian.AppendUint16(out, d.Offset)
		out = binary.BigEndian.AppendUint16(out, d.Window)
	case Warning:
		out = append(out, byte(p.Warning.Cause)<<4|byte(p.Warning.Reason))
	default:
		out = append(out, p.Unknown...)
	}
	return out
}

func appendAcks(out []byte, a Acks) []byte {
	return append(append(out, a.LWE), a.bits[:a.size()]...)
}

func bit(set bool, at uint) byte {
	if set {
		return 1 << at
	}
	return 0
}
