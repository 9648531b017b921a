// Package capture writes what Wireshark reads: pcap files of the S_primitives between clients and a node, and pcapng files of the D_PDUs on the air.
//
// # What is inside
//
//	pcap.go      a file format: AppendHeader, AppendRecord
//	pcapng.go    the other one, whose packets say who transmitted and what is wrong: AppendSection, AppendPacket
//	tcp.go       Stream: packets made by hand around the bytes of one TCP connection (link type 101)
//	frames.go    Frames: cuts what a modem keys or hears into one packet for each D_PDU (link type 237)
//	series.go    Series: files of bounded size, a bounded number of them
//	recorder.go  Recorder: both kinds for a running node, written by a goroutine of its own
//	tap.go       Switch: on and off while the node runs; Tap, a connection that is listened to
//
// Wireshark has dissectors of its own for both: s5066sis, which takes TCP port 5066, and s5066dts. A node that listens on another port can be written
// as if it were 5066 (Options.StandardPort), else "-d tcp.port==PORT,s5066sis" tells Wireshark.
//
// # What it must never do
//
//   - Hold up the node: a Recorder has a bounded queue, and what does not fit is dropped and counted.
//   - Write over a file that is there, or fill a disk: the size of a file and their number are bounded, the oldest of its own goes first.
//   - Let others read what was recorded: files are for their owner alone, because they hold every message in the clear.
//
// # Decisions
//
//   - Connections are recorded from the moment of switching on, without a handshake; sequence numbers begin at 1 on either side. An end of the
//     connection is a FIN of either side.
//   - What is heard is recorded as it came from the modem, damaged frames too, with a comment that says what is wrong and the flag for a bad checksum:
//     a segment that is not as it was sent, a header that is not (then the header alone, for its length cannot be believed), a frame that broke off.
//     Wireshark calls such checksums incorrect, which is the truth. Bytes without a sync word before them are not recorded: the link type has one D_PDU a
//     packet.
//
// Not inside: a reader of such files; tshark is one.
package capture
