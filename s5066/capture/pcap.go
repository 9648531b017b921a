package capture

import (
	"encoding/binary"
	"time"
)

// Link is what the packets of a file begin with (the LINKTYPE of its header).
type Link uint32

// The link types used here.
const (
	LinkIP   Link = 101 // an IPv4 or IPv6 header
	LinkDPDU Link = 237 // the sync word of one D_PDU
)

const (
	magic = 0xA1B2C3D4 // times in microseconds
	// maxPacket is what readers are told to expect; no packet here is longer.
	maxPacket = 1 << 16
)

// format is the kind of file that a Recorder writes.
func (l Link) format() string {
	if l == LinkDPDU {
		return "pcapng"
	}
	return "pcap"
}

// AppendHeader appends the header of a file (version 2.4, big-endian).
func AppendHeader(dst []byte, l Link) []byte {
	dst = binary.BigEndian.AppendUint32(dst, magic)
	dst = append(dst, 0, 2, 0, 4)
	dst = append(dst, make([]byte, 8)...) // time zone and accuracy, which nobody uses
	dst = binary.BigEndian.AppendUint32(dst, maxPacket)
	return binary.BigEndian.AppendUint32(dst, uint32(l))
}

// AppendRecord appends one packet. Times before 1970 and after 2106 have no place in the format and are cut off.
func AppendRecord(dst []byte, at time.Time, packet []byte) []byte {
	packet = packet[:min(len(packet), maxPacket)]
	size := uint32(len(packet)) //nolint:gosec // bounded above
	micro := at.UnixMicro()
	dst = binary.BigEndian.AppendUint32(dst, uint32(micro/1e6)) //nolint:gosec // the format's own limit
	dst = binary.BigEndian.AppendUint32(dst, uint32(micro%1e6)) //nolint:gosec // below a million
	dst = binary.BigEndian.AppendUint32(dst, size)
	dst = binary.BigEndian.AppendUint32(dst, size)
	return append(dst, packet...)
}
