package sis

import "strconv"

// BindReason is why a bind was refused. Zero is no assigned reason, here and below; values
// that are not assigned are kept as received.
type BindReason uint8

// The reasons of S_BIND_REJECTED.
const (
	BindNoResources BindReason = iota + 1 // not enough resources
	BindInvalidSAP                        // invalid SAP, or not for this client
	BindSAPInUse                          // another client has it
	BindNoARQ                             // ARQ is impossible while the node broadcasts
)

// UnbindReason is why the node took a SAP away.
type UnbindReason uint8

// The reasons of S_UNBIND_INDICATION.
const (
	UnbindPreempted UnbindReason = iota + 1 // by a client of higher rank
	UnbindInactive                          // no answer to a keep-alive
	UnbindInvalid                           // too many invalid primitives
	UnbindExpedited                         // too many expedited requests
	UnbindNoARQ                             // ARQ is impossible while the node broadcasts
)

// RejectReason is why a U_PDU was not delivered.
type RejectReason uint8

// The reasons of S_UNIDATA_REQUEST_REJECTED and its expedited sister. Reason 6, window
// blocked, is known from one vendor's headers only and never sent.
const (
	RejectExpired  RejectReason = iota + 1 // its time to live ran out
	RejectNoSAP                            // destination SAP is not bound
	RejectNoAnswer                         // destination node does not respond
	RejectTooLong                          // U_PDU larger than the MTU
	RejectNoMode                           // transmission mode not specified
)

// NodeStatus is what a node can do.
type NodeStatus uint8

// The states of S_SUBNET_AVAILABILITY.
const (
	NodeOff NodeStatus = iota
	NodeOn
	NodeReceiveOnly
	NodeHalfDuplex
	NodeFullDuplex
	NodeTransmitOnly
)

// StatusReason is why a node's status changed.
type StatusReason uint8

// The reasons of S_SUBNET_AVAILABILITY.
const (
	StatusUnspecified StatusReason = iota
	StatusEMCON                    // radio silence
	StatusPreempted                // a link of higher priority was asked for
)

// String is the reason as operators read it, here and below.
func (r BindReason) String() string {
	return word(r, "", "not enough resources", "invalid SAP", "SAP in use", "ARQ impossible during broadcast")
}

func (r UnbindReason) String() string {
	return word(r, "", "pre-empted by a higher rank", "no keep-alive answer", "too many invalid primitives",
		"too many expedited requests", "ARQ impossible during broadcast")
}

func (r RejectReason) String() string {
	return word(r, "", "time to live expired", "destination SAP not bound", "destination node not responding",
		"U_PDU larger than MTU", "transmission mode not specified")
}

func (s NodeStatus) String() string {
	return word(s, "off", "on", "receive only", "half duplex", "full duplex", "transmit only")
}

func (r StatusReason) String() string {
	return word(r, "unspecified", "EMCON", "higher-priority link requested")
}

// word picks a value's name; those without one print as their number.
func word[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) && names[v] != "" {
		return names[v]
	}
	return "unassigned(" + strconv.Itoa(int(v)) + ")"
}
