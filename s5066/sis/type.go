package sis

import "strconv"

// Type is the type code of an S_primitive (Annex A.2).
type Type uint8

// The type codes. Requests, acceptances and rejections of hard links come from clients or
// nodes as fromClient and fromNode say.
const (
	TypeBindRequest Type = iota + 1
	TypeUnbindRequest
	TypeBindAccepted
	TypeBindRejected
	TypeUnbindIndication
	TypeHardLinkEstablish
	TypeHardLinkTerminate
	TypeHardLinkEstablished
	TypeHardLinkRejected
	TypeHardLinkTerminated
	TypeHardLinkIndication
	TypeHardLinkAccept
	TypeHardLinkReject
	TypeSubnetAvailability
	TypeDataFlowOn
	TypeDataFlowOff
	TypeKeepAlive
	TypeManagementRequest
	TypeManagementIndication
	TypeUnidataRequest
	TypeUnidataIndication
	TypeUnidataConfirm
	TypeUnidataRejected
	TypeExpeditedRequest
	TypeExpeditedIndication
	TypeExpeditedConfirm
	TypeExpeditedRejected
)

// party says who sends a type.
type party uint8

const (
	fromClient party = 1 << iota
	fromNode
)

// shape is what is known of a type before its arguments are read. The size is the size
// field; open types may be longer than that.
type shape struct {
	name string
	from party
	size int
	open bool
}

// shapeOf gives the shape of a type, by the table of type codes in Annex A. The zero shape is
// that of a type nobody sends.
func shapeOf(t Type) shape {
	shapes := [...]shape{
		TypeBindRequest:          {"S_BIND_REQUEST", fromClient, 4, false},
		TypeUnbindRequest:        {"S_UNBIND_REQUEST", fromClient, 1, false},
		TypeBindAccepted:         {"S_BIND_ACCEPTED", fromNode, 4, false},
		TypeBindRejected:         {"S_BIND_REJECTED", fromNode, 2, false},
		TypeUnbindIndication:     {"S_UNBIND_INDICATION", fromNode, 2, false},
		TypeHardLinkEstablish:    {"S_HARD_LINK_ESTABLISH", fromClient, 6, false},
		TypeHardLinkTerminate:    {"S_HARD_LINK_TERMINATE", fromClient, 5, false},
		TypeHardLinkEstablished:  {"S_HARD_LINK_ESTABLISHED", fromNode, 7, false},
		TypeHardLinkRejected:     {"S_HARD_LINK_REJECTED", fromNode, 7, false},
		TypeHardLinkTerminated:   {"S_HARD_LINK_TERMINATED", fromNode, 7, false},
		TypeHardLinkIndication:   {"S_HARD_LINK_INDICATION", fromNode, 7, false},
		TypeHardLinkAccept:       {"S_HARD_LINK_ACCEPT", fromClient, 6, false},
		TypeHardLinkReject:       {"S_HARD_LINK_REJECT", fromClient, 7, false},
		TypeSubnetAvailability:   {"S_SUBNET_AVAILABILITY", fromNode, 3, false},
		TypeDataFlowOn:           {"S_DATA_FLOW_ON", fromNode, 1, false},
		TypeDataFlowOff:          {"S_DATA_FLOW_OFF", fromNode, 1, false},
		TypeKeepAlive:            {"S_KEEP_ALIVE", fromClient | fromNode, 1, false},
		TypeManagementRequest:    {"S_MANAGEMENT_MSG_REQUEST", fromClient, 2, true},
		TypeManagementIndication: {"S_MANAGEMENT_MSG_INDICATION", fromNode, 2, true},
		TypeUnidataRequest:       {"S_UNIDATA_REQUEST", fromClient, 12, true},
		TypeUnidataIndication:    {"S_UNIDATA_INDICATION", fromNode, 13, true},
		TypeUnidataConfirm:       {"S_UNIDATA_REQUEST_CONFIRM", fromNode, 8, true},
		TypeUnidataRejected:      {"S_UNIDATA_REQUEST_REJECTED", fromNode, 8, true},
		TypeExpeditedRequest:     {"S_EXPEDITED_UNIDATA_REQUEST", fromClient, 12, true},
		TypeExpeditedIndication:  {"S_EXPEDITED_UNIDATA_INDICATION", fromNode, 13, true},
		TypeExpeditedConfirm:     {"S_EXPEDITED_UNIDATA_REQUEST_CONFIRM", fromNode, 8, true},
		TypeExpeditedRejected:    {"S_EXPEDITED_UNIDATA_REQUEST_REJECTED", fromNode, 8, true},
	}
	if int(t) >= len(shapes) {
		return shape{}
	}
	return shapes[t]
}

// String is the name of the primitive in Annex A.
func (t Type) String() string {
	if name := shapeOf(t).name; name != "" {
		return name
	}
	return "type " + strconv.Itoa(int(t))
}
