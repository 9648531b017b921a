// Package stream is the life of one XMPP stream as a plain state machine, in two
// kinds on one core. [Machine] is a stream between servers: headers and versions
// (RFC 6120 §4), STARTTLS (§5) and direct TLS (XEP-0368), SASL EXTERNAL (RFC 6120
// §6, XEP-0178), Server Dialback (XEP-0220, keys XEP-0185, shortcut XEP-0344),
// bidirectional streams (XEP-0288), stream management (XEP-0198), limits
// (XEP-0478), idle, keepalive and orderly close. [Client] is the server's side of
// a client's stream, see "A client's stream".
//
// It never opens a socket, starts a goroutine, looks at the clock or speaks
// TLS: facts come in as an [Input], orders go out as [Output]s, randomness is
// an io.Reader. One goroutine (or one mutex) owns a machine. The only part
// that any goroutine may call is [Session.Settled].
//
// It never authorises a pair of domains or an account without proof, never sends
// a stanza for a pair that is not proven, never hands up one of a client before a
// resource is bound, and never repairs what it does not understand. The zero
// [Policy] and the zero [ClientPolicy] accept nobody.
//
// # The whole life, as the edge sees it
//
// The edge is the code with the socket (links/s2s). It does, in this order:
//
//  1. m := NewInitiator(cfg) after connecting, or NewResponder(cfg) after
//     accepting; dec := xmlstream.NewDecoder with [Config.FirstLimits].
//  2. Step(now, Start{TLS: nil}) on a STARTTLS port, Start{TLS: &facts} after
//     the handshake of a direct-TLS port.
//  3. For each decoder event: Step(now, Received{Event: ev, Buffered:
//     dec.Buffered()}); for a decoder *Error: Step(now, Malformed{err}); for a
//     lost socket: Step(now, Lost{cause}).
//  4. Carry out the outputs in order. [Write]: append to the write buffer.
//     [StartTLS]: flush, handshake with the raw connection, then
//     Step(now, Secured{facts}) or Step(now, SecureFailed{cause}).
//     [RestartDecoder], [SetLimits]: call the decoder. [Closed]: flush, close
//     TLS and TCP; the machine is finished and ignores all further input.
//     After Malformed nothing more is decoded: half-close and drain for a
//     moment, or the reset of the connection eats our stream error.
//  5. Keep one timer at m.Deadline(); when it fires Step(now, Tick{}).
//     Look at Deadline again after every Step and after every batch of Send.
//     While those who take the stanzas hold up the reader, call m.Busy(now).
//
// Initiator, in outputs: Write(header) … StartTLS … RestartDecoder,
// Write(header) … Write(auth) … RestartDecoder, Write(header) … [Ready],
// [Authorised]. From Authorised on, [Machine.Send] accepts stanzas of that
// pair. Responder: Write(header, features) … StartTLS, RestartDecoder … then
// Ready and one Authorised per proven pair; stanzas arrive as [Deliver] (or by
// [Machine.Receive], the same without allocation).
//
// # Steady state
//
//	in, ok := m.Receive(now, ev.Element, ev.Bytes) // stanza of a proven pair?
//	if !ok { outs := m.Step(now, Received{ev, dec.Buffered()}) … }
//
//	switch r := m.Send(now, Item{…, Bytes: len(wire)}); r.Verdict {
//	case SendNow: buf = append(buf, wire...)   // and when r.AskAck: buf = m.AppendAckRequest(buf)
//	case SendFull: wait for Acked …            // see [Verdict] for all
//	}
//
// Receipts: every Deliver carries Session and Seq. When responsibility for it
// has passed on, call Session.Settled(Seq) from any goroutine, in any order,
// also after the stream is gone; when it returns true, the machine that has the
// session now is to be woken with Step(now, AckDue{}). The h of XEP-0198 counts
// the settled prefix. m.ReadPaused() says that too many are unsettled: stop
// reading the socket until Settled brought it down.
//
// # More pairs on one stream
//
// [Machine.Carries] says whether (local, remote) can be sent on this stream
// now, after Step(now, Prove{local, remote}) (dialback, XEP-0220 §2.5), or not
// at all. The answer to Prove is Authorised or [Rejected].
//
// # Dialback verification
//
// [VerifyKey] asks the edge to have a key checked by the authoritative server.
// The edge opens another stream with Config.Purpose = ForVerify (local = our
// domain, remote = the claimed one), waits for Ready, then gives that machine
// Step(now, Verify{…}); its [KeyAnswer] comes back to the first machine as
// Step(now, Verified{…}). It must never be a stream to the same peer over which
// the key came in (XEP-0288 §2.3). Streams already open to the claimed domain
// may be used instead. Incoming verify requests are answered inside.
//
// # Resumption (XEP-0198 §5)
//
// After a loss, [Closed].Resume holds the [Session] when it can be resumed.
// Initiator: put it into Config.Resume of the next stream; the machine proves
// the pairs again, resumes, resends, and then emits Ready and [Resumed]; when
// the peer refuses, [Unconfirmed] gives the items back, the new stream goes on
// with a fresh session. Responder: Park.Put(now, session); on [ResumeWanted]
// look for it with Park.Find or among the streams still open; only if
// m.MayResume agrees, Take it (or Detach it from the old machine) and answer
// Step(now, SessionFound{session or nil}). [SessionReturned] gives a session
// back that the stream could not resume after all: Put it again. Items that can
// no longer be confirmed come out exactly once, in Unconfirmed or in
// Closed.Unconfirmed; bounce or resend is the edge's policy.
//
// Neither side resumes before everything it received on the lost stream is
// settled, so that h is both true and complete and nothing arrives twice; the
// AckDue of the last receipt lets it go on. What is resent is written before
// Authorised. On a bidi stream the responder may send as soon as it knows us, so
// an initiator can see Deliver before Ready.
//
// # A client's stream
//
// NewClient, then the same inputs and outputs as above, with [Start] telling the
// bindings of the channel ([TLSFacts]). The machine asks and waits: [LookUp] is
// answered with [Found] or [LookUpFailed], [BindWanted] with [Bound] or
// [BindRefused], [TokenWanted] with [TokenGranted], [ResumeWanted] with
// [SessionFound]. While it waits, [Client.ReadPaused] is true and the edge gives
// it no event. In order:
//
//	RFC 6120:  header … StartTLS … LookUp … Authenticated, RestartDecoder …
//	           BindWanted … ClientReady … Deliver
//	XEP-0388:  header … LookUp … Authenticated, SetLimits, ResumeWanted or
//	           BindWanted, TokenWanted … ClientReady (one round trip, no restart)
//
// SASL of both kinds is in client_auth*.go over package sasl; binding and Bind 2
// (XEP-0386) in client_bind.go; FAST (XEP-0484) is an attempt like any other, by
// tokens that the edge keeps; stream management in client_manage.go; client state
// (XEP-0352) and the dispatch in client.go. Unknown accounts are the edge's to
// disguise: it answers LookUp for them with a decoy (server/account).
//
// A stanza is delivered as one of the namespace jabber:server with the full
// address as 'from'; without 'to' it is Undirected and bears the own bare address.
// On the steady path that is [Client.Receive], the same without outputs; a decoder
// that was told of [Client.Stamp] leaves room for it.
// What is sent is handed in as jabber:server, too, and written by
// [Client.AppendStanza]. A child that already is in the other content namespace
// would change its meaning on the way: inbound that is a bad request, outbound it
// is left out.
//
// [ShutDown] ends it with system-shutdown, after which stanzas are still delivered, unlike after any other error: until the client's close tag.
//
// Sessions are resumed as above; the owner of one is (domain, full address), and
// every stream of the same account may have it back.
//
// [Compress] is carried out as [StartTLS] is, without a handshake (XEP-0138).
//
// With [WebSocket] framing (RFC 7395) each Write is one message, [ReadFrame] stands
// in for the decoder, and [Ping] takes the place of white space.
//
// Decisions: a header's 'from' must be an account of the domain of its 'to'; with
// XEP-0388 the name logged in must be that one. A resource is drawn at random
// behind the client's tag, not stable. Idle clients are not closed, only asked
// whether they live. Legacy authentication (XEP-0078) is off unless the policy says so.
//
// What is not in this room: sockets, DNS, TLS, certificate rules (tlsid),
// pools, back-off, routing, accounts, resources, what stanzas mean.
package stream
