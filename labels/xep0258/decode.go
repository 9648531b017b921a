package xep0258

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/icism"
	"sallyport/labels/nato4774"
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

// decode reads a securitylabel (XEP-0258 section 4).
func (r *Reader) decode(sl *xmlstream.Element) Found {
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
	for _, e := range p.equivalents {
		if c, err := content(e); err != nil || c == nil {
			return refuse(labels.CodeSyntax, "an equivalentlabel without one element")
		}
	}
	if payload == nil {
		return Found{State: UseDefault, Source: FromEmpty, Refusal: labels.CodeNoLabel, Marking: marking}
	}
	l, syntax, err := r.label(payload, false)
	f := Found{State: Labelled, Label: l, Policy: l.Policy(), Syntax: syntax, Source: FromLabel}
	switch {
	case err != nil:
		f = r.equivalent(p.equivalents, err)
	case l.Policy().Contradicts(l, marking):
		f = refuse(labels.CodeMismatch, "the display marking names a higher classification than the label: "+labels.Quote(marking))
	}
	if f.State == Refused {
		f.Syntax, f.Source = syntax, FromLabel
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

// notHere marks a payload that is in a syntax not known here: an equivalent may stand in for it.
type notHere struct{ cause *labels.Error }

func (n notHere) Error() string { return n.cause.Error() }
func (n notHere) Unwrap() error { return n.cause }

// label reads one payload and resolves it under its policy. The syntax is returned with an error too.
func (r *Reader) label(e *xmlstream.Element, equivalent bool) (*labels.Label, Syntax, error) {
	s := r.syntaxOf(e)
	f, err := r.form(e, s, equivalent)
	if err != nil {
		return nil, s, err
	}
	l, err := r.reg.Label(f)
	return l, s, err
}

func (r *Reader) form(e *xmlstream.Element, s Syntax, equivalent bool) (labels.LabelForm, error) {
	switch {
	case s == NoSyntax && (e.Space() == NSESS || e.Space() == nato4774.NS):
		return labels.LabelForm{}, bad("%s is no label", labels.Quote(e.Local()))
	case s == NoSyntax:
		return labels.LabelForm{}, notHere{labels.Errorf(labels.CodeUnknown, "label syntax %s is not known", labels.Quote(e.Space()))}
	case !r.accepts(s):
		return labels.LabelForm{}, labels.Errorf(labels.CodeUnknown, "label syntax %s is not accepted here", s)
	case nato4774.IsAlternative(e) && !equivalent:
		return labels.LabelForm{}, bad("an alternative label in the place of the originator's")
	case s == ESS:
		return r.ess(e)
	case s == ICISM:
		return icism.Read(e, r.o.ICISM, r.reg)
	}
	return nato4774.ParseLabelWith(nato4774.Options{Lenient: r.o.Lenient}, e, r.reg)
}

// syntaxOf is payloadSyntax with the mapping of this reader.
func (r *Reader) syntaxOf(e *xmlstream.Element) Syntax {
	if s := payloadSyntax(e); s != NoSyntax {
		return s
	}
	if r.o.ICISM.Is(e) {
		return ICISM
	}
	return NoSyntax
}

// payloadSyntax tells the syntaxes apart by the name of the element.
func payloadSyntax(e *xmlstream.Element) Syntax {
	switch {
	case e.Is(NSESS, "esssecuritylabel"):
		return ESS
	case nato4774.IsLabel(e):
		return STANAG4774
	}
	return NoSyntax
}

func (r *Reader) accepts(s Syntax) bool {
	return len(r.o.Syntaxes) == 0 || slices.Contains(r.o.Syntaxes, s) || s == ESS && slices.Contains(r.o.Syntaxes, SDN801c)
}

func (r *Reader) ess(e *xmlstream.Element) (labels.LabelForm, error) {
	if e.NumAttrs() > 0 {
		return labels.LabelForm{}, bad("attribute on %s", e.Local())
	}
	for i := range e.NumNodes() {
		if e.NodeAt(i).Element != nil {
			return labels.LabelForm{}, bad("element in %s", e.Local())
		}
	}
	b, err := unbase64(e.Text())
	if err != nil {
		return labels.LabelForm{}, err
	}
	if r.o.DEROnly {
		return ess.ParseLabelDER(b)
	}
	return ess.ParseLabel(b)
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
func (r *Reader) equivalent(all []*xmlstream.Element, cause error) Found {
	if !unknownHere(cause) || len(r.o.TrustEquivalents) == 0 {
		return refuseFor(cause)
	}
	found := Found{State: Labelled}
	for i, e := range all {
		c, err := content(e)
		if err != nil || c == nil {
			return refuse(labels.CodeSyntax, "an equivalentlabel without one element")
		}
		l, syntax, err := r.label(c, true)
		if unknownHere(err) {
			continue
		}
		if err != nil {
			return refuseFor(err)
		}
		switch {
		case !slices.Contains(r.o.TrustEquivalents, l.Policy().ID()):
		case found.Label == nil:
			found.Label, found.Policy, found.Syntax, found.Source = l, l.Policy(), syntax, FromEquivalent(i+1)
		case !found.Label.Equal(l):
			return refuse(labels.CodeMismatch, "equivalent labels that differ")
		}
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
