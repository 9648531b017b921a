// Package mam keeps what accounts say and are told in their archives, and gives it back to their clients (XEP-0313, with pages of
// XEP-0059 and ids of XEP-0359; preferences of XEP-0441; tombstones of XEP-0424).
//
// Inside: what is worth keeping ([New]'s Together), queries, metadata, preferences. Not inside: storage (server/archive,
// server/store), archives of rooms, how long things are kept (Store.PruneArchive, called by who runs the server).
//
// It must never let a message go on before it is durable in the archive that it belongs to, never show an entry to a reader who may
// not read its label today, never keep or pass on a stanza-id of an archive of ours that somebody else wrote, and never keep a message
// twice that an account sends to itself.
//
// # Decisions
//
//   - Kept are messages of type normal and chat with a body or something that conversations need when they are read later:
//     encrypted bodies, receipts and markers, reactions, retractions, invitations, calls. The hints of XEP-0334 decide
//     against (no-store, no-permanent-store) before they decide for (store).
//   - Messages that pass at the same time are kept in one change. One that cannot be kept does not take the others with it: they are kept
//     each alone. Where it is unknown whether a change was made, all of it is refused, and may be in the archive nevertheless.
//   - What an account sends is kept before it is judged, unless it would be refused then. What a change of policy refuses in between stays
//     in its sender's archive, beside the error that told him.
//   - Entries that the reader may not read are passed over, and the page is filled with later ones; only where that takes more than
//     maxRounds questions to the store does the id of such an entry appear, as the place from which to go on.
//   - How many entries there are, and where a page begins, is told where the page is all of it or its beginning, and to who asks for
//     nothing else (XEP-0059 §2.7) as far as maxRounds questions to the store go: what a reader may not read is not counted.
//   - Preferences are remembered in memory for rememberedPrefs accounts: another node of a cluster sees a change when it forgets.
//   - A retraction replaces what it retracts by a tombstone if both have the same author, a bare address. The retraction is kept.
package mam
