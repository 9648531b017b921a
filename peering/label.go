package peering

import (
	"slices"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// passage is a label on its way through: the same sensitivity in the words of up to three policies, unless a rule
// changed it on the way. All are nil where the kind of stanza carries no label.
type passage struct {
	received *labels.Label      // as read, before anything was changed
	inside   *labels.Label      // after it was translated for the side it goes to, and after rules
	sent     *labels.Label      // after it was translated for the peer it goes to
	written  *xmlstream.Element // the securitylabel that leaves; nil: none does
}

// finding is the label of one message, and where it was found.
type finding struct {
	xep0258.Found
	by        LabelSource
	name      string // of the default
	firstLine bool   // the text begins with a marking that means this label
}

// labelIn is stage 2. It looks at the tree as received, before anything is removed, and
// at every stanza wrapped inside it: each message must carry a label the policies know,
// valid, and within the clearances of the peer, link and user it comes from.
func (j *judgement) labelIn() bool {
	return j.labelOf(j.s) && j.judgeAllWrapped()
}

// labelOf finds the label in force for the outer stanza and checks the incoming side.
func (j *judgement) labelOf(s stanza.Stanza) bool {
	e := s.Element()
	switch {
	case holdsItems(s):
		return j.labelsOfItems(s)
	case j.open && isCatalogue(s):
		j.step(Step{Stage: LabelIn, Note: "the labels in a catalogue are there to be chosen from", Subject: s.Kind().String()})
		return true
	case s.Kind() != stanza.Message || s.IsError():
		if j.from.reader.Read(e).State == xep0258.Refused { // a label anywhere in it
			return j.misplaced(s)
		}
		j.step(Step{Stage: LabelIn, Note: "this kind of stanza carries no label", Subject: s.Kind().String()})
		return true
	case j.from.Subjects == FreeSubjects && j.to.Subjects == FreeSubjects && isBareSubject(s):
		j.step(Step{Stage: LabelIn, Note: "the subject of a room is not checked, by both peers", Subject: j.from.Name})
		return true
	}
	f, ok := j.find(e)
	if j.note(&f); !ok {
		return false
	}
	if j.pass, ok = j.enter(f.Label); !ok {
		return false
	}
	j.canonical = f.Canonical
	j.v.LabelOut, j.v.Facts.PolicyOut = j.pass.inside, j.pass.inside.Policy()
	j.v.Facts.MarkingOut = j.v.Facts.MarkingIn
	if j.pass.inside != j.pass.received {
		j.v.Facts.MarkingOut = j.pass.inside.String()
	}
	return !f.firstLine || j.replace(LabelIn, stripLine(e), "marking taken off the text")
}

// misplaced refuses a label where XEP-0258 §5 has none. Whoever labels presence or an error is not told: the error
// would answer an error, and presence has no answer.
func (j *judgement) misplaced(s stanza.Stanza) bool {
	r := Refusal{
		Stage: LabelIn, Reason: LabelMisplaced, Detail: "only a message that is not an error, and items of pubsub, carry a label (XEP-0258 §5, XEP-0314)",
		Allowing: "no label there", Condition: stanza.PolicyViolation,
	}
	if s.Kind() == stanza.IQ && !s.IsError() {
		return j.refuse(r)
	}
	r.Condition = stanza.NoCondition
	j.refuse(r)
	j.v.Outcome = Drop
	return false
}

// note keeps for audit and explain what was found.
func (j *judgement) note(f *finding) {
	v := j.v
	v.LabelIn, v.Facts.PolicyIn = f.Label, f.Policy
	v.Facts.Received, v.Facts.Source, v.Facts.SourceName = f.Found, f.by, f.name
	if f.Label == nil {
		return // refused; an empty label and a missing one leave no marking
	}
	v.Facts.Defaulted = f.by.IsDefault()
	if v.Facts.MarkingIn = f.Marking; !f.Canonical {
		v.Facts.MarkingIn = f.Label.String()
	}
}

// find finds and decodes the label of one message, or the default for it.
func (j *judgement) find(e *xmlstream.Element) (finding, bool) {
	return j.settle(e, j.from.reader.Read(e))
}

// settle makes a finding of what was read; e is the message, nil where the label is not of a message.
func (j *judgement) settle(e *xmlstream.Element, read xep0258.Found) (finding, bool) {
	f := finding{Found: read}
	switch f.State {
	case xep0258.Refused:
		return f, j.badLabel(Reason(f.Refusal.String()), f.Detail)
	case xep0258.Labelled:
		if !j.mayUse(f.Syntax) {
			return f, j.refuse(Refusal{
				Stage: LabelIn, Reason: "label-syntax", Rule: j.from.Name, Detail: "the peer may not label in this syntax",
				Allowing: "that syntax in label-syntaxes of the peer", Condition: stanza.PolicyViolation,
			})
		}
		f.by = OfLabel
		if f.Found.Source.Equivalent() > 0 {
			f.by = OfEquivalent
		}
		return f, j.confirmed(e, &f) && j.valid(LabelIn, f.Label)
	case xep0258.Unlabelled:
		if ok, found := j.firstLine(e, &f); found || !ok {
			return f, ok && j.valid(LabelIn, f.Label)
		}
	case xep0258.UseDefault:
	}
	return f, j.byDefault(&f)
}

func (j *judgement) badLabel(r Reason, detail string) bool {
	return j.refuse(Refusal{
		Stage: LabelIn, Reason: r, Rule: j.from.Name, Detail: detail,
		Allowing: "one label in its place, in a syntax and under a policy this gateway knows", Condition: stanza.PolicyViolation,
	})
}

// mayUse reports whether the peer may label in a syntax.
func (j *judgement) mayUse(s xep0258.Syntax) bool {
	allowed := j.from.LabelSyntaxes
	return len(allowed) == 0 || slices.Contains(allowed, s) ||
		s == xep0258.ESS && slices.Contains(allowed, xep0258.SDN801c) || // which is a way to write it
		s == xep0258.STANAG4778 && slices.Contains(allowed, xep0258.STANAG4774)
}

// valid asks the first of the two questions: does the label obey its policy, now.
func (j *judgement) valid(st Stage, l *labels.Label) bool {
	p := l.Policy()
	if !j.p.loaded(p) {
		return j.refuse(Refusal{
			Stage: st, Reason: "policy-unknown", Rule: j.from.Name, Detail: "the label belongs to a policy that is not loaded",
			Allowing: "the SPIF of the label's policy", Condition: stanza.PolicyViolation,
		})
	}
	if d := p.Validate(l, j.a.Time); !d.Granted {
		return j.refuse(Refusal{
			Stage: st, Reason: "label-invalid", Rule: p.Name(), Detail: d.Explain(),
			Allowing: "a label that is valid under its policy", Condition: stanza.PolicyViolation,
		})
	}
	j.step(Step{Stage: st, Note: "label is valid under policy", Subject: p.Name()})
	return true
}

// byDefault finds the label for a message that has none or an empty one.
func (j *judgement) byDefault(f *finding) bool {
	l, by, name := j.p.defaultFor(j.from, j.src, j.a.Stanza.To())
	if l == nil || f.State == xep0258.Unlabelled && j.from.Unlabelled != UnlabelledDefault {
		return j.refuse(Refusal{
			Stage: LabelIn, Reason: NoLabel, Rule: j.from.Name, Detail: "the message carries no label and nothing gives it one",
			Allowing: "a label, or unlabelled = \"default\" and a default-label for the peer", Condition: stanza.PolicyViolation,
		})
	}
	if l.Policy().Contradicts(l, f.Marking) {
		return j.refuse(Refusal{
			Stage: LabelIn, Reason: "label-mismatch", Rule: j.from.Name, Detail: "asks for the default label and shows a higher marking",
			Allowing: "a marking that says what the default label says", Condition: stanza.PolicyViolation,
		})
	}
	f.Label, f.Policy, f.by, f.name, f.Marking = l, l.Policy(), by, name, ""
	j.step(Step{Stage: LabelIn, Note: defaultNotes[by], Subject: name})
	return j.valid(LabelIn, l)
}

var defaultNotes = [numLabelSources]string{
	DefaultOfRule:   "no label; the default of a rule applies",
	DefaultOfRoom:   "no label; the default of a room applies",
	DefaultOfUser:   "no label; the default of a user applies",
	DefaultOfPeer:   "no label; the peer's default applies",
	DefaultOfDomain: "no label; the default of a domain applies",
	DefaultOfSide:   "no label; the side's default applies",
	DefaultOfPolicy: "no label; the policy's default applies",
}

// enter takes a label in: checked against the peer as it was received, then translated for the side it goes to, then
// checked against the link and the sender.
func (j *judgement) enter(l *labels.Label) (passage, bool) {
	ps := passage{received: l, inside: l}
	if !j.cleared(LabelIn, AsPeer, j.from.Name, &j.from.Clearances, l, nil) {
		return ps, false
	}
	if t := j.from.in[j.to.Side]; t.wants(l) {
		tr, ok := j.translate(LabelIn, t, l)
		if j.v.Facts.TranslatedIn == nil {
			j.v.Facts.TranslatedIn = tr
		}
		if !ok {
			return ps, false
		}
		ps.inside = tr.Result
	}
	return ps, j.clearedLink(LabelIn, j.a.Link, ps.received, ps.inside) &&
		j.clearedUser(LabelIn, AsSender, &j.a.Facts.Sender, ps.received, ps.inside)
}

// leave makes the label of a passage the one that the outgoing peer gets, and checks the outgoing side.
func (j *judgement) leave(ps *passage) bool {
	ps.sent = ps.inside
	if j.to.Clearances.For(ps.inside.PolicyID()) == nil && j.to.out.wants(ps.inside) {
		tr, ok := j.translate(LabelOut, j.to.out, ps.inside)
		if j.v.Facts.TranslatedOut == nil {
			j.v.Facts.TranslatedOut = tr
		}
		if !ok {
			return false
		}
		ps.sent = tr.Result
	}
	if !j.to.KeepPrivacyMarks {
		ps.sent = j.p.unmarked(ps.sent)
	}
	return j.cleared(LabelOut, AsPeer, j.to.Name, &j.to.Clearances, ps.sent, nil) &&
		j.clearedBearers(ps) &&
		j.clearedUser(LabelOut, AsRecipient, &j.a.Facts.Recipient, ps.sent, ps.inside)
}

// translate never translates a clearance: it brings the label under a policy that somebody is cleared for.
func (j *judgement) translate(st Stage, t *translator, l *labels.Label) (*labels.Translation, bool) {
	tr := t.translate(l, j.a.Time)
	if tr.Status != labels.Translated {
		return tr, j.refuse(Refusal{
			Stage: st, Reason: Reason(tr.Status.String()), Rule: t.to.Name(), Detail: "translation to " + t.to.Name() + ": " + tr.Reason,
			Allowing: "a label that the policies translate to " + t.to.Name(), Condition: stanza.PolicyViolation,
		})
	}
	j.step(Step{Stage: st, Note: "label translated to policy", Subject: t.to.Name()})
	return tr, true
}
