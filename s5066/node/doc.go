// Package node is a whole STANAG 5066 node: the interface to clients, the procedures between nodes, channel access, data transfer and the modem,
// put together.
//
// # What is inside
//
//	config.go     Config and Default; what follows from the modem's figures
//	node.go       Node, the pure machine: inputs, time, how the layers are brought to rest after each input
//	clients.go    what clients want (s5066/sis)
//	queue.go      U_PDUs that have not ended
//	requests.go   where each one goes next, and what became of it
//	links.go      what channel access and hard links say (s5066/cas, s5066/spdu)
//	deliver.go    what other nodes sent
//	air.go        when to key: turns, listening first, random waits; the modem's events
//	manage.go     what another node is asked for by order: data rate, order wire; and its answers
//	managers.go   clients of rank 15 (s5066/manage)
//	event.go      what an operator may want to know
//	status.go     Status and Stats
//	capture.go    the hook through which all primitives and frames pass
//	run.go, clock.go   Runner and Run: sockets, the modem, timers
//
// # What it must never do
//
//   - Key while it hears somebody, before a heard EOT has run out, or in EMCON.
//   - Confirm to a client what the standard does not let it confirm, or end a request twice.
//   - Make a link with, or give a client anything from, a node that is not permitted. The zero Config permits none.
//   - Keep more for anybody than Config says.
//
// # Who keys when
//
// A node that was spoken to last answers at once. Everybody else waits until the one that was spoken to would have begun: one slot, which is what
// it takes to notice that another station has begun. Where more than two stations were heard lately, or nothing was understood of what has just
// ended, a random number of slots comes on top, drawn anew after each transmission heard. On a channel that has been free for longer nobody waits.
//
// What two nodes key within a slot is lost. Both notice it by the silence where an answer should begin, and then the data transfer sublayer says
// who goes first (s5066/dts, Backoff); channel access waits by the same rule. A BREAK that got lost waits behind data.
//
// # Decisions where the standard is silent
//
//   - A U_PDU whose link ends before the other node can have had all of it is sent again on the next link. One that may have arrived is rejected with
//     reason 3 (no answer): the node never makes a second copy of what a client gave it once.
//   - Requests of a client that has gone are dropped if they asked for a confirmation and have not been given to the data transfer sublayer: nobody is
//     left to believe in them, and the client will ask again. Others go on.
//   - A time to die is sent only if the client named a lifetime shorter than the node's longest. What is older than it on receipt, by more than
//     Config.ClockSlack, is discarded in silence: there is no reason code for it in an S_PDU.
//   - A refusal because of an exclusive link or a pending request is not passed to clients; the call is made again after a pause, while the requests live.
//   - A soft link lives for minutes without data: making one takes two turns, and ending one may meet data of the other node.
//   - In EMCON requests wait, and the wait counts against their lifetime. Answers to calls are not kept.
//   - Managers are clients of rank 15; Config.SIS.MaxRank is below it by default. What another node is asked for by order is refused in words where this
//     node knows better (no link, silence, a rate that it does not have), else it ends with the other node's answer, its refusal, or the end of the link.
//     Without rate control in the other node the answer is reason 4. Loss may change an agreed rate again.
//   - With-errors delivery is for clients whose bind says so; an S_PDU does not tell which mode its sender chose.
//
// Not inside: the layers themselves, configuration files, logs. Outside of Runner nothing has a goroutine, a clock, or I/O.
package node
