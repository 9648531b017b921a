// Package presence is the state machine of presence subscriptions (RFC 6121 §3, appendix A), for one contact in one roster.
//
// Inside: [State], what the owner's own stanza does to it ([State.Sends]) and what the contact's does ([State.Comes]).
// Not inside: XML, rosters, who is available, I/O, a clock.
//
// It must never show the owner's presence to who was not allowed it: a state with From comes only from an approval of the owner,
// given now or before (§3.4).
//
// # Decisions
//
//   - A request that comes again while it waits (Pending In) is not shown again at once; it is at each login (§3.1.3).
//   - A request of who has the subscription already, or has it approved, is answered for the owner (§3.1.3, A.3.1).
package presence
