// Package spdu is what the subnetwork interface sublayers of two nodes say to each other (STANAG 5066 Annex A): the S_PDUs, and the
// procedures for client data, soft links and hard links.
//
// # What is inside
//
//	pdu.go          PDU, one struct for each type
//	append.go       Append and Parse (A.3.1)
//	ttd.go          TTD, the time to die, on the wire four bits of the day and half the seconds
//	deliveries.go   Deliveries: which requests of clients still wait for whose word (client-data procedure)
//	sessions.go     Sessions: soft links, made when there is data and ended after a silence; no S_PDU is exchanged for them
//	precedence.go   which of two hard links goes before the other
//	hard.go, hard_caller.go, hard_called.go   Hard: the one hard link that a node may have
//
// # What it must never do
//
//   - Report a U_PDU as confirmed by a client without that client's node having said so.
//   - Have two hard links, or keep one that nobody asked for.
//   - Guess at an S_PDU: types 8 to 15, short ones and impossible times are errors.
//
// # Decisions where the standard is silent
//
//   - Unused bits are sent as 0 and ignored. An S_PDU of types 3 to 7 may be longer than it has to be; the rest is ignored.
//   - Of a time to die only the day of the year modulo 16 crosses. The days from eight ago to seven ahead are tried; across a new year two of
//     them may fit, and the later one counts: data that may still be wanted is rather kept than lost. So a lifetime of more than seven days
//     is sent as none.
//   - A confirmation returns the first bytes of the U_PDU, at most PrefixBytes; two requests that begin alike are confirmed in the order sent.
//   - A type 6 that is about no hard link is answered by type 7 nevertheless: our answer to the first one was lost.
//   - A request for a hard link from the node to which there is one already, type and SAPs being the same, is a repetition and accepted again.
//
// Not inside: C_PDUs and who has a link (s5066/cas), the primitives to clients (s5066/sis), queues (s5066/node). Nothing here has a goroutine, a
// clock, or I/O.
package spdu
