package s5066

import (
	"strconv"
	"time"
)

// SAP is a subnetwork access point, 0 to 15: which client of a node (Annex A; assignment
// in Annex F).
type SAP uint8

// The assigned SAPs of Edition 3.
const (
	SAPManagement SAP = 0 // subnet management
	SAPCOSS       SAP = 1 // character-oriented serial stream
	SAPMMHS       SAP = 2 // T-MMHS
	SAPHMTP       SAP = 3
	SAPHFPOP      SAP = 4
	SAPOrderWire  SAP = 5 // operator order wire, HFCHAT
	SAPRCOP       SAP = 6 // reliable connection-oriented protocol
	SAPUDOP       SAP = 7 // unreliable datagram-oriented protocol
	SAPEther      SAP = 8
	SAPIP         SAP = 9
	SAPCFTP       SAP = 12
)

// Valid reports whether the SAP fits its four bits.
func (s SAP) Valid() bool { return s < 16 }

// String is the number.
func (s SAP) String() string { return strconv.Itoa(int(s)) }

// Rank is a client's precedence against other clients of a node, 0 to 15. RankManager may
// change the configuration of the node.
type Rank uint8

// RankManager is the rank from which alone management messages are accepted.
const RankManager Rank = 15

// Valid reports whether the rank fits its four bits.
func (r Rank) Valid() bool { return r < 16 }

// Priority is the precedence of one U_PDU, 0 to 15; higher is more urgent.
type Priority uint8

// Valid reports whether the priority fits its four bits.
func (p Priority) Valid() bool { return p < 16 }

// TxMode says how data crosses the air. The zero value is no mode: in a request it stands
// for the default that the client was bound with, in a bind it is illegal.
type TxMode uint8

// The transmission modes of Annex A; 4 and up are undefined.
const (
	TxDefault      TxMode = iota // what the bind said
	TxARQ                        // acknowledged, to one node
	TxNonARQ                     // once, or repeated, without acknowledgement
	TxNonARQErrors               // non-ARQ, delivered even where parts are damaged or missing
)

// Defined reports whether the mode says how to transmit: neither default nor undefined.
func (m TxMode) Defined() bool { return m >= TxARQ && m <= TxNonARQErrors }

// String is the name of the mode as operators read it.
func (m TxMode) String() string {
	names := [...]string{"default", "ARQ", "non-ARQ", "non-ARQ with errors"}
	if int(m) < len(names) {
		return names[m]
	}
	return "undefined(" + strconv.Itoa(int(m)) + ")"
}

// Confirmation says whose word the sender of a U_PDU wants. It is only legal with ARQ.
type Confirmation uint8

// The confirmations of Annex A; 3 is undefined and means none.
const (
	ConfirmNone   Confirmation = iota
	ConfirmNode                // the peer node has all of it
	ConfirmClient              // the peer node has given it to the client
)

// String is the name of the confirmation as operators read it.
func (c Confirmation) String() string {
	names := [...]string{"none", "node", "client"}
	if int(c) < len(names) {
		return names[c]
	}
	return "undefined(" + strconv.Itoa(int(c)) + ")"
}

// ServiceType is how U_PDUs are to be delivered: the default given in a bind, or the
// delivery mode of one request. The two have the same fields.
type ServiceType struct {
	Mode         TxMode
	Confirm      Confirmation
	AsTheyArrive bool // delivered as they arrive, not in order
	Extended     bool // always false in Edition 3
	// Retransmissions is the number of extra copies of non-ARQ data, 0 to 15.
	Retransmissions uint8
}

// DeliveryMode is the ServiceType of one request.
type DeliveryMode = ServiceType

// Resolve gives the delivery that a request with these fields has under a bind with that
// default: mode 0 takes the whole default. What Edition 3 does not define is dropped: a
// confirmation of 3, a confirmation without ARQ, copies with ARQ. The mode of the result
// is not Defined if neither says how to transmit.
func (t ServiceType) Resolve(bind ServiceType) ServiceType {
	if t.Mode == TxDefault {
		t = bind
	}
	if t.Confirm > ConfirmClient || t.Mode != TxARQ {
		t.Confirm = ConfirmNone
	}
	if t.Mode == TxARQ {
		t.Retransmissions = 0
	}
	t.Extended = false
	return t
}

// The time to live of a U_PDU is counted in units of two seconds in 20 bits, of which the
// standard uses values up to 15 days.
const (
	TTLUnit = 2 * time.Second
	MaxTTL  = 648000 * TTLUnit
)

// UPDU sizes in bytes (Annex A): what a general node takes, and the most that a node for
// broadcasts alone may take.
const (
	MTU          = 2048
	MaxBroadcast = 4096
)
