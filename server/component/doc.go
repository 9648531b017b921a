// Package component lets programs beside the server be domains of their own (XEP-0114, jabber:component:accept).
//
// Inside: [Components]: a listener's connections, the handshake, and the stanzas of both directions. The stream of one component is a plain
// machine (stream.go); sockets and goroutines are in serve.go and conn.go. Not inside: which domains there are (the
// configuration says so: they are domains of the peer that the server is),
// connections that the server opens (jabber:component:connect), judgement: what a component says goes through the gate like everything
// else, and what it is sent was released for it.
//
// It must never take a stanza from a component before its handshake, or for another domain than its own; never let a second connection
// take over a domain that one has; never say that something is delivered before it was written; and never listen without TLS on an address
// that is not of this machine.
//
// # Decisions
//
//   - A secret has at least MinSecret bytes: the handshake is SHA-1 of the stream's id and the secret, which whoever listens can try to guess.
//   - A component that does not read is sent nothing more once its queue is full: what is for it is refused until it reads again, and after
//     writeTimeout its connection ends.
//   - Who has proven nothing is bounded by network, altogether and in time. Who has proven a domain is not counted with them: strangers could
//     else keep components out, or be kept out by many of them.
//   - Stanzas for a component that is not connected are refused with service-unavailable.
//   - Domains and secrets change while components are connected. Whoever has proven a domain by a secret that is not its any more is
//     disconnected behind what waits for it, and nothing is taken from it from that moment on: the secret may have changed because it leaked.
//   - When all ends, what a component said before it knew is taken: it is told system-shutdown, and read until it has ended its side, or for
//     closeTimeout.
package component
