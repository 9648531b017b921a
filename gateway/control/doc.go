// Package control is the one way to talk to a running node: a Unix socket that carries
// one JSON object a line, question and answer in turn.
//
//	{"verb":"peer.show","args":{"name":"b"}}
//	{"ok":true,"result":{...}}
//	{"ok":false,"error":{"code":"denied","text":"..."}}
//
// Who asks is what the kernel says (SO_PEERCRED), never what the question says. Each verb
// names the least role that may use it; a verb without one is refused to everybody. A
// verb that changes something is recorded before it runs, and does not run when the
// record cannot be made; so is every question that was denied.
//
// The same check stands before whoever operates the node by other ways ([Desk]): administrators who are logged in as clients
// ask it as the socket does, so that there is one place that permits and records.
//
// Inside: the server, the table of verbs ([Verbs]), the client, and the shapes of the
// answers. Not inside: what the verbs do, which is the gateway's ([Node]).
//
// The package must never widen a role on error, answer before the role is checked, or
// hold anything without a bound: questions, answers, connections and times have one.
package control
