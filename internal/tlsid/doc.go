// Package tlsid decides what a TLS certificate proves about an XMPP domain, and keeps our own certificates.
//
// crypto/x509 builds and checks the path; everything XMPP needs beyond that is here: the otherName identities XmppAddr and SRVName
// (RFC 6120 §13.7.1, RFC 4985), wildcard rules, pinned keys, key usage as policy, revocation lists from files, bounds on hostile
// certificates, and one typed Reason for every refusal, so that audit can name it.
//
// It never takes an identity from a common name (RFC 9525 §2), never looks at any certificate but the leaf for a name, and never
// fetches anything over a network. It refuses by being silent: the zero Verified proves nothing.
//
// In the room: Names, Policy and Verified; Trust (anchors and revocation lists); Keys and Store (our key pairs, reload); builders
// for tls.Config. Not in the room: DNS, DANE, sessions, logs.
package tlsid
