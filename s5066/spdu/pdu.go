package spdu

import (
	"strconv"

	"sallyport/s5066"
)

// Type is the type of an S_PDU, four bits.
type Type uint8

// The types of Annex A; 8 to 15 are not defined.
const (
	TypeData Type = iota
	TypeConfirm
	TypeFail
	TypeLinkRequest
	TypeLinkConfirm
	TypeLinkReject
	TypeLinkEnd
	TypeLinkEndConfirm
	types
)

// String is the name in Annex A.
func (t Type) String() string {
	names := [types]string{
		"DATA", "DATA DELIVERY CONFIRM", "DATA DELIVERY FAIL", "HARD LINK ESTABLISHMENT REQUEST", "HARD LINK ESTABLISHMENT CONFIRM",
		"HARD LINK ESTABLISHMENT REJECTED", "HARD LINK TERMINATE", "HARD LINK TERMINATE CONFIRM",
	}
	if t < types {
		return names[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// PDU is an S_PDU: one of the structs of this file, by value.
type PDU interface{ Type() Type }

// Data carries a U_PDU. Priority is 0 for expedited data.
type Data struct {
	Priority s5066.Priority
	Source   s5066.SAP
	SAP      s5066.SAP // at the destination
	Confirm  bool      // the destination node shall say whether its client has it
	TTD      TTD
	UPDU     []byte
}

// Confirm says that a client has the U_PDU which begins so. The SAPs are those of the Data, not swapped.
type Confirm struct {
	Source, SAP s5066.SAP
	Prefix      []byte
}

// Fail says that no client has it, and why.
type Fail struct {
	Reason      FailReason
	Source, SAP s5066.SAP
	Prefix      []byte
}

// FailReason is why a U_PDU was not delivered; values that are not assigned are kept.
type FailReason uint8

// NotBound is the one reason of a Fail: nobody is bound to the SAP.
const NotBound FailReason = 1

// LinkRequest asks for a hard link. Remote is meaningful for s5066.LinkFull only.
type LinkRequest struct {
	Link     s5066.LinkType
	Priority uint8 // 0 to 3
	Source   s5066.SAP
	Remote   s5066.SAP
}

// LinkConfirm accepts it.
type LinkConfirm struct{}

// LinkReject refuses it.
type LinkReject struct{ Reason s5066.LinkReason }

// LinkEnd ends the hard link.
type LinkEnd struct{ Reason EndReason }

// EndReason is why a hard link ends; values that are not assigned are kept.
type EndReason uint8

// The reasons of LinkEnd.
const (
	EndRequested EndReason = 1 // by the client
	EndPreempted EndReason = 2 // a link of higher priority was asked for
	EndNoSAP     EndReason = 4 // the destination SAP was unbound
)

// LinkEndConfirm answers it.
type LinkEndConfirm struct{}

// Type implements PDU, here and below.
func (Data) Type() Type           { return TypeData }
func (Confirm) Type() Type        { return TypeConfirm }
func (Fail) Type() Type           { return TypeFail }
func (LinkRequest) Type() Type    { return TypeLinkRequest }
func (LinkConfirm) Type() Type    { return TypeLinkConfirm }
func (LinkReject) Type() Type     { return TypeLinkReject }
func (LinkEnd) Type() Type        { return TypeLinkEnd }
func (LinkEndConfirm) Type() Type { return TypeLinkEndConfirm }
