// Package churn has people come and go at random on the real program, while they talk, and looks that nothing is lost.
//
// It is tried on SQLite and on PostgreSQL, whose troubles are part of it.
//
// Inside: connections of three kinds (TCP, WebSocket, BOSH), a client on them with stream management, and the book of what was said and what
// became of it. Not inside: the server's own bookkeeping (server: TestNothingIsLost), disks that fail (testbed/killer).
//
// It must never count what nobody promised: what was not acknowledged may be lost.
package churn
