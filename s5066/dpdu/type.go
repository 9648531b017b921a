package dpdu

import "strconv"

// Limits of a frame (C.1).
const (
	MaxSegment    = 1023 // bytes of a segment: ten bits
	MaxExtended   = 23   // bytes of an extended management message
	MaxAckBytes   = 16   // bytes of selective acknowledgements: 128 frames
	MaxSize       = syncSize + maxHeader + MaxSegment + segmentCRC
	syncSize      = 2
	fixedHeader   = 4 // type and EOW, EOT, sizes
	headerCRC     = 2
	segmentCRC    = 4
	maxAddress    = 7
	maxHeaderSize = 31 // five bits, without the addresses
	maxHeader     = maxHeaderSize + maxAddress
)

// Type is what a D_PDU is for. The zero value is a DATA-ONLY, because the standard numbers so.
type Type uint8

// The types of Annex C; 9 to 14 are reserved.
const (
	DataOnly        Type = 0
	AckOnly         Type = 1
	DataAck         Type = 2
	Resync          Type = 3
	ExpeditedData   Type = 4
	ExpeditedAck    Type = 5
	Management      Type = 6
	NonARQ          Type = 7
	ExpeditedNonARQ Type = 8
	Warning         Type = 15
)

var typeNames = [16]string{
	DataOnly: "DATA-ONLY", AckOnly: "ACK-ONLY", DataAck: "DATA-ACK", Resync: "RESET/WIN-RESYNC", ExpeditedData: "EXPEDITED DATA-ONLY",
	ExpeditedAck: "EXPEDITED ACK-ONLY", Management: "MANAGEMENT", NonARQ: "NON-ARQ DATA", ExpeditedNonARQ: "EXPEDITED NON-ARQ DATA", Warning: "WARNING",
}

// String is the standard's name of the type.
func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// Known reports whether Annex C defines the type.
func (t Type) Known() bool { return int(t) < len(typeNames) && typeNames[t] != "" }

// HasSegment reports whether frames of the type carry a segment of a C_PDU.
func (t Type) HasSegment() bool {
	return t == DataOnly || t == DataAck || t == ExpeditedData || t.IsNonARQ()
}

// HasAcks reports whether frames of the type carry selective acknowledgements.
func (t Type) HasAcks() bool { return t == AckOnly || t == DataAck || t == ExpeditedAck }

// IsNonARQ reports whether the type is data that nobody acknowledges.
func (t Type) IsNonARQ() bool { return t == NonARQ || t == ExpeditedNonARQ }

// headerRange is the smallest and the largest header size of a type, checksum included and addresses not.
func (t Type) headerRange() (low, high int) {
	switch t {
	case DataOnly, Resync, ExpeditedData:
		return 9, 9
	case AckOnly, ExpeditedAck:
		return 7, 7 + MaxAckBytes
	case DataAck:
		return 10, 10 + MaxAckBytes
	case Management:
		return 8, 8 + MaxExtended
	case NonARQ, ExpeditedNonARQ:
		return 15, 15
	case Warning:
		return 7, 7
	}
	return fixedHeader + headerCRC, maxHeaderSize
}

// WarningReason is why a WARNING was sent.
type WarningReason uint8

// The reasons of C.3.
const (
	Unrecognised WarningReason = iota // the type is not known here
	NotConnected                      // needs a connection, and there is none
	Invalid                           // the frame is not a valid one
	WrongState                        // not allowed in the state the node is in
)

var warningReasons = [...]string{"type not recognised", "not connected", "invalid D_PDU", "invalid for the current state"}

// String is the reason as operators read it.
func (r WarningReason) String() string {
	if int(r) < len(warningReasons) {
		return warningReasons[r]
	}
	return "reason " + strconv.Itoa(int(r))
}
