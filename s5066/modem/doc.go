// Package modem says what an HF modem is to the layers above it: waveforms with their rates, blocks and delays, the orders a modem takes,
// the events it gives, and two ways to reach one, our framing over TCP and a plain stream of bytes (STANAG 5066 annex D is that interface).
//
// # What is inside
//
//	waveform.go, table.go   Waveform: a value that names rate, interleaver and preamble; the table of those there are
//	timing.go               Radio and Timing: how long a transmission takes, when its bytes arrive, what turning round costs
//	exchange.go             Order (Key, Abort) and Event (Keyed, Sent, Lost, Carrier, Data)
//	frame.go, decoder.go    the frames of the TCP framing, their codec, and the decoder over a byte stream
//	step.go                 Machine and Step: what Session and Implied are to a Port
//	session.go              Session: the station's end as a plain machine: what is outstanding, when the modem counts as dead
//	implied.go              Implied: the same for a plain byte stream, where data imply keying
//	port.go, dial.go        Port: the running station's end, over either; Dial, Attach, Raw
//	unit.go                 Unit and Serve: the modem's end of the framing
//
// # What it must never do
//
//   - Call a transmission sent that the modem has not reported so: what was outstanding when a modem died is Lost, exactly once.
//   - Look into the bytes. Where a D_PDU begins is the business of s5066/dpdu.
//   - Buffer more than one transmission of MaxTransmission bytes for a connection.
//
// # A transmission in time
//
//	Key order   key-up      preamble       block 0 … block N-1       key-down
//	├───────────┼───────────┼──────────────┼────────────┼────────────┤
//	Key         Keyed                                                Sent           at the sender
//	                           ├ Carrier on                 block k complete at dataStart + (k+1)·B,
//	                                                        its bytes at    … + (k+2)·B + Decode, then Carrier off after the last
//
// A transmission is padded to whole interleaver blocks of Block·Rate bits, which hold the data and the 32 bits of end-of-message. A byte comes out
// with the block that has its last bit. Delay is about two blocks (the receiver writes its output at the line rate), plus the preamble.
//
// # Framing over TCP
//
// There is no common standard for a modem behind TCP; this one is ours. Integers are big-endian. A frame is
//
//	type u8 | length of the body u24 | body
//
//	1 HELLO    modem to station: version u8 (1) | key-up u16, key-down u16, decode u16, in ms | speed u32, thousandths of real time | name u8+bytes
//	           station to modem: the same, with zeros but for version and name; it says which station this is
//	2 KEY      id u32 | waveform u8+name | data                station to modem
//	3 ABORT    id u32                                          station to modem
//	4 KEYED    id u32                                          modem to station, as the next four
//	5 SENT     id u32
//	6 LOST     id u32 | reason u8
//	7 CARRIER  on u8 (0, 1) | SNR i8 in dB (-128: not measured) | waveform u8+name, empty where only energy is heard
//	8 DATA     bytes, at least one
//	9 PING, 10 PONG   token u32; either end may ask, the other answers
//
// The first frame of both is HELLO and there is no other. Each KEY is answered by SENT or LOST, one at a time. Anything else ends the connection:
// unknown types, a body too long or too short, bytes left over, names that are not in the table, frames of the other direction.
//
// # Decisions where sources are silent
//
//   - The zero interleaver of 110A has no block. Here bytes come in portions of 0.2 s, the unit of its preamble.
//   - The preamble of STANAG 4539 is taken as 0.2 s (one level-setting block and the synchronisation part), of STANAG 4285 as two frames,
//     of the wideband set as 0.24 s.
//   - The wideband set is that of 24 kHz, eight times the rates of 3 kHz from 9,600 to 120,000 bit/s, interleavers of 0.12, 0.48, 1.92 and 7.68 s.
//   - A carrier is noticed after the first 0.6 s of a preamble, or at its end if it is shorter, and the waveform is known then: the
//     waveforms tell their rate in the preamble. For STANAG 4285, which does not, receivers are taken to be set to it.
//
// A modem that is gone stays gone: whoever runs a Port dials again, and knows from Lost what has to be sent again.
//
// Not in the room: D_PDUs, what is sent when, propagation (s5066/channel), and drivers of particular makers' modems.
package modem
