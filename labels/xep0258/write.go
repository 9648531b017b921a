package xep0258

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/icism"
	"sallyport/labels/nato4774"
)

func element(space, local string, nodes ...xmlstream.Node) *xmlstream.Element {
	return xmlstream.NewElement(xmlstream.Name{Space: space, Local: local}, nil, nodes...)
}

// WriteOptions say how a label is written. The zero value has no syntax and writes nothing.
type WriteOptions struct {
	Syntax Syntax
	Lang   string // of the display marking; "" is the policy's own
	// KeepPrivacyMark carries the privacy mark over. It is free text that has no say in a decision: a channel.
	KeepPrivacyMark bool
	// Equivalents are labels under other policies, one a policy, that are written beside the label.
	Equivalents []*labels.Label
	ICISM       *icism.Mapping // for the syntax ICISM
	At          time.Time      // arrival of the message: the creation date of syntaxes that demand one

	alternative bool
}

// Element returns the securitylabel of a label without anything optional: see ElementWith.
func Element(l *labels.Label, p *labels.Policy, s Syntax, at time.Time) (*xmlstream.Element, error) {
	return ElementWith(l, p, WriteOptions{Syntax: s, At: at})
}

// ElementWith returns the securitylabel of a label (XEP-0258 §3): display marking from the policy, label from the
// normal form. Nothing of what was received is carried over.
func ElementWith(l *labels.Label, p *labels.Policy, o WriteOptions) (*xmlstream.Element, error) {
	if l.Policy() == nil || p == nil {
		return nil, fmt.Errorf("write security label: no label or no policy")
	}
	l, err := o.unmarked(l)
	if err != nil {
		return nil, err
	}
	payload, err := o.payload(l)
	if err != nil {
		return nil, err
	}
	var nodes []xmlstream.Node
	if text, fg, bg := p.Marking(l, o.Lang); text != "" {
		marking := element(NS, "displaymarking", xmlstream.TextNode(text))
		if bg != "" {
			marking = marking.WithAttr(xmlstream.Name{Local: "fgcolor"}, fg).WithAttr(xmlstream.Name{Local: "bgcolor"}, bg)
		}
		nodes = append(nodes, xmlstream.ElementNode(marking))
	}
	nodes = append(nodes, xmlstream.ElementNode(element(NS, "label", xmlstream.ElementNode(payload))))
	if nodes, err = o.equivalents(nodes, l); err != nil {
		return nil, err
	}
	return element(NS, "securitylabel", nodes...), nil
}

// unmarked takes the privacy mark off a label unless it is kept.
func (o *WriteOptions) unmarked(l *labels.Label) (*labels.Label, error) {
	f := l.Form()
	if o.KeepPrivacyMark || f.PrivacyMark == "" {
		return l, nil
	}
	f.PrivacyMark = ""
	return l.Policy().Label(f)
}

// equivalents appends the equivalentlabel elements. Two under one policy could contradict each other.
func (o *WriteOptions) equivalents(nodes []xmlstream.Node, l *labels.Label) ([]xmlstream.Node, error) {
	if len(o.Equivalents) > maxEquivalents {
		return nil, fmt.Errorf("write security label: %d equivalents, at most %d", len(o.Equivalents), maxEquivalents)
	}
	seen := []string{l.PolicyID()}
	beside := WriteOptions{Syntax: o.Syntax, At: o.At, alternative: true}
	if o.Syntax == ICISM { // its mapping is for one policy
		beside.Syntax = ESS
	}
	for _, q := range o.Equivalents {
		if q.Policy() == nil || slices.Contains(seen, q.PolicyID()) {
			return nil, fmt.Errorf("write security label: an equivalent without a policy of its own")
		}
		seen = append(seen, q.PolicyID())
		q, err := o.unmarked(q)
		if err != nil {
			return nil, err
		}
		payload, err := beside.payload(q)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, xmlstream.ElementNode(element(NS, "equivalentlabel", xmlstream.ElementNode(payload))))
	}
	return nodes, nil
}

// Payload returns the element that stands inside label or equivalentlabel, privacy mark included.
func Payload(l *labels.Label, s Syntax, at time.Time) (*xmlstream.Element, error) {
	return (&WriteOptions{Syntax: s, At: at}).payload(l)
}

func (o *WriteOptions) payload(l *labels.Label) (*xmlstream.Element, error) {
	switch o.Syntax {
	case ESS:
		return octets(l, ess.ACP145)
	case SDN801c:
		return octets(l, ess.SDN801c)
	case STANAG4774, STANAG4778:
		if o.alternative {
			return nato4774.BuildAlternative(l, nato4774.Origin{Created: o.At})
		}
		return nato4774.BuildLabel(l, o.At)
	case ICISM:
		return icism.Element(l, o.ICISM)
	case NoSyntax:
	}
	return nil, fmt.Errorf("write security label: no syntax")
}

// octets writes an ESS label. The tags of SDN.801c do not say whether numbers restrict or permit, so that what cannot
// be read as the same label again is not written.
func octets(l *labels.Label, s ess.CategorySyntax) (*xmlstream.Element, error) {
	b, err := ess.AppendLabelAs(nil, l.Form(), s)
	if err != nil {
		return nil, fmt.Errorf("write ESS label: %w", err)
	}
	if s == ess.SDN801c {
		f, err := ess.ParseLabel(b)
		if err != nil {
			return nil, fmt.Errorf("write ESS label: %w", err)
		}
		if again, err := l.Policy().Label(f); err != nil || !again.Equal(l) {
			return nil, fmt.Errorf("write ESS label: %s cannot be told in SDN.801c", l)
		}
	}
	return element(NSESS, "esssecuritylabel", xmlstream.TextNode(base64.StdEncoding.EncodeToString(b))), nil
}
