// Package store keeps what the server must not forget: on SQLite, in one file of this machine, or on PostgreSQL. It
// implements the store interfaces that the packages of server declare; the same statements and the same tests serve
// both.
//
// Inside: opening and checking, migrations, one file of statements for each kind of thing, backup and restore.
// Not inside: any decision about what may be kept, read or changed. Nothing here logs.
//
// It must never return before what it changed is durable, never go on after the disk has failed it, and never answer
// with an unbounded result.
//
// # Promises
//
// A method that returns nil has committed, with the journal synchronised (SQLite: write-ahead log with synchronous=FULL;
// PostgreSQL: synchronous_commit on, and a server with fsync off is refused). A method that returns one of the errors of
// its interface, or ErrFull or ErrBusy, has changed nothing. After any other error it is unknown whether the change was made;
// read again before doing it again.
//
// ErrFull: the disk is full; what is there is kept and reading goes on. ErrBroken: reading or writing failed, or a page is damaged; the store
// answers nothing any more until it is opened again, because after a failed fsync the kernel may have thrown away what it could
// not write, and nobody knows which pages are true.
//
// # One at a time
//
// Who answers people from a store remembers parts of it (rosters, who is there), so that two such processes would tell them different things.
// Options.Alone keeps out whoever asks for it, too (ErrServed): a running node, changes without a node, and Restore do. Who only reads, or
// makes a backup, does not ask. On SQLite it is a lock on the file, on PostgreSQL one of a session (an advisory lock of the database and
// schema), which is taken again when the connection has been lost, see StillAlone.
//
// # SQLite
//
// One connection writes, a few read; each sees a snapshot. Other processes (the command line beside a running node) may
// open the same file: who wants to write waits up to busyTime for the other. Changes that come at the same time share one transaction and
// its fsync; one that fails is undone alone, and where that cannot be done each has a transaction of its own. A change that has begun is not
// interrupted when its context ends. What comes with every message is prepared once. The file has mode 0600, and one that others
// can read is refused. Open runs SQLite's quick check on files up to quickCheckBytes; a larger one is checked by Check only.
// The file must be on a local disk: the shared memory of the log does not work over a network file system.
//
// # Versions
//
// The schema has a version, which counts the migrations of migrations.go. Open brings an older one forward, each
// migration in a transaction of its own with the new version; a newer one is refused. There is no way back but a backup.
// A migration that was released is never edited: a test holds their digests.
//
// Every key starts with the domain. Times are microseconds since 1970.
package store
