// Package ess reads and writes security labels and clearances in ASN.1: ESSSecurityLabel (RFC 2634 §3, the octets of
// X.411 and X.841) and Clearance (RFC 5755 §4.4.6, and with the tags of RFC 3281), and takes them out of what carries
// them: certificates, attribute certificates, CA constraints (RFC 5913), directory attributes and CMS messages.
//
// # What is accepted
//
// Values may be DER or the forms of BER that other encoders produce: indefinite and long lengths, members in any order,
// bit strings with trailing zeros, a category value in a primitive [1]. ParseLabelDER is for senders that must not.
// Category syntaxes are ACP-145(A), SDN.801c in labels and SSLPrivileges in clearances. Everything else is refused,
// above all an unknown category syntax such as the text of RFC 3114: a restriction that is not understood is never
// skipped. In an attribute with values for several policies only the value that has it is refused, and named.
//
// # What is written
//
// DER, always from the normal form, so that nothing of the octets received reaches the other side: categories of
// ACP-145, or SDN.801c and SSLPrivileges for a peer that needs them. The latter do not carry whether a number restricts
// or permits; a policy that has both in one tag set cannot be written so.
//
// # What it must never do
//
// It never takes a clearance or a label for proven. Whether a certificate, its path, or the signature of a message holds
// is for the caller to say first; AttributeCertificate.Verify and HeldBy say it for attribute certificates, and
// PathClearance bounds a clearance by a path that crypto/x509 has verified. It never grants where two values speak for
// one policy, nor where a certificate above does not name the policy.
//
// # What is not inside
//
// Signatures of CMS messages; revocation, targets and delegation of attribute certificates, and RSA-PSS on them; local
// RBAC values and tag types 3 and 5 of SDN.801 (refused); the security level inside an SDN.801c tag (ignored: no policy
// file has a place for it); the sponsor of a clearance.
package ess
