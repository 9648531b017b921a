package xmlstream

import (
	"strings"
	"unicode"
)

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

// A namespace in a tree is a number. Those of wellKnown have the same number in every tree and take no memory; a tree
// numbers its others from len(wellKnown) on.
var wellKnown = [...]string{
	noSpace:       "",
	xmlSpace:      NSXML,
	streamSpace:   NSStream,
	serverSpace:   NSServer,
	clientSpace:   NSClient,
	dialbackSpace: NSDialback,
	6:             NSStanzas,
	7:             NSStreams,
	8:             NSTLS,
	9:             NSSASL,
	10:            "urn:xmpp:sec-label:0",
	11:            "urn:xmpp:sec-label:ess:0",
	12:            "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0",
	13:            "urn:xmpp:sm:3",
	14:            "urn:xmpp:delay",
	15:            "urn:xmpp:forward:0",
	16:            "urn:xmpp:receipts",
	17:            "urn:xmpp:ping",
	18:            "jabber:x:data",
	19:            "http://jabber.org/protocol/chatstates",
	20:            "http://jabber.org/protocol/caps",
	21:            "http://jabber.org/protocol/muc",
	22:            "http://jabber.org/protocol/muc#user",
	23:            "http://jabber.org/protocol/disco#info",
	24:            "http://jabber.org/protocol/disco#items",
	25:            "http://jabber.org/protocol/pubsub",
	26:            "http://jabber.org/protocol/pubsub#event",
}

const (
	noSpace = iota
	xmlSpace
	streamSpace
	serverSpace
	clientSpace
	dialbackSpace
)

// byLength finds a well-known namespace by comparing with the one or two that are as long.
var byLength = func() (t [64][]uint32) {
	for i, s := range wellKnown {
		t[len(s)] = append(t[len(s)], uint32(i))
	}
	return t
}()

// knownSpace returns the number of a well-known namespace.
func knownSpace[T bytestring](uri T) (number uint32, ok bool) {
	if len(uri) < len(byLength) {
		for _, i := range byLength[len(uri)] {
			if wellKnown[i] == string(uri) {
				return i, true
			}
		}
	}
	return 0, false
}

// legalSpace says whether uri may be the name of a namespace. Controls and white space inside are refused: a separator
// trick such as "http://etherx.jabber.org/streams\nstream" must not reach a parser that joins names with it. A blank at
// the very end is only another name, equal to no known one, and is left to those who compare names.
func legalSpace(uri string) bool {
	for _, r := range strings.TrimRight(uri, " ") {
		if r <= ' ' || r >= 0x7F && (unicode.IsControl(r) || unicode.IsSpace(r)) {
			return false
		}
	}
	return true
}
