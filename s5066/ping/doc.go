// Package ping measures how long a U_PDU takes to another node and back: a client of a STANAG 5066 node that asks, and one that answers.
//
//	message.go  the U_PDUs: our own, there is no standard for them
//	pinger.go   Pinger: what was asked, what came back, as a plain type without a clock
//	run.go      Run and Respond over a client's connection
//
// A question is "SPPG" | number u32 | filler, an answer "SPPR" and the rest of the question. Numbers are big-endian. Without acknowledgement (non-ARQ)
// a question may be lost; with it, the node says in addition when the other node had all of it.
//
// It must never answer an answer, nor what is not a question, nor a group: two responders would talk for ever, and many would answer at once.
//
// Not inside: what the measured times mean for a given rate (s5066/modem says how long bytes take).
package ping
