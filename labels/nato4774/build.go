package nato4774

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// reviewYears is how long after its creation a label we write is due for review. The standard demands a date; a past
// one does not make a label invalid.
const reviewYears = 5

func el(space, local string, attrs []xmlstream.Attr, nodes ...xmlstream.Node) *xmlstream.Element {
	return xmlstream.NewElement(xmlstream.Name{Space: space, Local: local}, attrs, nodes...)
}

func attr(local, value string) xmlstream.Attr {
	return xmlstream.Attr{Name: xmlstream.Name{Local: local}, Value: value}
}

func textNode(local, text string) xmlstream.Node {
	return xmlstream.ElementNode(el(NS, local, nil, xmlstream.TextNode(text)))
}

// Origin is what stands in a label beside its normal form.
type Origin struct {
	Created    time.Time
	Review     time.Time // zero: five years after Created
	Originator Identity  // zero: not stated
}

// BuildLabel writes a label as originatorConfidentialityLabel, created at the time given. Nothing but the normal form
// is carried over. It fails for a value that names cannot express: one name in two tags of a tag set.
func BuildLabel(l *labels.Label, created time.Time) (*xmlstream.Element, error) {
	return buildLabel("originatorConfidentialityLabel", l, Origin{Created: created})
}

// BuildLabelFrom writes a label as originatorConfidentialityLabel with its dates and originator.
func BuildLabelFrom(l *labels.Label, o Origin) (*xmlstream.Element, error) {
	return buildLabel("originatorConfidentialityLabel", l, o)
}

// BuildAlternative writes a label as alternativeConfidentialityLabel: one under another policy that stands beside the
// originator's.
func BuildAlternative(l *labels.Label, o Origin) (*xmlstream.Element, error) {
	return buildLabel("alternativeConfidentialityLabel", l, o)
}

func buildLabel(root string, l *labels.Label, o Origin) (*xmlstream.Element, error) {
	p := l.Policy()
	if p == nil {
		return nil, fmt.Errorf("build label: no label")
	}
	f := l.Form()
	nodes := []xmlstream.Node{policyNode(p), textNode("Classification", l.ClassName())}
	if f.PrivacyMark != "" {
		nodes = append(nodes, textNode("PrivacyMark", f.PrivacyMark))
	}
	nodes, err := categoryNodes(nodes, p, l.Categories())
	if err != nil {
		return nil, err
	}
	if o.Review.IsZero() {
		o.Review = o.Created.AddDate(reviewYears, 0, 0)
	}
	whole := []xmlstream.Node{xmlstream.ElementNode(el(NS, "ConfidentialityInformation", nil, nodes...))}
	if o.Originator != (Identity{}) {
		if !slices.Contains(idTypes, o.Originator.Type) || o.Originator.Name == "" || len(o.Originator.Name) > maxToken {
			return nil, fmt.Errorf("build label: identity %q of type %q", o.Originator.Name, o.Originator.Type)
		}
		whole = append(whole, xmlstream.ElementNode(el(NS, "OriginatorID",
			[]xmlstream.Attr{attr("IDType", o.Originator.Type)}, xmlstream.TextNode(o.Originator.Name))))
	}
	return el(NS, root, []xmlstream.Attr{attr("ReviewDateTime", stamp(o.Review))},
		append(whole, textNode("CreationDateTime", stamp(o.Created)))...), nil
}

// stamp writes a time to the second: a finer one would be room for other things than time.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// BuildClearance writes a clearance.
func BuildClearance(c *labels.Clearance) (*xmlstream.Element, error) {
	p := c.Policy()
	if p == nil {
		return nil, fmt.Errorf("build clearance: no clearance")
	}
	var classes []xmlstream.Node
	for _, n := range c.Form().Classes {
		if name, ok := p.ClassName(n); ok {
			classes = append(classes, textNode("Classification", name))
		}
	}
	nodes := []xmlstream.Node{policyNode(p), xmlstream.ElementNode(el(NSClearance, "ClassificationList", nil, classes...))}
	nodes, err := categoryNodes(nodes, p, c.Categories())
	if err != nil {
		return nil, err
	}
	return el(NSClearance, "ConfidentialityClearance", nil, nodes...), nil
}

func policyNode(p *labels.Policy) xmlstream.Node {
	return xmlstream.ElementNode(el(NS, "PolicyIdentifier", []xmlstream.Attr{attr("URI", urnOID+p.ID())}, xmlstream.TextNode(p.Name())))
}

// categoryNodes appends one Category for each run of values of one tag set and type.
func categoryNodes(nodes []xmlstream.Node, p *labels.Policy, cs iter.Seq[labels.Category]) ([]xmlstream.Node, error) {
	var run []xmlstream.Node
	var head labels.Category
	flush := func() {
		if len(run) == 0 {
			return
		}
		nodes = append(nodes, xmlstream.ElementNode(el(NS, "Category", []xmlstream.Attr{
			attr("Type", head.Kind.Type().String()), attr("TagName", head.TagSetName), attr("URI", urnOID+head.TagSet),
		}, run...)))
		run = nil
	}
	for c := range cs {
		if v, err := p.ValueNamed(c.TagSet, c.Kind.Type(), c.Name); err != nil || v != c.Value {
			return nil, fmt.Errorf("value %q of tag set %q cannot be told by its name", c.Name, c.TagSetName)
		}
		if c.TagSet != head.TagSet || c.Kind.Type() != head.Kind.Type() {
			flush()
			head = c
		}
		run = append(run, textNode("GenericValue", c.Name))
	}
	flush()
	return nodes, nil
}
