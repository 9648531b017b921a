// Package dispatch decides which waiting stanza goes to a neighbour next, and over which of the links that reach it.
//
// # In the room
//
// [Peer] is the scheduler of one neighbour, as a plain state machine: link up, link down, item queued, report, tick come
// in; send, announce, end, set aside, recall, cut come out. Whoever owns one (the gateway, or a test in virtual time)
// carries the outputs out in their order and tells what came of them.
//
//   - A lane (class of precedence) is on one link at a time, in the order of its numbers. On any loss it starts again at
//     its first unconfirmed item, over whichever link is best then; over another link only when the old one has reported
//     everything it had.
//   - Fail-over is at once; fall-forward to the better link only after it has been up for the hold time.
//   - The highest class goes first, but every class below has a share of what is sent, so that it moves on under any load.
//     How much may be in the air follows from the profile of the link; the higher the class, the more of it is open to it.
//   - A class may have a budget on a link, in bytes for a period. What is over it waits there, though a worse link works. The highest class
//     has none.
//   - What may not travel over any link that works now is set aside when something behind it could go, and comes back under
//     a new number when a link for it works. Whatever follows it in its conversation follows it there. Only what was once
//     written to a neighbour with custody, and not confirmed, waits for a link of its own and holds its lane up: under
//     another number it might arrive twice.
//   - The item at the head of three stream losses running is taken out: it is held to be what breaks the stream. A neighbour with custody
//     is heard first: it may have the item, and only its confirmation was lost.
//
// # What it must never do
//
//   - Put an item on a link that is not in its set, is down, or takes nothing in our direction.
//   - Put a number on a link while a later one of its lane is in the air, or after a later one was confirmed: a receiver
//     with custody would take it for a repetition.
//   - Send to a neighbour without custody what was not announced durably.
//   - Send a neighbour with custody what is behind something that ended undelivered before that is durable: see [Peer.Hold].
//   - Forget an item: each that was queued is ended by exactly one output, or still there.
//
// Not in the room: goroutines, locks, clocks, the disk (gateway/spool), sockets (links), whether something may leave at
// all (peering). [Item.Links] is the answer of the judgement, and [Peer.Restrict] takes the next one.
package dispatch
