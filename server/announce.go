package server

import (
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// StreamFeatures are those that the stream of a client tells of us (RFC 6121 §2.6.1, §3.4).
func StreamFeatures() []*xmlstream.Element {
	return []*xmlstream.Element{
		tree.New("urn:xmpp:features:rosterver", "ver"), tree.New("urn:xmpp:features:pre-approval", "sub"),
		tree.New(nsLegacySession, "session", tree.With(tree.New(nsLegacySession, "optional"))), // COMPAT(RFC 3921)
	}
}

// InlineFeatures are what a client can ask for together with its resource (XEP-0386 §3.2).
func InlineFeatures() []string { return []string{nsCarbons} }

// Announced are the features of disco#info that this package has by itself, of a domain and of an account.
func Announced() (ofServer, ofAccount []string) {
	return []string{nsCarbons, nsCarbonsRules, nsOffline}, []string{nsCarbons}
}

// nsOffline tells that messages wait for who is not there (XEP-0160 §4).
const nsOffline = "msgoffline"

// nsLegacySession is of RFC 3921.
const nsLegacySession = "urn:ietf:params:xml:ns:xmpp-session"
