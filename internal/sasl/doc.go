// Package sasl holds SASL mechanisms (RFC 4422) as XMPP uses them (RFC 6120
// §6): a mechanism is a value that turns the peer's message into ours. Here is
// EXTERNAL (RFC 4422 appendix A, XEP-0178), both sides; the password mechanisms
// come with the client-facing server.
//
// It never sees XML, sockets or certificates: which identities the channel
// proved is told to it. It never accepts an identity that was not told, and its
// zero values authenticate nobody.
package sasl
