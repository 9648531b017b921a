package sis

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"sallyport/s5066"
)

// What ParsePrimitive and the Decoder tell apart. ErrShort is no fault: more bytes are needed.
var (
	ErrShort     = errors.New("primitive is not complete")
	ErrPreamble  = errors.New("no preamble 90 EB")
	ErrVersion   = errors.New("version is not 0")
	ErrType      = errors.New("unknown type of primitive")
	ErrSize      = errors.New("size does not fit the primitive")
	ErrArguments = errors.New("arguments that no primitive may have")
)

// ParsePrimitive reads the primitive at the beginning of b and returns what follows it. The
// primitive keeps no reference to b. Nothing is read beyond the size field's count. Errors wrap
// one of the errors above; with ErrShort all bytes so far can still become a primitive.
func ParsePrimitive(b []byte) (Primitive, []byte, error) {
	total, err := measure(b)
	if err != nil {
		return nil, b, err
	}
	p, err := parseArguments(Type(b[5]), b[6:total])
	if err != nil {
		return nil, b, fmt.Errorf("read %s: %w", Type(b[5]), err)
	}
	return p, b[total:], nil
}

// measure finds out how long the primitive is that b begins with, as early as it can be
// known that it is none.
func measure(b []byte) (int, error) {
	for i, want := range []byte{0x90, 0xEB} {
		if i < len(b) && b[i] != want {
			return 0, ErrPreamble
		}
	}
	if len(b) > 2 && b[2] != 0 {
		return 0, ErrVersion
	}
	if len(b) < headerSize {
		return 0, ErrShort
	}
	size := int(binary.BigEndian.Uint16(b[3:]))
	if size == 0 {
		return 0, fmt.Errorf("%w: it is 0", ErrSize)
	}
	if len(b) == headerSize {
		return 0, ErrShort
	}
	if err := fits(Type(b[5]), size, b[6:]); err != nil {
		return 0, err
	}
	if len(b) < headerSize+size {
		return 0, ErrShort
	}
	return headerSize + size, nil
}

// fits checks the size field against the type, and against the U_PDU's own size where
// enough of the arguments is there.
func fits(t Type, size int, args []byte) error {
	s := shapeOf(t)
	bad := false
	switch t {
	case TypeUnidataRequest, TypeExpeditedRequest:
		bad = len(args) >= 11 && s.size+int(binary.BigEndian.Uint16(args[9:])) != size
	case TypeUnidataIndication, TypeExpeditedIndication:
		bad = len(args) >= 12 && s.size+int(binary.BigEndian.Uint16(args[10:])) > size
	case TypeUnidataConfirm, TypeUnidataRejected, TypeExpeditedConfirm, TypeExpeditedRejected:
		bad = len(args) >= 7 && s.size+int(binary.BigEndian.Uint16(args[5:])) != size
	case TypeManagementRequest, TypeManagementIndication:
		bad = size > s.size+MaxManagement
	}
	switch {
	case s.size == 0:
		return fmt.Errorf("%w: %d", ErrType, uint8(t))
	case bad || size < s.size || size > s.size && !s.open:
		return fmt.Errorf("%w: %d for %s", ErrSize, size, t)
	}
	return nil
}

// parseArguments reads what follows the type; fits has seen to the length.
func parseArguments(t Type, a []byte) (Primitive, error) {
	switch t {
	case TypeBindRequest:
		return BindRequest{s5066.SAP(a[0] >> 4), s5066.Rank(a[0] & 15), service(a[1], a[2])}, nil
	case TypeUnbindRequest:
		return UnbindRequest{}, nil
	case TypeBindAccepted:
		mtu := binary.BigEndian.Uint16(a[1:])
		if mtu == 0 {
			return nil, fmt.Errorf("%w: MTU 0", ErrArguments)
		}
		return BindAccepted{s5066.SAP(a[0] >> 4), mtu}, nil
	case TypeBindRejected:
		return BindRejected{BindReason(a[0])}, nil
	case TypeUnbindIndication:
		return UnbindIndication{UnbindReason(a[0])}, nil
	case TypeSubnetAvailability:
		return SubnetAvailability{NodeStatus(a[0]), StatusReason(a[1])}, nil
	case TypeDataFlowOn, TypeDataFlowOff:
		return DataFlow{On: t == TypeDataFlowOn}, nil
	case TypeKeepAlive:
		return KeepAlive{}, nil
	case TypeManagementRequest, TypeManagementIndication:
		return Management{t == TypeManagementIndication, a[0], bytes.Clone(a[1:])}, nil
	case TypeUnidataRequest, TypeExpeditedRequest:
		return parseRequest(t == TypeExpeditedRequest, a), nil
	case TypeUnidataIndication, TypeExpeditedIndication:
		return parseIndication(t == TypeExpeditedIndication, a)
	case TypeUnidataConfirm, TypeExpeditedConfirm:
		return UnidataConfirm{t == TypeExpeditedConfirm, s5066.SAP(a[0] & 15), address(a[1:]), bytes.Clone(a[7:])}, nil
	case TypeUnidataRejected, TypeExpeditedRejected:
		return UnidataRejected{
			t == TypeExpeditedRejected, RejectReason(a[0] >> 4), s5066.SAP(a[0] & 15),
			address(a[1:]), bytes.Clone(a[7:]),
		}, nil
	default:
		return parseHardLink(t, a)
	}
}

func parseHardLink(t Type, a []byte) (Primitive, error) {
	if t == TypeHardLinkTerminate {
		return HardLinkTerminate{address(a)}, nil
	}
	first := a[0]
	if t != TypeHardLinkEstablish && t != TypeHardLinkAccept {
		a = a[1:]
	}
	link := s5066.HardLink{
		Type: s5066.LinkType(a[0] >> 6), Priority: a[0] >> 4 & 3, SAP: s5066.SAP(a[0] & 15), Remote: address(a[1:]),
	}
	if !link.Type.Valid() {
		return nil, fmt.Errorf("%w: hard link type %d", ErrArguments, link.Type)
	}
	switch t {
	case TypeHardLinkEstablish:
		return HardLinkEstablish{link}, nil
	case TypeHardLinkAccept:
		return HardLinkAccept{link}, nil
	case TypeHardLinkEstablished:
		return HardLinkEstablished{first, link}, nil
	case TypeHardLinkIndication:
		return HardLinkIndication{first, link}, nil
	case TypeHardLinkRejected:
		return HardLinkRejected{s5066.LinkReason(first), link}, nil
	case TypeHardLinkTerminated:
		return HardLinkTerminated{s5066.LinkEnd(first), link}, nil
	case TypeHardLinkReject:
		return HardLinkReject{first, link}, nil
	}
	return nil, fmt.Errorf("%w: %d", ErrType, uint8(t))
}

func address(a []byte) s5066.Address { return s5066.AddressFromWord(binary.BigEndian.Uint32(a)) }

func service(mode, copies byte) s5066.ServiceType {
	return s5066.ServiceType{
		Mode: s5066.TxMode(mode >> 4), Confirm: s5066.Confirmation(mode >> 2 & 3),
		AsTheyArrive: mode&2 != 0, Extended: mode&1 != 0, Retransmissions: copies >> 4,
	}
}

func parseRequest(expedited bool, a []byte) Primitive {
	units := time.Duration(a[6]&15)<<16 | time.Duration(binary.BigEndian.Uint16(a[7:]))
	return UnidataRequest{
		Expedited: expedited, Priority: s5066.Priority(priority(expedited, s5066.Priority(a[0]>>4))),
		SAP: s5066.SAP(a[0] & 15), Destination: address(a[1:]),
		Delivery: service(a[5], a[6]), TTL: units * s5066.TTLUnit, Data: bytes.Clone(a[11:]),
	}
}

func parseIndication(expedited bool, a []byte) (Primitive, error) {
	p := UnidataIndication{
		Expedited: expedited, Priority: s5066.Priority(priority(expedited, s5066.Priority(a[0]>>4))),
		SAP: s5066.SAP(a[0] & 15), Destination: address(a[1:]),
		Mode: s5066.TxMode(a[5] >> 4), SourceSAP: s5066.SAP(a[5] & 15), Source: address(a[6:]),
	}
	n, rest := int(binary.BigEndian.Uint16(a[10:])), a[12:]
	if p.Mode == s5066.TxNonARQErrors {
		var ok1, ok2 bool
		p.Damaged, rest, ok1 = parseBlocks(rest, n)
		p.Missing, rest, ok2 = parseBlocks(rest, n)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("%w: more blocks than bytes", ErrSize)
		}
	} else if len(rest) == n+4 && binary.BigEndian.Uint32(rest) == 0 {
		rest = rest[4:] // COMPAT(Rockwell up to 2.1, open5066): two counts of zero whatever the mode
	}
	if len(rest) != n {
		return nil, fmt.Errorf("%w: %d bytes for a U_PDU of %d", ErrSize, len(rest), n)
	}
	p.Data = bytes.Clone(rest)
	return p, nil
}

// parseBlocks reads a counted list. The length is checked before anything is read or made.
// Blocks are cut to the U_PDU of n bytes, what lies outside is dropped: they are a peer's
// claim, and whoever reads them indexes the U_PDU by them.
func parseBlocks(b []byte, n int) ([]Block, []byte, bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	count := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if len(b) < 4*count {
		return nil, nil, false
	}
	var list []Block
	for range count {
		first, length := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
		b = b[4:]
		if first < n && length > 0 {
			list = append(list, Block{uint16(first), uint16(min(length, n-first))})
		}
	}
	return list, b, true
}
