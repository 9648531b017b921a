// Package thin is what is done to traffic for a thin link: presence off, folded or coarse; decorations cut away; room traffic by one
// copy. It decides about released stanzas in the time that is handed to it.
//
// # In the room
//
//   - [Strip]: what is cut from one stanza, or that nothing worth sending would be left. It remembers nothing, and cutting twice is
//     cutting once.
//   - [Presence]: at most one change for each contact and interval. The latest wins, and that somebody is gone is never lost.
//   - [Caps]: capabilities that did not change are said once (XEP-0115 §8.4). It must see what really leaves, in that order.
//   - [Merger]: copies of one groupchat message, equal but for to, become one with a list (links/fanout).
//   - [Thinner]: all of them in a row. Every stanza put in comes out exactly once: sent, merged into one that is sent, or dropped for
//     a reason that is counted with the bytes it saved.
//
// # What is never dropped
//
// Requests and answers (iq), errors, subscriptions, messages with any element that this package does not know, unavailable presence that
// the far side may not have heard of, and presence of rooms, to a full address or to a domain: that is joining, changing nicknames,
// answers to probes, logging in to a component. Of those only what decorates is cut.
//
// # What it must never do
//
// Add anything, or change a text: what comes out is what came in with children left out. Only peering makes something that may leave;
// peering.Released.Reduced takes what this package says only if that is so. It reads no clock, holds no lock, does no I/O; one goroutine
// owns a value.
//
// # How it stands to the spool
//
// A node does the steps apart. What is all decoration is dropped before the spool, and recorded as folded. Paced presence is stored
// at once, under a queue that no link empties, so that who sent it hears that it is safe; [Presence] says when each may go, and it
// gets its number in the queue of the peer then, in the frame in which the one it had ends. A number cannot wait: the far side would
// take what comes with a smaller one later for a repetition. What leaves is judged again and then stripped again ([Strip], [Caps]).
// Copies are merged by the spool, not by [Merger]: an entry and its list have to be durable together.
//
// A [Thinner] is all of it in one, for predictions ("sallyport link cost").
package thin
