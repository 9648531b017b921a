// Package xmlstream reads and writes the XML of XMPP: a strict, bounded decoder that is pushed bytes, an immutable
// element tree, and a writer that has exactly one form for each tree.
//
// It never does I/O of its own, never starts a goroutine, never looks at a clock, and never repairs: what is not
// understood ends the stream with the condition RFC 6120 has for it. It is the only reader and the only writer of XML on
// a wire.
//
// # The way of the bytes
//
//	Decoder.Fill, Write   decoder.go   the buffer, the window of an element, what happens beyond it
//	Decoder.Next          content.go   character data, CDATA, attribute values
//	                      tag.go       start and end tags
//	                      token.go     names, references, runs of plain bytes (chars.go, nametable.go: which bytes)
//	                      prolog.go    XML declaration, stream header, end of the stream or document
//	                      scope.go     namespaces
//	                      records.go   what was read, until it becomes a tree
//	Event, Element        element.go   the tree (build.go: making others from it; block.go: its memory)
//	AppendElement         writer.go    the canonical form
//
// The decoder is one machine that stops and goes on at any byte. There is no second, slower way for input that arrives
// in pieces, so there is nothing in which two ways could differ: the events, the condition and the byte that decides it
// depend on the bytes alone.
//
// # Refusals
//
//   - restricted-xml: comments, processing instructions, document types, entities other than the five (RFC 6120 §11.1);
//     decided at the byte after <! or <?
//   - not-well-formed: all that XML 1.0 and Namespaces in XML forbid, bad UTF-8 and characters included; white space or
//     controls in a namespace name; anything before the first < (BOM, UTF-16, TLS, HTTP)
//   - bad-format: text between elements, a stream header inside a stream, XML other than 1.0
//   - unsupported-encoding, invalid-namespace, bad-namespace-prefix: what a header declares
//   - policy-violation: a limit (see Limits), but for those that only make an element oversized
//   - not-canonical: guard frames that are not the bytes AppendElement writes
//
// On a link between servers an element over the limit in bytes, in children, or in the memory of its tree, is read past within a
// second bound and reported as an OversizeEvent; it is checked to its end like any other.
//
// # Decisions that may surprise
//
//   - Names outside ASCII follow the fourth edition of XML 1.0, since expat does (nametable.go).
//   - A blank at the end of a namespace name is allowed and makes it another namespace; white space anywhere else in one
//     is refused. The first must be an unknown label and not a dead link, the second is the trick of a separator.
//   - A named reference is restricted-xml only when its ; has come; before that it is not even a reference.
//   - An element whose start tag is itself too large is policy-violation: nobody could be told.
//   - Trees hold namespaces and no prefixes. The writer gives prefixes to attributes that need one and to nothing else,
//     but for stream: and db: at the first level of a stream, which deployed servers look for by prefix.
//   - The writer refuses what its own reader would refuse, its size included: one namespace declared at the top and used
//     by ten thousand children can grow beyond the limit when each declares it.
//
// # Not in here
//
// Addresses, kinds of stanzas, stanza errors, versions and features (packages jid, stanza, stream); time limits; Unicode
// policy beyond what XML itself forbids.
//
// # Sources
//
// XML 1.0 fourth and fifth edition; Namespaces in XML 1.0 third edition; RFC 3629; RFC 6120 §4, §11; XEP-0220 §2 and
// XEP-0361 §3 for what a header declares. Canonical XML 1.0 lent the order of attributes, and is otherwise not followed.
package xmlstream
