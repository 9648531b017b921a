// Package compact codes stanzas in few bytes for a radio between two of our own gateways that were configured alike, and frames them with
// their custody.
//
// # In the room
//
//   - [Model], [Train], [Load]: what both ends know before the first stanza (model.go; census.go and train.go learn it, modelfile.go keeps it).
//   - [Codec]: one element to bytes and back (codec.go). A walk goes through the element (walk.go, value.go, address.go) and makes
//     choices (choice.go) for a range coder (rangecoder.go); texts are spelt bit by bit with a mix of contexts (predictor.go, which
//     primer.go fills, logistic.go).
//   - [Outgoing], [Incoming], Append…: units of several records: consignments, marks, greetings, probes (record.go, incoming.go).
//
// # A stanza
//
// Element by element, in the order of the canonical form: what comes next in this element after what came last, which attribute next,
// which value. Each is a symbol of the model, coded by how often it followed there in the training and in this stanza so far, with an
// escape for whatever never did; then names are spelt, and values take the first form that fits: seen before in this stanza, known to
// the model from elsewhere, random UUID, time, number, hexadecimal digits (with or without a count behind them), address (of the table of
// the link, or by its parts), or text. Where a stanza comes from and goes to, the table of the link is looked at first of all.
// Who else gets the stanza (links/fanout) stands behind it. A stanza that would be longer so, or over the bounds, goes as XML behind the
// bytes FF FF, with which nothing coded begins.
//
// All numbers are integers, so that both ends come to the same bit on any machine.
//
// # What it must never do
//
// Remember anything from one stanza to the next: a stanza can be lost, overtaken or repeated, an end can restart, and no size says
// anything of other people's texts. Return an element that the parser of the wire has not read. Take two codings for one element.
//
// It has no checksum: nearly any bytes are some stanza, so that they came unchanged is the carrier's to prove, and that models are the
// same is for the greeting.
//
// # Refusals
//
//   - [ErrTooBig]: more than MaxPlain of XML, or MaxRatio times the coded bytes beyond RatioFrom. Reading stops where the bound is passed.
//   - [ErrCoded]: symbols of nothing, more depth, attributes or children than the parser takes, names and characters that are no XML
//   - [ErrNotCanonical]: bytes other than those that the same element is coded as, bytes behind the end among them
//   - [ErrUnit], [ErrNoGreeting]: records out of shape. The frame of a consignment stands before its stanza in clear, so one whose stanza
//     is refused can be settled as refused, and what stands behind it can be read.
//
// # Decisions
//
//   - Numbers are cut to the bytes that the peer's last mark leaves open ([Outgoing], [Incoming]). Whatever of the marks got lost, both
//     ends stand between the last mark that was heard and the newest number that was sent, and the sender leaves room for that.
//   - An expiry is rounded up to 64 s. Within eight days it takes two bytes, if the clocks of the ends differ by less than four days.
//   - A model has our own texts (links/prose) as its ground, English in the manner of those who write over radio. Other languages are
//     spelt as well, in more bytes, until a model is trained with them.
//
// Not in the room: acknowledging, sending again, deciding what is new (links/custody); who carries the units (links/hf).
package compact
