// Package dts is the data transfer sublayer of STANAG 5066 (Annex C) as one pure machine: C_PDUs in, trains of D_PDUs out, D_PDUs in, C_PDUs out.
//
// # How it is driven
//
//	m.Connect, m.Disconnect   what the channel access sublayer says of links
//	m.Send                    a C_PDU to deliver
//	m.Heard, m.Carrier        what the modem receives
//	m.Want, m.Train, m.Keyed  may and should this node transmit; what; it has been sent
//	m.Deadline, m.Tick        time
//
// Every input gives the events it caused. One goroutine owns a Machine.
//
// # What is inside
//
//	config.go, timing.go       Config; Timing: what follows from rate, interleaver and modem, never hard-coded
//	request.go, event.go       what goes in and what comes out
//	machine.go, heard.go       Machine, and which frame does what in which state (C.15)
//	remote.go, state.go        what is kept of each node
//	turn.go, contend.go        whose turn it is; who goes first after two have keyed at once
//	train.go                   what is keyed, its EOT, its acknowledgements
//	queue.go, sendwindow.go    C_PDUs by precedence, segmentation, selective repeat: the sending half (C.7, C.9)
//	data.go                    which frames of types 0 and 2 are keyed next
//	receivewindow.go           the receiving half, reassembly
//	segment.go                 the size of segments follows the loss
//	expedited.go               stop and wait, per C_PDU (C.10)
//	resync.go                  resets and resynchronisation (C.8)
//	management.go, rate.go     messages with acknowledgement (C.12), change of data rate with hysteresis (C.14)
//	order.go                   a change of data rate by order
//	broadcast.go, reassembly.go  non-ARQ, sending and receiving (C.11)
//	warning.go, status.go      WARNINGs; figures for the operator
//
// # What it must never do
//
//   - Tell a sender that a C_PDU was delivered when the receiver has not handed all of it up.
//   - Hand a C_PDU up twice while a link lives, or out of order where order was asked for.
//   - Transmit before a heard EOT has run out, or longer than it announced.
//   - Answer a WARNING, or what is not addressed to this node.
//   - Keep more than Config allows of anything: remotes, queued bytes, partial C_PDUs, warnings, resets.
//
// # Decisions where the standard is silent or wrong
//
//   - A link that is made starts with fresh windows; fragments never cross links. C_PDUs that were under way when a link is made again are
//     sent again from their first segment, because the other node has lost its memory.
//   - Confirmed means that RX LWE of the peer has passed the last segment. A selective acknowledgement does not confirm: a reset would flush it.
//   - Failed synchronisation tests: one frame out of step may be a repetition from long ago and is discarded. The third in a row asks for
//     resynchronisation. A window command names a START only; where the window begins inside a C_PDU a full reset is made instead.
//   - A C_PDU whose last frame was keyed for the first time in the transmission that a WARNING "not connected" answers is not in doubt: it was heard
//     without a link.
//   - Of a full reset the sender hears Rejected with Reset, and InDoubt if the peer may have had all of it. Commands are obeyed four times a minute.
//   - ARQ fragments wait as long as their link lives, because they were acknowledged; a START that comes too early, a DROP, or a length over the limit discards them.
//   - IDLE(C) is DATA(C) with empty queues: an acknowledgement that comes late causes no WARNING while the link lives.
//   - Reason 1 is sent for connection-related frames of a node without a link.
//   - The acknowledgement of EXPEDITED DATA names no C_PDU. It is believed only after a transmission that carried the C_PDU has ended.
//   - A rate request is refused with reason 4 where rate control is off, with reason 2 for a rate that is not configured or asked for too often.
//   - WARNING reason 1 ends the link and keeps its C_PDUs: they are sent again on the next Connect, or rejected by Disconnect.
//   - After a transmission the machine waits Timing.Latency beyond the EOT before it answers: the modem still gives out what came last.
//   - The answer to a FULL RESET has no ID: one that is late is not sent, and one to a command that was not keyed is ignored.
//   - IN-ORDER holds a C_PDU behind all earlier ones that are IN-ORDER, of whatever precedence: that is how the flag is defined. So what is behind
//     lends its precedence to what it waits for.
//   - Who is not answered waits a whole number of slots before it repeats: of two nodes alone the one with the lower address goes first, so that they
//     collide once; among more all draw. Whoever is spoken to meanwhile answers, with all it has.
//   - An EOT may tell half a second too much, and a block hides where in it a frame began. Where the modem tells the end of the carrier, it ends that doubt; an EOT
//     that has much longer to run stands, for the sender may only have faded.
//   - Segments of a C_PDU may differ in size: they are about the same, and what is left of a transmission is filled with a shorter one.
//
// Not inside: links and their handshake (s5066/cas), who may use the channel when nobody speaks (s5066/node), bytes (s5066/dpdu). Nothing here has
// a goroutine, a clock, or I/O.
package dts
