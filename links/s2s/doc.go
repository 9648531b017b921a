// Package s2s is the standard server-to-server link (RFC 6120, XEP-0220, XEP-0288, XEP-0198, XEP-0368) at its edge: sockets, TLS, DNS,
// goroutines, queues and timers around the plain machine of internal/xmpp/stream, with identities by internal/tlsid.
//
// One Link holds every stream of a gateway, on all sides, for many local domains. It never accepts a stanza from a peer that is not
// in its table, never sends one for a pair that is not proven, never writes anything but what peering released (and its own pings),
// never lets one bad stanza cost a stream, and never logs a body.
//
// # One stream
//
// Two goroutines and one lock. The reader fills the decoder, gives events to the machine under the lock, and calls the Sink outside of
// it. The writer takes what the queues of the stream's pairs hold, encodes it under the lock into one buffer, and writes that buffer
// once; it also owns the stream's only timer. Everything else that touches the machine takes the lock for one step.
//
// # One pair
//
// A queue per (local, remote) pair takes deliveries; it is served by at most one stream at a time. Which one is looked for in this
// order: a stream that already carries the pair (also a bidirectional one that the peer opened), a stream to the same peer on which it
// can be proven (XEP-0220 §2.5), a new one. What was written and is not yet confirmed stands in the flight of the stream, which
// outlives it when XEP-0198 can resume it.
//
// # Locks
//
// In this order, each optional: stream.wmu (socket writing), stream.mu (machine), Link.mu (tables), queue.mu. Reporter and Observer are
// called under stream.mu at most, so they must not block and must not wait for a stream.
//
// Not in the room: what may cross (peering), durable queues (gateway/spool), the protocol itself (internal/xmpp/stream).
package s2s
