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
// Not inside: a decision. What may cross is said by peering; this package carries it out,
// in an order that never releases anything before its record is durable.
//
// Concurrency: links call Accept from their reader goroutines; the audit log calls
// Durable from its committer; links call Report from their own. A flight is touched by
// one of them at a time, in that order.
package gateway
