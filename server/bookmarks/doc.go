// Package bookmarks keeps the rooms that an account has marked the same in the three places in which clients look for them: items of
// their own (XEP-0402), one published item with all of them (XEP-0048), and private storage (XEP-0049). The server side of the
// compatibility of XEP-0402 §6.3 and of XEP-0411.
//
// Inside: [New]; the three forms, and who is told what has changed elsewhere. Not inside: any of the stores (server/pep,
// server/private); rooms.
//
// It must never show bookmarks to anybody but their owner: a node that others may read is neither filled nor read. It must never tell of a
// bookmark that is as it was, and never take one away that the older forms cannot show: one with a label.
//
// # Decisions
//
//   - They are copied when one of them changes, one change of an account after the other. What cannot be copied, as where the owner may
//     not read what he publishes without a label, stays where it was put; the next change is tried again.
//   - The older forms hold whole lists: what is not in one that a client puts is taken away, the last list wins. What else is in it, such
//     as addresses of web pages, stays, and is the same in both.
//   - A node of items that keeps no more than 100, and a list of more rooms, are left alone: some would be lost.
//   - Extensions of a bookmark (XEP-0402) stay with it when an older client changes it; they are not in the older forms.
//   - What was in private storage before an account had any items is published when one of its clients comes.
package bookmarks
