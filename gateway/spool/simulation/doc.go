// Package simulation proves the spool: two nodes with real spools on disks that fail, clients that insist, two links that
// lose, delay, double, corrupt and overtake each other, all in virtual time and out of one seed.
//
// # The world
//
// Each node has clients that number what they say and repeat it until the node has taken it, and a consumer, which is a
// neighbour that cannot be asked what it has. Between the nodes runs the custody protocol of package links in its smallest
// form: greeting with marks, consignments, cumulative acknowledgements. A world is a sequence of small events drawn from
// the seed: a client speaks, a commit happens, a frame arrives, a link is cut, a process is killed, the power goes in the
// middle of an I/O call, a disk is full, a sync fails. Then all faults end, and everything has to drain.
//
// # What has to hold
//
// After every event the sum law of each spool. At every recovery: what was accepted is there. At the consumer: nothing
// twice, and each conversation in order. In the end: what a node confirmed to another was delivered there once, or is
// accounted for there; what it did not confirm is accounted for at home; what the disk recovered from was never damage.
//
// The same worlds with a planted [Fault] have to fail, or the proof is worth nothing.
//
// Not in the room: product code. This package imports a disk for tests, and nothing imports it but tests and
// testbed/simulate.
package simulation
