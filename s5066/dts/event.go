package dts

import (
	"strconv"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// Event is something the machine has to tell: one of the types below.
type Event interface{ event() }

// Delivered is a C_PDU from another node.
type Delivered struct {
	From, To s5066.Address // To is this node, or a group
	Mode     Mode
	CPDU     []byte
	Damaged  []Block // only Config.WithErrors: received with errors
	Missing  []Block // only Config.WithErrors: not received, zeros in CPDU
}

// Block is a run of bytes of a C_PDU.
type Block struct{ Offset, Length int }

// Confirmed says that the remote node has all of an ARQ C_PDU and has handed it up.
type Confirmed struct {
	ID     uint64
	Remote s5066.Address
}

// Broadcast says that all copies of a non-ARQ C_PDU have been keyed.
type Broadcast struct {
	ID     uint64
	Remote s5066.Address
}

// Rejected says that an accepted C_PDU will not be delivered. InDoubt: the remote node may have all of it nevertheless.
type Rejected struct {
	ID      uint64
	Remote  s5066.Address
	Reason  Reason
	InDoubt bool
}

// LinkLost says that the remote node does not answer, or says that there is no link. With NoLink its C_PDUs are kept for the next Connect.
type LinkLost struct {
	Remote s5066.Address
	Reason Reason
}

// RateChange orders the modem to another rate: both ends have agreed, or went back.
type RateChange struct {
	Remote     s5066.Address
	Rate       int // bit/s
	Interleave dpdu.Interleaving
}

// RateAdvice is what a receiver would like, unacknowledged.
type RateAdvice struct {
	Remote s5066.Address
	Order  dpdu.RateOrder
}

// Managed is a management message that has been acknowledged, or will be with the next train.
type Managed struct {
	From     s5066.Address
	EOW      dpdu.EOW
	Extended string
}

// ManagementDone is the end of a message sent with Manage.
type ManagementDone struct {
	Remote s5066.Address
	EOW    dpdu.EOW
	Acked  bool
}

// Warned is a WARNING from another node.
type Warned struct {
	From      s5066.Address
	Complaint dpdu.Complaint
}

// Unconnected says that a node without a link sent what needs one; a WARNING has been or will be sent.
type Unconnected struct {
	From s5066.Address
	Type dpdu.Type
}

// WindowsReset says that a full reset was made with the remote node.
type WindowsReset struct{ Remote s5066.Address }

func (Delivered) event()      {}
func (Confirmed) event()      {}
func (Broadcast) event()      {}
func (Rejected) event()       {}
func (LinkLost) event()       {}
func (RateChange) event()     {}
func (RateAdvice) event()     {}
func (Managed) event()        {}
func (ManagementDone) event() {}
func (Warned) event()         {}
func (Unconnected) event()    {}
func (WindowsReset) event()   {}

// Reason is why a C_PDU was rejected, or a link lost.
type Reason uint8

// The reasons.
const (
	Unknown      Reason = iota
	Expired             // lifetime is over
	NoAnswer            // the remote node is silent
	NoLink              // the remote node says that there is no link
	LinkEnded           // Disconnect
	Reset               // full reset in the middle of it
	TooManySends        // a frame did not get through in Config.MaxSends transmissions
	NoManagement        // a reset or management message was not answered
	Superseded          // its reception window ended before all copies were keyed
	reasonsNumber
)

var reasonNames = [reasonsNumber]string{
	"unknown", "lifetime expired", "no answer", "remote node knows no link", "link ended", "full reset", "too many retransmissions",
	"management message not answered", "reception window ended",
}

// String is the reason as operators read it.
func (r Reason) String() string {
	if r < reasonsNumber {
		return reasonNames[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// Train is one transmission: what is keyed in this order, without anything between.
type Train struct {
	PDUs   []dpdu.PDU
	Bytes  int           // on the air
	Air    time.Duration // from the first bit to the end, without the lead
	Expect bool          // an answer is awaited
}
