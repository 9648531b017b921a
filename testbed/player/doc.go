// Package player is an XMPP domain in a demonstration: a server of a few users, on a real socket with real TLS and SASL EXTERNAL, that has a gateway
// for its only neighbour. Its users send what they like, and what arrives for them can be waited for.
//
// # What is inside
//
//	player.go   Player: sends, receives, answers what every server is asked
//	policy.go   the policy of a server that lets everything go
//	stanza.go   stanzas as text, with and without a label
//
// What it must never do: hold anything back, or be used for anything but demonstrations and their tests. Everything that arrives is kept.
//
// Not inside: the gateway, certificates, what is said.
package player
