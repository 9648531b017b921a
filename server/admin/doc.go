// Package admin is what administrators do with a running server: accounts, sessions, rosters, words to everybody. It has each
// operation once, for the control socket and for clients (XEP-0133 as commands of XEP-0050).
//
// Inside: [Operations], a table of [Operation]s with the role that each needs; [Commands], the forms of XEP-0133 and of ours in front
// of them; [Operations.Feature], which tells people the message of the day and the welcome. Not inside: the check of the role and the
// record, which are behind [Desk] and the same for everybody; sockets; what a session or an account is.
//
// It must never run an operation but through the desk, show a form to who may not run what is behind it, act on an account of
// another domain than the one whose address was asked, keep or tell a password, or give a role that who gives it does not have.
//
// # Who may
//
// An administrator is an account of a served domain that the configuration names (server.admins) or that was made one of its domain
// with admin.set, which stands in the store with the account and goes with it. The first are of all domains of the server, and
// cannot be taken away over XMPP; they alone may what is about the whole node (its end, the status of peers and links), and nobody else
// touches their accounts over XMPP. The role policy (what may cross) is nobody's over XMPP.
//
// # Decisions
//
//   - get-user-password is refused with not-allowed, which XEP-0133 has for what nobody may: there is no password to give. XEP-0133 1.3
//     retracted it.
//   - restart ends the node in order, and the same process goes on with the program and the configuration that are on disk then. With an
//     erroneous configuration it is refused.
//   - edit-blacklist and edit-whitelist are lists of a domain in the store. They only take away from what the policy lets cross, so that
//     its review stays true, are judged with it (peering.Exclusion) and recorded with what they refuse. They name nobody of the server's
//     own domains: an account is disabled. On an empty white list nobody need be, nor components and other domains of the node on any.
//   - What was taken before somebody was listed is still delivered, and can be read.
//   - Refused commands are not among the items. Who is no administrator gets item-not-found for all of them, as for one that does not exist.
//   - Whoever ends somebody's sessions ends those that wait to be resumed, too. Disabling and removing an account ends them first.
//   - Somebody is active where a client of his is available, not away, and has not said that nobody looks (XEP-0352); else idle.
//   - The last login is when the newest of the connected clients bound its resource; of who is not connected, when he was last seen.
//     Logins are in the audit log, all of them.
//   - Lists stop at MaxList. A form is filled in with exactly its fields: others, and a second value where one belongs, are refused.
//   - The clearance of an account is what may cross to it: it needs the role policy, and no command of XMPP gives it.
//   - Looking into a roster is recorded like a change, other looks are not.
//   - An announcement is a headline from the domain to each account that is available; it is judged like everything else. The message
//     of the day is told to each account once, the welcome to accounts that are younger than it.
package admin
