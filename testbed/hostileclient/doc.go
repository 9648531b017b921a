// Package hostileclient holds the tests of hostile input from people who log in: a running server/c2s on loopback and the program itself, and
// attackers that speak bytes to them over TCP with TLS and in WebSockets. It has no code of its own.
//
// Inside: one row for each numbered entry of the list of hostile inputs that concerns the surfaces C (client stream) and W
// (WebSocket) or the groups of SASL and stream management, each variant a case of its own, with the one outcome that the
// list demands. A file for each group has its rows; elsewhere_test.go says for the other entries what proves them; covered.md
// is the list of both, written by `go test ./testbed/hostileclient -update`.
//
// # How a case runs
//
// A case logs in from an address of its own (127.0.0.0/8), says a good message, the bad bytes and another message: in one
// write, in single bytes, and cut at random; and, where the input is one element, as a message of a WebSocket. What is
// behind the edge sends every message back to who sent it, so that the client sees what was taken and how; with the program that is
// somebody else who has logged in (program_test.go). Two bystanders talk to them from the first case to the last (calm_test.go): they lose nothing, and
// wait for no answer longer than the machine explains. What attackers cost is the memory of the program (weigh_test.go), beside cases
// that hold as much of it as they may. What the audit was told is asked of the edge as it is told, and of the program by its audit log.
package hostileclient
