// Package custody is what makes a stanza arrive once and in order between two of our gateways, over whatever links, through losses,
// restarts and kill -9: three plain state machines without clock, lock or I/O.
//
//	Sender   what was given to one link and is not yet confirmed (one for each link)
//	Carried  what came in over one carrier, and what of it may be acknowledged there (one for each carrier)
//	Receiver what is new and what is a repetition (one for each peer, beside its durable marks)
//
// # The rules
//
//   - Numbers come from the sender's spool and grow within a lane. Gaps are usual.
//   - A lane is on one link at a time. When that link is lost, or the lane moves, the lane starts again at its first unconfirmed entry,
//     before anything newer. [Sender.Send] refuses numbers that go back; links.Turns keeps newer entries from getting in before.
//   - n above the receiver's mark is new, anything else a repetition: acknowledged, not delivered.
//   - The mark moves with the commit of the entry, or of its refusal, in the order of arrival. Between arrival and commit a repetition
//     waits for the commit of the first.
//   - An acknowledgement is cumulative within its lane, follows the commit, and never speaks of more than this carrier brought.
//   - A greeting tells marks: whatever they cover is confirmed without having been sent on this carrier.
//   - Another epoch is another spool: marks begin anew, and frames of the earlier epoch are refused.
//
// It never confirms what is not covered by a mark of the right epoch, and never calls anything new twice.
//
// Not in the room: the wire (links/x2x), the numbers and marks on disk (gateway/spool), who is judged new (gateway).
package custody
