// Package cas is the channel access sublayer of STANAG 5066, type 1 (Annex B): C_PDUs, and the machine that makes and breaks the links with
// other nodes.
//
// # What is inside
//
//	cpdu.go      CPDU, Append and Parse (B.1)
//	config.go    Config
//	event.go     what the machine tells
//	machine.go   Machine, its inputs, time
//	heard.go     what each C_PDU does in each state (B.3, B.4)
//
// # What it must never do
//
//   - Answer a request of a node that is not permitted with anything but a refusal, and that more often than once in ten seconds.
//   - Take a link as made without a request, or its acceptance, of that very node.
//   - Have more links than Config says, or more than two exclusive ones.
//
// # Decisions where the standard is silent
//
//   - The wait for an answer begins when the question has been keyed, or when a carrier that was heard meanwhile has ended, and has a part that
//     differs from node to node: two that called at once call again at different times.
//   - A request that meets our own call is accepted, and our call has succeeded by that.
//   - A request of a linked node is a repetition, answered again, as long as nothing of this link has been heard from it and its kind is the
//     same; otherwise that node has restarted, and the link is made anew.
//   - A link that nobody sends data over is dropped by the called node after First, in silence: the acceptance was lost.
//   - A link that is ended for want of data lives until the other node has confirmed that, or has not answered. If data of it come instead, that node
//     did not hear the BREAK: nothing of what is under way is lost.
//   - BREAK is answered whoever sends it, if permitted; it ends only the link with its sender. Reasons up to 15 are taken, 0 to 4 are sent.
//   - ACCEPTED that answers no call of ours is ignored: both ends would not begin with the same windows.
//   - Link control is heard only in the service that it is sent in, expedited non-ARQ, and only if addressed to this node alone.
//
// Not inside: frames and windows (s5066/dts), why a link is wanted and when it is idle (s5066/spdu), when to key (s5066/node). Nothing here has a
// goroutine, a clock, or I/O.
package cas
