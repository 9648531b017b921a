// Package spif reads Open XML SPIF files (security policy information files, schema 1.0 to 2.1) into compiled
// policies.
//
// It reads documents that an operator installed, never the wire. What it does not understand it reports: an element
// that is unknown refuses the file, because it may be a rule; an unknown attribute is a warning. Real files break the
// published order and leave out required attributes; that is accepted (each such place says so).
//
// A document type declaration, a file that is not well-formed, schema 3.0 and tag type notApplicable are refused.
//
// What is not inside yet: equivalences with other policies (their elements are known and skipped), signatures, and
// the NATO extensions, which list memberships and take no part in a decision.
package spif
