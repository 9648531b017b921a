// Package simulation proves the way of stanzas over HF radio as a whole: two gateways' spools on disks that lose power, their schedulers and
// policies, links/hf in each mode, two whole STANAG 5066 nodes, and the simulated channel between them, in virtual time and out of one seed.
//
// # What is inside
//
//	setting.go    what a world is like: rate, losses, outages, radio silence, kills, who says what and when
//	world.go      one world: a row of steps, each at the time of whatever happens next
//	site.go       one end: gateway and node, which start, are killed, and start again
//	outbound.go   from what a client says to the link, as gateway does it: judged, kept, scheduled, judged again
//	inbound.go    from the link to the domain in memory, with custody
//	policy.go     the two policies, and what is said
//	third.go      a third station that records, and keys again what it heard: whole, cut short, and with addresses of others
//	oracle.go     what has to hold
//	fault.go      defects that are planted, to see that the oracle finds them
//
// # A world
//
// Chats, presence, messages of a room (three recipients, one copy on the air), and things that may not cross are said at either end, in all
// classes. The channel loses 5 to 30 % of frames, or fades as one of the presets does. It goes out, ends fall silent by order (EMCON), both key
// at the same moment; a node is killed, a gateway is killed, its disk loses power, at any step. Then all faults end, and everything has to come
// to rest.
//
// # What has to hold
//
// At every step: the sum law of both spools. After every restart: what was accepted is there. At the domain behind: nothing twice, in the order
// of its class, nothing that was not released for there, and not to whom it was not said. In the end: what was confirmed arrived, or is in the
// books of the other end; whatever was said has one end; a message of a room crossed as one copy.
//
// Without custody (RCOP, or a stream with XEP-0198) two things are otherwise, and only after a process was killed: what the other node
// confirmed can be lost there (Result.Lost), and RCOP can deliver twice, as its numbers live in memory.
//
// The same seed gives the same world, to the last event.
//
// Not in the room: product code, goroutines (gateway has those, and tests of its own over the same nodes). Nothing imports this package but
// tests and testbed/simulate.
package simulation
