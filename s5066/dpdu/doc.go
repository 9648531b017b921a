// Package dpdu is the frame of the data transfer sublayer of STANAG 5066 (Annex C): D_PDUs of every
// type as values, their bytes, and the receiver that finds them in what a modem delivers.
//
// # What is inside
//
//	type.go      Type of a frame, what each consists of, Warning reasons
//	pdu.go       PDU, one struct for all types, and its parts
//	acks.go      Acks: selective acknowledgements (C.6)
//	eow.go       EOW: the 12 bits of the engineering order wire, and its messages (C.13)
//	eot.go       end of transmission in half seconds (C.5)
//	crc.go       the two checksums, which no library has
//	append.go    Append and Size
//	parse.go     Parse of one frame
//	receiver.go  Receiver: hunts the sync word in a byte stream
//
// # What it must never do
//
//   - Hand up a frame whose header checksum is wrong, or keep more than one frame's bytes (N10).
//   - Hand up a segment whose checksum is wrong without saying so in PDU.Damaged.
//   - Read beyond what the header's length fields and the type allow.
//
// # Decisions where the standard is silent
//
//   - Addresses are sent with seven half-bytes each and accepted with any; PDU.AddressSize keeps what was heard.
//   - After a segment with a bad checksum the receiver hunts inside of it: a transmission that broke off is followed by another one, whose
//     first frame would be lost otherwise. So a frame quoted inside a payload is taken for one if the outer frame is damaged; no header
//     of this protocol is authenticated, and what is above must not believe one more than another.
//   - Frames of an unknown type with a good header are handed up, their type-specific part in PDU.Unknown, so that a WARNING can answer.
//     Their segment, if the extension has one, is hunted through.
//   - Acknowledgement bytes of zero at the end of the list say nothing and are dropped on receipt.
//
// Not inside: windows, timers, states, and whom a frame is for (s5066/dts). Nothing here has a clock, a goroutine or I/O.
package dpdu
