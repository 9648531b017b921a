package spdu

import (
	"encoding/binary"
	"errors"
	"fmt"

	"sallyport/s5066"
)

// Sizes in bytes.
const (
	HeaderBytes  = 3       // of a Data without a time to die
	TTDBytes     = 2       // that a time to die adds
	linkBytes    = 2       // of a LinkRequest
	addressBytes = 2       // type and SAPs of Confirm and Fail
	PrefixBytes  = 16      // of a U_PDU that a Confirm or Fail returns at most: enough for the headers of clients, and short on the air
	MaxBytes     = 1 << 16 // of an S_PDU that is parsed
)

const (
	confirmBit = 1 << 7
	ttdBit     = 1 << 6
	nibble     = 0x0F
)

// Errors of Parse and Append.
var (
	ErrShort   = errors.New("S_PDU is too short")
	ErrUnknown = errors.New("S_PDU of an unknown type")
	ErrValue   = errors.New("value that an S_PDU cannot carry")
)

// Append appends the S_PDU. Errors wrap ErrValue: a SAP, priority or time outside of its bits.
func Append(dst []byte, p PDU) ([]byte, error) {
	head, err := fields(p)
	if err != nil {
		return dst, fmt.Errorf("encode S_PDU %s: %w", p.Type(), err)
	}
	dst = append(dst, uint8(p.Type())<<4|head)
	switch p := p.(type) {
	case Data:
		return appendData(dst, p), nil
	case Confirm:
		return append(append(dst, saps(p.Source, p.SAP)), p.Prefix...), nil
	case Fail:
		return append(append(dst, saps(p.Source, p.SAP)), p.Prefix...), nil
	case LinkRequest:
		return append(dst, saps(p.Source, p.Remote)), nil
	}
	return dst, nil
}

func saps(source, destination s5066.SAP) uint8 { return uint8(source)<<4 | uint8(destination) }

func appendData(dst []byte, p Data) []byte {
	flags := uint8(0)
	if p.Confirm {
		flags |= confirmBit
	}
	dst = append(dst, saps(p.Source, p.SAP))
	if p.TTD.Valid {
		dst = append(dst, flags|ttdBit|p.TTD.Day)
		dst = binary.BigEndian.AppendUint16(dst, p.TTD.Half)
	} else {
		dst = append(dst, flags)
	}
	return append(dst, p.UPDU...)
}

// fields checks what has to fit into bits, and gives the low half of the first byte.
func fields(p PDU) (head uint8, err error) {
	ok := true
	switch p := p.(type) {
	case Data:
		head = uint8(p.Priority)
		ok = p.Priority.Valid() && p.Source.Valid() && p.SAP.Valid() && (!p.TTD.Valid || p.TTD.possible())
	case Confirm:
		ok = p.Source.Valid() && p.SAP.Valid()
	case Fail:
		head = uint8(p.Reason)
		ok = p.Source.Valid() && p.SAP.Valid() && p.Reason <= nibble
	case LinkRequest:
		head = uint8(p.Link)<<2 | p.Priority&3
		ok = p.Link.Valid() && p.Priority <= 3 && p.Source.Valid() && p.Remote.Valid()
	case LinkReject:
		head = uint8(p.Reason)
		ok = p.Reason <= nibble
	case LinkEnd:
		head = uint8(p.Reason)
		ok = p.Reason <= nibble
	case LinkConfirm, LinkEndConfirm:
	default:
		ok = false
	}
	if !ok {
		return 0, fmt.Errorf("%w: %+v", ErrValue, p)
	}
	return head, nil
}

// Parse reads an S_PDU, which is all of b; payloads are parts of b. Errors wrap ErrShort, ErrUnknown or ErrValue.
func Parse(b []byte) (PDU, error) {
	if len(b) == 0 || len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrShort, len(b))
	}
	t, low := Type(b[0]>>4), b[0]&nibble
	need := 1
	switch t {
	case TypeData:
		need = HeaderBytes
	case TypeConfirm, TypeFail:
		need = addressBytes
	case TypeLinkRequest:
		need = linkBytes
	}
	if t >= types {
		return nil, fmt.Errorf("%w: %d", ErrUnknown, t)
	}
	if len(b) < need {
		return nil, fmt.Errorf("%w: %s of %d bytes, want %d", ErrShort, t, len(b), need)
	}
	switch t {
	case TypeData:
		return parseData(b)
	case TypeConfirm:
		return Confirm{s5066.SAP(b[1] >> 4), s5066.SAP(b[1] & nibble), b[2:]}, nil
	case TypeFail:
		return Fail{FailReason(low), s5066.SAP(b[1] >> 4), s5066.SAP(b[1] & nibble), b[2:]}, nil
	case TypeLinkRequest:
		p := LinkRequest{s5066.LinkType(low >> 2), low & 3, s5066.SAP(b[1] >> 4), s5066.SAP(b[1] & nibble)}
		if !p.Link.Valid() {
			return nil, fmt.Errorf("%w: hard link of type %d", ErrValue, p.Link)
		}
		return p, nil
	case TypeLinkConfirm:
		return LinkConfirm{}, nil
	case TypeLinkReject:
		return LinkReject{s5066.LinkReason(low)}, nil
	case TypeLinkEnd:
		return LinkEnd{EndReason(low)}, nil
	}
	return LinkEndConfirm{}, nil
}

func parseData(b []byte) (PDU, error) {
	p := Data{
		Priority: s5066.Priority(b[0] & nibble), Source: s5066.SAP(b[1] >> 4), SAP: s5066.SAP(b[1] & nibble),
		Confirm: b[2]&confirmBit != 0, UPDU: b[HeaderBytes:],
	}
	if b[2]&ttdBit == 0 {
		return p, nil
	}
	if len(b) < HeaderBytes+TTDBytes {
		return nil, fmt.Errorf("%w: DATA of %d bytes with a time to die", ErrShort, len(b))
	}
	p.TTD = TTD{Valid: true, Day: b[2] & nibble, Half: binary.BigEndian.Uint16(b[HeaderBytes:])}
	if !p.TTD.possible() {
		return nil, fmt.Errorf("%w: time to die at second %d of a day", ErrValue, 2*int(p.TTD.Half))
	}
	p.UPDU = b[HeaderBytes+TTDBytes:]
	return p, nil
}
