package nato4774

import (
	"slices"
	"time"

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

// ParseLabelWith reads a label element and returns the label that counts at the time of the options.
func ParseLabelWith(o Options, e *xmlstream.Element, reg *labels.Registry) (labels.LabelForm, error) {
	r, err := Read(o, e, reg)
	return r.Form, err
}

// Reading is all that a label element says (ADatP-4774 §2; the dates and the originator take no part in a decision).
type Reading struct {
	Form        labels.LabelForm // the label that counts
	Original    labels.LabelForm // the label as the element has it, before any succession
	Succeeded   bool             // Form is that of a successor
	Successors  []Successor      // each succeeds the one before
	Alternative bool             // it stands beside the originator's label
	Originator  Identity         // zero: not stated
	Created     time.Time        // zero: not stated
	Review      time.Time        // zero: not stated. One that has passed does not make a label invalid.
}

// Identity is who gave the label. Types are those of the schema: rfc822Name, jID and others.
type Identity struct{ Type, Name string }

// Read reads a label element. Errors are *labels.Error, and the reading is then zero.
func Read(o Options, e *xmlstream.Element, reg *labels.Registry) (Reading, error) {
	if e == nil || !IsLabel(e) {
		return Reading{}, bad("not a confidentiality label")
	}
	r := reader{o: o, reg: reg}
	if err := r.attributes(e, "Id", "ReviewDateTime"); err != nil {
		return Reading{}, err
	}
	out, next, err := r.label(e)
	if err != nil {
		return Reading{}, err
	}
	if d, ok := e.Attr("ReviewDateTime"); ok {
		if out.Review, err = dateTime(d); err != nil {
			return Reading{}, err
		}
	}
	out.Alternative = IsAlternative(e)
	if err := r.succession(&out, next); err != nil {
		return Reading{}, err
	}
	return out, nil
}

// order is the sequence of a label; each at most once.
var order = []string{"ConfidentialityInformation", "OriginatorID", "CreationDateTime", "SuccessionHandling"}

// label reads the content of a label or of a successor, and returns its SuccessionHandling unread.
func (r reader) label(e *xmlstream.Element) (out Reading, next *xmlstream.Element, err error) {
	cs, err := children(e)
	if err != nil {
		return Reading{}, nil, err
	}
	last := -1
	for _, c := range cs {
		at := slices.Index(order, c.Local())
		if c.Space() != NS || at <= last {
			return Reading{}, nil, bad("%s is not allowed here", labels.Quote(c.Local()))
		}
		last = at
		switch at {
		case 0:
			out.Form, err = r.information(c)
		case 1:
			out.Originator, err = r.originator(c)
		case 2:
			out.Created, err = r.time(c)
		case 3:
			next = c
		}
		if err != nil {
			return Reading{}, nil, err
		}
	}
	if out.Form.Policy == "" {
		return Reading{}, nil, bad("no ConfidentialityInformation")
	}
	out.Original = out.Form
	return out, next, nil
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

func (r reader) originator(e *xmlstream.Element) (Identity, error) {
	if err := r.attributes(e, "IDType"); err != nil {
		return Identity{}, err
	}
	t, _ := e.Attr("IDType")
	if !slices.Contains(idTypes, t) {
		return Identity{}, bad("type of the originator's identity")
	}
	name, err := token(e)
	return Identity{t, name}, err
}

func (r reader) time(e *xmlstream.Element) (time.Time, error) {
	if err := r.attributes(e); err != nil {
		return time.Time{}, err
	}
	s, err := token(e)
	if err != nil {
		return time.Time{}, err
	}
	return dateTime(s)
}
