// Package peering judges every stanza that wants to cross: [Engine.Judge] turns an
// [Arrival] into a [Verdict] in six stages (admit, label in, profile, rules, address,
// label out), under exactly one immutable [Policy].
//
// Inside: the table of peers and pairs, the six stages, the trace an operator reads,
// the three makers of a [Released], and the one versioned encoding of arrivals, facts
// and verdicts.
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
// condition and a safe reference, never content.
package peering
