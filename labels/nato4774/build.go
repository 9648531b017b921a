package nato4774

import (
	"fmt"
	"iter"
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

// BuildLabel writes a label as originatorConfidentialityLabel, created at the time given. Nothing but the normal form
// is carried over. It fails for a value that names cannot express: one name in two tags of a tag set.
func BuildLabel(l *labels.Label, created time.Time) (*xmlstream.Element, error) {
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
	created = created.UTC().Truncate(time.Second)
	review := created.AddDate(reviewYears, 0, 0)
	return el(NS, "originatorConfidentialityLabel", []xmlstream.Attr{attr("ReviewDateTime", review.Format(time.RFC3339))},
		xmlstream.ElementNode(el(NS, "ConfidentialityInformation", nil, nodes...)),
		textNode("CreationDateTime", created.Format(time.RFC3339))), nil
}

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
