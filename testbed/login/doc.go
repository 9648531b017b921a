// Package login lets clients that we did not write log in to server/c2s: slixmpp as Debian packages it (login.py), which
// also resumes a session that it lost (resume.py). idle_test.go holds the budget of an idle session. It
// has no code of its own but tests. Sockets are on loopback.
package login
