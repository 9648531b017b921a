package xep0314

import (
	"strconv"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// Namespaces.
const (
	NS       = "urn:xmpp:sec-label:pubsub:0"
	NSErrors = "urn:xmpp:sec-label:pubsub:errors:0"

	nsPubSub  = "http://jabber.org/protocol/pubsub"
	nsEvent   = "http://jabber.org/protocol/pubsub#event"
	nsDisco   = "http://jabber.org/protocol/disco#items"
	nsForward = "urn:xmpp:forward:0"
)

// Limits of one stanza.
const (
	maxLabels = 256
	maxID     = 256 // bytes
)

// Place says where in a stanza the labels of items stand. The zero value has none.
type Place uint8

const (
	Nowhere      Place = iota
	Publish            // in publish: one for all items (XEP-0314 §6.1)
	Retrieval          // in items of an iq: each named, items point to them (§5.2)
	Discovery          // in the query of disco#items: the same (§4.2, §4.3)
	Notification       // in the message itself: one for all items (§6.1)
)

var placeNames = [...]string{Nowhere: "nowhere", Publish: "publish", Retrieval: "items", Discovery: "disco", Notification: "notification"}

func (p Place) String() string {
	if int(p) < len(placeNames) {
		return placeNames[p]
	}
	return "place " + strconv.Itoa(int(p))
}

// shared says whether there is one label for all items.
func (p Place) shared() bool { return p == Publish || p == Notification }

// ItemLabel is an item and the label that applies to it.
type ItemLabel struct {
	Item  *xmlstream.Element
	Label *xmlstream.Element // as package xep0258 reads it; nil: the item has none
}

// Container is what a stanza has of items and labels.
type Container struct {
	Place Place
	Node  string             // attribute of the container, "" for none
	Label *xmlstream.Element // of Publish and Notification, also when there is no item
	Items []ItemLabel        // in order
}

// Labels returns the items of a stanza with their labels. A stanza that has no container for items has none; a label
// out of place is an error, a *labels.Error, in every stanza.
func Labels(e *xmlstream.Element) ([]ItemLabel, error) {
	c, err := Read(e)
	return c.Items, err
}

// find returns the element that holds the items of a stanza.
func find(e *xmlstream.Element) (Place, *xmlstream.Element, error) {
	place, found := Nowhere, (*xmlstream.Element)(nil)
	set := func(p Place, c *xmlstream.Element) error {
		if found != nil {
			return labels.Errorf(labels.CodeSyntax, "items in two places of one stanza")
		}
		place, found = p, c
		return nil
	}
	for c := range e.Children() {
		var err error
		switch {
		case isStanza(e, "iq") && c.Is(nsDisco, "query"):
			err = set(Discovery, c)
		case isStanza(e, "iq") && c.Is(nsPubSub, "pubsub"):
			for g := range c.Children() {
				switch {
				case err != nil:
				case g.Is(nsPubSub, "publish"):
					err = set(Publish, g)
				case g.Is(nsPubSub, "items"):
					err = set(Retrieval, g)
				}
			}
		case isStanza(e, "message") && c.Is(nsEvent, "event"):
			for g := range c.Children() {
				if g.Is(nsEvent, "items") && err == nil {
					err = set(Notification, g)
				}
			}
		}
		if err != nil {
			return Nowhere, nil, err
		}
	}
	return place, found, nil
}

func isStanza(e *xmlstream.Element, local string) bool {
	return e.Is(xmlstream.NSServer, local) || e.Is(xmlstream.NSClient, local)
}

func isLabel(e *xmlstream.Element) bool { return e.Is(xep0258.NS, "securitylabel") }

func isItem(container, e *xmlstream.Element) bool { return e != nil && e.Is(container.Space(), "item") }
