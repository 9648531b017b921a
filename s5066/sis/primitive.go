package sis

import (
	"time"

	"sallyport/s5066"
)

// Primitive is an S_primitive: one of the structs of this file, by value.
type Primitive interface {
	// Type is the code the primitive has on the wire.
	Type() Type
	arguments(*writer)
}

// BindRequest asks for a SAP. Service is the default delivery of each request after it.
type BindRequest struct {
	SAP     s5066.SAP
	Rank    s5066.Rank
	Service s5066.ServiceType
}

// UnbindRequest gives the SAP back; no answer is defined.
type UnbindRequest struct{}

// BindAccepted answers a bind; MTU is the largest U_PDU in bytes, never 0.
type BindAccepted struct {
	SAP s5066.SAP
	MTU uint16
}

// BindRejected answers a bind that is refused.
type BindRejected struct{ Reason BindReason }

// UnbindIndication tells a client that the node has taken its SAP away.
type UnbindIndication struct{ Reason UnbindReason }

// HardLinkEstablish asks the node for a hard link.
type HardLinkEstablish struct{ Link s5066.HardLink }

// HardLinkTerminate ends the hard link with a remote node.
type HardLinkTerminate struct{ Remote s5066.Address }

// HardLinkEstablished tells the client that asked. Status 0 is an error of the remote node,
// anything else is well.
type HardLinkEstablished struct {
	Status uint8
	Link   s5066.HardLink
}

// HardLinkRejected tells the client that asked why there is no hard link.
type HardLinkRejected struct {
	Reason s5066.LinkReason
	Link   s5066.HardLink
}

// HardLinkTerminated tells a client that a hard link has ended, and why.
type HardLinkTerminated struct {
	Reason s5066.LinkEnd
	Link   s5066.HardLink
}

// HardLinkIndication asks a client whether it takes a full hard link from a remote client.
type HardLinkIndication struct {
	Status uint8
	Link   s5066.HardLink
}

// HardLinkAccept is a client's yes to HardLinkIndication.
type HardLinkAccept struct{ Link s5066.HardLink }

// HardLinkReject is a client's no; reasons are not assigned, send 0.
type HardLinkReject struct {
	Reason uint8
	Link   s5066.HardLink
}

// SubnetAvailability tells clients what the node can do at present.
type SubnetAvailability struct {
	Status NodeStatus
	Reason StatusReason
}

// DataFlow tells a client to stop submitting (S_DATA_FLOW_OFF, the zero value) or that it may
// go on (S_DATA_FLOW_ON).
type DataFlow struct{ On bool }

// KeepAlive is asked and answered by the same primitive.
type KeepAlive struct{}

// Management is S_MANAGEMENT_MSG_REQUEST, or the INDICATION where Indication is set. What
// message and body mean is the node's own affair. The body has at most MaxManagement bytes.
type Management struct {
	Indication bool
	Message    uint8
	Body       []byte
}

// UnidataRequest submits a U_PDU. An expedited request has no priority. TTL 0 leaves the
// lifetime to the node; on the wire it is rounded up to units of 2 s and has 20 bits.
type UnidataRequest struct {
	Expedited   bool
	Priority    s5066.Priority
	SAP         s5066.SAP // at the destination
	Destination s5066.Address
	Delivery    s5066.DeliveryMode
	TTL         time.Duration
	Data        []byte
}

// UnidataIndication delivers a U_PDU. Damaged and Missing are there only with
// s5066.TxNonARQErrors: blocks received with errors, and blocks whose bytes in Data are filler.
type UnidataIndication struct {
	Expedited   bool
	Priority    s5066.Priority
	SAP         s5066.SAP // at the destination
	Destination s5066.Address
	Mode        s5066.TxMode
	SourceSAP   s5066.SAP
	Source      s5066.Address
	Damaged     []Block
	Missing     []Block
	Data        []byte
}

// Block is part of a U_PDU: where it begins, from 0, and its length in bytes. A parsed block
// lies inside the U_PDU.
type Block struct{ First, Length uint16 }

// UnidataConfirm tells of a request that arrived as the confirmation it asked for. Returned is
// the first part of the U_PDU, by which the client knows which one.
type UnidataConfirm struct {
	Expedited   bool
	SAP         s5066.SAP
	Destination s5066.Address
	Returned    []byte
}

// UnidataRejected tells of a request that did not.
type UnidataRejected struct {
	Expedited   bool
	Reason      RejectReason
	SAP         s5066.SAP
	Destination s5066.Address
	Returned    []byte
}

// Type implements Primitive, here and below.
func (BindRequest) Type() Type         { return TypeBindRequest }
func (UnbindRequest) Type() Type       { return TypeUnbindRequest }
func (BindAccepted) Type() Type        { return TypeBindAccepted }
func (BindRejected) Type() Type        { return TypeBindRejected }
func (UnbindIndication) Type() Type    { return TypeUnbindIndication }
func (HardLinkEstablish) Type() Type   { return TypeHardLinkEstablish }
func (HardLinkTerminate) Type() Type   { return TypeHardLinkTerminate }
func (HardLinkEstablished) Type() Type { return TypeHardLinkEstablished }
func (HardLinkRejected) Type() Type    { return TypeHardLinkRejected }
func (HardLinkTerminated) Type() Type  { return TypeHardLinkTerminated }
func (HardLinkIndication) Type() Type  { return TypeHardLinkIndication }
func (HardLinkAccept) Type() Type      { return TypeHardLinkAccept }
func (HardLinkReject) Type() Type      { return TypeHardLinkReject }
func (SubnetAvailability) Type() Type  { return TypeSubnetAvailability }
func (KeepAlive) Type() Type           { return TypeKeepAlive }
func (p DataFlow) Type() Type          { return either(p.On, TypeDataFlowOn, TypeDataFlowOff) }
func (p Management) Type() Type {
	return either(p.Indication, TypeManagementIndication, TypeManagementRequest)
}

func (p UnidataRequest) Type() Type {
	return either(p.Expedited, TypeExpeditedRequest, TypeUnidataRequest)
}

func (p UnidataIndication) Type() Type {
	return either(p.Expedited, TypeExpeditedIndication, TypeUnidataIndication)
}

func (p UnidataConfirm) Type() Type {
	return either(p.Expedited, TypeExpeditedConfirm, TypeUnidataConfirm)
}

func (p UnidataRejected) Type() Type {
	return either(p.Expedited, TypeExpeditedRejected, TypeUnidataRejected)
}

func either(yes bool, a, b Type) Type {
	if yes {
		return a
	}
	return b
}
