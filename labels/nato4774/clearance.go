package nato4774

import (
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// ParseClearance reads a ConfidentialityClearance strictly. Errors are *labels.Error.
func ParseClearance(e *xmlstream.Element, reg *labels.Registry) (labels.ClearanceForm, error) {
	return ParseClearanceWith(Options{}, e, reg)
}

// ParseClearanceWith reads a ConfidentialityClearance. A classification that the policy does not have is listed in
// Ignored; it grants nothing.
func ParseClearanceWith(o Options, e *xmlstream.Element, reg *labels.Registry) (labels.ClearanceForm, error) {
	var f labels.ClearanceForm
	r := reader{o: o, reg: reg}
	if !e.Is(NSClearance, "ConfidentialityClearance") {
		return f, bad("not a confidentiality clearance")
	}
	if err := r.attributes(e); err != nil {
		return f, err
	}
	cs, err := children(e)
	if err != nil {
		return f, err
	}
	if len(cs) < 2 || !cs[0].Is(NS, "PolicyIdentifier") || !cs[1].Is(NSClearance, "ClassificationList") {
		return f, bad("a clearance needs PolicyIdentifier and ClassificationList")
	}
	p, err := r.policy(cs[0])
	if err != nil {
		return f, err
	}
	f.Policy = p.ID()
	if err := r.classList(&f, p, cs[1]); err != nil {
		return f, err
	}
	for _, c := range cs[2:] {
		if !c.Is(NS, "Category") {
			return f, bad("%s is not allowed here", labels.Quote(c.Local()))
		}
		if f.Values, err = r.category(f.Values, p, c, true); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (r reader) classList(f *labels.ClearanceForm, p *labels.Policy, e *xmlstream.Element) error {
	if err := r.attributes(e); err != nil {
		return err
	}
	cs, err := children(e)
	if err != nil {
		return err
	}
	for _, c := range cs {
		if !c.Is(NS, "Classification") {
			return bad("%s is not allowed here", labels.Quote(c.Local()))
		}
		if err := r.attributes(c); err != nil {
			return err
		}
		name, err := token(c)
		if err != nil {
			return err
		}
		if n, ok := p.ClassNamed(name); ok {
			f.Classes = append(f.Classes, n)
		} else {
			f.Ignored = append(f.Ignored, "classification "+labels.Quote(name))
		}
	}
	return nil
}
