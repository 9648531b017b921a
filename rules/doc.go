// Package rules decides about the shape of stanzas (stage 3, Profile) and about what the operator's rules say of them
// (stage 4, Set).
//
// A Profile is an allow-list: stanza kinds and types, elements by namespace and name and place, attributes, text, sizes,
// depth, Unicode. What is not on the list is refused (strict) or removed (strip). A Set is an ordered list of rules on
// top: refuse, strip, fold, rewrite, mark, relabel, hold, rate, allow. Both are compiled once, never change, and may be used by
// any number of goroutines.
//
// The package is pure. It never blocks, logs, or looks at a clock; counters that a rule needs come in with the Input
// and go out with the Outcome. It never repairs: a forbidden character refuses the stanza, it is not cut out.
//
// # Refusals
//
// Profile.Check refuses with a Reason: profile, iq-kind, unicode-policy, wrapped, encrypted, depth, size, empty. These
// are the words of the audit. Set.Apply refuses with the rule's id, a stanza condition, and a sentence on what would
// have allowed the stanza.
//
// What is inside a carrier (a forwarded or archived stanza) is no matter of the outer profile: Wrapped lists it, and the
// caller judges each as a stanza of its own. A carrier that the profile does not name is refused whole.
package rules

// Problem is one mistake in a profile or a rule.
type Problem struct {
	ID   string // of the profile or rule; "rule 3" where it has none
	Key  string // the TOML key inside, as element[2].text
	Text string // what is wrong and what would be right
}

// String gives the three parts in one line.
func (p Problem) String() string {
	if p.Key == "" {
		return p.ID + ": " + p.Text
	}
	return p.ID + ": " + p.Key + ": " + p.Text
}
