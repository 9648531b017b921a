// Package server is the IM server: who is connected, what is delivered to whom (RFC 6121 §8), and the features that
// people's clients expect. It is a neighbour of the policy core like any other: what its clients send goes through a
// [Gate], which judges and records it, and what it delivers is a [peering.Released].
//
// Inside: [Server], which knows the resources of each account and routes; the contract between it and its features
// ([Feature], [Request], [Answer], [Passing]).
// Not inside: sockets and streams (server/c2s), SQL (server/store), what a feature does (a package of its own below this
// one), a decision about labels (peering).
//
// It must never write a stanza to a client that the gate has not released to that account, never say that something is
// delivered before the archive or the offline store has it durably, and never let one slow client hold up another.
//
// # The way of a stanza
//
//	client ─ c2s.Session ─▶ Server: from is stamped, requests to the own account and domain are answered here
//	       ─▶ features see what goes out (archive) ─▶ Gate.Submit ─▶ judged, recorded ─▶ a link, or
//	Gate ─▶ Server.Deliver(Released) ─▶ features see what comes in (blocking, archive) ─▶ resources by RFC 6121 §8.5, carbons, offline
//
// What the server says itself (answers, roster pushes, presence of contacts, what was archived) is an arrival from
// itself, judged by Gate.Release.
package server
