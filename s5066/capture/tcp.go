package capture

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Side is an end of a client's connection.
type Side uint8

// The sides.
const (
	Client Side = iota
	Node
)

const (
	maxSegment = 16 << 10 // bytes of one packet's payload
	ipv4Header = 20
	ipv6Header = 40
	tcpHeader  = 20
	flagFIN    = 0x01
	flagPSH    = 0x08
	flagACK    = 0x10
	protoTCP   = 6
	hopLimit   = 64
)

// Stream makes packets of what one TCP connection carries, with the sequence numbers that let a reader put primitives together again.
// Not safe for concurrent use.
type Stream struct {
	ends [2]netip.AddrPort // by Side
	next [2]uint32         // sequence number of the next byte of each side
	id   uint16
}

// NewStream describes a connection. Both addresses have to be of one family, else (and for addresses that are none, as of a pipe) 127.0.0.1 stands
// for either.
func NewStream(client, node netip.AddrPort) *Stream {
	a, b := client.Addr().Unmap(), node.Addr().Unmap()
	if !a.IsValid() || !b.IsValid() || a.Is4() != b.Is4() {
		a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		b = a
	}
	return &Stream{ends: [2]netip.AddrPort{netip.AddrPortFrom(a, client.Port()), netip.AddrPortFrom(b, node.Port())}, next: [2]uint32{1, 1}}
}

// Append appends records of the bytes that a side has sent, a packet for each primitive as far as b begins with whole ones.
func (s *Stream) Append(dst []byte, at time.Time, from Side, b []byte) []byte {
	for len(b) > 0 {
		n := min(first(b), maxSegment)
		dst = AppendRecord(dst, at, s.packet(from, b[:n], flagPSH|flagACK))
		s.next[from] += uint32(n) //nolint:gosec // at most maxSegment; wraps as TCP does
		b = b[n:]
	}
	return dst
}

// first is the length of the primitive that b begins with, and of all of b if there is none.
//
// COMPAT(Wireshark, 4.0): its dissector runs over the end of every confirmation and rejection for SAP 2, 6 or 7, calls the packet malformed, and
// shows nothing that follows in it. So nothing does.
func first(b []byte) int {
	const head = 5 // preamble, version and size
	if len(b) < head || b[0] != 0x90 || b[1] != 0xEB || b[2] != 0 {
		return len(b)
	}
	return min(len(b), head+int(binary.BigEndian.Uint16(b[3:])))
}

// AppendEnd appends the record of a side that closes.
func (s *Stream) AppendEnd(dst []byte, at time.Time, from Side) []byte {
	dst = AppendRecord(dst, at, s.packet(from, nil, flagFIN|flagACK))
	s.next[from]++
	return dst
}

func (s *Stream) packet(from Side, payload []byte, flags byte) []byte {
	src, dst := s.ends[from], s.ends[1-from]
	p := s.ipHeader(src.Addr(), dst.Addr(), tcpHeader+len(payload))
	start := len(p)
	p = binary.BigEndian.AppendUint16(p, src.Port())
	p = binary.BigEndian.AppendUint16(p, dst.Port())
	p = binary.BigEndian.AppendUint32(p, s.next[from])
	p = binary.BigEndian.AppendUint32(p, s.next[1-from])
	p = append(p, tcpHeader/4<<4, flags, 0xFF, 0xFF, 0, 0, 0, 0) // header length, flags, window, checksum, no urgent data
	p = append(p, payload...)
	binary.BigEndian.PutUint16(p[start+16:], checksum(p[start:], pseudoHeader(src.Addr(), dst.Addr(), len(p)-start)))
	return p
}

// ipHeader is that of RFC 791 or RFC 8200, around size bytes of TCP.
func (s *Stream) ipHeader(src, dst netip.Addr, size int) []byte {
	s.id++
	p := make([]byte, 0, ipv6Header+size)
	if src.Is6() {
		p = append(p, 6<<4, 0, 0, 0)
		p = binary.BigEndian.AppendUint16(p, uint16(size)) //nolint:gosec // at most maxSegment and a header
		p = append(p, protoTCP, hopLimit)
		return append(append(p, src.AsSlice()...), dst.AsSlice()...)
	}
	p = append(p, 4<<4|ipv4Header/4, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(ipv4Header+size)) //nolint:gosec // as above
	p = binary.BigEndian.AppendUint16(p, s.id)
	p = append(p, 0x40, 0, hopLimit, protoTCP, 0, 0) // do not fragment; checksum
	p = append(append(p, src.AsSlice()...), dst.AsSlice()...)
	binary.BigEndian.PutUint16(p[10:], checksum(p, 0))
	return p
}

// pseudoHeader is what the TCP checksum counts of the addresses (RFC 9293 section 3.1).
func pseudoHeader(src, dst netip.Addr, size int) uint32 {
	sum := uint32(protoTCP) + uint32(size) //nolint:gosec // at most maxSegment and a header
	for _, b := range [][]byte{src.AsSlice(), dst.AsSlice()} {
		for i := 0; i < len(b); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(b[i:]))
		}
	}
	return sum
}

// checksum is that of RFC 1071.
func checksum(b []byte, sum uint32) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	return ^uint16(sum) //nolint:gosec // folded above
}
