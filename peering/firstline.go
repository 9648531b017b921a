package peering

import (
	"errors"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/textmark"
)

// firstLine reads the marking at the beginning of the text as the label of a message that has none. It is believed only
// where the peer may label so. A line that means nothing leaves the message without a label.
func (j *judgement) firstLine(e *xmlstream.Element, f *finding) (ok, found bool) {
	if e == nil || j.from.FirstLines == nil {
		return true, false
	}
	l, _, err := j.from.FirstLines.Read(e)
	if err != nil {
		return j.badFirstLine(err), false
	}
	if l == nil {
		return true, false
	}
	f.Label, f.Policy, f.by, f.firstLine = l, l.Policy(), OfFirstLine, true
	j.step(Step{Stage: LabelIn, Note: "label read from the first line of the text", Subject: j.from.Name})
	return true, true
}

// confirmed holds a label against the marking at the beginning of the text, where the peer may label so: one that means
// another label refuses the message, one that means the same is taken off.
func (j *judgement) confirmed(e *xmlstream.Element, f *finding) bool {
	if e == nil || j.from.FirstLines == nil {
		return true
	}
	l, _, err := j.from.FirstLines.Read(e)
	switch {
	case err != nil:
		return j.badFirstLine(err)
	case l == nil:
		return true
	case !l.Equal(f.Label.WithoutPrivacyMark()):
		return j.badLabel("label-mismatch", "the first line of the text means another label than the message has")
	}
	f.firstLine = true
	return true
}

func (j *judgement) badFirstLine(err error) bool {
	var e *labels.Error
	if errors.As(err, &e) {
		return j.badLabel(Reason(e.Code.String()), e.Detail)
	}
	return j.badLabel("label-syntax", err.Error())
}

func stripLine(e *xmlstream.Element) *xmlstream.Element { return textmark.Strip(e) }

// addLine puts the marking of a label before every body, in the language of the body, and takes the formatted
// alternative away. A label without a marking cannot be told that way and refuses.
func (j *judgement) addLine(e *xmlstream.Element, l *labels.Label) (*xmlstream.Element, bool) {
	out, ok := marked(e, l, j.to.Language)
	if !ok {
		return e, j.refuse(Refusal{
			Stage: LabelOut, Reason: "label-syntax", Rule: j.to.Name, Detail: "the policy has no marking for the label, and the peer is told nothing else",
			Allowing: "a label with a marking", Condition: stanza.PolicyViolation,
		})
	}
	return out, true
}

// marked is addLine; false where the label has no marking.
func marked(e *xmlstream.Element, l *labels.Label, language string) (*xmlstream.Element, bool) {
	p := l.Policy()
	own := p.MarkingAt(l, labels.FirstLineOfText, language).Text
	if own == "" {
		return e, false
	}
	return textmark.Add(e, func(lang string) string {
		if lang == "" {
			return own
		}
		return p.MarkingAt(l, labels.FirstLineOfText, lang).Text
	}), true
}

// isBareSubject reports a change of the subject of a room and nothing else (XEP-0045 §8.1), unlabelled.
func isBareSubject(s stanza.Stanza) bool {
	if s.Type() != stanza.MessageGroupchat {
		return false
	}
	e, subject := s.Element(), false
	for c := range e.Children() {
		switch {
		case c.Is(e.Space(), "subject"):
			subject = true
		case c.Is("urn:xmpp:delay", "delay"), c.Space() == "urn:xmpp:sid:0":
		default:
			return false
		}
	}
	return subject
}
