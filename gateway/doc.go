// Package gateway is one running node: it takes a configuration and makes the parts of
// Sallyport run together. It owns what is decided elsewhere but has to happen here: the
// way of a stanza from a link through [peering.Engine] and the audit log to an outlet,
// the conversation table of each domain pair, reload, and the commands of the control
// socket.
//
// Inside: the pipeline (pipeline.go, flight.go), the conversation table (conversation.go),
// making a policy and links out of a configuration (policy.go, link.go), reload, which
// never goes back to older security policies by itself (reload.go, history.go), status,
// explain and replay; answers in place of a peer (home.go), and what a requester hears when none
// came (unanswered.go).
//
// The server of this node (gate.go, local.go, clients.go, people.go) is a peer that is called local. What its users send takes the
// way of everything else, and so does what comes for them: judged, recorded, durable, and only then delivered. What the server says
// of what it keeps, to somebody who is connected to it (answers, pushes, presence of contacts, archived messages), is judged for that
// reader and not recorded: the record of the message itself exists, its reading changes nothing, and a record for each
// line of a roster would drown those that matter. What is refused to a reader is not told, and the server goes on as if it were not there.
//
// What the operations of the server change (package server/admin) is done by the running node. Where none runs, the command line does it
// with the same operations under the same check, and holds the audit log meanwhile, so that the record is one and no node starts beside
// it (stopped.go). A reload takes of the server what clientreload.go lists; with anything else it changes nothing, and names each key.
//
// Not inside: a decision. What may cross is said by peering; this package carries it out,
// in an order that never releases anything before its record is durable.
//
// Concurrency: links call Accept from their reader goroutines; the audit log calls
// Durable from its committer; links call Report from their own. A flight is touched by
// one of them at a time, in that order.
package gateway
