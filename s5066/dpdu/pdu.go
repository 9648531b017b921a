package dpdu

import "sallyport/s5066"

// PDU is one D_PDU of any type: what all have, and the parts that its type gives a meaning (the others are zero).
type PDU struct {
	Type Type
	EOW  EOW
	EOT  uint8 // half seconds to the end of the transmission, see EOT
	// To is a group only in types 7 and 8, where a bit of its own says so. From names one node.
	To, From s5066.Address
	// AddressSize is the half-bytes of each address, 1 to 7; 0 stands for 7.
	AddressSize uint8

	Data       Data      // types 0, 2, 4
	Acks       Acks      // types 1, 2, 5
	Resync     Reset     // type 3
	Management Message   // type 6
	NonARQ     Datagram  // types 7, 8
	Warning    Complaint // type 15
	Unknown    string    // type-specific bytes of types 9 to 14
	Segment    []byte    // types 0, 2, 4, 7, 8: at most MaxSegment bytes
	Damaged    bool      // the header is good and the segment is not: only its length, if that, can be believed
}

// Data places a segment in its C_PDU (types 0, 2 and 4). TXLWE, TXUWE, InOrder and Drop do not exist in type 4, CPDU only there.
type Data struct {
	FSN          uint8
	Start, End   bool
	InOrder      bool
	Drop         bool // the C_PDU was given up: acknowledge, do not deliver
	TXUWE, TXLWE bool // this frame is the upper, the lower edge of the sender's window
	CPDU         uint8
}

// Reset is a RESET/WIN-RESYNC (C.8).
type Reset struct {
	Full      bool // FULL RESET COMMAND
	TXRequest bool // please resynchronise me
	RXCommand bool // set the receive window's lower edge to LWE
	Ack       bool
	LWE       uint8
	ID        uint8
}

// Message is the type-specific part of a MANAGEMENT (C.12); its message is in PDU.EOW.
type Message struct {
	ID       uint8
	Valid    bool // EOW holds a message to be acknowledged
	Ack      bool // the last message of the other side arrived
	Extended string
}

// Datagram places a segment of types 7 and 8 in its C_PDU.
type Datagram struct {
	ID      uint16 // 0 to 4095
	InOrder bool
	Size    uint16 // bytes of the C_PDU
	Offset  uint16 // of the segment in it
	Window  uint16 // half seconds in which more of this C_PDU may come, from the start of this frame
}

// Complaint is the type-specific part of a WARNING.
type Complaint struct {
	Cause  Type
	Reason WarningReason
}

func (p PDU) addressSize() int {
	if p.AddressSize == 0 || p.AddressSize > maxAddress {
		return maxAddress
	}
	return int(p.AddressSize)
}
