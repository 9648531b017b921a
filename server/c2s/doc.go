// Package c2s is where people log in: sockets, TLS, goroutines and timers around
// the plain machine of a client's stream (internal/xmpp/stream, type Client).
//
// Inside: a [Server] with STARTTLS and direct TLS (RFC 6120, XEP-0368), what a
// channel can be bound by (RFC 9266, RFC 5929), and one [Session] for each
// connection. Not inside: accounts, resources, routing and what stanzas mean; they
// are asked for through [Accounts] and [Sessions].
//
// It must never hand up a stanza of a client that has not bound a resource, never
// read on while an answer is due or too much is unsettled, and never log a body, a
// password or a token.
//
// # One session
//
// Two goroutines and one lock. The reader fills the decoder, gives events to the
// machine under the lock, and answers the machine's questions outside of it, one
// at a time: a client waits for its own login and for nobody else's. The writer
// flushes what Send left and owns the only timer. Locks in this order:
// Session.wmu (socket writing), Session.mu (machine).
//
// # Decisions
//
//   - tls-unique is a binding on TLS 1.2 only: it is not defined for 1.3 (RFC 9266 §1).
//   - A connection that has not authenticated counts for its address; the one
//     that is too many is closed without a word, before it costs a handshake.
//
// To come: WebSocket (the machine has the framing), EXTERNAL by XmppAddr, parking
// of lost sessions, delays after failed logins.
package c2s
