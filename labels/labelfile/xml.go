package labelfile

import (
	"bytes"
	"strings"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/icism"
	"sallyport/labels/nato4774"
	"sallyport/labels/xep0258"
)

// Namespaces and names of what is not a label but is easily taken for one.
const (
	nsDebug   = "http://surevine.com/xmlns/spiffy"
	nsCatalog = "urn:xmpp:sec-label:catalog:2"
)

// document reads one element. People write comments into files; a stream may not have them, so they are taken out.
func document(b []byte) (*xmlstream.Element, error) {
	b, err := withoutComments(b)
	if err != nil {
		return nil, err
	}
	return xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
}

// withoutComments removes comments (XML 1.0 §2.5), of which none ends in "--->" or holds "--". A document with a CDATA
// section, where the same characters are text, is left as it is.
func withoutComments(b []byte) ([]byte, error) {
	if !bytes.Contains(b, []byte("<!--")) || bytes.Contains(b, []byte("<![CDATA[")) {
		return b, nil
	}
	out := make([]byte, 0, len(b))
	for {
		before, rest, found := bytes.Cut(b, []byte("<!--"))
		out = append(out, before...)
		if !found {
			return out, nil
		}
		end := bytes.Index(rest, []byte("--"))
		if end < 0 || !bytes.HasPrefix(rest[end:], []byte("-->")) {
			return nil, bad("a comment that does not end, or holds two hyphens")
		}
		b = rest[end+3:]
	}
}

func isStanza(e *xmlstream.Element) bool {
	stream := e.Space() == xmlstream.NSServer || e.Space() == xmlstream.NSClient
	return stream && (e.Local() == "message" || e.Local() == "presence" || e.Local() == "iq")
}

// detectXML tells the syntaxes apart by the root element. What is not well-formed has no syntax.
func detectXML(b []byte, o Options) Syntax {
	e, err := document(b)
	switch {
	case err != nil:
	case nato4774.IsLabel(e), e.Is(nato4774.NSClearance, "ConfidentialityClearance"):
		return STANAG4774
	case nato4774.IsBinding(e):
		return STANAG4778
	case e.Is(xep0258.NS, "securitylabel"):
		return XEP0258
	case isStanza(e):
		return Message
	case e.Space() == nsDebug:
		return Spiffing
	case o.ICISM.Is(e):
		return ICISM
	}
	return NoSyntax
}

func unknownXML(b []byte) error {
	e, err := document(b)
	switch {
	case bytes.Contains(b, []byte("securityPolicyId")):
		return bad("this is a security policy, not a label: name it with --policy, or see 'sallyport spif show'")
	case err != nil:
		return bad("not readable as XML: %v", err)
	case e.Is(nsCatalog, "catalog") || e.Local() == "CodeList":
		return bad("this is a catalogue of labels: see 'sallyport label catalogue'")
	}
	return bad("the element %s of namespace %s is no label and no clearance", labels.Quote(e.Local()), labels.Quote(e.Space()))
}

func (p *parser) xml(b []byte) error {
	e, err := document([]byte(strings.TrimSpace(string(b))))
	if err != nil {
		return bad("not readable as XML: %v", err)
	}
	switch p.file.Syntax {
	case STANAG4774:
		return p.nato(e)
	case Spiffing:
		return p.debug(e)
	case XEP0258:
		if !e.Is(xep0258.NS, "securitylabel") {
			return bad("the root element is %s, not securitylabel", labels.Quote(e.Local()))
		}
		message := xmlstream.NewElement(xmlstream.Name{Space: xmlstream.NSServer, Local: "message"}, nil, xmlstream.ElementNode(e))
		return p.message(message)
	case Message:
		if !isStanza(e) {
			return bad("the root element is %s, not a stanza", labels.Quote(e.Local()))
		}
		return p.message(e)
	case ICISM:
		if p.o.ICISM == nil {
			return bad("IC-ISM attributes mean nothing without a mapping")
		}
		f, err := icism.Read(e, p.o.ICISM, p.reg)
		if err == nil {
			p.label("label", f, nil)
		}
		return err
	case STANAG4778:
		return p.binding(e)
	case NoSyntax, ESS, ESSDER, ESSHex, Text, Certificate, CMS, LDIF, SDN801c:
	}
	return bad("this syntax is not XML")
}

func (p *parser) nato(e *xmlstream.Element) error {
	o := nato4774.Options{Lenient: p.o.Lenient}
	if e.Is(nato4774.NSClearance, "ConfidentialityClearance") {
		f, err := nato4774.ParseClearanceWith(o, e, p.reg)
		if err == nil {
			p.clearance("clearance", f, nil)
		}
		return err
	}
	return p.natoLabel("label", e)
}

// natoLabel reads a label and notes what takes no part in a decision, and every label that is to succeed it.
func (p *parser) natoLabel(role string, e *xmlstream.Element) error {
	r, err := nato4774.Read(nato4774.Options{Lenient: p.o.Lenient, At: p.o.At}, e, p.reg)
	if err != nil {
		return err
	}
	if r.Originator != (nato4774.Identity{}) {
		p.note("originator %s (%s)", labels.Quote(r.Originator.Name), r.Originator.Type)
	}
	if !r.Created.IsZero() {
		p.note("created %s", r.Created.Format(time.RFC3339))
	}
	if !r.Review.IsZero() {
		p.note("to be reviewed %s", r.Review.Format(time.RFC3339))
	}
	for _, s := range r.Successors {
		words := "a label that cannot be resolved"
		if l, err := p.reg.Label(s.Form); err == nil {
			words = l.String()
		}
		p.note("to be succeeded %s by %s", s.At.Format(time.RFC3339), words)
	}
	if r.Succeeded {
		p.note("its successor is in force")
	}
	p.label(role, r.Form, nil)
	return nil
}

// binding reads the labels bound to a document (STANAG 4778), the alternatives as equivalents.
func (p *parser) binding(e *xmlstream.Element) error {
	bound, err := nato4774.Unbind(e)
	if err != nil {
		return err
	}
	if err := p.natoLabel("originator's label", bound.Originator); err != nil {
		return err
	}
	o := nato4774.Options{Lenient: p.o.Lenient, At: p.o.At}
	for _, a := range bound.Alternatives {
		p.equivalent(nato4774.ParseLabelWith(o, a, p.reg))
	}
	return nil
}

// message reads the label of a stanza just as the gateway does, and every equivalent label beside it.
func (p *parser) message(e *xmlstream.Element) error {
	found := xep0258.NewReaderWith(p.reg, xep0258.Options{Lenient: p.o.Lenient, ICISM: p.o.ICISM}).Read(e)
	sl := e.Child(xep0258.NS, "securitylabel")
	if sl != nil {
		for c := range sl.Children() {
			if c.Is(xep0258.NS, "equivalentlabel") {
				p.equivalent(p.payload(c))
			}
		}
	}
	switch found.State {
	case xep0258.Labelled:
		p.label("label", found.Label.Form(), nil)
		return nil
	case xep0258.Unlabelled:
		if p.o.Table.Len() > 0 {
			return p.firstLine(e)
		}
		return labels.Errorf(labels.CodeNoLabel, "the stanza has no securitylabel; a default label would stand in for it")
	case xep0258.UseDefault:
		return labels.Errorf(labels.CodeNoLabel, "the label is empty: it asks for the default label")
	case xep0258.Refused:
	}
	err := labels.Errorf(found.Refusal, "%s", found.Detail)
	if sl == nil || found.Refusal == labels.CodeCount {
		return err
	}
	var f labels.LabelForm // of an ESS label that its policy, not loaded or of another opinion, could not resolve
	if c := sl.Child(xep0258.NS, "label"); c != nil {
		f, _ = p.payload(c)
	}
	p.label("label", f, err)
	return nil
}

// firstLine reads the marking in the first line of the text of an unlabelled message.
func (p *parser) firstLine(e *xmlstream.Element) error {
	l, line, err := p.o.Table.Read(e)
	switch {
	case err != nil:
		return err
	case l != nil:
		p.label("first line of text", l.Form(), nil)
		return nil
	case line != "":
		return unknownMarking(line, " of the first line")
	}
	return labels.Errorf(labels.CodeNoLabel, "the stanza has neither a securitylabel nor a marking in the first line of its text")
}

// payload reads the one element inside label or equivalentlabel.
func (p *parser) payload(holder *xmlstream.Element) (labels.LabelForm, error) {
	var e *xmlstream.Element
	for c := range holder.Children() {
		if e != nil {
			return labels.LabelForm{}, bad("two elements in %s", holder.Local())
		}
		e = c
	}
	switch {
	case e == nil:
		return labels.LabelForm{}, bad("%s is empty", holder.Local())
	case e.Is(xep0258.NSESS, "esssecuritylabel"):
		b, err := unbase64([]byte(e.Text()))
		if err != nil {
			return labels.LabelForm{}, err
		}
		return ess.ParseLabel(b)
	case nato4774.IsLabel(e):
		return nato4774.ParseLabelWith(nato4774.Options{Lenient: p.o.Lenient}, e, p.reg)
	case p.o.ICISM.Is(e):
		return icism.Read(e, p.o.ICISM, p.reg)
	}
	return labels.LabelForm{}, labels.Errorf(labels.CodeUnknown, "%s of namespace %s is no known syntax of a label",
		labels.Quote(e.Local()), labels.Quote(e.Space()))
}
