package nato4774

import (
	"slices"
	"strings"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Namespaces.
const (
	NS          = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
	NSClearance = "urn:nato:stanag:4774:confidentialityclearance:1:0"
)

// Limits of what a sender may put in.
const (
	maxCategories = 64
	maxToken      = 256 // bytes
	maxNesting    = 4   // successors in successors
	urnOID        = "urn:oid:"
)

// Options loosen the reader. The zero value is strict.
type Options struct {
	// Lenient accepts errors that the standards' own examples have: type and tagName in lower case, URL for URI.
	Lenient bool

	// At is the time at which the label is wanted. A successor whose time has come by then takes the label's place if it
	// is at least as strict. With the zero time no successor ever does.
	At time.Time

	// Succession lets a successor that is less strict take the label's place, too. It turns the clock into a switch that
	// lowers labels, so that somebody has to want it.
	Succession bool
}

func bad(format string, args ...any) error { return labels.Errorf(labels.CodeSyntax, format, args...) }

// reader checks elements against the closed content model.
type reader struct {
	o   Options
	reg *labels.Registry
}

// attributes refuses every attribute that is not named.
func (r reader) attributes(e *xmlstream.Element, known ...string) error {
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		if a.Name.Space != "" || !slices.Contains(known, a.Name.Local) {
			return bad("attribute %s of %s is not allowed", labels.Quote(a.Name.Local), e.Local())
		}
	}
	return nil
}

// attr returns an attribute under its name or, when lenient, under a name seen in the wild.
func (r reader) attr(e *xmlstream.Element, name, wild string) (string, bool, error) {
	v, ok := e.Attr(name)
	w, wrong := e.Attr(wild)
	switch {
	case !wrong:
		return v, ok, nil
	case ok || !r.o.Lenient:
		return "", false, bad("attribute %s of %s is not allowed", wild, e.Local())
	}
	return w, true, nil
}

// children returns the child elements of an element that may hold no text.
func children(e *xmlstream.Element) ([]*xmlstream.Element, error) {
	var out []*xmlstream.Element
	for i := range e.NumNodes() {
		switch n := e.NodeAt(i); {
		case n.Element != nil:
			out = append(out, n.Element)
		case strings.Trim(n.Text, " \t\r\n") != "":
			return nil, bad("%s holds text", e.Local())
		}
	}
	return out, nil
}

// token returns the text of an element that may hold nothing else, as xs:token, not empty.
func token(e *xmlstream.Element) (string, error) {
	for i := range e.NumNodes() {
		if e.NodeAt(i).Element != nil {
			return "", bad("%s holds elements", e.Local())
		}
	}
	s := strings.Join(strings.FieldsFunc(e.Text(), func(c rune) bool { return strings.ContainsRune(" \t\r\n", c) }), " ")
	if s == "" || len(s) > maxToken {
		return "", bad("%s of %d bytes", e.Local(), len(s))
	}
	return s, nil
}

// dateTime reads xs:dateTime with a zone: ADatP-4774 wants one, and without it the time is a guess.
func dateTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil {
		return time.Time{}, bad("%s is no date and time with a zone", labels.Quote(s))
	}
	return t.UTC(), nil
}

// oid returns the object identifier of a URI attribute, "" when there is none.
func (r reader) oid(e *xmlstream.Element) (string, error) {
	v, ok, err := r.attr(e, "URI", "URL")
	if !ok || err != nil {
		return "", err
	}
	id, ok := strings.CutPrefix(v, urnOID)
	if !ok || labels.CheckOID(id) != nil {
		return "", bad("%s is no urn:oid", labels.Quote(v))
	}
	return id, nil
}

// policy resolves a PolicyIdentifier: by identifier, by name, and both must agree where both are known.
func (r reader) policy(e *xmlstream.Element) (*labels.Policy, error) {
	if err := r.attributes(e, "URI", "URL"); err != nil {
		return nil, err
	}
	name, err := token(e)
	if err != nil {
		return nil, err
	}
	id, err := r.oid(e)
	if err != nil {
		return nil, err
	}
	named, known := r.reg.ByName(name)
	p, ok := r.reg.Policy(id)
	switch {
	case id == "" && !known:
		return nil, labels.Errorf(labels.CodePolicy, "policy %s is not loaded", labels.Quote(name))
	case id == "":
		return named, nil
	case !ok && known:
		return nil, labels.Errorf(labels.CodePolicy, "policy %s (%s) is not loaded; the one of that name here is %s", labels.Quote(name), id, named.ID())
	case !ok:
		return nil, labels.Errorf(labels.CodePolicy, "policy %s (%s) is not loaded", labels.Quote(name), id)
	case known && named != p:
		return nil, labels.Errorf(labels.CodeMismatch, "policy %s is %q, not %q", id, p.Name(), named.Name())
	}
	return p, nil
}

// category appends the values of a Category. An empty one is refused in a label.
func (r reader) category(out []labels.Value, p *labels.Policy, e *xmlstream.Element, mayBeEmpty bool) ([]labels.Value, error) {
	if err := r.attributes(e, "Type", "type", "TagName", "tagName", "URI", "URL"); err != nil {
		return nil, err
	}
	kind, _, err := r.attr(e, "Type", "type")
	if err != nil {
		return nil, err
	}
	var t labels.Type
	switch kind {
	case "RESTRICTIVE":
		t = labels.TypeRestrictive
	case "PERMISSIVE":
		t = labels.TypePermissive
	case "INFORMATIVE":
		t = labels.TypeInformative
	case "":
		return nil, bad("category without type")
	default:
		return nil, labels.Errorf(labels.CodeUnknown, "category type %s", labels.Quote(kind))
	}
	name, ok, err := r.attr(e, "TagName", "tagName")
	if err != nil || !ok || name == "" || len(name) > maxToken {
		return nil, bad("category without a usable tag name")
	}
	id, err := r.oid(e)
	if err != nil {
		return nil, err
	}
	values, err := children(e)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 && !mayBeEmpty {
		return nil, bad("empty category %s", labels.Quote(name))
	}
	set, err := p.TagSetNamed(id, name)
	if err != nil {
		return nil, err
	}
	return r.values(out, p, set, t, values)
}

func (r reader) values(out []labels.Value, p *labels.Policy, set string, t labels.Type, values []*xmlstream.Element) ([]labels.Value, error) {
	for _, g := range values {
		if !g.Is(NS, "GenericValue") {
			return nil, bad("%s in a category", labels.Quote(g.Local()))
		}
		if err := r.attributes(g); err != nil {
			return nil, err
		}
		name, err := token(g)
		if err != nil {
			return nil, err
		}
		v, err := p.ValueNamed(set, t, name)
		if err != nil {
			return nil, err
		}
		if out = append(out, v); len(out) > labels.MaxValues {
			return nil, bad("more than %d category values", labels.MaxValues)
		}
	}
	return out, nil
}
