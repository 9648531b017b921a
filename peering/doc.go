// Package peering judges every stanza that wants to cross: [Engine.Judge] turns an
// [Arrival] into a [Verdict] in six stages (admit, label in, profile, rules, address,
// label out), under exactly one immutable [Policy].
//
// Inside: the table of peers and pairs, the six stages, the trace an operator reads,
// the three makers of a [Released], and the one versioned encoding of arrivals, facts
// and verdicts.
//
// A label takes this way: found (in the message, in an equivalent that the peer may assert, in the first line of its
// text, or by default), valid under its policy, within the clearance of the peer as it came; translated for the side it
// goes to; replaced by a rule that says so where that lowers it; translated for the peer it goes to, within its
// clearance, and written anew. A clearance is never translated. Messages wrapped inside take the same way each, and the
// label around them dominates theirs. What is remembered of labels is bounded and never changes an answer.
//
// Items of pubsub take the same way, each under its own label (XEP-0314): in a request to publish, in the items that were
// asked for, and in lists of disco#items that have labels. One that is not cleared refuses the whole stanza. A
// notification is a message and has one label.
//
// The server of this node is a peer, too. What its users say to each other is held against labels, clearances and rules, and not
// against the profile of the boundary ([Pair].Open, which compiles for nobody else); what was kept is judged again for each
// who reads it ([Policy.MayRead]), and its clients can be shown less of labels than it has ([Policy.Shown]).
//
// Not inside yet: labels, clearances and defaults of nodes, and corrections (XEP-0308) held against the label of what they
// replace: each message is judged by its own.
//
// Never inside: I/O, locks, logging, goroutines, randomness, or a clock other than the
// time in the arrival. What a judgement needs to know of the world comes in as [Facts];
// what must change in the world goes out as [Effects]. The same arrival under the same
// policy version therefore always gives the same verdict, and explain, simulate and
// replay are calls of the same function.
//
// Only this package makes a Released: Judge, [Engine.Rejudge] (always judges again) and
// [Engine.Reply] (errors from fixed templates). Its fields are unexported and its zero
// value is refused by every link.
//
// # Refusals
//
// Missing, unknown, expired or broken policy, peer, pair or label: refused. A refusal
// carries stage, rule, the facts used and what would have allowed it; the sender gets a
// condition and a safe reference, never content. Labelled errors and presence are dropped:
// recorded, and nobody is told.
package peering
