// Package server is the IM server: who is connected, what is delivered to whom (RFC 6121 §8), and the features that
// people's clients expect. It is a neighbour of the policy core like any other: what its clients send goes through a
// [Gate], which judges and records it, and what it delivers is a [peering.Released].
//
// Inside: [Server], which knows the resources of each account and routes; the contract between it and its features
// ([Feature], [Request], [Answer], [Passing]).
// Not inside: sockets and streams (server/c2s), SQL (server/store), what a feature does (a package of its own below this
// one), a decision about labels (peering).
//
// It must never write a stanza to a client that the gate has not released to that account, never say that something is
// delivered before the archive or the offline store has it durably, and never let one slow client hold up another.
//
// # The way of a stanza
//
//	client ─ c2s.Session ─▶ Server: from is stamped, requests to the own account and domain are answered here
//	       ─▶ features see what goes out (archive) ─▶ Gate.Submit ─▶ judged, recorded ─▶ a link, or
//	Gate ─▶ Server.Deliver(Released) ─▶ features see what comes in (blocking, archive) ─▶ resources by RFC 6121 §8.5, carbons, offline
//
// What the server says itself (answers, roster pushes, presence of contacts, what was archived) is an arrival from
// itself, judged by Gate.Release.
//
// What comes to an account is dealt with one after the other (user.in), what is said for it to others as well (user.out); no account
// waits for another, and nothing that comes waits for the gate to have room. What a client sends is dealt with in its order, too, while
// its reader goes on as far as there is room (resource.line); messages that stand next to each other, there or among what comes to an
// account, go through the features together, so that one change of the store, and one fsync, keeps all of them. Where the features were
// quick with the last messages of a client, nothing is kept, and its reader takes the next ones to the gate itself.
//
// # Features
//
// Those that see what passes are given to [New] in this order; Core may be asked once New has returned.
//
//	blocking.New(Config)             XEP-0191; first: nothing of who is blocked is kept or counted
//	mam.New(Config)                  XEP-0313, 0359, 0441, 0424: archives of accounts
//	push.New(Config).Feature()       XEP-0357; closed by who made it
//	invite.New(Config).Feature()     XEP-0379, 0401; its Commands are given to command.New, the Book to register
//	pep.New(Config).Feature()        XEP-0163; Changed: avatar's Published; Items and Info are for disco; closed by who made it
//	avatar.New(Cards).Feature()      XEP-0398; Events is set to what pep.New gives
//	entity.Ping, Time, Version, Last XEP-0199, 0202, 0092, 0012
//	vcard.New(Config)                XEP-0054; Changed: avatar's and search's Carded
//	bookmarks.New(Store).Feature()   XEP-0402, 0411; Events is set to what pep.New gives; Published and Taken are told by pep, Stored by private
//	private.New(Store, changed)      XEP-0049
//	profile.New(Events)              XEP-0154, of what pep.New gives
//	search.New(Store).Feature()      XEP-0055
//	register.New(Config).Feature()   XEP-0077: passwords and removal; Fields and Create are for streams before login
//	upload.New(Config)               XEP-0363: Feature, an http.Handler, Form for disco, Expire now and then; closed by who made it
//	extdisco.New(services, now)      XEP-0215
//	command.New(now, commands...)    XEP-0050: Feature, and Items and Info for disco's nodes of a domain
//	admin.New(Config).Feature()      XEP-0133; its Commands are given to command.New, its List to who permits and records
//	disco.New(Config)                XEP-0030, 0115, 0390; last: it tells of the others; Caps are for features of streams
//
// component.New(Config) is no feature: it serves a listener of its own (XEP-0114) and delivers what the gate releases for its domains.
//
// # Decisions
//
//   - A message for a bare address goes to every available resource whose priority is not negative; so do copies (XEP-0280) to the rest.
//   - Delivered is what was written to a client, answered to its request (BOSH) and asked for no more, or kept. What a client with stream management has not acknowledged when its session is
//     over goes to another one, into the offline store, or back to its sender. What only sessions hold that wait to be resumed is kept
//     until they have come back for it: what comes then before its sender is told that it has arrived, what was written before as soon as the
//     connection is lost. After a crash only what is kept is there; the archive keeps before anybody is given anything.
//   - What waits offline is dropped when a client has acknowledged it, and judged again for each reader. Who is not cleared for it today
//     does not get it; it goes on waiting. A client is given no more of it at once than half of what it may leave unacknowledged, and what
//     can wait comes behind it.
//   - Everything that nobody takes is refused with the same service-unavailable: no account, a disabled one, one that blocks the sender,
//     one whose store is full. A probe of a stranger is answered with unsubscribed, whether or not there is an account; one of who is
//     blocked is not answered. Messages that are kept are the exception: no error says that there is an account. RFC 6121 §8.5.1 would
//     leave only silence, and with it messages that are nowhere.
//   - Requests for a client are given to it whoever asks, as elsewhere: people call, and send files to, those who are not their contacts
//     yet. RFC 6121 §8.5.3.1 would have them refused. The one that is for nothing else but to learn who is there (XEP-0012) is.
//   - Presence between accounts of this server goes past the record and the queues, judged by Gate.Release. For one listener it waits
//     until the messages that were said to him before have arrived; requests it may overtake. Who sees whom is right whoever was faster:
//     each resource tells one listener after the other its last word.
//   - Members of a group are contacts of each other: who is connected when it changes is told at once if the server is told (Regroup),
//     else within a minute. They are again after they were removed from a roster, from the next login on; who leaves a group stays in rosters.
//   - A copy of what a client sends (XEP-0280) is shown to the others where the policy would release it then. A message that is held, and
//     released later, is not copied.
//   - Who sends faster than the configuration lets a client, an account or an address is refused each stanza with policy-violation of
//     type wait, and disconnected when he goes on. By default there is no such rate: whoever sends faster than is taken is held back.
//   - When an account is removed its subscriptions end on both sides, and its features forget it: whoever has the name next is somebody
//     else. Where no node runs (the command line alone) its contacts are not told.
//   - Clients that nobody looks at (XEP-0352) get the last presence of each address, and the last word on who types, before the next
//     thing that matters.
package server
