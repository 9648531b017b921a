package icism

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

var classTokens = []string{"U", "R", "C", "S", "TS"}

// Names of the attributes that the rules speak of.
const (
	classification = "classification"
	ownerProducer  = "ownerProducer"
	joint          = "joint"
	sciControls    = "SCIcontrols"
	dissemination  = "disseminationControls"
	releasableTo   = "releasableTo"
	displayOnlyTo  = "displayOnlyTo"
)

// lists are the attributes whose words are mapped, in the order of a banner.
var lists = []string{
	sciControls, "SARIdentifier", "atomicEnergyMarkings", "FGIsourceOpen", "FGIsourceProtected", dissemination,
	releasableTo, displayOnlyTo, "nonICmarkings", "nonUSControls",
}

// authority are the attributes that say who classified and when. They have no access meaning.
var authority = []string{
	"classifiedBy", "derivativelyClassifiedBy", "classificationReason", "derivedFrom", "declassDate", "declassEvent",
	"declassException", "compliesWith", "resourceElement", "createDate", "DESVersion",
}

func isNations(attribute string) bool { return attribute == releasableTo || attribute == displayOnlyTo }

func bad(format string, args ...any) error { return labels.Errorf(labels.CodeSyntax, format, args...) }

// attributes are those of one carrier, split into words.
type attributes map[string][]string

func (a attributes) has(name, token string) bool { return slices.Contains(a[name], token) }

// read takes the carrier apart. Its content model is closed: nothing but the attributes, all of one namespace.
func (m *Mapping) read(e *xmlstream.Element) (attributes, error) {
	if !m.Is(e) {
		return nil, bad("not the element of the IC-ISM mapping")
	}
	for i := range e.NumNodes() {
		if n := e.NodeAt(i); n.Element != nil || strings.Trim(n.Text, xmlSpace) != "" {
			return nil, bad("%s is not empty", labels.Quote(e.Local()))
		}
	}
	a := attributes{}
	space := ""
	for i := range e.NumAttrs() {
		at := e.AttrAt(i)
		switch at.Name.Space {
		case "":
			if !m.Plain {
				return nil, bad("attribute %s without namespace", labels.Quote(at.Name.Local))
			}
		case NS, NSv2:
			if m.Plain {
				return nil, bad("attribute %s with a namespace", labels.Quote(at.Name.Local))
			}
			if space != "" && space != at.Name.Space {
				return nil, bad("attributes of two IC-ISM namespaces")
			}
			space = at.Name.Space
		default:
			return nil, bad("attribute %s of a foreign namespace", labels.Quote(at.Name.Local))
		}
		if len(at.Value) > maxValue {
			return nil, bad("attribute %s of %d bytes", labels.Quote(at.Name.Local), len(at.Value))
		}
		if err := a.add(at.Name.Local, at.Value); err != nil {
			return nil, err
		}
	}
	return a, nil
}

const xmlSpace = " \t\r\n"

func (a attributes) add(name, value string) error {
	known := name == classification || name == ownerProducer || name == joint || slices.Contains(lists, name)
	if slices.Contains(authority, name) {
		return nil
	}
	if !known {
		return labels.Errorf(labels.CodeUnknown, "IC-ISM attribute %s is not known", labels.Quote(name))
	}
	tokens := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(xmlSpace, r) })
	if len(tokens) == 0 || len(tokens) > maxTokens {
		return bad("%s of %d words", name, len(tokens))
	}
	a[name] = tokens
	return nil
}
