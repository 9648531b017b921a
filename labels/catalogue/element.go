package catalogue

import (
	"fmt"
	"strconv"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels/icism"
	"sallyport/labels/xep0258"
)

// MaxElement bounds an answer in bytes: what a client's stream should have to take in one stanza.
const MaxElement = 256 << 10

// Writing says for whom and how a catalogue is written.
type Writing struct {
	To     jid.JID        // whom the labels are for, as the request had it; zero leaves it out
	Node   string         // XEP-0314, as the request had it
	Syntax xep0258.Syntax // of the labels
	ICISM  *icism.Mapping // for the syntax of that name
	Lang   string         // of markings, and of selectors that have to be made
	At     time.Time      // the creation date of syntaxes that demand one
}

// Element returns the catalog element (XEP-0258 §4): every item with a selector, true written as true, the number of
// items, and as id the Digest. Display markings come from the policy, labels from the normal form. It fails for a
// catalogue that breaks a rule or is too large for one stanza.
func (c *Catalogue) Element(w Writing) (*xmlstream.Element, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.WithSelectors(w.Lang)
	items := make([]xmlstream.Node, len(c.Items))
	for n, i := range c.Items {
		e, err := i.element(w)
		if err != nil {
			return nil, because(n+1, err)
		}
		items[n] = xmlstream.ElementNode(e)
	}
	e := xmlstream.NewElement(xmlstream.Name{Space: NS, Local: "catalog"}, c.attributes(w), items...)
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSClient)
	switch {
	case err != nil:
		return nil, &Error{Text: fmt.Sprintf("%d items cannot be written: %v", len(c.Items), err), Cause: err}
	case len(b) > MaxElement:
		return nil, errorf(0, "%d items take %d bytes, at most %d: offer fewer", len(c.Items), len(b), MaxElement)
	}
	return e, nil
}

func (c *Catalogue) attributes(w Writing) []xmlstream.Attr {
	var out []xmlstream.Attr
	add := func(name, value string) {
		if value != "" {
			out = append(out, xmlstream.Attr{Name: xmlstream.Name{Local: name}, Value: value})
		}
	}
	add("to", w.To.String())
	add("node", w.Node)
	add("name", c.Name)
	add("desc", c.Desc)
	add("restrict", strconv.FormatBool(c.Restrict))
	add("id", c.ID)
	add("size", strconv.Itoa(len(c.Items)))
	return out
}

func (i Item) element(w Writing) (*xmlstream.Element, error) {
	attrs := []xmlstream.Attr{{Name: xmlstream.Name{Local: "selector"}, Value: i.Selector}}
	if i.Default {
		attrs = append(attrs, xmlstream.Attr{Name: xmlstream.Name{Local: "default"}, Value: "true"})
	}
	name := xmlstream.Name{Space: NS, Local: "item"}
	if i.Label == nil {
		return xmlstream.NewElement(name, attrs), nil
	}
	sl, err := xep0258.ElementWith(i.Label, i.Label.Policy(), xep0258.WriteOptions{
		Syntax: w.Syntax, Lang: w.Lang, At: w.At, ICISM: w.ICISM, Equivalents: i.Equivalents,
		KeepPrivacyMark: true, // it is the operator's, not the sender's
	})
	if err != nil {
		return nil, err
	}
	return xmlstream.NewElement(name, attrs, xmlstream.ElementNode(sl)), nil
}
