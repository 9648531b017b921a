// Package c2s is where people log in: sockets, TLS, goroutines and timers around
// the plain machine of a client's stream (internal/xmpp/stream, type Client).
//
// Inside: a [Server] with STARTTLS and direct TLS (RFC 6120, XEP-0368), handlers
// for WebSockets (RFC 7395), for BOSH (XEP-0124, XEP-0206) and for host-meta
// (XEP-0156), what a channel can be bound by (RFC 9266, RFC 5929), and [Session]. Not inside: accounts, resources, routing and what stanzas mean; they
// are asked for through [Accounts] and [Sessions].
//
// It must never hand up a stanza of a client that has not bound a resource, never
// read on while an answer is due or too much is unsettled, and never log a body, a
// password or a token.
//
// # One session
//
// A [Session] is what the rest of the server knows; a link is one connection with
// its machine. The session stays the same when its client resumes it on another
// connection (XEP-0198 §5): while it waits, parked, what is sent to it is kept
// within [ParkLimits], and its end comes with everything that was never
// acknowledged. A link has a reader, which fills the decoder, gives events to the
// machine under the lock, and answers the machine's questions outside of it, one
// at a time: a client waits for its own login and for nobody else's. After it has handed something up it goes on on
// another goroutine (type rest), as idle sessions should not keep large stacks. Writers are
// started when there is something to write and end when there is nothing; a timer
// ticks. Locks in this order: link.wmu (writing), Session.mu, link.mu (machine),
// park.mu.
//
// # Decisions
//
//   - tls-unique is a binding on TLS 1.2 only: it is not defined for 1.3 (RFC 9266 §1).
//   - A connection that has not authenticated counts for its network; the one
//     that is too many is closed without a word, before it costs a handshake.
//   - Out of descriptors nobody new is accepted for a moment, and nobody else is the worse for it.
//   - A server of HTTP is guarded (see [Guard]): its bodies come in time, and its connections are counted by network, too.
//   - Failed logins slow down those that follow, of their network and about their
//     account (bad-inputs F14). An account is never locked, or anybody could lock
//     out anybody; a network that only fails is not asked for passwords any more,
//     until it has been silent for a while.
//   - EXTERNAL believes XmppAddr alone, of a certificate that [Config].Clients
//     accepts at that moment; a bad one is as good as none, as the client can log in otherwise. In HTTP it is that of the connection of the
//     WebSocket, or of the request that opens a session of BOSH: who has its id was there.
//   - An account that has too many parked sessions loses the one parked first: it
//     is the least likely to be wanted back.
//   - Nobody is sent elsewhere (see-other-host, see-other-uri): a node is one host.
//   - Tokens (XEP-0484) need no count against replay (§3.4): TLS here takes no early data (0-RTT), and none is offered. One that comes says nothing.
//   - A WebSocket that ends without <close/> is a lost connection, so the session
//     can be resumed, also over TCP. Compression of messages is not negotiated:
//     it would compress the secrets of one sender with the words of another.
//   - In HTTP no login is bound to its channel: a script does not see it, the requests of BOSH may come by many, and clients that know
//     only tls-unique choose -PLUS where it is offered and fail: COMPAT(StanzaJS, 12.22). Where binding is required nobody logs in there.
//   - BOSH runs the same machine, in the framing of RFC 7395; package bosh has the
//     requests. Bytes that are no body end the session like any bad bytes.
//   - Compression (XEP-0138) is off unless a domain's policy says so. Every element
//     is compressed by itself: less is gained, and what somebody sees of the
//     length of one tells nothing of another's secrets.
//   - Accounts are made (XEP-0077) inside TLS only, ten requests a stream at most; refusals slow down those that follow of that
//     network, as failed logins do.
//   - Legacy authentication (XEP-0078) is off unless a domain's policy says so. It is inside TLS only and with the password itself, looked at
//     and slowed down as with PLAIN: its digest wants passwords kept in clear.
//   - A stream that ended in order, or by an error of ours, is not resumable.
//   - When the server ends, its clients are told system-shutdown (RFC 6120 §4.9.3.20) and what they say until they have ended their side, or for
//     the time of a close, is taken: that error is not for anything they did. Who wants acknowledgements (XEP-0198) is read no further until
//     what was taken from him is settled, for a second at most, and has its number before the end. What comes behind is taken and can not be
//     acknowledged any more, so that it may be said again: twice rather than not at all.
package c2s
