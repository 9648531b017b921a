package sis

import (
	"errors"
	"time"

	"sallyport/s5066"
)

// ClientID names one connection of a client; ids are not used twice.
type ClientID uint64

// ServerEvent is something the node has to know or to do: one of the structs below.
type ServerEvent interface{ serverEvent() }

// Binding is a client that has a SAP.
type Binding struct {
	Client  ClientID
	SAP     s5066.SAP
	Rank    s5066.Rank
	Service s5066.ServiceType
}

// Bound says that a client has a SAP from now on.
type Bound struct{ Binding }

// Unbound says that a client has its SAP no longer, for whatever reason; what the node still
// holds for it has nobody to be confirmed to.
type Unbound struct {
	Binding
	Cause error // ErrUnbindRequest, ErrGone, or why the server ended it
}

// Unidata is a request that has been accepted. Its Delivery is resolved (a defined mode, no
// confirmation without ARQ), its TTL is at most the node's longest.
type Unidata struct {
	Binding
	Request UnidataRequest
	Expires time.Time // when it dies
}

// HardLink is a hard link primitive of a bound client: HardLinkEstablish, HardLinkTerminate,
// HardLinkAccept or HardLinkReject. Its remote address is that of one node.
type HardLink struct {
	Binding
	Primitive Primitive
}

// ManagementRequest is a management message of a client of rank 15.
type ManagementRequest struct {
	Binding
	Message Management
}

// Fault is something a client did that was refused or dropped, for audit and counters.
type Fault struct {
	Client ClientID
	Cause  error
}

func (Bound) serverEvent()             {}
func (Unbound) serverEvent()           {}
func (Unidata) serverEvent()           {}
func (HardLink) serverEvent()          {}
func (ManagementRequest) serverEvent() {}
func (Fault) serverEvent()             {}

// Why a client was unbound or cut off, and what Fault wraps besides the errors of the codec.
var (
	ErrUnbindRequest = errors.New("client unbound itself")
	ErrGone          = errors.New("connection was closed")
	ErrPreempted     = errors.New("client of higher rank needed the place")
	ErrInvalid       = errors.New("too many invalid primitives")
	ErrPartial       = errors.New("primitive did not arrive in full in time")
	ErrNoKeepAlive   = errors.New("no answer to keep-alive")
	ErrNoBind        = errors.New("no bind in time")
	ErrNotReading    = errors.New("client does not read what it is sent")
	ErrOverrun       = errors.New("client goes on sending after S_DATA_FLOW_OFF")
	ErrExpedited     = errors.New("too many expedited requests")
	ErrBroadcast     = errors.New("node broadcasts only")
	ErrFull          = errors.New("too many clients")
	ErrUnexpected    = errors.New("primitive that has no place here")
	ErrRank          = errors.New("rank does not permit this")
	ErrNoClient      = errors.New("no such bound client")
)
