// Command sallyport is the one program of the project: it runs a node, checks its
// configuration, explains what becomes of a stanza, asks a running node, and answers questions about security labels
// and policies.
//
// Inside: flags, wiring and the layout of output, one file for each family of commands.
// Not inside: any decision. What crosses is decided in peering, what is true of a
// running node is said by gateway over the control socket.
//
// Exit codes:
//
//	0  done
//	1  failed; the message says why
//	2  wrong command line
//	3  no running node answers
//	4  the running node does not permit it
//	5  the answer is no: check found errors, explain found that the stanza does not cross, label decide says block
//
// "label decide" ends with 2 also when something cannot be read, so that a script never takes that for an answer.
package main
