package s5066

import "strconv"

// LinkType is how much of a hard link is reserved, and for whom.
type LinkType uint8

// The hard link types of Annex A; 3 is undefined.
const (
	LinkReserved LinkType = iota // the physical link, for all clients of both nodes
	LinkPartial                  // reserved for one client
	LinkFull                     // reserved for a pair of clients
)

// Valid reports whether the standard defines the type.
func (t LinkType) Valid() bool { return t <= LinkFull }

// HardLink is what a hard link primitive says of the link: type, priority 0 to 3, the far
// client's SAP (meaningful for LinkFull only) and the far node.
type HardLink struct {
	Type     LinkType
	Priority uint8
	SAP      SAP
	Remote   Address
}

// LinkReason is why a hard link was refused. S_primitives and S_PDUs use the same numbers
// (the S_PDU has no LinkExists).
type LinkReason uint8

// The reasons of S_HARD_LINK_REJECTED.
const (
	LinkBusy          LinkReason = iota + 1 // remote node is busy
	LinkPrecedence                          // a link of higher priority exists
	LinkNoAnswer                            // remote node does not respond
	LinkNoSAP                               // destination SAP is not bound
	LinkAlreadyExists                       // the requested type 0 link exists
)

// String is the reason as operators read it.
func (r LinkReason) String() string {
	names := [...]string{"", "remote busy", "higher-priority link exists", "remote not responding", "destination SAP not bound", "link exists"}
	if r > 0 && int(r) < len(names) {
		return names[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// LinkEnd is why a hard link ended.
type LinkEnd uint8

// The reasons of S_HARD_LINK_TERMINATED.
const (
	LinkEndRemote    LinkEnd = iota + 1 // the remote node ended it
	LinkEndPreempted                    // a link of higher priority was asked for
	LinkEndNoAnswer                     // remote node does not respond
	LinkEndNoSAP                        // destination SAP was unbound
	LinkEndBroken                       // the physical link broke
)

// String is the reason as operators read it.
func (r LinkEnd) String() string {
	names := [...]string{"", "by remote node", "higher-priority link requested", "remote not responding", "destination SAP unbound", "physical link broken"}
	if r > 0 && int(r) < len(names) {
		return names[r]
	}
	return "reason " + strconv.Itoa(int(r))
}
