// Package sis is the subnetwork interface sublayer of STANAG 5066 Edition 3 (Annex A):
// the S_primitives that a client and its node exchange over TCP, and both ends of that
// conversation.
//
//   - AppendPrimitive, ParsePrimitive and Decoder are the codec: one struct per primitive
//     (a request and its expedited sister are one struct with a flag), a stream decoder
//     that hunts for the preamble after damage and counts what it could not use.
//   - Client is one client's end as a plain type: bind, send, confirmations matched to
//     requests, flow control, hard links, keep-alive.
//   - Server is the node's end as a plain type: many clients, SAPs and ranks, refusals,
//     limits. It knows nothing of the air; a node asks it for events and tells it outcomes.
//   - Dial and Serve are the edges: sockets, goroutines, reconnecting.
//
// What it must never do: start a goroutine or read a clock outside of Dial and Serve, wait
// for a slow client, keep more for one client than Limits says, guess at bytes that do
// not fit a primitive.
//
// What is not inside: S_PDUs between nodes (s5066/spdu), segmentation of what is larger
// than the node's MTU (Annex A has none: a client does that with its own header, see
// s5066/rcop).
//
// # Decisions where the standard is silent
//
//   - Unusable input is counted by its place in the stream, never by how TCP cut it: a
//     primitive whose size, type or structure is wrong is one, and so is each begun stretch
//     of 256 bytes in which no primitive is found. Bytes directly after an unusable
//     primitive belong to it. The tenth ends the connection, after S_UNBIND_INDICATION
//     reason 3 where the node says so. A client does not count types it does not know towards
//     the ten, so that a node of a later edition can be used.
//   - A primitive has 60 seconds to arrive in full.
//   - A SAP in use is never taken away; a higher rank evicts the bound client of lowest
//     rank only where the node has no room for another bound client.
//   - A bind with a rank above what the node permits, or with SAP 0 below rank 15, is
//     refused with reason 2. A bind whose mode says nothing is accepted and has no default.
//   - A request to an address that names nobody, or to a group by ARQ, is refused with reason 3
//     (destination node not responding).
//   - A refusal that a client asked no confirmation for is sent only where the node itself
//     refuses the request at once, never for what happened on the air later.
//   - S_KEEP_ALIVE while ours is unanswered is the answer; any other is answered, at most once in ten
//     seconds, so that two ends never answer each other's answers for ever.
package sis
