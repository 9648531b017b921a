package nato4774

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Namespaces of bindings.
const (
	NSBinding   = "urn:nato:stanag:4778:bindinginformation:1:0"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
)

// Limits of a binding.
const (
	maxBindings     = 16 // containers, and bindings in one
	maxAlternatives = 8
)

// Bound is what a binding says about the document around it. The elements are labels by name; their content has not
// been read.
type Bound struct {
	Originator   *xmlstream.Element
	Alternatives []*xmlstream.Element
	Signed       bool
}

// IsBinding says whether the element is a STANAG 4778 binding.
func IsBinding(e *xmlstream.Element) bool { return e != nil && e.Is(NSBinding, "BindingInformation") }

// Unbind takes the labels out of a binding (STANAG 4778: BindingInformation, MetadataBindingContainer,
// MetadataBinding, Metadata): exactly one of the originator, and alternatives in the order in which they stand. All
// must be bound to the document around the binding: a reference with an empty URI or a fragment. A label of something
// else says nothing about this message, and what is only referred to has not been seen.
//
// A signature is over octets that a parser has long taken apart when the element arrives here, so it cannot be checked,
// and a binding with one is refused (*labels.Error, with Signed set): its signer wanted it to be checked.
func Unbind(e *xmlstream.Element) (Bound, error) {
	var out Bound
	if !IsBinding(e) {
		return out, bad("not a binding")
	}
	cs, err := bare(e)
	if err != nil {
		return out, err
	}
	if len(cs) > 0 && cs[0].Is(nsSignature, "Signature") {
		return Bound{Signed: true}, labels.Errorf(labels.CodeUnknown, "a signed binding, whose signature cannot be checked here")
	}
	if err := each(cs, "MetadataBindingContainer", func(container *xmlstream.Element) error {
		bindings, err := bare(container)
		if err != nil {
			return err
		}
		return each(bindings, "MetadataBinding", out.binding)
	}); err != nil {
		return Bound{}, err
	}
	if out.Originator == nil {
		return Bound{}, bad("a binding without the originator's label")
	}
	return out, nil
}

// bare returns the children of an element that has no attribute and no text.
func bare(e *xmlstream.Element) ([]*xmlstream.Element, error) {
	if err := (reader{}).attributes(e); err != nil {
		return nil, err
	}
	return children(e)
}

// each calls f for elements that must all have that name, and of which there must be some.
func each(cs []*xmlstream.Element, local string, f func(*xmlstream.Element) error) error {
	if len(cs) == 0 || len(cs) > maxBindings {
		return bad("%d of %s", len(cs), local)
	}
	for _, c := range cs {
		if !c.Is(NSBinding, local) {
			return bad("%s is not allowed here", labels.Quote(c.Local()))
		}
		if err := f(c); err != nil {
			return err
		}
	}
	return nil
}

// binding reads Metadata, one or more, and then what it is bound to, once or more.
func (b *Bound) binding(e *xmlstream.Element) error {
	cs, err := bare(e)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(cs, func(c *xmlstream.Element) bool { return !c.Is(NSBinding, "Metadata") })
	if n <= 0 {
		return bad("a binding without metadata, or without what it is bound to")
	}
	if err := each(cs[:n], "Metadata", b.metadata); err != nil {
		return err
	}
	return each(cs[n:], "DataReference", func(c *xmlstream.Element) error {
		if err := (reader{}).attributes(c, "URI"); err != nil {
			return err
		}
		uri, ok := c.Attr("URI")
		if !ok || uri != "" && !strings.HasPrefix(uri, "#") || len(uri) > maxToken || c.NumNodes() > 0 {
			return bad("bound to something else than the message: %s", labels.Quote(uri))
		}
		return nil
	})
}

// metadata takes the labels. One is usual; a published example has the originator's and an alternative.
func (b *Bound) metadata(e *xmlstream.Element) error {
	cs, err := bare(e)
	if err != nil {
		return err
	}
	if len(cs) == 0 {
		return bad("metadata without a label")
	}
	for _, c := range cs {
		switch {
		case !IsLabel(c):
			return bad("%s in a binding is no label of data", labels.Quote(c.Local()))
		case IsAlternative(c) && len(b.Alternatives) == maxAlternatives:
			return bad("more than %d alternative labels", maxAlternatives)
		case IsAlternative(c):
			b.Alternatives = append(b.Alternatives, c)
		case b.Originator != nil:
			return bad("two labels of the originator")
		default:
			b.Originator = c
		}
	}
	return nil
}

// Bind makes an unsigned binding of labels to the document around it, one a container. XMPP itself carries the bare
// label; this is for files.
func Bind(originator *xmlstream.Element, alternatives ...*xmlstream.Element) (*xmlstream.Element, error) {
	var containers []xmlstream.Node
	for _, l := range append([]*xmlstream.Element{originator}, alternatives...) {
		if l == nil || !IsLabel(l) {
			return nil, bad("nothing but labels can be bound")
		}
		containers = append(containers, xmlstream.ElementNode(el(NSBinding, "MetadataBindingContainer", nil,
			xmlstream.ElementNode(el(NSBinding, "MetadataBinding", nil,
				xmlstream.ElementNode(el(NSBinding, "Metadata", nil, xmlstream.ElementNode(l))),
				xmlstream.ElementNode(el(NSBinding, "DataReference", []xmlstream.Attr{attr("URI", "")})))))))
	}
	out := el(NSBinding, "BindingInformation", nil, containers...)
	if _, err := Unbind(out); err != nil {
		return nil, err
	}
	return out, nil
}
