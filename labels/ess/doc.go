// Package ess reads and writes ESSSecurityLabel (RFC 2634 section 3) and Clearance (RFC 5755 and RFC 3281) octets.
//
// Reading accepts DER and the forms of BER that other encoders produce: indefinite and long lengths, members in any
// order, bit strings with trailing zeros, a category value in a primitive [1]. Category syntaxes are ACP-145(A),
// SDN.801c (labels) and SSLPrivileges (clearances). Everything else is refused, above all an unknown category syntax:
// a restriction that is not understood is never skipped. Writing is DER with the ACP-145 syntaxes, always from the
// normal form, so that nothing of the octets received reaches the other side.
//
// What is not inside yet: writing SDN.801c for peers that need it, certificates and CMS that carry these values,
// AuthorityClearanceConstraints (RFC 5913), local RBAC values and tag type 5 of SDN.801 (refused).
package ess
