// Package newnode writes what a new node needs: a configuration that says why, a security policy to begin with, and certificates.
//
// Inside: [Plan], which says what is wanted; the files it becomes, as templates beside this package; a certification authority
// for the first days, and the request to take to another one. Not inside: questions (cmd/sallyport asks them), accounts, and any
// meaning of the configuration: package gateway/config reads it as it reads every other.
//
// It must never change or replace a file that exists, write a secret that others can read, or leave half a file behind.
//
// # Decisions
//
//   - There is always a security policy. A server without one would have to pass what has no label, which nothing here does. The
//     first one has three classifications; what has no label is the middle one, and the highest does not leave the server.
//   - Its object identifier is drawn at random below 2.999, the arc for examples, so that two installations never mean different
//     things by one name. (2.25, where everybody may name things by a UUID, has arcs that labels in ESS cannot carry here.)
//   - Whoever owns a folder for the state that is there already runs the node: root, who makes the rest, gives him the one secret that the
//     node reads, and nothing that says what crosses.
//   - Without a CA a node makes one. Its key stays beside its certificate, with mode 0600, because whoever can read the key of
//     the server could pretend to be it anyway. It is for clients that are told to trust it, and not for servers of others.
package newnode
