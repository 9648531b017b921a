// Package manage is what our nodes and their managers say to each other in S_MANAGEMENT_MSG_REQUEST and S_MANAGEMENT_MSG_INDICATION.
//
// STANAG 5066 defines the two primitives (a message number and a body), that a node takes the first from clients of rank 15 alone, and nothing of what
// they contain: number and body are each node's own affair (A.6, A.7). This is ours; no compatibility with any other node is claimed, and a manager of ours
// that asks another vendor's node gets no answer.
//
// # What is inside
//
//	message.go   Request, Answer, Event and their numbers; AppendRequest, ParseRequest, AppendAnswer, ParseAnswer, ...
//	status.go    Status, which answers a question for it
//
// # What is said
//
// Every body is one JSON object in UTF-8. A request (number 1) names what it wants, and carries a number by which its answer is known:
//
//	{"id":7,"verb":"status"}                                       the node as it is
//	{"id":8,"verb":"watch","on":true}                              tell from now on what happens to links, modem and modes
//	{"id":9,"verb":"rate","rate":600}                              transmit at another rate from now on
//	{"id":10,"verb":"rate","rate":600,"remote":"1.2.3.4"}          agree with the other node on another rate, for both (C.14)
//	{"id":11,"verb":"message","remote":"1.2.3.4","type":8,"data":3,"extended":"0a0b"}   an order wire message in a type 6 D_PDU (C.12, C.13)
//	{"id":12,"verb":"emcon","on":true}                             radio silence
//
// Each request has one answer (number 2), when its outcome is known. That takes as long as the other node does, where one is asked; requests may
// therefore be answered in another order:
//
//	{"id":7,"ok":true,"status":{...}}
//	{"id":10,"ok":false,"why":"1.2.3.4 refuses: neither rate nor interleaver can change"}
//
// A watcher is told events (number 3) as they happen:
//
//	{"time":"2026-11-22T08:00:00Z","kind":"link up","remote":"1.2.3.4","text":"nonexclusive, called"}
//
// What cannot be read as a request is answered with id 0 and ok false. Unknown keys are ignored, an unknown verb is refused.
//
// # What it must never do
//
//   - Carry anything of what clients send each other.
//   - Take a body that is larger than MaxBody, deeper than its shape, or followed by anything.
//
// Not inside: who may ask and what is done (s5066/node), sockets (s5066/sis).
package manage
