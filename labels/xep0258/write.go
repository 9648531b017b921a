package xep0258

import (
	"encoding/base64"
	"fmt"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/nato4774"
)

func element(space, local string, nodes ...xmlstream.Node) *xmlstream.Element {
	return xmlstream.NewElement(xmlstream.Name{Space: space, Local: local}, nil, nodes...)
}

// Element returns the securitylabel of a label: display marking from the policy, label from the normal form. Nothing
// of what was received is carried over. The time, the message's arrival, becomes the creation date of syntaxes that
// demand one.
func Element(l *labels.Label, p *labels.Policy, s Syntax, at time.Time) (*xmlstream.Element, error) {
	if l == nil || p == nil {
		return nil, fmt.Errorf("write security label: no label or no policy")
	}
	payload, err := Payload(l, s, at)
	if err != nil {
		return nil, err
	}
	var nodes []xmlstream.Node
	if text, fg, bg := p.Marking(l, ""); text != "" {
		marking := element(NS, "displaymarking", xmlstream.TextNode(text))
		if bg != "" {
			marking = marking.WithAttr(xmlstream.Name{Local: "fgcolor"}, fg).WithAttr(xmlstream.Name{Local: "bgcolor"}, bg)
		}
		nodes = append(nodes, xmlstream.ElementNode(marking))
	}
	nodes = append(nodes, xmlstream.ElementNode(element(NS, "label", xmlstream.ElementNode(payload))))
	return element(NS, "securitylabel", nodes...), nil
}

// Payload returns the element that stands inside label or equivalentlabel.
func Payload(l *labels.Label, s Syntax, at time.Time) (*xmlstream.Element, error) {
	switch s {
	case ESS:
		b, err := ess.AppendLabel(nil, l.Form())
		if err != nil {
			return nil, fmt.Errorf("write ESS label: %w", err)
		}
		return element(NSESS, "esssecuritylabel", xmlstream.TextNode(base64.StdEncoding.EncodeToString(b))), nil
	case STANAG4774:
		return nato4774.BuildLabel(l, at)
	case NoSyntax:
	}
	return nil, fmt.Errorf("write security label: no syntax")
}
