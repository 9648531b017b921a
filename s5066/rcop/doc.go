// Package rcop is the header that the RCOP and UDOP clients of STANAG 5066 put before their
// data (Annex F), and what that header makes possible: several connections over one SAP,
// segments of what is larger than the node's MTU, and knowing a repetition.
//
//   - Header is the codec of the six bytes.
//   - Split makes U_PDUs of a message.
//   - Reassembler puts them together again and marks what it has delivered before.
//   - Window numbers the messages of a sender and never lets a number be used again too early.
//
// The header has neither a total length nor a mark on the last segment, so the data has to
// show its own end: who makes a Reassembler says how (End). Lone and Prefixed are two ways.
//
// What it must never do: start a goroutine, read a clock, keep more than its Limits whatever
// arrives. What is not inside: the header of Edition 1, which has no application ID, and the S_primitives
// that carry all this (s5066/sis).
//
// # Decisions where the standard is silent
//
//   - Segments may come in any order; in order, nothing is kept longer than it has to be.
//   - A message is a repetition if one with its number and its content came lately. Number alone
//     would lose the messages of a sender that was started anew, content alone those of people who
//     write "ok" twice.
//   - A first segment that differs from the one held for that number begins another message: the old
//     one will not be completed any more.
package rcop
