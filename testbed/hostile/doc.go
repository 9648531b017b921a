// Package hostile holds the end-to-end tests of hostile input: a real node (package gateway, run in this process) between
// servers of the test's own, and attackers that speak bytes to it. It has no code of its own.
//
// Inside: one subtest of TestHostile for each numbered entry of the list of hostile inputs that concerns server-to-server
// streams (surface S) or the pipeline (guard), each variant a case of its own, with the one outcome that the list demands.
// A file for each group has its rows; elsewhere_test.go says for the other entries what they come with.
//
// # How a case runs
//
// A lane is a domain below evil.example with a connection of its own for fences, on which one case runs at a time. A case
// logs in from an address of its own (127.16.0.0/12), says a good message, the bad bytes and another message: in one write,
// in single bytes, and cut at random. Whatever the outcome, a fence (a message over the lane's own connection to the same
// receiver) tells when everything that would be delivered has been.
//
// # What is always true
//
// The eight rules at the head of the list are checked around the cases:
//
//  1. always_test.go counts goroutines and descriptors at the end of each group; goleak does at the end of all.
//  2. flow_test.go has two bystander flows that run from the first case to the last.
//  3. case_test.go wants the message before the bad bytes once, the one after them never.
//  4. Every refused input bears a mark; tap_test.go looks for it in every encoding in everything that was said to anybody, logged or
//     recorded.
//  5. case_test.go reads the audit log: one record, with reason, peer and size, and with a digest where there was an element.
//  6. weigh_test.go stops in the middle of large inputs and weighs the heap; always_test.go weighs it at the end of each group.
//  7. secrets_test.go looks for keys and credentials in the log.
//  8. Each case of groups A to C runs under three splits and must end the same.
//
// # Adding a row
//
// Add it to the table of its group with a name that begins with its number. An input may use the words $FROM, $TO, $ID,
// $MARK and $LABEL; message wraps a fragment in a valid message. The outcomes are streamError, stanzaError, deny and accept.
package hostile
