// Package pep is the publish-subscribe service of each account (XEP-0163, a part of XEP-0060): what it publishes is kept, and told to
// those of its contacts' clients that want to know.
//
// Inside: [New]; labels of items (XEP-0314); nodes with their options and items; who wants what (the +notify features behind the caps of XEP-0115 and XEP-0390);
// notifications, and the last item for who has just come. Bookmarks (XEP-0402), avatars (XEP-0084), vCard4 (XEP-0292), profiles
// (XEP-0154), keys of OMEMO and the like are nodes like any other. Not inside: subscriptions that are asked for (a presence
// subscription is one), affiliations, services that are no account, storage (server/store).
//
// It must never show a node to who is not let in by its access model, never show or name an item to a reader who may not read its label
// today, never tell who does not see the presence of an account that the
// account exists (unless a node is open), never let anybody but the account publish, never notify somebody who is blocked, and never
// believe a hash of caps for others that it has not computed from the answer of the client that showed it.
//
// # Decisions
//
//   - Access models are open, presence, roster and whitelist; on a whitelist is the account alone.
//   - An item keeps the label that it was published with; one without is held to have the server's default, as a message is. What its
//     publisher could not read is not taken. Of an item that somebody may not read, he is told neither when it comes nor when it goes, and
//     what he asks for is answered as if there were none. Nodes have neither labels nor clearances: a node without a readable item is empty.
//   - What features of the server carry elsewhere (pictures into vCards, profiles into answers) is what has no label.
//   - Items are kept in bounded numbers (MaxItems, one where nothing is said), payloads and accounts in bounded bytes; the oldest item makes
//     room for a new one, the account's bytes do not.
//   - A client whose caps cannot be verified counts with what it answered, for itself alone.
//   - Notifications are headlines from the bare address, without the publisher's resource (XEP-0163 §4.3 would name it).
//   - To who may see presence errors are those of XEP-0060; to everybody else service-unavailable, as for an address without account.
package pep
