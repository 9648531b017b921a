// Package webclient lets JavaScript clients that we did not write use a server: Converse.js in a headless Chromium (two people log in, chat,
// and a picture of each window is kept), and xmpp.js over TCP and WebSocket.
//
// The programs are converse.mjs and xmppjs.mjs; what they import is in package.json with its lock, installed by 'make webclient'. This package
// serves the page that the browser loads, runs the programs and reads what they saw. All of it is on loopback, and nothing is loaded from elsewhere.
package webclient
