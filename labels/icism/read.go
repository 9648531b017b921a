package icism

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Read reads a carrier element under a mapping. Errors are *labels.Error.
func Read(e *xmlstream.Element, m *Mapping, reg *labels.Registry) (labels.LabelForm, error) {
	if m == nil {
		return labels.LabelForm{}, labels.Errorf(labels.CodeUnknown, "there is no IC-ISM mapping")
	}
	a, err := m.read(e)
	if err != nil {
		return labels.LabelForm{}, err
	}
	if err := a.consistent(); err != nil {
		return labels.LabelForm{}, err
	}
	if !m.owns(a[ownerProducer]) {
		return labels.LabelForm{}, labels.Errorf(labels.CodePolicy, "markings of %s are not taken", labels.Quote(strings.Join(a[ownerProducer], " ")))
	}
	p, err := m.policy(reg)
	if err != nil {
		return labels.LabelForm{}, err
	}
	f := labels.LabelForm{Policy: p.ID()}
	if f.Class, err = m.class(p, a[classification][0]); err != nil {
		return labels.LabelForm{}, err
	}
	for _, name := range lists {
		if f.Values, err = m.values(f.Values, p, name, a[name]); err != nil {
			return labels.LabelForm{}, err
		}
	}
	if len(f.Values) > labels.MaxValues {
		return labels.LabelForm{}, bad("more than %d category values", labels.MaxValues)
	}
	return f, nil
}

// owns says whether the markings of these owners are taken; their order means nothing.
func (m *Mapping) owns(owners []string) bool {
	owners = slices.Sorted(slices.Values(owners))
	return slices.ContainsFunc(m.Owners, func(o string) bool {
		return slices.Equal(owners, slices.Sorted(slices.Values(strings.Fields(o))))
	})
}

func (m *Mapping) class(p *labels.Policy, token string) (uint32, error) {
	name, ok := m.Classes[token]
	if !ok {
		return 0, labels.Errorf(labels.CodeUnknown, "no classification is mapped to %s", labels.Quote(token))
	}
	n, ok := p.ClassNamed(name)
	if !ok {
		return 0, labels.Errorf(labels.CodeUnknown, "policy %s has no classification %s", p.Name(), labels.Quote(name))
	}
	return n, nil
}

// values maps the words of one list.
func (m *Mapping) values(out []labels.Value, p *labels.Policy, attribute string, tokens []string) ([]labels.Value, error) {
	kept := 0
	for _, token := range tokens {
		v := m.entry(attribute, token)
		switch {
		case stands(attribute, token) && (v == nil || v.Token == Wildcard):
			continue // the list of nations says it
		case v == nil:
			return nil, labels.Errorf(labels.CodeUnknown, "%s %s has no mapping", attribute, labels.Quote(token))
		case v.Discard:
			continue
		}
		value, err := v.value(p, token)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
		kept++
	}
	if isNations(attribute) && len(tokens) > 0 && kept == 0 {
		return nil, labels.Errorf(labels.CodeUnknown, "%s names nobody that the policy has", attribute)
	}
	return out, nil
}

// stands says whether a word only announces another attribute.
func stands(attribute, token string) bool {
	return attribute == dissemination && (token == "REL" || token == "DISPLAYONLY")
}
