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
// Every syntax (packages ess, nato4774, icism and textmark) is read into it; two labels are equal when the normal
// forms are, not when their octets are. The kind is part of a value: a bitmap permissive value in a clearance does
// not satisfy an enumerated permissive value in a label.
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
// # Translation, markings, combinations
//
// A Translator turns labels of one policy into labels of another through the equivalences that policies state: the
// source must be valid, every value must map or be declared discardable, the result must be valid. What a deployment
// reads is its choice (Reading), never a guess. MarkingAt writes what people see, at every place and language of the
// policy. Dominant gives the label for a whole made of labelled parts, or says that a person must decide; Dominates
// compares two labels. Clearances can be intersected (RFC 5913) and are never united.
//
// # Several policies
//
// A Registry holds policies that are unlike each other in name and identifier. Check resolves in each what the others
// say of it. Replace is the rule for a successor: a higher version, or the same content (Digest); a step back and a
// change under the same version are refused. Classes, Tags, Equivalents and About tell what a policy holds, its rules
// in words.
//
// # What is not inside
//
// Syntaxes (packages ess, nato4774, icism, textmark), carriage in stanzas (xep0258, xep0314) and catalogues of labels
// (catalogue). Signatures of policies and of labels: whoever stores them verifies them. Sponsors, group membership and
// other ways to find out which clearance somebody has.
package labels
