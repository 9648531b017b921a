package xep0314

import (
	"fmt"
	"strconv"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// WithLabels returns a stanza whose items have the labels that f gives them, nil for none; what it had of labels is
// gone. In a publish request and in a notification all items share one label: different ones need stanzas of their own.
// Without items f is asked once, for nil. In results a label that several items share is written once.
func WithLabels(e *xmlstream.Element, f func(item *xmlstream.Element) *xmlstream.Element) (*xmlstream.Element, error) {
	c, err := Read(e)
	if err != nil {
		return nil, fmt.Errorf("label items: %w", err)
	}
	switch {
	case c.Place == Nowhere:
		return nil, fmt.Errorf("label items: the stanza has no place for items")
	case c.Place.shared():
		return c.share(e, f)
	}
	_, box, err := find(e)
	if err != nil {
		return nil, fmt.Errorf("label items: %w", err)
	}
	fresh, err := name(box, f)
	if err != nil {
		return nil, err
	}
	return replace(e, box, fresh), nil
}

// share writes the one label of a publish request or notification.
func (c *Container) share(e *xmlstream.Element, f func(*xmlstream.Element) *xmlstream.Element) (*xmlstream.Element, error) {
	var one *xmlstream.Element
	if len(c.Items) == 0 {
		one = f(nil)
	}
	for i, it := range c.Items {
		l := f(it.Item)
		if i > 0 && !l.Equal(one) {
			return nil, fmt.Errorf("label items: items with different labels in one %s", c.Place)
		}
		one = l
	}
	if one != nil && (!isLabel(one) || hasName(one)) {
		return nil, fmt.Errorf("label items: not a plain securitylabel")
	}
	holder := e
	if c.Place == Publish {
		_, box, err := find(e)
		if err != nil {
			return nil, fmt.Errorf("label items: %w", err)
		}
		holder = box
	}
	nodes := without(holder)
	if one != nil {
		nodes = append(nodes, xmlstream.ElementNode(one))
	}
	return replace(e, holder, holder.WithNodes(nodes...)), nil
}

// name writes the labels of a container with names, and the pointers of its items.
func name(box *xmlstream.Element, f func(*xmlstream.Element) *xmlstream.Element) (*xmlstream.Element, error) {
	pointer := xmlstream.Name{Space: NS, Local: "label"}
	nodes := without(box)
	var all []*xmlstream.Element
	for i, n := range nodes {
		if !isItem(box, n.Element) {
			continue
		}
		l := f(n.Element)
		if l == nil {
			nodes[i].Element = n.Element.WithoutAttr(pointer)
			continue
		}
		if !isLabel(l) || hasName(l) {
			return nil, fmt.Errorf("label items: not a plain securitylabel")
		}
		at := 0
		for at < len(all) && !all[at].Equal(l) {
			at++
		}
		if at == len(all) {
			all = append(all, l)
		}
		nodes[i].Element = n.Element.WithAttr(pointer, id(at))
	}
	if len(all) > maxLabels {
		return nil, fmt.Errorf("label items: %d labels, at most %d", len(all), maxLabels)
	}
	for i, l := range all {
		nodes = append(nodes, xmlstream.ElementNode(l.WithAttr(idName, id(i))))
	}
	return box.WithNodes(nodes...), nil
}

func id(n int) string { return "label-" + strconv.Itoa(n+1) }

// without returns the content of an element less its labels.
func without(e *xmlstream.Element) []xmlstream.Node {
	var out []xmlstream.Node
	for i := range e.NumNodes() {
		if n := e.NodeAt(i); n.Element == nil || !isLabel(n.Element) {
			out = append(out, n)
		}
	}
	return out
}

// replace puts fresh in the place of old, which is e, a child or a grandchild of it.
func replace(e, old, fresh *xmlstream.Element) *xmlstream.Element {
	if e == old {
		return fresh
	}
	return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if c == old {
			return fresh
		}
		return c.MapChildren(func(g *xmlstream.Element) *xmlstream.Element {
			if g == old {
				return fresh
			}
			return g
		})
	})
}

// InsufficientClearance is the application-specific condition of XEP-0314 §6.1.1.
func InsufficientClearance() *xmlstream.Element {
	return xmlstream.NewElement(xmlstream.Name{Space: NSErrors, Local: "insufficient-clearance"}, nil)
}

// BeyondNode answers a publish request whose label is outside the node's clearance (XEP-0314 §6.1.1.1).
func BeyondNode(s stanza.Stanza) (stanza.Stanza, bool) {
	return stanza.ErrorReply(s, stanza.BadRequest, stanza.ErrorOptions{Type: stanza.Modify, App: InsufficientClearance()})
}

// BeyondPublisher answers a publish request whose label is outside the publisher's clearance (§6.1.1.2). The example
// there lacks the condition that RFC 6120 §8.3.2 demands; forbidden says it.
func BeyondPublisher(s stanza.Stanza) (stanza.Stanza, bool) {
	return stanza.ErrorReply(s, stanza.Forbidden, stanza.ErrorOptions{Type: stanza.Auth, App: InsufficientClearance()})
}
