// Package labelproof holds the label engine against a second implementation of the same rules.
//
// The second one (naive_test.go) reads policies with another parser, keeps sets in maps, and follows the text of the
// rules word by word: it shares no line, no table and no data structure with package labels. Policies, labels and
// clearances are invented at random from a seed; each must get the same two answers from both. The policies of the
// test data take part too. A run that disagrees prints the policy, the label and the clearance, and its seed.
//
// The numbered cases of the label rules are here as well, each under its number: decisions, policies, readings, what is
// shown and translated, and (stanzas_test.go) whole stanzas through the engine of package peering.
//
// What is not inside: expected results made by hand or with other products (labels/testdata/expected.tsv, tested in
// package labels).
package labelproof
