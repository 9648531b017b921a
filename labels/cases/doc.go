// Package cases fills in tables of label cases, so that two implementations, or two versions of a policy, can be
// compared row by row.
//
// A table is text with one case a line, columns separated by tabs, a header line first. Of a row, the columns id, kind,
// group, policy, label, clearance, lang and target are the question; status, valid, acdf, decision, marking,
// clearance_marking, basis and note are the answer. There are three kinds of rows:
//
//	pair       a label and a clearance: can both be read, is the label valid, does the clearance cover it
//	mark       a label and a language: the display marking
//	translate  a label and a target policy: what it becomes there
//
// # What it must never do
//
// It never reads outside the data it is given: a path that leaves it is an unreadable file. It takes the time of every
// answer from its caller, and it has no opinion of its own: all answers are those of package labels.
//
// # What is not inside
//
// Stanzas: what a boundary does with a labelled message depends on its peers, not on a label and a clearance.
package cases
