// Package aioxmpp lets aioxmpp, as Debian packages it, use the server: two people log in, become contacts, chat with receipts of the
// stream (XEP-0198), and ask what the server can (talk.py). It has no code of its own but tests. Sockets are on loopback.
package aioxmpp
