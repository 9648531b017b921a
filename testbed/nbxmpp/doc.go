// Package nbxmpp asks the library of Gajim, nbxmpp as Debian packages it, what it makes of our label catalogues, and
// reads what it would send. It has no code of its own but a program for Python (ask.py): the library's own functions
// make the request, read the answer and build the message. Nothing here opens a socket.
package nbxmpp
