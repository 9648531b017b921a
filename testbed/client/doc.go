// Package client lets a Go test drive real XMPP clients: slixmpp, in one Python process for all
// clients of a test run (driver.py), told what to do by lines of JSON.
//
// The Go side never builds a stanza that slixmpp can build by itself, because the point is that the
// clients are somebody else's; payloads that slixmpp has no words for, such as labels, go in as raw XML.
// It never reconnects by itself and never retries: what a client lost, the test should see.
package client
