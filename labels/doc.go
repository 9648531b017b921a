// Package labels holds security policies, labels and clearances in one normal form, and answers the two
// questions that every labelled stanza meets: does the label obey its policy, and does the clearance cover it.
//
// # What it must never do
//
// It never grants on a doubt: a nil label, a nil clearance, another policy, an unknown value and the zero
// Decision all deny. It never reads the display marking, the colours, the hierarchy or the privacy mark to
// decide. It never logs, never blocks, does no I/O and knows no clock but the time handed to Validate.
//
// # The normal form
//
//	label     = policy, classification, set of (tag set, kind, number), privacy mark
//	clearance = policy, set of classifications, set of (tag set, kind, number)
//
// Every syntax (packages ess and nato4774) is read into it; two labels are equal when the normal forms are,
// not when their octets are. The kind is part of a value: a bitmap permissive value in a clearance does not
// satisfy an enumerated permissive value in a label.
//
// # The compiled policy
//
// Compile turns a PolicySpec (what package spif reads) into an immutable Policy: each category value has one
// bit, in document order, so that the values of a tag stand side by side. Resolving a label or clearance
// against the policy gives it the same bits, and the decision is three steps on words:
//
//	the class bit of the label is in the clearance
//	label & restrictive &^ clearance is empty
//	for each permissive tag: the label has none of its bits, or one in common with the clearance
//
// Permissive is per tag, not per tag set and not per name: two tags may share both (and do, in real policies).
//
// # What is not inside yet
//
// Translation between policies, label catalogues, dominant labels, and markings for places other than the
// bottom of a page. Policy signatures and version roll-back belong to the policy store.
package labels
