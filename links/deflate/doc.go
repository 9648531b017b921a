// Package deflate makes frames of raw DEFLATE (RFC 1951) for links whose two ends were configured alike, with preset dictionaries
// trained from sample traffic.
//
// A Writer turns one piece of text into one frame, a Reader does the reverse. There are two kinds of context:
//
//   - Fresh: every frame starts from the dictionary alone. Its size says nothing of its neighbours, and a frame that is lost or refused
//     costs nothing but itself. This is the zero value.
//   - Shared: every frame goes on where the one before ended (RFC 7692 §7.2.1 does the same for WebSocket). Smaller, and whoever can
//     put text of his own beside a secret, and see sizes, learns of the secret (the attack known as CRIME). Only where all senders of a
//     link may know of each other.
//
// # Refusals
//
// A Reader refuses a frame that is truncated, corrupt, reaches back beyond its dictionary, has bytes behind its end, is larger than
// MaxFrame, is not smaller than what it holds (ten thousand empty blocks), or whose content passes MaxPlain, or MaxRatio times the
// frame once it has passed RatioFrom. It stops at the byte that passes a bound: memory for a frame is MaxPlain and the window, whatever
// comes. Under Fresh the next frame is read as if nothing had been; under Shared the context is lost and Reader says so for ever.
//
// Identifiers of stanzas have a form of their own beside the frame ([AppendIdentifier]).
//
// Raw DEFLATE has no checksum; that a frame came unchanged is the carrier's to prove.
//
// Not in the room: where frames end on a wire (links/x2x), which link uses what (gateway).
package deflate
