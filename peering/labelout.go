package peering

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// labelOut is stage 6: the label as the other side gets it, within the clearances of the
// peer, link and user it goes to.
func (j *judgement) labelOut() bool {
	switch {
	case j.items.labels != nil:
		return j.labelItemsOut()
	case j.pass.inside == nil:
		return true
	}
	if !j.leave(&j.pass) || !j.stillDominated() {
		return false
	}
	sent, f := j.pass.sent, &j.v.Facts
	if j.v.LabelOut = sent; sent != j.v.LabelIn {
		f.PolicyOut, f.MarkingOut = sent.Policy(), sent.String()
	}
	if j.asItIs() {
		j.pass.written = j.s.Element().Child(nsLabel, "securitylabel")
		j.step(Step{Stage: LabelOut, Note: "label passes as it is"})
		return true
	}
	e, note, ok := j.labelled(j.s.Element(), &j.pass, f.Defaulted)
	if !ok {
		return false
	}
	if e.Equal(j.s.Element()) {
		j.step(Step{Stage: LabelOut, Note: note})
		return true
	}
	return j.replace(LabelOut, e, note)
}

// asItIs tells without looking that the label in the tree is what would be written: it came so, nothing has changed,
// and the peer wants nothing else.
func (j *judgement) asItIs() bool {
	to := j.to
	return j.canonical && !j.v.Changed && j.pass.sent == j.pass.received && to.SendLabels != SendNever && !to.WriteFirstLine && !to.Clients.FirstLine &&
		to.Language == "" && !to.KeepPrivacyMarks && (len(to.LabelSyntaxes) == 0 || to.LabelSyntaxes[0] == xep0258.ESS)
}

// labelled returns a message with its label as the outgoing peer is to have it: written anew from the normal form, taken
// away, as the first line of the text, or in two of these ways.
func (j *judgement) labelled(e *xmlstream.Element, ps *passage, defaulted bool) (*xmlstream.Element, string, bool) {
	note := "label passes as it is"
	if j.to.WriteFirstLine || j.to.Clients.FirstLine {
		line, ok := j.addLine(e, ps.sent)
		if !ok {
			return e, "", false
		}
		if j.to.WriteFirstLine {
			e, note = line, "marking put before the text"
		}
	}
	old := e.Child(nsLabel, "securitylabel")
	fresh, ok := j.securitylabel(ps, old, defaulted)
	switch {
	case !ok:
		return e, "", false
	case fresh == nil && old == nil:
		return e, note, true
	case fresh == nil:
		return with(e, old, nil), "label removed, the peer does not take labels", true
	case old == nil:
		return with(e, nil, fresh), "label added", true
	case old.Equal(fresh):
		return e, note, true
	}
	return with(e, old, fresh), "label written anew from its policy", true
}

// securitylabel is what the outgoing peer is to have in the place of old; nil for nothing.
func (j *judgement) securitylabel(ps *passage, old *xmlstream.Element, defaulted bool) (*xmlstream.Element, bool) {
	switch j.to.SendLabels {
	case SendNever:
		return nil, true
	case SendAlways:
	case SendAsReceived:
		// An empty label would mean the default of whoever reads it: it is written out.
		if defaulted && old == nil {
			return nil, true
		}
	default:
		return nil, j.refuse(Refusal{Stage: LabelOut, Reason: BadStanza, Detail: "unknown way to send labels", Condition: stanza.NoCondition})
	}
	fresh, ok := j.write(ps, old)
	ps.written = fresh
	return fresh, ok
}

// write makes the securitylabel for the peer: decoded and encoded again, with the display marking computed from the
// policy, and with the equivalents that the peer is to have.
func (j *judgement) write(ps *passage, old *xmlstream.Element) (*xmlstream.Element, bool) {
	to := j.to
	l, o := ps.sent, xep0258.WriteOptions{
		Syntax: j.syntaxFor(old), Lang: to.Language, KeepPrivacyMark: to.KeepPrivacyMarks, ICISM: j.p.def.ICISM, At: j.a.Time,
	}
	switch {
	case to.Equivalents == AddTranslation && ps.inside.PolicyID() != l.PolicyID():
		l, o.Equivalents = ps.inside, []*labels.Label{l}
	case to.Equivalents == AddOriginal && ps.received.PolicyID() != l.PolicyID():
		o.Equivalents = []*labels.Label{ps.received}
	}
	fresh, err := j.p.writer.ElementWith(l, l.Policy(), o)
	if err != nil {
		return nil, j.refuse(Refusal{
			Stage: LabelOut, Reason: "label-syntax", Rule: to.Name, Detail: err.Error(),
			Allowing: "a label that can be written in the syntax of the peer", Condition: stanza.PolicyViolation,
		})
	}
	return fresh, true
}

// syntaxFor is how the outgoing peer wants labels: as its definition says, else as received.
func (j *judgement) syntaxFor(received *xmlstream.Element) xep0258.Syntax {
	if len(j.to.LabelSyntaxes) > 0 {
		return j.to.LabelSyntaxes[0]
	}
	switch s := xep0258.SyntaxOf(received); s {
	case xep0258.STANAG4774, xep0258.STANAG4778:
		return xep0258.STANAG4774
	case xep0258.NoSyntax, xep0258.ESS, xep0258.ICISM, xep0258.SDN801c:
	}
	return xep0258.ESS
}

// with returns e with one child in place of another: nil takes it away, or adds at the end.
func with(e, old, fresh *xmlstream.Element) *xmlstream.Element {
	if old != nil {
		return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
			if c == old {
				return fresh
			}
			return c
		})
	}
	nodes := make([]xmlstream.Node, 0, e.NumNodes()+1)
	for i := range e.NumNodes() {
		nodes = append(nodes, e.NodeAt(i))
	}
	return e.WithNodes(append(nodes, xmlstream.ElementNode(fresh))...)
}

// replace makes e the stanza from here on.
func (j *judgement) replace(st Stage, e *xmlstream.Element, note string) bool {
	if e == j.s.Element() {
		return true
	}
	s, err := j.s.WithElement(e)
	if err != nil {
		return j.refuse(Refusal{
			Stage: st, Reason: BadStanza, Detail: "a change made the stanza invalid", Allowing: "another rule or label",
			Condition: stanza.InternalServerError,
		})
	}
	j.s, j.v.Changed = s, true
	j.step(Step{Stage: st, Changed: true, Note: note})
	return true
}
