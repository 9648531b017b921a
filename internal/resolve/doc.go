// Package resolve finds out where to connect for an XMPP domain: SRV records of both kinds merged (RFC 6120 §3.2, XEP-0368), ordered
// as RFC 2782 asks, addresses interleaved and dialled as RFC 8305 asks, or a static route that never asks DNS about the domain.
//
// It never connects to a special address (loopback, link-local, multicast ...) or a port of another service because DNS said so, never
// follows more than MaxTargets targets, and never takes longer than Config.Total. DNS answers are hostile input (bad inputs G09, G10).
//
// It is the only importer of miekg/dns. Not in the room: TLS, DNSSEC, DANE, caches, back-off.
package resolve
