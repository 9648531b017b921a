// Package links is the contract between the engine's side of the house and whatever carries stanzas to a neighbour.
//
// A link hands what it received to a Sink and takes what was released through its Outlet. Everything else about it (TCP, TLS,
// HF radio, a guard wire) stays inside its own package below this one. What is in this room: the two interfaces, the small types
// they exchange, Profile, which says what a link is like and which timers follow from that, Status, which says how it is doing, Frame,
// which carries custody between our own gateways, and an in-memory Pair for tests. What is not: sockets, policy, queues on disk, logs.
//
// # Responsibility
//
// Inbound: a stanza given to Sink.Accept is the sink's from that moment; the link keeps it unacknowledged towards the neighbour
// until Receipt.Settled was called for it (RFC 6120 leaves this open, XEP-0198 §4 calls it "handled").
// Outbound: Reserve takes room, Deliver uses it and never blocks, and exactly one Reporter.Report follows every Deliver.
//
// # Custody
//
// Between gateways of our own a stanza travels in a Frame, and "acknowledged" means that the far side has it on disk. What was not
// acknowledged when a link is lost comes back as Returned, everything of a lane before anything new of it is taken (see Turns), and is
// sent again in order, over this link or another; the far side knows by the numbers what it has. Package links/custody holds the rules.
//
// # Order
//
// Per (local, remote) pair of domains stanzas leave in the order of the Deliver calls (RFC 6120 §10.1). A Sink sees the stanzas of
// one stream in stream order.
package links
