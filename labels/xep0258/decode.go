package xep0258

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Limits of a securitylabel.
const (
	maxEquivalents = 8
	maxBase64      = 8192 // characters without white space
)

func bad(format string, args ...any) *labels.Error {
	return labels.Errorf(labels.CodeSyntax, format, args...)
}

// parts are the children of a securitylabel.
type parts struct {
	label       *xmlstream.Element
	equivalents []*xmlstream.Element
	marking     *xmlstream.Element
}

// decode reads a securitylabel (XEP-0258 §3).
func (r *Reader) decode(sl *xmlstream.Element, at time.Time) Found {
	p, err := split(sl)
	if err != nil {
		return refuseFor(err)
	}
	marking, err := markingText(p.marking)
	if err != nil {
		return refuseFor(err)
	}
	payload, err := content(p.label)
	if err != nil {
		return refuseFor(err)
	}
	equivalents := make([]*xmlstream.Element, len(p.equivalents), maxEquivalents)
	for i, e := range p.equivalents {
		if equivalents[i], err = content(e); err != nil || equivalents[i] == nil {
			return refuse(labels.CodeSyntax, "an equivalentlabel without one element")
		}
	}
	if payload == nil {
		return Found{State: UseDefault, Source: FromEmpty, Refusal: labels.CodeNoLabel, Marking: marking}
	}
	c, err := r.carried(payload, false, at)
	f := c.found(FromLabel)
	switch {
	case err != nil:
		f = r.equivalent(append(equivalents, c.alternatives...), err, at)
	case c.label.Policy().Contradicts(c.label, marking):
		f = refuse(labels.CodeMismatch, "the display marking names a higher classification than the label: "+labels.Quote(marking))
	}
	if f.State == Refused {
		f.Syntax, f.Source = c.syntax, FromLabel
	}
	return f
}

// split sorts the children in any order. Attributes without namespace are not in the schema and carry nothing here;
// those of other namespaces are refused.
func split(sl *xmlstream.Element) (parts, error) {
	var p parts
	if err := noForeignAttributes(sl); err != nil {
		return p, err
	}
	for i := range sl.NumNodes() {
		n := sl.NodeAt(i)
		switch e := n.Element; {
		case e == nil:
			if strings.Trim(n.Text, " \t\r\n") != "" {
				return p, bad("text in the securitylabel")
			}
		case e.Is(NS, "label") && p.label == nil:
			p.label = e
		case e.Is(NS, "displaymarking") && p.marking == nil:
			p.marking = e
		case e.Is(NS, "equivalentlabel") && len(p.equivalents) < maxEquivalents:
			p.equivalents = append(p.equivalents, e)
		default:
			return p, bad("%s once too often or unknown", labels.Quote(e.Local()))
		}
	}
	if p.label == nil {
		return p, bad("no label")
	}
	return p, nil
}

func noForeignAttributes(e *xmlstream.Element) error {
	for i := range e.NumAttrs() {
		if a := e.AttrAt(i).Name; a.Space != "" && (a.Space != xmlstream.NSXML || a.Local != "lang") {
			return bad("attribute %s of a foreign namespace", labels.Quote(a.Local))
		}
	}
	return nil
}

// markingText returns the text of a displaymarking. Its colours are ignored.
func markingText(e *xmlstream.Element) (string, error) {
	if e == nil {
		return "", nil
	}
	if err := noForeignAttributes(e); err != nil {
		return "", err
	}
	for i := range e.NumNodes() {
		if e.NodeAt(i).Element != nil {
			return "", bad("element in the displaymarking")
		}
	}
	s := e.Text()
	if utf8.RuneCountInString(s) > labels.MaxMarking {
		return "", bad("displaymarking of more than %d characters", labels.MaxMarking)
	}
	return s, nil
}

// content returns the only element in a label or equivalentlabel, nil when it is empty.
func content(e *xmlstream.Element) (*xmlstream.Element, error) {
	if e.NumAttrs() > 0 {
		return nil, bad("attribute on %s", e.Local())
	}
	var only *xmlstream.Element
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		switch {
		case n.Element == nil && strings.Trim(n.Text, " \t\r\n") != "":
			return nil, bad("text in %s", e.Local())
		case n.Element != nil && only != nil:
			return nil, bad("two elements in %s", e.Local())
		case n.Element != nil:
			only = n.Element
		}
	}
	return only, nil
}

// unbase64 accepts white space and missing padding, and no other deviation (xs:base64Binary; one example of the XEP
// lacks its padding).
func unbase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, " \t\r\n") {
		s = strings.Map(func(c rune) rune {
			if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
				return -1
			}
			return c
		}, s)
	}
	if len(s) > maxBase64 {
		return nil, bad("base64 of %d characters, at most %d", len(s), maxBase64)
	}
	trimmed := strings.TrimRight(s, "=")
	if pad := len(s) - len(trimmed); pad > 0 && len(s)%4 != 0 || pad > 2 {
		return nil, bad("base64 with wrong padding")
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(trimmed)
	if err != nil {
		return nil, bad("not base64")
	}
	return b, nil
}

// equivalent looks for an equivalent that the sender may assert. A label that could be understood and was refused is
// not replaced by what stands beside it.
func (r *Reader) equivalent(all []*xmlstream.Element, cause error, at time.Time) Found {
	if !unknownHere(cause) || len(r.o.TrustEquivalents) == 0 {
		return refuseFor(cause)
	}
	found := Found{}
	for i, e := range all {
		c, err := r.carried(e, true, at)
		if unknownHere(err) {
			continue
		}
		if err != nil {
			return refuseFor(err)
		}
		switch {
		case !slices.Contains(r.o.TrustEquivalents, c.label.PolicyID()):
		case found.Label == nil:
			found = c.found(FromEquivalent(i + 1))
		case !found.Label.Equal(c.label):
			return refuse(labels.CodeMismatch, "equivalent labels that differ")
		}
		found.dated = found.dated || c.dated
	}
	if found.Label == nil {
		return refuseFor(cause)
	}
	return found
}

// unknownHere says whether a payload is of a syntax or a policy that is nothing to us.
func unknownHere(err error) bool {
	var n notHere
	var e *labels.Error
	return errors.As(err, &n) || errors.As(err, &e) && e.Code == labels.CodePolicy
}
