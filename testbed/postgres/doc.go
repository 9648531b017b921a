// Package postgres starts PostgreSQL from Debian's package as a child of a test: a cluster of its own in a directory of
// its own, that listens on a Unix socket there and nowhere else, run by a user who may do nothing else.
//
// It never touches a cluster of the machine, and its child cannot outlive the test. Where PostgreSQL is missing, starting
// fails and names the script that installs it; nothing is passed over.
package postgres
