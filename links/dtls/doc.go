// Package dtls carries messages to a gateway of our own over networks that lose, reorder and repeat datagrams: several ordered streams
// (SCTP, RFC 9260, inside DTLS as in RFC 8261) over DTLS 1.2 with connection ids (RFC 6347, RFC 9146), by a shared key or certificates.
//
// # What is inside
//
//	record.go, cookie.go             the shape of records and of the stateless cookie
//	front.go, handshake.go, path.go  Front: which datagram may reach which association, and from where; a plain machine
//	config.go, limits.go, tuning.go  Config, Limits, and what follows from a links.Profile
//	endpoint.go, wire.go             Endpoint: one UDP socket, one reader, one clock
//	association.go, secure.go, …     Association: pion's DTLS and SCTP for one neighbour, lanes of messages, back-pressure
//	identity.go                      who it is: a pre-shared key, or a certificate judged by internal/tlsid
//	quality.go                       what was lost, and what went through
//	doubt.go                         another association beside one that has fallen silent
//	link.go, run.go, session.go, …   Link: links.Outlet over it, with a stream of links/x2x under custody on each lane
//
// # What it must never do
//
//   - Let pion see a datagram that is neither part of a handshake whose address was proven nor bears a connection id of ours.
//   - Keep anything for a ClientHello without a cookie, or answer it with more bytes than it had.
//   - Deliver application data of epoch 0, or any without a connection id.
//   - Send to an address that has not answered a challenge, or hand up what came from there before it has.
//   - Believe a certificate that internal/tlsid does not, or a handshake without extended master secret (RFC 7627).
//
// # Departures from RFC 6347, between our own gateways only
//
// The cookie exchange is made by the fronts: the initiator's repeats the HelloVerifyRequest's record before the unchanged ClientHello,
// instead of putting the cookie into another one. What it proves is the same; pion holds state only for addresses that have answered.
// The challenge of a new address (RFC 9146 §6 leaves it open) is a message inside DTLS of a length that no SCTP packet has.
//
// Whether a silent neighbour is there is asked the same way: what pion sends as SCTP's HEARTBEAT is empty, and is not answered.
//
// Both ends ask for connection ids; a neighbour without them never gets beyond the handshake.
//
// # A neighbour that was started again
//
// It knows nothing of the association, and what it could say of that nobody could believe. Who dialled therefore opens another beside one
// that does not answer, as soon as a single loss cannot explain it, and long before it would be given up.
//
// # No resumption
//
// Sessions of DTLS are not resumed. pion's abbreviated handshake (v3.1.15, flight 4b) answers without a connection id and takes none, so that
// what it makes could not be routed, nor move; it keeps no session of a client that showed a certificate; and with a shared key it would
// save one round trip for the price of forward secrecy. An address change needs no handshake at all.
//
// # Congestion
//
// It is pion's SCTP, as that implements RFC 9260, with its options set from the profile. There is nothing of our own in it. A profile with
// a rate asks for a window that never falls below half of what fills the path: only for a bearer that nobody else shares.
//
// # Lanes
//
// The class of precedence is the lane: a packet lost of one class holds up nothing of another. Within a lane order holds, as custody needs.
// One side of a link dials; the other gets what Serve accepted. Each lane has a compression context of its own. Who dialled closes for
// want of traffic, and either side at the end of its window of time: every stream says its end first, so that nothing is in doubt.
//
// # Quality
//
// The round trip is SCTP's. Loss is the share of our data that had to be sent again, without what the neighbour says it got twice; the
// other direction is the neighbour's to measure. The rate is what was acknowledged or received while something was under way.
//
// Not in the room: spool, judgement, configuration files. Nothing else in the project imports pion, and pion's goroutines are
// ended by Close of what started them.
package dtls
