// Package hf carries stanzas over HF radio: it is a client of a STANAG 5066 node (s5066/sis), ours or anybody's, bound to one SAP for
// one remote address, and a links.Outlet towards the gateway (XEP-0365).
//
// # What is inside
//
//	config.go             Config: node, SAP, addresses, mode
//	event.go, giver.go    what a mode is (machine), and how much of each class the node is given
//	rcop.go               mode RCOP, as XEP-0365 0.2.1 has it: one stanza is one RCOP message, or one of UDOP
//	compact*.go, unit.go  mode Compact, between our own gateways: custody, coded stanzas (links/compact), several in a U_PDU; broadcast
//	stream*.go, chunk.go  mode Stream, as XEP-0365 0.3 means it: zero-handshake streams (links/x2x) over reliable streams, compressed
//	inbound.go            whose stanza it is that came in
//	link.go, run.go, …    Link: the edge, with goroutines, the node's socket, and time
//	stepped.go            Stepped: a Link without its edge, for simulations
//
// The modes are plain types without goroutines, clock or I/O; one mutex, that of the Link, owns each. Which one is used, both ends are
// configured for: nothing is negotiated on the air, and the first U_PDU bears the first stanza.
//
// # What it must never do
//
//   - Read a U_PDU from another address or SAP than the peer's: it is noted and dropped.
//   - Deliver a stanza from a domain that the peer does not hold; call something new twice under custody; acknowledge what is not settled.
//   - Submit while the node has said S_DATA_FLOW_OFF, while it may not transmit, or under radio silence of our own (SetSilent).
//   - Send pings or white space.
//
// # Turns of the line
//
// What waits is put into one U_PDU, the highest class first, as far as the MTU goes, or as the line carries in a quarter of a minute. While
// the node has something of a class, more of it waits until that is confirmed or a U_PDU is full: it would leave no sooner. Of each class the
// node holds no more than the line carries in three quarters of a minute, so that what is urgent overtakes within that time; the classes are SIS
// priorities 4, 8, 11 and 14. The TTL of a U_PDU is that of its stanza that lives longest; of Compact's
// only where that is within an hour, since a time to die goes along over the air and the frame says it already. The end of a stanza that did
// not fit into one U_PDU of a stream waits for nothing. Timers follow from links.Profile.
//
// # Compact
//
// Units (unit.go) are numbered within a session and a lane, and have a check of their own: a coded stanza proves nothing of itself, and the
// header of a D_PDU says with 16 bits only whose turn its bytes are. The receiver takes each lane in order, holds what comes early and drops what
// came before, so that refusals of the node, repetitions and another order cost nothing: custody needs order, since a mark covers
// everything before it. A session begins with a greeting in its first units, until the other end has shown that it knows it: no round
// trip is spent. An end that knows nothing of a session (it was started anew) greets, and the other begins another. Whatever the node
// confirms is not acknowledged: acknowledgements are of the peer's disk, and go along with what is sent anyway, or alone after
// links.Profile.AckDelay. What has expired under way leaves its number empty (void). A number that came by ARQ and is missed for three
// times the time of an answer ends the session: its sender may have forgotten it, and learns by our greeting that it has to begin another.
//
// Broadcast: chosen classes go out without ARQ, to a group or the peer's own address, repeated by the node and again by us at growing
// intervals until the peer acknowledges, which it may do hours later, or until they expire.
//
// # Decisions
//
//   - SAP 6 by default, and 7 for datagrams is the configuration's to say; both ends use the same SAP. One SAP of a node is one link's: a
//     gateway with several links over one node gives each a SAP of its own.
//
//   - A broadcast is for one peer: its numbers are of a session with that peer, whose acknowledgements come later. For several receivers under
//     radio silence each has a link, and a copy of its own.
//
//   - Application ID of XMPP in RCOP and UDOP: 0x8365 by default (none is assigned).
//
//   - RCOP asks for the confirmation of the node by default. What is refused, or of which nobody knows, is sent again whole with its number, by
//     which the peer knows it, until it expires; then it is in doubt. Order holds within a class of precedence, as far as the node keeps it:
//     messages have numbers of their own, so that an urgent one may go before the rest of another.
//
//   - RCOP messages are complete when their element is closed.
//
//   - A peer that its node does not reach four times in a row, or that acknowledges nothing three times, ends the turn, so that another link can
//     take what waits; this one tries again after a pause.
//
//   - What the node has confirmed to an RCOP peer has reached our node, not our disk: a process that ends between the two loses it. Custody is
//     for those who mind.
//
// Not in the room: the node, waveforms, the channel (s5066), the coding (links/compact), queues on disk (gateway).
package hf
