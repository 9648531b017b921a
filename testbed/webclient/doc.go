// Package webclient lets JavaScript clients that we did not write use a server: Converse.js in a headless Chromium (two people log in, chat,
// and a picture of each window is kept), by WebSocket and BOSH; StanzaJS by the same; and xmpp.js over TCP and WebSocket, with all that is asked for
// together with the login (XEP-0388, XEP-0386, XEP-0198) and by tokens (XEP-0484).
//
// The programs are converse.mjs, stanzajs.mjs, xmppjs.mjs and tokens.mjs; what they import is in package.json with its lock, installed by 'make webclient'. This package
// serves the page that the browser loads, runs the programs and reads what they saw. All of it is on loopback, and nothing is loaded from elsewhere.
package webclient
