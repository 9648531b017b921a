package rules

import (
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// isEncrypted tells by its name whether e is, or announces, a payload that nobody on the way can read: OMEMO, OpenPGP
// (XEP-0373 and the legacy form), XEP-0380 tags, RFC 3923, stanza encryption (XEP-0200), OTR and MLS tags.
func isEncrypted(n xmlstream.Name) bool {
	switch s := n.Space; {
	case strings.HasPrefix(s, "urn:xmpp:"):
		s = strings.TrimPrefix(s, "urn:xmpp:")
		return strings.HasPrefix(s, "omemo:") || strings.HasPrefix(s, "openpgp:") || strings.HasPrefix(s, "eme:") ||
			strings.HasPrefix(s, "otr:") || strings.HasPrefix(s, "mls:") || strings.HasPrefix(s, "sce:")
	case strings.HasPrefix(s, "jabber:x:"):
		return s == "jabber:x:encrypted"
	default:
		return strings.HasPrefix(s, "eu.siacs.conversations.axolotl") || s == "urn:ietf:params:xml:ns:xmpp-e2e" ||
			strings.HasPrefix(s, "http://www.xmpp.org/extensions/xep-0200.html") || s == "http://www.w3.org/2001/04/xmlenc#"
	}
}

// isEncryptedText recognises the encryption that hides in plain bodies: OTR, and armoured OpenPGP.
func isEncryptedText(s string) bool {
	return strings.HasPrefix(s, "?OTR") || strings.HasPrefix(strings.TrimSpace(s), "-----BEGIN PGP")
}
