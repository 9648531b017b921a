// Package login lets clients that we did not write log in to server/c2s: slixmpp as Debian packages it (login.py), which
// also resumes a session that it lost (resume.py). idle_test.go holds the budget of an idle session.
//
// To the program itself clients log in that are written here from the standards, without a line of internal/sasl: by every mechanism and channel
// binding (mechanisms_test.go), by tokens (tokens_test.go), by certificates (certificates_test.go); what is announced is held against what is taken (limits_test.go, rates_test.go,
// compression_test.go); and a component connects with TLS (component_test.go). The package has no code of its own but tests. Sockets are on loopback.
package login
