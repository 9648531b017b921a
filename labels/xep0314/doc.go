// Package xep0314 finds and writes the security labels of pubsub (XEP-0314): in publish requests, in results with
// items, in disco#items results, and in notifications.
//
// It says which securitylabel belongs to which item and leaves reading it to package xep0258 (Reader.ReadLabel); it
// decides nothing. A label has one place in each kind of stanza, and everything else is refused: a label anywhere else,
// one that no item points to, a pointer to none, two with one name, a pointer where the stanza has one label for all.
// A stanza of type error has no labels.
//
// What is not inside: the node's label, clearance and default label, and who may know of a node; those belong to the
// server that has the nodes. Labels of messages wrapped in items of a notification are left for calls of their own.
package xep0314
