// Command demo shows Sallyport at work on one machine, for somebody who has never seen it: it starts "sallyport run" on
// the example configuration of examples/boundary with a private CA, plays the domains on either side of it over real
// TCP, TLS and SASL EXTERNAL, sends a handful of stanzas, and prints what became of each.
//
// What it prints it has seen: what the other domain received, the error that the sender got, the record in the audit
// log, and what the running node answers to explain. It makes no decision and knows of none beforehand.
//
// Then two servers of ours start, one on either side of the node, with an account each for the reader to log in to (people.go).
//
// Inside: the state folder (state.go), the node as a child process (node.go), a player for each domain (player.go, package testbed/player), the
// stanzas (script.go, stanzas.go), carrying them out (stage.go), and the print (show.go, screen.go).
//
// Not inside: anything a deployment needs. Keys lie about in the state folder.
package main
