package nato4774

import (
	"slices"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// IsLabel says whether the element is one of the names a label of data has. The label of metadata is none.
func IsLabel(e *xmlstream.Element) bool {
	return e.Is(NS, "originatorConfidentialityLabel") || e.Is(NS, "ConfidentialityLabel") || IsAlternative(e)
}

// IsAlternative says whether the element is a label that stands beside the originator's.
func IsAlternative(e *xmlstream.Element) bool { return e.Is(NS, "alternativeConfidentialityLabel") }

// ParseLabel reads a label element strictly. Errors are *labels.Error.
func ParseLabel(e *xmlstream.Element, reg *labels.Registry) (labels.LabelForm, error) {
	return ParseLabelWith(Options{}, e, reg)
}

// ParseLabelWith reads a label element.
func ParseLabelWith(o Options, e *xmlstream.Element, reg *labels.Registry) (labels.LabelForm, error) {
	if !IsLabel(e) {
		return labels.LabelForm{}, bad("not a confidentiality label")
	}
	r := reader{o: o, reg: reg}
	if err := r.attributes(e, "Id", "ReviewDateTime"); err != nil {
		return labels.LabelForm{}, err
	}
	if d, ok := e.Attr("ReviewDateTime"); ok {
		if err := dateTime(d); err != nil {
			return labels.LabelForm{}, err
		}
	}
	return r.label(e, 0)
}

// order is the sequence of a label; each at most once.
var order = []string{"ConfidentialityInformation", "OriginatorID", "CreationDateTime", "SuccessionHandling"}

// label reads the content of a label or of a successor.
func (r reader) label(e *xmlstream.Element, depth int) (labels.LabelForm, error) {
	var f labels.LabelForm
	cs, err := children(e)
	if err != nil {
		return f, err
	}
	last := -1
	for _, c := range cs {
		at := slices.Index(order, c.Local())
		if c.Space() != NS || at <= last {
			return f, bad("%s is not allowed here", labels.Quote(c.Local()))
		}
		last = at
		switch at {
		case 0:
			f, err = r.information(c)
		case 1:
			err = r.originator(c)
		case 2:
			err = r.created(c)
		case 3:
			err = r.succession(c, depth)
		}
		if err != nil {
			return labels.LabelForm{}, err
		}
	}
	if f.Policy == "" {
		return f, bad("no ConfidentialityInformation")
	}
	return f, nil
}

func (r reader) information(e *xmlstream.Element) (labels.LabelForm, error) {
	var f labels.LabelForm
	if err := r.attributes(e); err != nil {
		return f, err
	}
	cs, err := children(e)
	if err != nil {
		return f, err
	}
	if len(cs) == 0 || !cs[0].Is(NS, "PolicyIdentifier") {
		return f, bad("no PolicyIdentifier")
	}
	if len(cs) == 1 || !cs[1].Is(NS, "Classification") {
		return f, bad("no Classification")
	}
	p, err := r.policy(cs[0])
	if err != nil {
		return f, err
	}
	f.Policy = p.ID()
	if f.Class, err = r.class(p, cs[1]); err != nil {
		return f, err
	}
	cs = cs[2:]
	if len(cs) > 0 && cs[0].Is(NS, "PrivacyMark") {
		if err := r.attributes(cs[0]); err != nil {
			return f, err
		}
		if f.PrivacyMark, err = token(cs[0]); err != nil {
			return f, err
		}
		cs = cs[1:]
	}
	if len(cs) > maxCategories {
		return f, bad("more than %d categories", maxCategories)
	}
	for _, c := range cs {
		if !c.Is(NS, "Category") {
			return f, bad("%s is not allowed here", labels.Quote(c.Local()))
		}
		if f.Values, err = r.category(f.Values, p, c, false); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (r reader) class(p *labels.Policy, e *xmlstream.Element) (uint32, error) {
	if err := r.attributes(e); err != nil {
		return 0, err
	}
	name, err := token(e)
	if err != nil {
		return 0, err
	}
	n, ok := p.ClassNamed(name)
	if !ok {
		return 0, labels.Errorf(labels.CodeUnknown, "policy %s has no classification %s", p.Name(), labels.Quote(name))
	}
	return n, nil
}

var idTypes = []string{
	"rfc822Name", "dNSName", "directoryName", "uniformResourceIdentifier", "iPAddress", "x400Address", "userPrincipalName", "jID",
}

func (r reader) originator(e *xmlstream.Element) error {
	if err := r.attributes(e, "IDType"); err != nil {
		return err
	}
	if t, _ := e.Attr("IDType"); !slices.Contains(idTypes, t) {
		return bad("type of the originator's identity")
	}
	_, err := token(e)
	return err
}

func (r reader) created(e *xmlstream.Element) error {
	if err := r.attributes(e); err != nil {
		return err
	}
	s, err := token(e)
	if err != nil {
		return err
	}
	return dateTime(s)
}

// succession checks the form. The successor never takes effect here: the guard's clock must not lower a label.
func (r reader) succession(e *xmlstream.Element, depth int) error {
	if err := r.attributes(e); err != nil {
		return err
	}
	cs, err := children(e)
	if err != nil {
		return err
	}
	if depth == maxNesting || len(cs) != 2 || !cs[0].Is(NS, "SuccessionDateTime") || !cs[1].Is(NS, "SuccessorConfidentialityLabel") {
		return bad("broken SuccessionHandling")
	}
	if err := r.created(cs[0]); err != nil {
		return err
	}
	if err := r.attributes(cs[1]); err != nil {
		return err
	}
	_, err = r.label(cs[1], depth+1)
	return err
}
