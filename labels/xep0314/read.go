package xep0314

import (
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
)

func misplaced(format string, args ...any) error {
	return labels.Errorf(labels.CodeMisplaced, format, args...)
}

func bad(format string, args ...any) error { return labels.Errorf(labels.CodeSyntax, format, args...) }

var idName = xmlstream.Name{Space: NS, Local: "id"}

// Read returns what a stanza has of items and labels. Errors are *labels.Error.
func Read(e *xmlstream.Element) (Container, error) {
	if e == nil {
		return Container{}, bad("no stanza")
	}
	place, box, err := find(e)
	if err != nil {
		return Container{}, err
	}
	w := walk{place: place, holder: box, box: box, message: isStanza(e, "message")}
	if w.message {
		w.holder = e
	}
	if t, _ := e.Attr("type"); t == "error" {
		w.place, w.holder, w.box = Nowhere, nil, nil
	}
	if err := w.element(e); err != nil || w.place == Nowhere {
		return Container{}, err
	}
	c := Container{Place: place}
	c.Node, _ = box.Attr("node")
	collect := w.each
	if place.shared() {
		collect = w.one
	}
	if err := collect(&c); err != nil {
		return Container{}, err
	}
	return c, nil
}

// walk looks at every element of a stanza once and collects the labels that stand where they may.
type walk struct {
	place   Place
	message bool
	holder  *xmlstream.Element // of labels
	box     *xmlstream.Element // of items
	labels  []*xmlstream.Element
}

// element refuses labels and label attributes below e that are out of place. Messages in a forwarded element of a
// message have labels of their own.
func (w *walk) element(e *xmlstream.Element) error {
	for i := range e.NumAttrs() {
		if a := e.AttrAt(i).Name; a.Space == NS {
			return misplaced("attribute %s where no specification puts it", labels.Quote(a.Local))
		}
	}
	forwarded := w.message && e.Is(nsForward, "forwarded")
	for i := range e.NumNodes() {
		c := e.NodeAt(i).Element
		switch {
		case c == nil, forwarded && isStanza(c, "message"):
			continue
		case e == w.holder && isLabel(c):
			w.labels = append(w.labels, c)
			continue
		case c.Space() == xep0258.NS:
			return misplaced("a security label where no specification puts one")
		case e == w.box && isItem(e, c) && !w.place.shared():
			c = c.WithoutAttr(xmlstream.Name{Space: NS, Local: "label"})
		}
		if err := w.element(c); err != nil {
			return err
		}
	}
	return nil
}

// one gives the only label to all items.
func (w *walk) one(c *Container) error {
	switch len(w.labels) {
	case 0:
	case 1:
		if c.Label = w.labels[0]; hasName(c.Label) {
			return misplaced("a name on the only label")
		}
	default:
		return labels.Errorf(labels.CodeCount, "more than one securitylabel")
	}
	for i := range w.box.NumNodes() {
		if e := w.box.NodeAt(i).Element; isItem(w.box, e) {
			c.Items = append(c.Items, ItemLabel{Item: e, Label: c.Label})
		}
	}
	return nil
}

func hasName(e *xmlstream.Element) bool {
	_, ok := e.AttrNS(NS, "id")
	return ok
}

// each gives every item the label that it points to.
func (w *walk) each(c *Container) error {
	if len(w.labels) > maxLabels {
		return bad("%d labels, at most %d", len(w.labels), maxLabels)
	}
	named := make(map[string]*xmlstream.Element, len(w.labels))
	for _, l := range w.labels {
		id, ok := l.AttrNS(NS, "id")
		switch {
		case !ok:
			return misplaced("a label without a name that items could point to")
		case !isID(id):
			return bad("name %s of a label", labels.Quote(id))
		case named[id] != nil:
			return labels.Errorf(labels.CodeCount, "two labels with the name %s", labels.Quote(id))
		}
		named[id] = l.WithoutAttr(idName)
	}
	used := map[string]bool{}
	for i := range w.box.NumNodes() {
		e := w.box.NodeAt(i).Element
		if !isItem(w.box, e) {
			continue
		}
		id, ok := e.AttrNS(NS, "label")
		if ok && named[id] == nil {
			return bad("an item points to label %s, which is not there", labels.Quote(id))
		}
		used[id] = used[id] || ok
		c.Items = append(c.Items, ItemLabel{Item: e, Label: named[id]})
	}
	for id := range named {
		if !used[id] {
			return misplaced("label %s is of no item", labels.Quote(id))
		}
	}
	return nil
}

// isID says whether a name can be one: xs:ID as far as it matters here.
func isID(s string) bool {
	return s != "" && len(s) <= maxID && !strings.ContainsAny(s, " \t\r\n")
}
