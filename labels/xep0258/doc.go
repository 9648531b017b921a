// Package xep0258 finds and reads the securitylabel of a message (XEP-0258), and writes the one that leaves.
//
// It reads one message at a time: the outer one or a wrapped one, each on its own. A securitylabel anywhere but as
// child of the message is refused; so are two, and one in presence, iq or an error. The content model is closed. The
// display marking is never believed: one that names a higher classification than the label refuses the message, any
// other is ignored and written anew from the policy. It does not decide access and knows no peer.
//
// # Which label counts
//
// The label, if it can be read under a policy that is known here, valid or not. If its syntax or policy is nothing to
// us, the equivalents beside it (and the alternatives of a STANAG 4778 binding) under the policies of which the sender
// is trusted to assert them; they must agree. A label that is present and could be read only in part, or not at all,
// is refused and never replaced, neither by an equivalent nor by a default. An empty label and a missing one are two
// states of their own: whether a default label stands in for them is for the caller to know.
//
// What was found says the syntax, which part spoke (label, equivalent n, empty) and, when asked, the SHA-256 of the
// securitylabel as received.
//
// # Refusals
//
// They carry the words no-label, label-count, label-misplaced, label-syntax, label-unknown, policy-unknown and
// label-mismatch.
//
// # What leaves
//
// Everything is written from the normal form. Privacy marks and equivalents are dropped unless the options keep or
// name them. A binding is never written: the label in it is sent bare.
//
// # What is not inside
//
// Which label belongs to which item of pubsub (package xep0314), catalogues (catalogue), text markings (textmark),
// translation (labels), the fields of room configuration forms, signatures of bindings.
package xep0258
