package sis

import (
	"errors"
	"fmt"
)

// ClientEvent is something a client is told: one of the structs below, or Fault.
type ClientEvent interface{ clientEvent() }

// Accepted says that the SAP is bound; MTU is the largest U_PDU in bytes.
type Accepted struct{ MTU int }

// Received is a U_PDU from the air.
type Received struct{ UnidataIndication }

// Confirmed says that a request arrived as the confirmation it asked for.
type Confirmed struct{ ID uint64 }

// Rejected says that a request did not arrive. ID is 0 where it cannot be known which; the
// primitive is there in any case.
type Rejected struct {
	ID     uint64
	Reason RejectReason
	Cause  UnidataRejected
}

// InDoubt says that nobody will tell any more what became of a request: its time is long
// over, or the connection with the node has ended.
type InDoubt struct{ ID uint64 }

// Flow says whether requests may be submitted.
type Flow struct{ On bool }

// HardLinkNews is a hard link primitive of the node: HardLinkEstablished, HardLinkRejected,
// HardLinkTerminated or HardLinkIndication.
type HardLinkNews struct{ Primitive Primitive }

// Availability says what the node can do.
type Availability struct{ SubnetAvailability }

// ManagementNews is a management message of the node.
type ManagementNews struct{ Message Management }

// Ended says that the conversation is over; it is the last event of a Client. Err is a
// *BindError, an *UnbindError, or one of the errors of this package.
type Ended struct{ Err error }

func (Accepted) clientEvent()       {}
func (Received) clientEvent()       {}
func (Confirmed) clientEvent()      {}
func (Rejected) clientEvent()       {}
func (InDoubt) clientEvent()        {}
func (Flow) clientEvent()           {}
func (HardLinkNews) clientEvent()   {}
func (Availability) clientEvent()   {}
func (ManagementNews) clientEvent() {}
func (Ended) clientEvent()          {}
func (Fault) clientEvent()          {}

// BindError is a bind that the node refused.
type BindError struct{ Reason BindReason }

// Error implements error.
func (e *BindError) Error() string { return fmt.Sprintf("node refused the bind: %v", e.Reason) }

// UnbindError is the end of a bind by the node. Reason 0 is not assigned, some nodes say so
// when they are asked to unbind.
type UnbindError struct{ Reason UnbindReason }

// Error implements error.
func (e *UnbindError) Error() string { return fmt.Sprintf("node unbound the client: %v", e.Reason) }

// Why Send refuses. ErrNotBound, ErrFlowOff and ErrBusy pass; the others are about the request.
var (
	ErrNotBound = errors.New("not bound to a node")
	ErrFlowOff  = errors.New("node has asked not to submit data")
	ErrBusy     = errors.New("too many requests under way")
	ErrTooLong  = errors.New("U_PDU is larger than the node's MTU")
	ErrNoMode   = errors.New("no transmission mode, in the request or in the bind")
	ErrNowhere  = errors.New("destination cannot be reached in this mode")
	ErrUnasked  = errors.New("confirmation of a request that was not made")
)
