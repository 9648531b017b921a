package peering

import (
	"slices"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
	"sallyport/rules"
)

// labelIn is stage 2. It looks at the tree as received, before anything is removed, and
// at every stanza wrapped inside it: each message must carry a label the policies know,
// valid, and within the clearances of the peer, link and user it comes from.
func (j *judgement) labelIn() bool {
	if !j.labelOf(j.s) {
		return false
	}
	return j.judgeWrapped(j.s.Element(), 0)
}

// labelOf finds the label in force for the outer stanza and checks the incoming side.
func (j *judgement) labelOf(s stanza.Stanza) bool {
	e := s.Element()
	if s.Kind() != stanza.Message || s.IsError() {
		if e.Child(nsLabel, "securitylabel") != nil {
			return j.refuse(Refusal{
				Stage: LabelIn, Reason: LabelMisplaced, Detail: "only a message that is not an error carries a label (XEP-0258 §6)",
				Allowing: "no label on this kind of stanza", Condition: stanza.PolicyViolation,
			})
		}
		j.step(Step{Stage: LabelIn, Note: "this kind of stanza carries no label", Subject: s.Kind().String()})
		return true
	}
	found, ok := j.read(e)
	if !ok {
		return false
	}
	label, policy := found.Label, found.Policy
	j.label, j.labelled, j.canonical = label, policy, found.Canonical
	j.v.LabelIn, j.v.LabelOut = label, label
	j.v.Facts.PolicyIn, j.v.Facts.PolicyOut = policy, policy
	if j.v.Facts.MarkingIn = found.Marking; !found.Canonical {
		j.v.Facts.MarkingIn = j.marking()
	}
	j.v.Facts.MarkingOut = j.v.Facts.MarkingIn
	return j.clearedIn(label, policy)
}

// read finds and decodes the label of one message, or the peer's default for it.
func (j *judgement) read(e *xmlstream.Element) (xep0258.Found, bool) {
	found := j.p.reader.Read(e)
	switch found.State {
	case xep0258.Refused:
		return found, j.refuse(Refusal{
			Stage: LabelIn, Reason: Reason(found.Refusal.String()), Rule: j.from.Name, Detail: found.Detail,
			Allowing: "one label in its place, in a syntax and under a policy this gateway knows", Condition: stanza.PolicyViolation,
		})
	case xep0258.Labelled:
		if !j.mayUse(e) {
			return found, j.refuse(Refusal{
				Stage: LabelIn, Reason: "label-syntax", Rule: j.from.Name, Detail: "the peer may not label in this syntax",
				Allowing: "that syntax in label-syntaxes of the peer", Condition: stanza.PolicyViolation,
			})
		}
		if d := found.Policy.Validate(found.Label, j.a.Time); !d.Granted {
			return found, j.refuse(Refusal{
				Stage: LabelIn, Reason: "label-invalid", Rule: found.Policy.Name(), Detail: d.Explain(),
				Allowing: "a label that is valid under its policy", Condition: stanza.PolicyViolation,
			})
		}
		j.step(Step{Stage: LabelIn, Note: "label is valid under policy", Subject: found.Policy.Name()})
		return found, true
	case xep0258.Unlabelled, xep0258.UseDefault:
	}
	if j.from.DefaultLabel == nil || found.State == xep0258.Unlabelled && j.from.Unlabelled != UnlabelledDefault {
		return found, j.refuse(Refusal{
			Stage: LabelIn, Reason: NoLabel, Rule: j.from.Name, Detail: "the message carries no label and the peer has no default for it",
			Allowing: "a label, or unlabelled = \"default\" with a default-label for the peer", Condition: stanza.PolicyViolation,
		})
	}
	policy := j.from.DefaultLabel.Policy()
	if policy == nil || !j.p.loaded(policy) {
		return found, j.refuse(Refusal{
			Stage: LabelIn, Reason: "policy-unknown", Rule: j.from.Name, Detail: "the default label belongs to a policy that is not loaded",
			Allowing: "the SPIF of the default label's policy", Condition: stanza.PolicyViolation,
		})
	}
	if policy.Contradicts(j.from.DefaultLabel, found.Marking) {
		return found, j.refuse(Refusal{
			Stage: LabelIn, Reason: "label-mismatch", Rule: j.from.Name, Detail: "asks for the default label and shows a higher marking",
			Allowing: "a marking that says what the default label says", Condition: stanza.PolicyViolation,
		})
	}
	j.v.Facts.Defaulted = true
	j.step(Step{Stage: LabelIn, Note: "no label; the peer's default applies", Subject: j.from.Name})
	return xep0258.Found{State: xep0258.Labelled, Label: j.from.DefaultLabel, Policy: policy}, true
}

// mayUse reports whether the peer may label in the syntax that e is labelled in.
func (j *judgement) mayUse(e *xmlstream.Element) bool {
	return len(j.from.LabelSyntaxes) == 0 ||
		slices.Contains(j.from.LabelSyntaxes, xep0258.SyntaxOf(e.Child(nsLabel, "securitylabel")))
}

// clearedIn checks the clearances of the side it comes from.
func (j *judgement) clearedIn(l *labels.Label, p *labels.Policy) bool {
	return j.cleared(LabelIn, Clearance, "peer", j.from.Name, l, p, j.from.Clearance) &&
		j.clearedLink(LabelIn, j.a.Link, l, p) &&
		j.clearedUser(LabelIn, SenderClear, "sender", &j.a.Facts.Sender, l, p)
}

// clearedOut checks the clearances of the side it goes to.
func (j *judgement) clearedOut(l *labels.Label, p *labels.Policy) bool {
	return j.cleared(LabelOut, Clearance, "peer", j.to.Name, l, p, j.to.Clearance) &&
		j.clearedLink(LabelOut, j.to.Links[0], l, p) &&
		j.clearedUser(LabelOut, Clearance, "recipient", &j.a.Facts.Recipient, l, p)
}

func (j *judgement) clearedLink(st Stage, link string, l *labels.Label, p *labels.Policy) bool {
	c, ok := j.p.def.LinkClear[link]
	return !ok || j.cleared(st, Clearance, "link", link, l, p, c)
}

func (j *judgement) clearedUser(st Stage, r Reason, who string, f *ClearanceFact, l *labels.Label, p *labels.Policy) bool {
	return f.Clearance == nil || j.cleared(st, r, who, f.Source, l, p, f.Clearance)
}

func (j *judgement) cleared(st Stage, r Reason, who, name string, l *labels.Label, p *labels.Policy, c *labels.Clearance) bool {
	d := p.Decide(l, c)
	if !d.Granted {
		return j.refuse(Refusal{
			Stage: st, Reason: r, Rule: name, Detail: d.Explain() + " (" + who + " " + name + ")",
			Allowing: "a label that " + who + " " + name + " is cleared for", Condition: stanza.PolicyViolation,
		})
	}
	note := "label is within the clearance of the peer"
	switch who {
	case "link":
		note = "label is within the clearance of the link"
	case "sender":
		note = "label is within the clearance of the sender"
	case "recipient":
		note = "label is within the clearance of the recipient"
	}
	j.step(Step{Stage: st, Note: note, Subject: name})
	return true
}

// maxWrapped is how deep stanzas may be wrapped in stanzas.
const maxWrapped = 4

// judgeWrapped judges what is carried inside: forwarded messages, carbons, archive
// results, stanzas in pubsub items. A carrier the profile does not list ends it; inside
// one that it lists, the content is judged like a message of its own, both ways.
func (j *judgement) judgeWrapped(e *xmlstream.Element, depth int) bool {
	for inner, carrier := range rules.Wrapped(e) {
		j.wraps = true
		switch {
		case depth == maxWrapped:
			return j.refuse(Refusal{
				Stage: LabelIn, Reason: "depth", Rule: carrier.String(), Detail: "stanzas wrapped in stanzas too deep",
				Allowing: "less wrapping", Condition: stanza.PolicyViolation,
			})
		case !j.p.profile.AllowsCarrier(carrier):
			return j.refuse(Refusal{
				Stage: LabelIn, Reason: Wrapped, Rule: carrier.String(), Detail: "a stanza wrapped in a carrier that the profile does not list",
				Allowing: "the carrier in the profile", Condition: stanza.PolicyViolation,
			})
		}
		if inner.Local() == "message" {
			found, ok := j.read(inner)
			if !ok || !j.clearedIn(found.Label, found.Policy) || !j.clearedOut(found.Label, found.Policy) {
				return false
			}
		}
		if !j.judgeWrapped(inner, depth+1) {
			return false
		}
	}
	return true
}

// labelOut is stage 6: the label as the other side gets it, within the clearances of the
// peer, link and user it goes to.
func (j *judgement) labelOut() bool {
	if j.label == nil {
		return true
	}
	if !j.clearedOut(j.label, j.labelled) {
		return false
	}
	switch j.to.SendLabels {
	case SendNever:
		return j.dropLabel()
	case SendAlways:
		return j.writeLabel()
	case SendAsReceived:
		if j.v.Facts.Defaulted && j.s.Element().Child(nsLabel, "securitylabel") == nil {
			return true
		} // an empty one would mean the default of whoever reads it: it is written out
		return j.writeLabel()
	}
	return j.refuse(Refusal{Stage: LabelOut, Reason: BadStanza, Detail: "unknown way to send labels", Condition: stanza.NoCondition})
}

func (j *judgement) dropLabel() bool {
	e := j.s.Element().MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if c.Is(nsLabel, "securitylabel") {
			return nil
		}
		return c
	})
	return j.replace(LabelOut, e, "label removed, the peer does not take labels")
}

// writeLabel puts the label in the peer's own form in place of what was received: decoded
// and encoded again, with the display marking computed from the policy.
func (j *judgement) writeLabel() bool {
	if j.canonical && !j.v.Changed && (len(j.to.LabelSyntaxes) == 0 || j.to.LabelSyntaxes[0] == xep0258.ESS) {
		j.step(Step{Stage: LabelOut, Note: "label passes as it is"})
		return true
	}
	e := j.s.Element()
	old := e.Child(nsLabel, "securitylabel")
	fresh, err := j.p.writer.Element(j.label, j.labelled, j.syntaxFor(old), j.a.Time)
	if err != nil {
		return j.refuse(Refusal{
			Stage: LabelOut, Reason: "label-syntax", Rule: j.to.Name, Detail: err.Error(),
			Allowing: "a label that can be written in the syntax of the peer", Condition: stanza.PolicyViolation,
		})
	}
	if old != nil {
		if old.Equal(fresh) {
			j.step(Step{Stage: LabelOut, Note: "label passes as it is"})
			return true
		}
		return j.replace(LabelOut, e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
			if c == old {
				return fresh
			}
			return c
		}), "label written anew from its policy")
	}
	nodes := make([]xmlstream.Node, 0, e.NumNodes()+1)
	for i := range e.NumNodes() {
		nodes = append(nodes, e.NodeAt(i))
	}
	return j.replace(LabelOut, e.WithNodes(append(nodes, xmlstream.ElementNode(fresh))...), "default label added")
}

// syntaxFor is how the outgoing peer wants labels: as its definition says, else as received.
func (j *judgement) syntaxFor(received *xmlstream.Element) xep0258.Syntax {
	if len(j.to.LabelSyntaxes) > 0 {
		return j.to.LabelSyntaxes[0]
	}
	if s := xep0258.SyntaxOf(received); s != xep0258.NoSyntax {
		return s
	}
	return xep0258.ESS
}

// marking is the display marking of the label in force, out of what the writer remembers.
func (j *judgement) marking() string {
	if j.label == nil {
		return ""
	}
	e, err := j.p.writer.Element(j.label, j.labelled, xep0258.ESS, j.a.Time)
	if err != nil {
		return "" // a rule that needs it refuses
	}
	if m := e.Child(nsLabel, "displaymarking"); m != nil {
		return m.Text()
	}
	return ""
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
