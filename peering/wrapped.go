package peering

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/rules"
)

// maxWrapped is how deep stanzas may be wrapped in stanzas.
const maxWrapped = 4

// judgeAllWrapped judges what is carried inside: forwarded messages, carbons, archive
// results, stanzas in pubsub items. A carrier the profile does not list ends it; inside
// one that it lists, each message is judged like one of its own, both ways, must be dominated by the label around it
// where there is one, and goes on with its label written anew.
func (j *judgement) judgeAllWrapped() bool {
	e := j.s.Element()
	for range rules.Wrapped(e) {
		j.wraps = true
		break
	}
	if !j.wraps {
		return true
	}
	ok := true
	e = j.judgeWrapped(e, &j.pass, 0, &ok)
	return ok && j.replace(LabelIn, e, "label of a wrapped message written anew")
}

// judgeWrapped returns e as it may go on; around is the label of the message that e stands in.
func (j *judgement) judgeWrapped(e *xmlstream.Element, around *passage, depth int, ok *bool) *xmlstream.Element {
	return rules.MapWrapped(e, func(inner *xmlstream.Element, carrier rules.Carrier) *xmlstream.Element {
		if *ok = *ok && j.admitWrapped(carrier, depth); !*ok {
			return inner
		}
		if inner.Local() == "message" {
			var ps passage
			if inner, ps, *ok = j.passWrapped(inner, around); !*ok {
				return inner
			}
			around := ps
			return j.judgeWrapped(inner, &around, depth+1, ok)
		}
		return j.judgeWrapped(inner, around, depth+1, ok)
	})
}

func (j *judgement) admitWrapped(carrier rules.Carrier, depth int) bool {
	switch {
	case depth == maxWrapped:
		return j.refuse(Refusal{
			Stage: LabelIn, Reason: "depth", Rule: carrier.String(), Detail: "stanzas wrapped in stanzas too deep",
			Allowing: "less wrapping", Condition: stanza.PolicyViolation,
		})
	case !j.open && !j.p.profile.AllowsCarrier(carrier):
		return j.refuse(Refusal{
			Stage: LabelIn, Reason: Wrapped, Rule: carrier.String(), Detail: "a stanza wrapped in a carrier that the profile does not list",
			Allowing: "the carrier in the profile", Condition: stanza.PolicyViolation,
		})
	}
	return true
}

// passWrapped takes one wrapped message through both label stages.
func (j *judgement) passWrapped(e *xmlstream.Element, around *passage) (*xmlstream.Element, passage, bool) {
	f, ok := j.find(e)
	if !ok {
		return e, passage{}, false
	}
	ps, ok := j.enter(f.Label)
	if !ok || !j.leave(&ps) || !j.dominated(around, &ps) {
		return e, ps, false
	}
	if f.firstLine {
		e = stripLine(e)
	}
	e, _, ok = j.labelled(e, &ps, f.by.IsDefault())
	j.inner = append(j.inner, ps)
	return e, ps, ok
}

// dominated reports whether whoever may read the message around may read this one, too. Labels are compared under a
// policy that both have; without one nothing is known, and it is refused.
func (j *judgement) dominated(around, ps *passage) bool {
	if around.inside == nil {
		return true
	}
	outer, inner := around.inside, ps.inside
	if outer.PolicyID() != inner.PolicyID() {
		if around.sent == nil {
			return true // not translated yet: asked again at the end
		}
		outer, inner = around.sent, ps.sent
	}
	if outer.Dominates(inner) {
		return true
	}
	return j.refuse(Refusal{
		Stage: LabelIn, Reason: Wrapped, Rule: j.from.Name, Detail: "the label of a wrapped message is not dominated by the one around it",
		Allowing: "an outer label that is at least as restrictive as every label inside", Condition: stanza.PolicyViolation,
	})
}

// stillDominated asks again at the end: a rule may have changed the label around.
func (j *judgement) stillDominated() bool {
	for i := range j.inner {
		if j.items.labels == nil && !j.dominated(&j.pass, &j.inner[i]) {
			return false
		}
		for k := range j.items.labels { // whichever item it is in
			if !j.dominated(&j.items.labels[k].passage, &j.inner[i]) {
				return false
			}
		}
	}
	return true
}
