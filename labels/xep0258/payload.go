package xep0258

import (
	"slices"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/icism"
	"sallyport/labels/nato4774"
)

// notHere marks a payload that is in a syntax not known here: an equivalent may stand in for it.
type notHere struct{ cause *labels.Error }

func (n notHere) Error() string { return n.cause.Error() }
func (n notHere) Unwrap() error { return n.cause }

// carried is what one payload says. The syntax is set with an error too.
type carried struct {
	syntax       Syntax
	label        *labels.Label
	replaced     *labels.Label        // by its successor
	dated        bool                 // it has successors
	alternatives []*xmlstream.Element // of a binding
}

func (c *carried) found(s Source) Found {
	return Found{
		State: Labelled, Label: c.label, Policy: c.label.Policy(), Syntax: c.syntax, Source: s, Replaced: c.replaced, dated: c.dated,
	}
}

// carried reads one payload and resolves it under its policy.
func (r *Reader) carried(e *xmlstream.Element, equivalent bool, at time.Time) (c carried, err error) {
	c.syntax = r.syntaxOf(e)
	switch s := c.syntax; {
	case s == NoSyntax && (e.Space() == NSESS || e.Space() == nato4774.NS || e.Space() == nato4774.NSBinding):
		return c, bad("%s is no label", labels.Quote(e.Local()))
	case s == NoSyntax:
		return c, notHere{labels.Errorf(labels.CodeUnknown, "label syntax %s is not known", labels.Quote(e.Space()))}
	case !r.accepts(s):
		return c, labels.Errorf(labels.CodeUnknown, "label syntax %s is not accepted here", s)
	case s == ESS:
		return c, c.resolve(r, r.ess, e)
	case s == ICISM:
		return c, c.resolve(r, r.icism, e)
	case s == STANAG4778:
		b, err := nato4774.Unbind(e)
		if err != nil {
			return c, err
		}
		if equivalent && len(b.Alternatives) > 0 {
			return c, bad("an equivalentlabel with more than one label")
		}
		e, c.alternatives = b.Originator, b.Alternatives
	}
	if nato4774.IsAlternative(e) && !equivalent {
		return c, bad("an alternative label in the place of the originator's")
	}
	return c, c.stanag(r, e, at)
}

func (c *carried) resolve(r *Reader, read func(*xmlstream.Element) (labels.LabelForm, error), e *xmlstream.Element) error {
	f, err := read(e)
	if err != nil {
		return err
	}
	c.label, err = r.reg.Label(f)
	return err
}

// stanag reads a STANAG 4774 label as it is at a time: its successors may have taken its place.
func (c *carried) stanag(r *Reader, e *xmlstream.Element, at time.Time) error {
	o := nato4774.Options{Lenient: r.o.Lenient, At: at, Succession: r.o.Succession}
	reading, err := nato4774.Read(o, e, r.reg)
	if err != nil {
		return err
	}
	c.dated = len(reading.Successors) > 0
	if c.label, err = r.reg.Label(reading.Form); err != nil || !reading.Succeeded {
		return err
	}
	c.replaced, err = r.reg.Label(reading.Original)
	return err
}

// payloadSyntax tells the syntaxes apart by the name of the element.
func payloadSyntax(e *xmlstream.Element) Syntax {
	switch {
	case e.Is(NSESS, "esssecuritylabel"):
		return ESS
	case nato4774.IsLabel(e):
		return STANAG4774
	case nato4774.IsBinding(e):
		return STANAG4778
	}
	return NoSyntax
}

// syntaxOf is payloadSyntax with the mapping of this reader.
func (r *Reader) syntaxOf(e *xmlstream.Element) Syntax {
	s := payloadSyntax(e)
	if s == NoSyntax && r.o.ICISM.Is(e) {
		return ICISM
	}
	return s
}

func (r *Reader) accepts(s Syntax) bool {
	return len(r.o.Syntaxes) == 0 || slices.Contains(r.o.Syntaxes, s) || s == ESS && slices.Contains(r.o.Syntaxes, SDN801c)
}

func (r *Reader) icism(e *xmlstream.Element) (labels.LabelForm, error) {
	return icism.Read(e, r.o.ICISM, r.reg)
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
