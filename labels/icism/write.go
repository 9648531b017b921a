package icism

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Write returns the attributes of a label. It fails unless the mapping is one to one for what the label has: reading
// the attributes again gives the label.
func Write(l *labels.Label, m *Mapping) ([]xmlstream.Attr, error) {
	e, err := Element(l, m)
	if err != nil {
		return nil, err
	}
	attrs := make([]xmlstream.Attr, e.NumAttrs())
	for i := range attrs {
		attrs[i] = e.AttrAt(i)
	}
	return attrs, nil
}

// Element returns the carrier element of a label; see Write.
func Element(l *labels.Label, m *Mapping) (*xmlstream.Element, error) {
	p := l.Policy()
	if p == nil || m == nil {
		return nil, fmt.Errorf("write IC-ISM label: no label or no mapping")
	}
	a, err := m.write(l, p)
	if err != nil {
		return nil, fmt.Errorf("write IC-ISM label: %w", err)
	}
	e := m.element(a)
	reg, err := labels.NewRegistry(p)
	if err != nil {
		return nil, fmt.Errorf("write IC-ISM label: %w", err)
	}
	f, err := Read(e, m, reg)
	if err != nil {
		return nil, fmt.Errorf("write IC-ISM label: the mapping does not lead back: %w", err)
	}
	if again, err := p.Label(f); err != nil || !again.Equal(l) {
		return nil, fmt.Errorf("write IC-ISM label: the mapping does not lead back to %s", l)
	}
	return e, nil
}

func (m *Mapping) write(l *labels.Label, p *labels.Policy) (attributes, error) {
	if len(m.Owners) == 0 {
		return nil, fmt.Errorf("no owner-producer")
	}
	a := attributes{ownerProducer: strings.Fields(m.Owners[0])}
	for _, token := range classTokens {
		if name, ok := m.Classes[token]; ok && strings.EqualFold(name, l.ClassName()) {
			a[classification] = append(a[classification], token)
		}
	}
	if len(a[classification]) != 1 {
		return nil, fmt.Errorf("%d letters stand for %s", len(a[classification]), l.ClassName())
	}
	for c := range l.Categories() {
		attribute, token, err := m.wordFor(p, c)
		if err != nil {
			return nil, err
		}
		a[attribute] = append(a[attribute], token)
	}
	for list, word := range map[string]string{releasableTo: "REL", displayOnlyTo: "DISPLAYONLY"} {
		if len(a[list]) == 0 {
			continue
		}
		a[dissemination] = append(a[dissemination], word)
		if v := m.entry(list, "USA"); v != nil && v.Discard {
			a[list] = append(a[list], "USA") // the schema has it first in every such list
		}
	}
	return a, nil
}

// wordFor finds the only word that stands for a category.
func (m *Mapping) wordFor(p *labels.Policy, c labels.Category) (attribute, token string, err error) {
	n := 0
	for i := range m.Values {
		v := &m.Values[i]
		word := v.Token
		if word == Wildcard {
			if word = c.Name; m.entry(v.Attribute, word) != v {
				continue
			}
		}
		if v.Discard {
			continue
		}
		if value, err := v.value(p, word); err == nil && value == c.Value {
			attribute, token = v.Attribute, word
			n++
		}
	}
	if n != 1 {
		return "", "", fmt.Errorf("%d words stand for %s %s", n, c.TagSetName, c.Name)
	}
	return attribute, token, nil
}

// element puts the attributes in one order: classification, owner, lists; in a list of nations USA comes first, all
// else is alphabetical.
func (m *Mapping) element(a attributes) *xmlstream.Element {
	space := NS
	if m.Plain {
		space = ""
	}
	var attrs []xmlstream.Attr
	for _, name := range append([]string{classification, ownerProducer}, lists...) {
		tokens := a[name]
		if len(tokens) == 0 {
			continue
		}
		if name != ownerProducer {
			tokens = slices.SortedFunc(slices.Values(tokens), compareTokens)
		}
		attrs = append(attrs, xmlstream.Attr{Name: xmlstream.Name{Space: space, Local: name}, Value: strings.Join(tokens, " ")})
	}
	return xmlstream.NewElement(xmlstream.Name{Space: m.Namespace, Local: m.Element}, attrs)
}

func compareTokens(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "USA":
		return -1
	case b == "USA":
		return 1
	}
	return strings.Compare(a, b)
}
