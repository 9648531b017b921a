package rules

import (
	"iter"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Carrier is a way in which one stanza travels inside another. The zero value is a stanza inside something that no
// specification knows as a carrier; no profile can allow that one.
type Carrier uint8

// The carriers.
const (
	UnknownCarrier Carrier = iota
	Forward                // XEP-0297 by itself
	Carbons                // XEP-0280
	MAM                    // XEP-0313
	PubSub                 // an item published or fetched, XEP-0060
	PubSubEvent            // an item in a notification, XEP-0060
	Delegation             // XEP-0355, XEP-0356: never across a boundary
	numCarriers
)

var carriers = [numCarriers]string{"unknown", "forward", "carbons", "mam", "pubsub", "pubsub-event", "delegation"}

// String returns the word used in profiles and audit.
func (c Carrier) String() string {
	if c >= numCarriers {
		return carriers[UnknownCarrier]
	}
	return carriers[c]
}

// ParseCarrier is the inverse of String for the carriers that a profile may allow.
func ParseCarrier(word string) (c Carrier, ok bool) {
	for c := Forward; c < Delegation; c++ {
		if carriers[c] == word {
			return c, true
		}
	}
	return UnknownCarrier, false
}

const (
	nsForward     = "urn:xmpp:forward:0"
	nsCarbons     = "urn:xmpp:carbons:2"
	nsMAM         = "urn:xmpp:mam:2"
	nsPubSub      = "http://jabber.org/protocol/pubsub"
	nsPubSubEvent = "http://jabber.org/protocol/pubsub#event"
)

// carrierOf tells by its name whether e exists to carry stanzas. Items of pubsub carry anything, stanzas among it.
func carrierOf(n xmlstream.Name) (Carrier, bool) {
	switch n.Space {
	case nsForward:
		return Forward, n.Local == "forwarded"
	case nsCarbons:
		return Carbons, n.Local == "sent" || n.Local == "received"
	case nsMAM, "urn:xmpp:mam:1", "urn:xmpp:mam:0", "urn:xmpp:mam:tmp":
		return MAM, n.Local == "result"
	case nsPubSub:
		return PubSub, n.Local == "item"
	case nsPubSubEvent:
		return PubSubEvent, n.Local == "event" || n.Local == "item"
	case "urn:xmpp:delegation:1", "urn:xmpp:delegation:2":
		return Delegation, n.Local == "delegation" || n.Local == "delegated"
	case "urn:xmpp:privilege:1", "urn:xmpp:privilege:2":
		return Delegation, n.Local == "privilege" || n.Local == "privileged_iq"
	}
	return UnknownCarrier, false
}

// isStanza reports whether e is a stanza by its name, in either content namespace.
func isStanza(e *xmlstream.Element) bool {
	if s := e.Space(); s != xmlstream.NSServer && s != xmlstream.NSClient {
		return false
	}
	_, ok := stanza.ParseKind(e.Local())
	return ok
}

// Wrapped yields each stanza inside e with the outermost carrier around it, in document order, wherever it hides. It
// does not look into the stanzas it yields: whoever judges one asks again for what is inside that one.
func Wrapped(e *xmlstream.Element) iter.Seq2[*xmlstream.Element, Carrier] {
	return func(yield func(*xmlstream.Element, Carrier) bool) {
		eachWrapped(e, UnknownCarrier, yield)
	}
}

func eachWrapped(e *xmlstream.Element, around Carrier, yield func(*xmlstream.Element, Carrier) bool) bool {
	for child := range e.Children() {
		if isStanza(child) {
			if !yield(child, around) {
				return false
			}
			continue
		}
		if !eachWrapped(child, inside(around, child), yield) {
			return false
		}
	}
	return true
}

// MapWrapped returns e with each stanza that Wrapped yields replaced by what f makes of it, or e itself if f changed
// none. A nil takes the stanza out.
func MapWrapped(e *xmlstream.Element, f func(*xmlstream.Element, Carrier) *xmlstream.Element) *xmlstream.Element {
	return mapWrapped(e, UnknownCarrier, f)
}

func mapWrapped(e *xmlstream.Element, around Carrier, f func(*xmlstream.Element, Carrier) *xmlstream.Element) *xmlstream.Element {
	return e.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
		if isStanza(child) {
			return f(child, around)
		}
		return mapWrapped(child, inside(around, child), f)
	})
}

// inside returns the carrier around the children of e.
func inside(around Carrier, e *xmlstream.Element) Carrier {
	if around != UnknownCarrier {
		return around // the outermost names the way it came: carbons, not the forward inside
	}
	c, _ := carrierOf(e.Name())
	return c
}

// carrierElements are the places that a profile opens by naming a carrier.
func carrierElements(c Carrier) []ElementSpec {
	delay := ElementSpec{Name: "{urn:xmpp:delay}delay", In: []string{"{" + nsForward + "}forwarded"}, Attributes: []string{"stamp=time", "from=jid"}}
	switch c {
	case Forward:
		return []ElementSpec{{Name: "{" + nsForward + "}forwarded", In: []string{"message"}}, delay}
	case Carbons:
		sent, received := "{"+nsCarbons+"}sent", "{"+nsCarbons+"}received"
		return []ElementSpec{
			{Name: sent, In: []string{"message"}},
			{Name: received, In: []string{"message"}},
			{Name: "{" + nsForward + "}forwarded", In: []string{sent, received}},
			delay,
		}
	case MAM:
		result := "{" + nsMAM + "}result"
		return []ElementSpec{
			{Name: result, In: []string{"message"}, Attributes: []string{"id=id", "queryid=id"}},
			{Name: "{" + nsForward + "}forwarded", In: []string{result}},
			delay,
		}
	case UnknownCarrier, PubSub, PubSubEvent, Delegation, numCarriers:
	}
	return nil // an item stands where the profile lists it; the carrier only lets a stanza be in it
}
