package thin

import (
	"strings"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Namespaces that thinning knows.
const (
	nsStates    = "http://jabber.org/protocol/chatstates"
	nsReceipts  = "urn:xmpp:receipts"
	nsMarkers   = "urn:xmpp:chat-markers:0"
	nsEvent     = "jabber:x:event"
	nsRTT       = "urn:xmpp:rtt:0"
	nsXHTML     = "http://jabber.org/protocol/xhtml-im"
	nsPhoto     = "vcard-temp:x:update"
	nsAvatar    = "jabber:x:avatar"
	nsPEP       = "http://jabber.org/protocol/pubsub#event"
	nsCaps      = "http://jabber.org/protocol/caps"
	nsMUC       = "http://jabber.org/protocol/muc"
	nsMUCUser   = "http://jabber.org/protocol/muc#user"
	nsFMUC      = "http://isode.com/protocol/fmuc"
	nsSession   = "urn:xmpp:presence-session:0"
	nsLabel     = "urn:xmpp:sec-label:0"
	nsHints     = "urn:xmpp:hints"
	nsIDs       = "urn:xmpp:sid:0"
	nsOccupant  = "urn:xmpp:occupant-id:0"
	nsAddresses = "http://jabber.org/protocol/address"
	nsDelay     = "urn:xmpp:delay"
)

// Cuts counts what was cut from one stanza.
type Cuts [numReasons]Tally

func (c *Cuts) add(r Reason, bytes int) {
	c[r].Times++
	c[r].Bytes += uint64(max(bytes, 0))
}

// First is the first reason there is, for a record of what was dropped.
func (c *Cuts) First() Reason {
	for r := ChatState; r < numReasons; r++ {
		if c[r].Times > 0 {
			return r
		}
	}
	return NoReason
}

// Strip cuts what the options say from a stanza. What it returns is s with children left out, or s itself. worth is false where nothing
// is left that anybody would miss; only messages that are all decoration can be so.
//
// Errors and iq are never touched. Presence is folded here; whether it is sent at all is for Presence to say.
func Strip(o Options, s stanza.Stanza) (out stanza.Stanza, cuts Cuts, worth bool) {
	switch s.Type() {
	case stanza.MessageNormal, stanza.MessageChat, stanza.MessageGroupchat, stanza.MessageHeadline:
		return stripMessage(&o, s)
	case stanza.PresenceAvailable, stanza.PresenceUnavailable:
		out, cuts = stripPresence(&o, s)
		return out, cuts, true
	default: // errors, subscriptions, iq, and what is no stanza
		return s, cuts, true
	}
}

func stripMessage(o *Options, s stanza.Stanza) (stanza.Stanza, Cuts, bool) {
	root := s.Element()
	var cuts Cuts
	plain := hasBody(root)
	worth := strings.TrimSpace(root.Text()) != ""
	e := root.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
		r := o.decoration(child, plain)
		switch {
		case r != NoReason:
			cuts.add(r, size(child, root.Space()))
			return nil
		case !accompanies(child, root.Space()):
			worth = true
		}
		return child
	})
	if e == root {
		return s, cuts, true // a message that came empty is not ours to judge
	}
	out, err := s.WithElement(e)
	if err != nil { // cannot be: children of a message are free
		return s, Cuts{}, true
	}
	if !worth {
		cuts.add(cuts.First(), size(e, root.Space()))
		cuts[cuts.First()].Times--
	}
	return out, cuts, worth
}

// hasBody reports whether there is a plain body with a text in it.
func hasBody(message *xmlstream.Element) bool {
	for child := range message.Children() {
		if child.Is(message.Space(), "body") && strings.TrimSpace(child.Text()) != "" {
			return true
		}
	}
	return false
}

// decoration says as what a child of a message may be cut, if it may.
func (o *Options) decoration(e *xmlstream.Element, plain bool) Reason {
	switch space := e.Space(); {
	case space == nsStates && o.ChatStates:
		return ChatState
	case space == nsReceipts && o.Receipts:
		return Receipt
	case space == nsMarkers && o.Markers:
		return Marker
	case (space == nsEvent || space == nsRTT) && o.Typing:
		return Typing
	case space == nsXHTML && o.XHTML && plain:
		return XHTML
	case o.Avatars && (space == nsAvatar || space == nsPhoto || isAvatarEvent(e)):
		return Avatar
	}
	return NoReason
}

// isAvatarEvent recognizes an event of the personal nodes of XEP-0084, and of nothing beside them.
func isAvatarEvent(e *xmlstream.Element) bool {
	if !e.Is(nsPEP, "event") || e.NumNodes() == 0 {
		return false
	}
	for i := range e.NumNodes() {
		items := e.NodeAt(i).Element
		if !items.Is(nsPEP, "items") {
			return false
		}
		if node, _ := items.Attr("node"); node != "urn:xmpp:avatar:metadata" && node != "urn:xmpp:avatar:data" {
			return false
		}
	}
	return true
}

// accompanies reports what is of no worth alone: it says something of the content that is not there.
func accompanies(e *xmlstream.Element, content string) bool {
	switch e.Space() {
	case nsLabel, nsHints, nsIDs, nsOccupant, nsAddresses, nsDelay:
		return true
	}
	return e.Is(content, "thread")
}

func stripPresence(o *Options, s stanza.Stanza) (stanza.Stanza, Cuts) {
	root := s.Element()
	var cuts Cuts
	e := root.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
		switch space := child.Space(); {
		case o.Avatars && (space == nsPhoto || space == nsAvatar):
			cuts.add(Avatar, size(child, root.Space()))
			return nil
		case o.Presence != Whole && !availability(child, root.Space()):
			cuts.add(PresenceFolded, size(child, root.Space()))
			return nil
		}
		return child
	})
	if e == root {
		return s, cuts
	}
	out, err := s.WithElement(e)
	if err != nil { // cannot be: children of presence are free
		return s, Cuts{}
	}
	return out, cuts
}

// availability is what stays of folded presence: the state, the capabilities, and what rooms need to work (XEP-0045).
func availability(e *xmlstream.Element, content string) bool {
	switch e.Space() {
	case nsCaps, nsMUC, nsMUCUser, nsFMUC, nsSession, nsLabel, nsOccupant:
		return true
	}
	return e.Is(content, "show")
}
