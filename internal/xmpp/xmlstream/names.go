package xmlstream

import "strings"

// Namespaces that the stream layer itself speaks of.
const (
	NSStream   = "http://etherx.jabber.org/streams"
	NSServer   = "jabber:server"
	NSClient   = "jabber:client"
	NSXML      = "http://www.w3.org/XML/1998/namespace"
	NSTLS      = "urn:ietf:params:xml:ns:xmpp-tls"
	NSSASL     = "urn:ietf:params:xml:ns:xmpp-sasl"
	NSDialback = "jabber:server:dialback"
	NSStanzas  = "urn:ietf:params:xml:ns:xmpp-stanzas"
	NSStreams  = "urn:ietf:params:xml:ns:xmpp-streams"

	// nsXMLNS is the namespace of declarations; nothing may be bound to it (Namespaces in XML §3).
	nsXMLNS = "http://www.w3.org/2000/xmlns/"
)

// Name is an expanded name: namespace and local part. Prefixes are syntax and are not kept.
type Name struct{ Space, Local string }

// Attr is one attribute. Namespace declarations are not attributes.
type Attr struct {
	Name  Name
	Value string
}

// internSpace returns the one shared copy of a well-known namespace, so that the usual stanza stores none.
func internSpace(b []byte) (string, bool) {
	switch string(b) { // compiled to a search by length and value; allocates nothing
	case NSServer:
		return NSServer, true
	case NSClient:
		return NSClient, true
	case NSStream:
		return NSStream, true
	case NSStanzas:
		return NSStanzas, true
	case NSStreams:
		return NSStreams, true
	case NSDialback:
		return NSDialback, true
	case NSTLS:
		return NSTLS, true
	case NSSASL:
		return NSSASL, true
	case "urn:xmpp:sec-label:0":
		return "urn:xmpp:sec-label:0", true
	case "urn:xmpp:sec-label:ess:0":
		return "urn:xmpp:sec-label:ess:0", true
	case "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0":
		return "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0", true
	case "urn:xmpp:sm:3":
		return "urn:xmpp:sm:3", true
	case "urn:xmpp:delay":
		return "urn:xmpp:delay", true
	case "urn:xmpp:forward:0":
		return "urn:xmpp:forward:0", true
	case "urn:xmpp:receipts":
		return "urn:xmpp:receipts", true
	case "urn:xmpp:ping":
		return "urn:xmpp:ping", true
	case "jabber:x:data":
		return "jabber:x:data", true
	case "http://jabber.org/protocol/chatstates":
		return "http://jabber.org/protocol/chatstates", true
	case "http://jabber.org/protocol/caps":
		return "http://jabber.org/protocol/caps", true
	case "http://jabber.org/protocol/muc":
		return "http://jabber.org/protocol/muc", true
	case "http://jabber.org/protocol/muc#user":
		return "http://jabber.org/protocol/muc#user", true
	case "http://jabber.org/protocol/disco#info":
		return "http://jabber.org/protocol/disco#info", true
	case "http://jabber.org/protocol/disco#items":
		return "http://jabber.org/protocol/disco#items", true
	case "http://jabber.org/protocol/pubsub":
		return "http://jabber.org/protocol/pubsub", true
	case "http://jabber.org/protocol/pubsub#event":
		return "http://jabber.org/protocol/pubsub#event", true
	}
	return "", false
}

// legalSpace says whether uri may be the name of a namespace. Controls and white space inside are refused: a separator
// trick such as "http://etherx.jabber.org/streams\nstream" must not reach a parser that joins names with it. A blank at
// the very end is only another name, equal to no known one, and is left to those who compare names.
func legalSpace(uri string) bool {
	uri = strings.TrimRight(uri, " ")
	for i := range len(uri) {
		c := uri[i]
		if c <= ' ' || c == 0x7F || c == 0xC2 && i+1 < len(uri) && uri[i+1] <= 0xA0 {
			return false // C0, space, DEL, C1 and U+00A0
		}
	}
	return true
}
