// Package cost says beforehand what a link will cost: a recorded day of traffic is played over a links.Profile, in the time of the
// recording, and comes out as bytes, air time and waiting for each class of precedence.
//
// # In the room
//
//   - [Entry], [Append], [Parse], [Reader]: the recording, a text file of one stanza a line (see below).
//   - [Anonymiser]: the same traffic without what was said by whom. Lengths and repetitions stay, which is what compression lives on.
//   - [Predict]: thinning (by an interface, since what is spared is the gateway's to say), framing, compression, the queue of the line with
//     its lanes, half duplex, hours of use.
//   - [Train]: a dictionary from a recording, and what it saves on conversations that it was not trained on. [TrainCompact]: the same for a
//     model of links/compact.
//
// # A recording
//
//	# sallyport recording 1
//	2026-11-20T06:00:00.25Z out <message from='a@in.example' …/>
//	2026-11-20T06:00:02Z in <presence …/>
//
// The time is RFC 3339 and never goes back. "out" is what our side sends. The stanza is canonical XML of one line (jabber:server is
// understood); a line end in it is &#xA;. Empty lines and lines that begin with # are skipped. A line has at most MaxLine bytes.
//
// Audit records hold no stanzas, so a recording is made by a load generator, or from a capture at a server that may see the traffic;
// then it goes through the Anonymiser on the same machine.
//
// # What it must never do
//
// Open a socket, read a clock, or claim more than a model can: loss, retransmission and adaptive rates of a radio are not in it, and
// neither is what a carrier adds below the stanza stream (TLS, IP, ARQ).
package cost
