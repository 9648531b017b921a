// Package labelfile reads labels and clearances from files in any of their syntaxes and writes them in any other.
//
// A file says itself what it is: ESSSecurityLabel and Clearance (RFC 2634, RFC 5755; octets, base64 or hexadecimal),
// STANAG 4774 elements, a securitylabel (XEP-0258), a whole stanza, LDIF lines with the attributes of a directory, and
// the debug format of the spiffing library. Parse finds the syntax or takes the one it is told; what it finds is only
// the form the syntax carries, so that a file can be looked at without a policy. A policy gives it its meaning: the
// methods Label and Clearance of File.
//
// # What it must never do
//
// It never guesses between two readings: a file with two labels, or with two clearances under one policy, is refused
// when one is asked for. It never reads the debug format unless it is told to, because that is a test format. It is for
// files that an operator hands over; what travels is read by package xep0258.
//
// # What is not inside
//
// Signatures: a certificate or a signed message is opened, not verified; who issued it is for the one who hands it over
// to know. Catalogues are in package catalogue, policies in package spif.
package labelfile
