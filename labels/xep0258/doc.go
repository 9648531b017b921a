// Package xep0258 finds and reads the securitylabel of a message (XEP-0258), and writes the one that leaves.
//
// It reads one message at a time: the outer one or a wrapped one, each on its own. A securitylabel anywhere but as
// child of the message is refused; so are two, and one in presence, iq or an error. The content model is closed. The
// display marking is never believed: one that names a higher classification than the label refuses the message, any
// other is ignored and written anew from the policy. It does not decide access and knows no peer.
//
// Refusals carry the words no-label, label-count, label-misplaced, label-syntax, label-unknown, policy-unknown and
// label-mismatch. An empty label and a missing one are two states of their own: whether a default label stands in for
// them is for the caller to know.
//
// What is not inside yet: labels in pubsub publish requests and results (XEP-0314; refused as misplaced), bindings
// (STANAG 4778), IC-ISM and markings in the first line of text, catalogues, translation between policies.
package xep0258
