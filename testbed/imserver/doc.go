// Package imserver runs the real program as a server that people log in to, made by `sallyport init` as a reader would, and lets
// clients that we did not write talk there: with each other, and through the boundary with people of a Prosody and of an ejabberd.
//
// Inside: [Home], one such server on addresses of its own, and the scenarios as tests. Not inside: clients (testbed/client), the other
// servers (testbed/peers), what a gateway between servers does (testbed/scenario).
//
// It must never wait for a fixed time: it waits for events, with a limit.
package imserver
