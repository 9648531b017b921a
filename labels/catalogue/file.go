package catalogue

import (
	"bytes"
	"errors"
	"strconv"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/nato4774"
	"sallyport/labels/xep0258"
)

// MaxFile bounds a catalogue file in bytes.
const MaxFile = 4 << 20

// Parse reads a catalogue file: the catalog element of XEP-0258 §4, as Element writes it, or a label catalogue in
// Genericode (ADatP-4774.1 chapter 7). The reader is the strict one of the wire: no comments, no document type. Every
// label must be readable under a policy of the registry; whether it is valid, and for whom, is for For to say. What a
// file says of id, to, from and node is what it said to somebody once; it is checked and forgotten.
//
// The error is an *Error with the line.
func Parse(b []byte, reg *labels.Registry) (*Catalogue, error) {
	f, e, err := openFile(b, reg)
	if err != nil {
		return nil, err
	}
	var c *Catalogue
	switch {
	case e.Is(NS, "catalog"):
		c, err = f.catalogue(e)
	case nato4774.IsCodeList(e):
		c, err = f.codeList(e)
	default:
		err = errorf(0, "the root is %s, neither a catalog nor a CodeList", quoted(e.Name()))
	}
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return nil, f.place(err)
	}
	c.ID = c.Digest()
	return c, nil
}

// openFile reads the document and finds its items.
func openFile(b []byte, reg *labels.Registry) (file, *xmlstream.Element, error) {
	if len(b) > MaxFile {
		return file{}, nil, errorf(0, "file of %d bytes, at most %d", len(b), MaxFile)
	}
	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	limits := xmlstream.ServerLimits()
	limits.ElementBytes, limits.Children, limits.OversizeFactor = MaxFile, 30*MaxItems, 0 // what is too many is said below
	e, err := xmlstream.ParseDocument(b, xmlstream.Options{Limits: limits})
	if err != nil {
		return file{}, nil, notXML(b, err)
	}
	f := file{raw: b, reader: xep0258.NewReader(reg)}
	if nato4774.IsCodeList(e) {
		f.at = places(b, 3, "Row")
	} else {
		f.at = places(b, 2)
	}
	return f, e, nil
}

// notXML turns the position of the tokenizer into a line.
func notXML(b []byte, err error) error {
	out := &Error{Text: err.Error(), Cause: err}
	var xe *xmlstream.Error
	if errors.As(err, &xe) {
		out.Line = lineOf(b, int(xe.Offset))
		out.Text = xe.Condition + ": " + xe.Detail
	}
	return out
}

// file reads one document. Elements have no position; those of the items are found beside it.
type file struct {
	raw    []byte
	at     []int // offset of each item
	reader *xep0258.Reader
}

// place adds the line: of the item, or of the root.
func (f file) place(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Text: err.Error(), Cause: err}
	}
	if e.Line == 0 {
		offset := bytes.IndexByte(f.raw, '<')
		if e.Item > 0 && e.Item <= len(f.at) {
			offset = f.at[e.Item-1]
		}
		e.Line = lineOf(f.raw, offset)
	}
	return e
}

func (f file) catalogue(e *xmlstream.Element) (*Catalogue, error) {
	if err := onlyAttributes(e, "to", "from", "node", "name", "desc", "id", "size", "restrict"); err != nil {
		return nil, err
	}
	c := &Catalogue{}
	c.Name, _ = e.Attr("name")
	c.Desc, _ = e.Attr("desc")
	var err error
	if c.Restrict, err = boolean(e, "restrict"); err != nil {
		return nil, err
	}
	for _, name := range [...]string{"to", "from"} {
		if s, has := e.Attr(name); has {
			if _, err := jid.Parse(s); err != nil {
				return nil, errorf(0, "%s is no address: %v", name, err)
			}
		}
	}
	for n := range e.NumNodes() {
		node := e.NodeAt(n)
		switch {
		case node.Element == nil && isSpace(node.Text):
		case node.Element == nil:
			return nil, errorf(0, "text in the catalog")
		case len(c.Items) == MaxItems:
			return nil, errorf(MaxItems+1, "more than %d items", MaxItems)
		default:
			item, err := f.item(len(c.Items)+1, node.Element)
			if err != nil {
				return nil, err
			}
			c.Items = append(c.Items, item)
		}
	}
	if size, has := e.Attr("size"); has && size != strconv.Itoa(len(c.Items)) {
		return nil, errorf(0, "the size is %s, and there are %d items: is the file whole?", labels.Quote(size), len(c.Items))
	}
	return c, nil
}

// boolean reads an xs:boolean attribute.
func boolean(e *xmlstream.Element, name string) (bool, error) {
	switch s, has := e.Attr(name); {
	case !has || s == "false" || s == "0":
		return false, nil
	case s == "true" || s == "1":
		return true, nil
	default:
		return false, errorf(0, "%s is %s, not true or false", name, labels.Quote(s))
	}
}

func (f file) item(n int, e *xmlstream.Element) (Item, error) {
	if !e.Is(NS, "item") {
		return Item{}, errorf(n, "%s where an item should be", quoted(e.Name()))
	}
	if err := onlyAttributes(e, "selector", "default"); err != nil {
		return Item{}, because(n, err)
	}
	selector, has := e.Attr("selector")
	if has && selector == "" {
		return Item{}, errorf(n, "an empty selector")
	}
	i := Item{Selector: selector}
	var err error
	if i.Default, err = boolean(e, "default"); err != nil {
		return Item{}, because(n, err)
	}
	var sl *xmlstream.Element
	for k := range e.NumNodes() {
		node := e.NodeAt(k)
		switch {
		case node.Element == nil && isSpace(node.Text):
		case node.Element.Is(xep0258.NS, "securitylabel") && sl == nil:
			sl = node.Element
		default:
			return Item{}, errorf(n, "something beside one securitylabel")
		}
	}
	if sl == nil {
		return i, nil
	}
	return f.labels(n, i, sl)
}

// labels reads the securitylabel of an item. A display marking that names a higher classification than the label
// refuses it (the user would think it higher); any other is forgotten.
func (f file) labels(n int, i Item, sl *xmlstream.Element) (Item, error) {
	var err error
	if i.Label, err = f.label(n, sl); err != nil {
		return Item{}, err
	}
	for e := range sl.Children() {
		if !e.Is(xep0258.NS, "equivalentlabel") {
			continue
		}
		var nodes []xmlstream.Node
		for c := range e.Children() {
			nodes = append(nodes, xmlstream.ElementNode(original(c)))
		}
		alone := xmlstream.NewElement(xmlstream.Name{Space: xep0258.NS, Local: "label"}, nil, nodes...)
		l, err := f.label(n, xmlstream.NewElement(sl.Name(), nil, xmlstream.ElementNode(alone)))
		if err != nil {
			return Item{}, err
		}
		i.Equivalents = append(i.Equivalents, l)
	}
	return i, nil
}

// label reads a securitylabel as one of a message is read. Without a time no successor takes the place of a label: what a
// file says must not change with the clock.
func (f file) label(n int, sl *xmlstream.Element) (*labels.Label, error) {
	found := f.reader.ReadLabel(sl)
	switch found.State {
	case xep0258.Labelled:
		return found.Label, nil
	case xep0258.UseDefault:
		return nil, &Error{Item: n, Code: labels.CodeNoLabel, Text: "an empty label: an item without securitylabel offers to send without one"}
	case xep0258.Refused, xep0258.Unlabelled:
	}
	return nil, &Error{Item: n, Code: found.Refusal, Text: found.Refusal.String() + ": " + found.Detail}
}

// original gives a STANAG 4774 label that stands beside another the name of one that stands alone: they differ in
// nothing else.
func original(e *xmlstream.Element) *xmlstream.Element {
	if !nato4774.IsAlternative(e) {
		return e
	}
	attrs := make([]xmlstream.Attr, e.NumAttrs())
	for k := range attrs {
		attrs[k] = e.AttrAt(k)
	}
	nodes := make([]xmlstream.Node, e.NumNodes())
	for k := range nodes {
		nodes[k] = e.NodeAt(k)
	}
	return xmlstream.NewElement(xmlstream.Name{Space: nato4774.NS, Local: "originatorConfidentialityLabel"}, attrs, nodes...)
}
