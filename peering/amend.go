package peering

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// ErrNotReduced is what Reduced answers where more than children was left out, or less.
var ErrNotReduced = errors.New("not the released stanza with children left out")

const (
	nsDelay  = "urn:xmpp:delay"
	nsLabels = "urn:xmpp:sec-label:0"
)

// Reduced returns r with s in place of its stanza. s must be that stanza with some of its children left out, in their order and
// nothing else changed, and with every label it had: what was judged was judged with everything in it, so less of it may leave too. It
// is for thin links. An iq is never reduced: it would be another question or another answer.
func (r Released) Reduced(s stanza.Stanza) (Released, error) {
	switch {
	case r.stanza.IsZero() || s.IsZero():
		return Released{}, errors.Join(ErrNotReduced, ErrNotReleased)
	case s == r.stanza:
		return r, nil
	case r.stanza.Kind() == stanza.IQ || r.stanza.IsError():
		return Released{}, fmt.Errorf("%w: %s", ErrNotReduced, r.stanza.Kind())
	case !reduces(r.stanza.Element(), s.Element()):
		return Released{}, ErrNotReduced
	}
	// Made from the element, so that what the fields say is what the element says.
	out, err := r.stanza.WithElement(s.Element())
	if err != nil {
		return Released{}, errors.Join(ErrNotReduced, err)
	}
	r.stanza = out
	return r, nil
}

// reduces reports whether less is whole with children left out.
func reduces(whole, less *xmlstream.Element) bool {
	if whole.Name() != less.Name() || whole.NumAttrs() != less.NumAttrs() {
		return false
	}
	for i := range whole.NumAttrs() {
		if whole.AttrAt(i) != less.AttrAt(i) {
			return false
		}
	}
	at := 0
	for i := range whole.NumNodes() {
		n := whole.NodeAt(i)
		switch {
		case at < less.NumNodes() && n.Text == less.NodeAt(at).Text && n.Element.Equal(less.NodeAt(at).Element):
			at++
		case n.Element == nil || n.Element.Space() == nsLabels:
			return false // a text, or the label, is missing
		}
	}
	return at == less.NumNodes()
}

// Delayed returns r with our own stamp (XEP-0203 §2): since is when we took it, and we are the domain that it leaves from. Stamps that
// name this domain and came with the stanza are taken out, since nobody else speaks for it; those of others stay. What can have no stamp
// comes back as it is: iq, errors, subscriptions.
func (r Released) Delayed(since time.Time) Released {
	switch r.stanza.Type() {
	case stanza.MessageNormal, stanza.MessageChat, stanza.MessageGroupchat, stanza.MessageHeadline,
		stanza.PresenceAvailable, stanza.PresenceUnavailable:
	default:
		return r
	}
	root := r.stanza.Element()
	ours := r.local.String()
	var nodes []xmlstream.Node
	for i := range root.NumNodes() {
		n := root.NodeAt(i)
		if n.Element.Is(nsDelay, "delay") {
			if by, _ := n.Element.Attr("from"); by == ours {
				continue
			}
		}
		nodes = append(nodes, n)
	}
	stamp := since.UTC().Truncate(time.Second).Format(time.RFC3339)
	nodes = append(nodes, xmlstream.ElementNode(xmlstream.NewElement(xmlstream.Name{Space: nsDelay, Local: "delay"}, []xmlstream.Attr{
		{Name: xmlstream.Name{Local: "from"}, Value: ours}, {Name: xmlstream.Name{Local: "stamp"}, Value: stamp},
	})))
	out, err := r.stanza.WithElement(root.WithNodes(nodes...))
	if err != nil { // cannot be: one more child of a message or presence
		return r
	}
	r.stanza = out
	return r
}
