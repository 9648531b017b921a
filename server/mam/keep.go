package mam

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// worthKeeping are the children for which a message without body is kept.
var worthKeeping = map[xmlstream.Name]bool{
	{Space: "urn:xmpp:receipts", Local: "received"}:               true,
	{Space: "urn:xmpp:chat-markers:0", Local: "received"}:         true,
	{Space: "urn:xmpp:chat-markers:0", Local: "displayed"}:        true,
	{Space: "urn:xmpp:chat-markers:0", Local: "acknowledged"}:     true,
	{Space: "urn:xmpp:reactions:0", Local: "reactions"}:           true,
	{Space: nsRetract, Local: "retract"}:                          true,
	{Space: "eu.siacs.conversations.axolotl", Local: "encrypted"}: true,
	{Space: "urn:xmpp:omemo:2", Local: "encrypted"}:               true,
	{Space: "urn:xmpp:openpgp:0", Local: "openpgp"}:               true,
	{Space: "jabber:x:encrypted", Local: "x"}:                     true,
	{Space: "jabber:x:conference", Local: "x"}:                    true,
	{Space: "http://jabber.org/protocol/muc#user", Local: "x"}:    true,
	{Space: "urn:xmpp:jingle-message:0", Local: "propose"}:        true,
	{Space: "urn:xmpp:jingle-message:0", Local: "accept"}:         true,
	{Space: "urn:xmpp:jingle-message:0", Local: "reject"}:         true,
	{Space: "urn:xmpp:jingle-message:0", Local: "retract"}:        true,
	{Space: "urn:xmpp:jingle-message:0", Local: "finish"}:         true,
	{Space: "urn:xmpp:call-invites:0", Local: "invite"}:           true,
	{Space: "urn:xmpp:sfs:0", Local: "file-sharing"}:              true,
}

// Keeps reports whether a message belongs into archives of accounts, whatever their preferences.
func Keeps(s stanza.Stanza) bool {
	if t := s.Type(); t != stanza.MessageNormal && t != stanza.MessageChat {
		return false
	}
	keep := false
	for c := range s.Element().Children() {
		switch {
		case c.Space() == nsHints && (c.Local() == "no-store" || c.Local() == "no-permanent-store"):
			return false
		case c.Is(nsHints, "store"), c.Is(s.ContentNS(), "body"), worthKeeping[c.Name()]:
			keep = true
		}
	}
	return keep
}

// messageID is what later messages refer to (XEP-0424 §5.1): the id; the origin-id, as drafts before had it, where there is none.
func messageID(s stanza.Stanza) string {
	if id := s.ID(); id != "" {
		return id
	}
	id := tree.Value(s.Element().Child(nsSID, "origin-id"), "id")
	if len(id) > stanza.MaxID {
		return ""
	}
	return id
}

// withoutID leaves out ids that claim to be of the archive (XEP-0359 §4).
func withoutID(e *xmlstream.Element, archive jid.JID) *xmlstream.Element {
	return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if c.Is(nsSID, "stanza-id") {
			if by, err := jid.Parse(tree.Value(c, "by")); err != nil || by.Bare() == archive {
				return nil
			}
		}
		return c
	})
}
