// Package upload lets clients put files on a web server and send their addresses (XEP-0363).
//
// Inside: [New], which gives slots; [Service], the http.Handler under which files are put and fetched, and the removal of old ones.
// Not inside: TLS and listeners, which who runs the server owns; a judgement of what is in a file.
//
// It must never let a name or type that a client chose decide where a file lies or what a browser does with it, never take a byte more
// than the slot has, never serve a file that is not whole and durable, and never let a slot be used twice.
//
// # Decisions
//
//   - Whoever knows the address may fetch the file, as the XEP has it. The address has 128 random bits; it passes the gate as text of a
//     message, but the file does not: a server whose labels matter leaves this feature off.
//   - On disk a file is called by its slot alone. The name that a client gave is in the address, and offered to who saves the file.
//   - Pictures, sound, films and plain text are served with their type, everything else as bytes to be saved. Nothing that is served may run
//     scripts, be framed, or be taken for another type (nosniff).
//   - The quota of an account counts what it has asked for and not lost yet, so that slots cannot be hoarded.
package upload
