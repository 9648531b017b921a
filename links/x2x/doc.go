// Package x2x is the zero-handshake link (XEP-0361): a connection opens and stanzas flow, everything that streams negotiate having been
// agreed in configuration.
//
// # The stream
//
// [Stream] is the plain machine: bytes in, bytes out, Tick. It has never heard of a socket, a goroutine or a clock, so whatever carries
// bytes in order can carry it (TCP and TLS here, SCTP over DTLS in links/dtls). It speaks one of three modes, which both ends are
// configured for:
//
//	Plain    XEP-0361 as other vendors speak it; what was written is never confirmed
//	Managed  the same with acknowledgements of XEP-0198 from the first stanza, without enable
//	Custody  our own gateways: frames of links/custody, exactly once over losses, restarts and other links
//
// Custody on the wire (namespace urn:sallyport:custody:0); an epoch that the greeting has said already is left out:
//
//	<h e='EPOCH' v='1' d='DICTIONARY' f='2'><m e='EPOCH' l='LANE' n='NUMBER'/></h>   first of each side: own epoch, marks of the other's lanes
//	<c e='EPOCH' l='LANE' n='NUMBER' x='SECONDS'><message …/></c>              one consignment; x is when it expires, Unix time;
//	                                                                           behind a message of a room, who else gets it (links/fanout)
//	<a e='EPOCH' l='LANE' n='NUMBER'/>                                         everything of the lane up to there is on disk
//	<p n='NUMBER'/> <o n='NUMBER'/>                                            a probe and its echo
//
// With compression (links/deflate, by configuration of both ends), or where StreamConfig.Records says so, the bytes are records (form f): a
// type, a length, and either plain XML, or one compressed stanza, or acknowledgements of several lanes or of XEP-0198 in a few bytes. In
// front of a compressed stanza stands in clear what its size would suffer from: an identifier of the usual kinds; and its custody, number
// and expiry as differences from the stanza before, so that a frame that cannot be opened can still be settled as refused.
//
// An acknowledgement waits links.Profile.AckDelay for more to acknowledge; it goes sooner with anything else that is written, and at once
// when a quarter of the peer's window is owed.
//
// # What is confirmed by what
//
//   - Plain: by nothing. The XEP has no answer to a stanza, and what TCP acknowledges has reached a kernel, not a server. A stanza on a
//     stream that lives on for the answer time of the profile is reported as delivered with links.ErrUnconfirmed; on one that is lost
//     before, as in doubt; on one that the peer ended in order after ours, as delivered.
//   - Managed: by h of XEP-0198, which counts what the peer has taken responsibility for. Counting begins at 0 on each carrier, for both
//     directions, without enable: the XEP lets the two agree on that beforehand. On a loss what h does not cover is in doubt.
//   - Custody: by the peer's disk, across losses and restarts.
//
// A Managed stream is not resumed (XEP-0198 §5). Resumption names the session by an id that only the answer to an enable gives, and
// without one a peer could not tell a carrier that goes on from one of an end that has forgotten everything: its h would be counted
// against other stanzas, which loses some of them in silence. So what is in doubt goes back to the gateway, which gives it up with a
// word to the sender, or writes it once more, as it is configured for the peer; the second can be a double, never a loss. Where both ends
// are ours, Custody is the mode that settles it.
//
// # The link
//
// A [Set] holds all links of a gateway and their listeners; a [Link] is one link to one peer. A carrier (one connection) has a reader, a
// writer that alone writes to the socket, and one lock. Locks, in this order, each optional: carrier.mu (machine), Link.mu; Set.mu and
// carrier.smu stand alone. Sink, Reporter, Observer, Custodian and Watcher are called without locks.
//
// It never reads a stanza from a connection before it is known whose it is: by certificate, by address where that is configured, and
// then for that peer alone (Implicit identity, which the XEP does not recommend either, is not there). It never delivers a stanza from
// or to a domain outside the two ends' lists, and never lets one such stanza cost the link. It never sends but on one carrier at a time.
//
// Who opened a carrier closes it for want of traffic. When both ends opened at the same moment, each sends on its own.
//
// # Refusals
//
//   - a connection from an address of nobody, or with the certificate of nobody: closed before reading (O01)
//   - from of another domain, or no address: dropped and noted; to of another domain: refused as item-not-found (O02)
//   - a stream header, features, SASL, STARTTLS, dialback: stream error bad-format (O03)
//   - an element over the limit, a compressed frame that cannot be opened: refused and settled, the link stays (M02, M03)
//   - custody of another version or dictionary, stanzas without frame under custody, records out of shape: the carrier ends
//
// Not in the room: which link a stanza takes, durable queues and marks (gateway), DTLS (links/dtls), DNS policy (internal/resolve).
package x2x
