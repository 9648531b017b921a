package stream

import (
	"strconv"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Namespaces of negotiation elements that xmlstream does not name.
const (
	nsBidiFeature     = "urn:xmpp:features:bidi" // in features (XEP-0288 §2.1)
	nsBidi            = "urn:xmpp:bidi"          // the request (§2.2)
	nsDialbackFeature = "urn:xmpp:features:dialback"
	nsManage          = "urn:xmpp:sm:3"
	nsLimits          = "urn:xmpp:stream-limits:0"
	nsErrors          = "urn:xmpp:errors"
	nsDelay           = "urn:xmpp:delay"
)

// el builds an element from alternating names and values of attributes; empty values are left out.
func el(space, local string, attrs ...string) *xmlstream.Element {
	var list []xmlstream.Attr
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			list = append(list, xmlstream.Attr{Name: xmlstream.Name{Local: attrs[i]}, Value: attrs[i+1]})
		}
	}
	return xmlstream.NewElement(xmlstream.Name{Space: space, Local: local}, list)
}

func withText(e *xmlstream.Element, text string) *xmlstream.Element {
	return e.WithNodes(xmlstream.TextNode(text))
}

func with(e *xmlstream.Element, children ...*xmlstream.Element) *xmlstream.Element {
	nodes := make([]xmlstream.Node, len(children))
	for i, c := range children {
		nodes[i] = xmlstream.ElementNode(c)
	}
	return e.WithNodes(nodes...)
}

// limitsElement advertises what we take (XEP-0478 §2).
func limitsElement(maxBytes, idleSeconds int) *xmlstream.Element {
	return with(el(nsLimits, "limits"),
		withText(el(nsLimits, "max-bytes"), strconv.Itoa(maxBytes)),
		withText(el(nsLimits, "idle-seconds"), strconv.Itoa(idleSeconds)))
}

// stanzaErrorElement is the <error/> of a dialback answer (XEP-0220 §2.4).
// There is nothing in a key that could be modified, so modify becomes cancel.
func stanzaErrorElement(c stanza.Condition) *xmlstream.Element {
	typ := c.DefaultType()
	if typ == stanza.Modify {
		typ = stanza.Cancel
	}
	return with(el(xmlstream.NSServer, "error", "type", typ.String()), el(xmlstream.NSStanzas, c.String()))
}

// stanzaErrorCondition reads the first defined condition of an <error/> child.
func stanzaErrorCondition(e *xmlstream.Element) stanza.Condition {
	for child := range e.Children() {
		if child.Local() != "error" {
			continue
		}
		for c := range child.Children() {
			if cond, ok := stanza.ParseCondition(c.Local()); ok && c.Space() == xmlstream.NSStanzas {
				return cond
			}
		}
	}
	return stanza.UndefinedCondition
}

// domainAttr reads an attribute that must be a domain.
func domainAttr(e *xmlstream.Element, name string) (jid.JID, bool) {
	v, ok := e.Attr(name)
	if !ok || v == "" {
		return jid.JID{}, false
	}
	d, err := jid.ParseDomain(v)
	if err != nil || !d.IsDomain() {
		return jid.JID{}, false
	}
	return d.Clone(), true
}

// number reads a plain decimal number that fits in 31 bits.
func number(s string) (int, bool) {
	if !digits(s) || len(s) > 10 {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return int(n), err == nil
}

// counter reads the h of stream management: a plain decimal number mod 2^32 (D16).
func counter(e *xmlstream.Element) (uint32, bool) {
	v, ok := e.Attr("h")
	if !ok || !digits(v) || len(v) > 10 {
		return 0, false
	}
	n, err := strconv.ParseUint(v, 10, 32)
	return uint32(n), err == nil
}

func isTrue(v string) bool { return v == "true" || v == "1" } // XML Schema boolean

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
