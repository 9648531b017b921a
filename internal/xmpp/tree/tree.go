// Package tree builds elements and stanzas in the shape in which they are read: a name, then what is in it.
//
// Inside: [New] with its [Part]s; [Message], [Presence], [Set] and the like, which make stanzas of ours and check them as those of
// others are checked. Not inside: what any of them mean.
//
// It must never make a stanza that the reader would refuse: those functions give an error instead.
package tree

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Part is something inside an element.
type Part func(*draft)

type draft struct {
	attrs []xmlstream.Attr
	nodes []xmlstream.Node
}

// New builds an element.
func New(space, local string, parts ...Part) *xmlstream.Element {
	var d draft
	for _, p := range parts {
		p(&d)
	}
	return xmlstream.NewElement(xmlstream.Name{Space: space, Local: local}, d.attrs, d.nodes...)
}

// Attr is an attribute without namespace, left out where its value is empty.
func Attr(local, value string) Part {
	return func(d *draft) {
		if value != "" {
			d.attrs = append(d.attrs, xmlstream.Attr{Name: xmlstream.Name{Local: local}, Value: value})
		}
	}
}

// Text is character data.
func Text(s string) Part {
	return func(d *draft) { d.nodes = append(d.nodes, xmlstream.TextNode(s)) }
}

// With are child elements; those that are nil are left out.
func With(children ...*xmlstream.Element) Part {
	return func(d *draft) {
		for _, c := range children {
			if c != nil {
				d.nodes = append(d.nodes, xmlstream.ElementNode(c))
			}
		}
	}
}

// Value returns an attribute without namespace, empty where there is none.
func Value(e *xmlstream.Element, local string) string {
	if e == nil {
		return ""
	}
	v, _ := e.Attr(local)
	return v
}

// Message makes a message of a type, without id where id is empty.
func Message(t stanza.Type, from, to jid.JID, id string, children ...*xmlstream.Element) (stanza.Stanza, error) {
	return made("message", t, from, to, id, children)
}

// Presence makes a presence of a type.
func Presence(t stanza.Type, from, to jid.JID, children ...*xmlstream.Element) (stanza.Stanza, error) {
	return made("presence", t, from, to, "", children)
}

// IQ makes a request or a result; a nil payload is none.
func IQ(t stanza.Type, from, to jid.JID, id string, payload *xmlstream.Element) (stanza.Stanza, error) {
	return made("iq", t, from, to, id, []*xmlstream.Element{payload})
}

func made(local string, t stanza.Type, from, to jid.JID, id string, children []*xmlstream.Element) (stanza.Stanza, error) {
	kind := t.String()
	if t == stanza.MessageNormal || t == stanza.PresenceAvailable {
		kind = "" // the usual one has no attribute
	}
	return stanza.From(New(xmlstream.NSServer, local, Attr("from", from.String()), Attr("id", id), Attr("to", to.String()),
		Attr("type", kind), With(children...)))
}

// Appended gives e with one more child.
func Appended(e, child *xmlstream.Element) *xmlstream.Element {
	nodes := make([]xmlstream.Node, 0, e.NumNodes()+1)
	for i := range e.NumNodes() {
		nodes = append(nodes, e.NodeAt(i))
	}
	return e.WithNodes(append(nodes, xmlstream.ElementNode(child))...)
}

// Renamed returns e with every element of the namespace from in the namespace to, down to the first of another: the stanza of a
// client among those of servers, and back. What among them is in the namespace to already is left out: it would become a part of the
// stanza that nobody has judged as one.
func Renamed(e *xmlstream.Element, from, to string) *xmlstream.Element {
	if e.Space() != from {
		return e
	}
	attrs := make([]xmlstream.Attr, e.NumAttrs())
	for i := range attrs {
		attrs[i] = e.AttrAt(i)
	}
	nodes := make([]xmlstream.Node, 0, e.NumNodes())
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		if n.Element != nil {
			if n.Element.Space() == to {
				continue
			}
			n.Element = Renamed(n.Element, from, to)
		}
		nodes = append(nodes, n)
	}
	return xmlstream.NewElement(xmlstream.Name{Space: to, Local: e.Local()}, attrs, nodes...)
}
