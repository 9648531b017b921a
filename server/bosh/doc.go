// Package bosh is the life of one session of requests as a plain state machine (BOSH, XEP-0124, with XMPP in it,
// XEP-0206): a client asks over HTTP again and again, each request may wait for its answer until there is something to
// say, and out of all that comes one stream.
//
// Inside: [ParseBody] and the bodies that are answered, [Session] with request ids, waiting, acknowledgement both ways, pauses,
// polling and its end. Not inside: HTTP, sockets, goroutines, the clock (server/c2s has them), what the stream says
// (internal/xmpp/stream; its machine writes in the framing of RFC 7395, each element alone).
//
// It must never process a request twice, hand up requests in another order than that of their ids, or keep more than two
// answers and [MaxWaiting] bytes for a client that does not ask.
//
// # Decisions
//
//   - One request is held (hold is 0 or 1), so that two are open at a time.
//   - A request that comes again while it is open, or waits for its turn, takes the place of the first, which is answered empty. One that was
//     answered gets the same answer again, as long as it is one of the last two.
//   - A request that is held because those before it have not come keeps no session alive: its turn may never come.
//   - A client has an answer when it says so (§9.2); when it makes an empty request, which it does only while none is open; and when it
//     makes the request by which, with that answer still to come, too many would be open. So nothing is taken for received that was not,
//     but what the last answer brought may be taken for lost.
//   - A session ends by a wrong request id, as the client and we do not agree on what was said any more.
//   - What a client says in the request that is answered with our end is heard: it did not know.
//   - Key sequences (§15) are not offered: they protect what TLS protects.
//   - Conditions are sent with status 200 to everybody, also to clients that do not say their version (§17.1).
//   - Answers are text/xml whatever a client wants them to be called (content): as something else a browser might run what others have said.
package bosh
