package peering

import (
	"slices"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/rules"
)

// checkProfile is stage 3: the allow-list of shapes, for the stanza and for each one
// wrapped inside it.
func (j *judgement) checkProfile() bool {
	if j.open {
		j.step(Step{Stage: Profile, Note: "between users of one server no profile holds", Subject: j.from.Name})
		return true
	}
	s, ok := j.fit(j.s)
	if !ok {
		return false
	}
	j.s = s
	return j.fitWrapped()
}

// fit holds one stanza against the profile and returns what may go on of it.
func (j *judgement) fit(s stanza.Stanza) (stanza.Stanza, bool) {
	r := j.p.profile.Check(s)
	switch r.Verdict {
	case rules.Deny:
		return stanza.Stanza{}, j.refuse(Refusal{
			Stage: Profile, Reason: Reason(r.Reason.String()), Rule: j.p.profile.Name(),
			Detail: "not on the profile's list: " + r.Path, Allowing: "a profile that lists " + r.Path,
			Condition: profileCondition(r.Reason),
		})
	case rules.Stripped:
		j.v.Changed = true
		for _, name := range r.Removed {
			j.step(Step{Stage: Profile, Changed: true, Note: "removed, not on the profile's list", Subject: name})
		}
		if len(r.Removed) == 0 {
			j.step(Step{Stage: Profile, Changed: true, Note: "text brought into normal form C"})
		}
		return r.Stanza, true
	case rules.Pass:
		j.step(Step{Stage: Profile, Note: "every part is on the profile's list", Subject: j.p.profile.Name()})
	}
	return s, true
}

func profileCondition(r rules.Reason) stanza.Condition {
	switch r {
	case rules.IQKind:
		return stanza.ServiceUnavailable
	case rules.NoReason, rules.NotListed, rules.UnicodePolicy, rules.WrappedStanza, rules.EncryptedBody,
		rules.TooDeep, rules.TooLarge, rules.Empty:
	}
	return stanza.PolicyViolation
}

// fitWrapped holds every wrapped stanza against the profile, to the depth that stage 2 let
// through, and puts what may go on of it in its place.
func (j *judgement) fitWrapped() bool {
	if !j.wraps {
		return true
	}
	ok := true
	e := j.mapWrapped(j.s.Element(), &ok)
	return ok && j.replace(Profile, e, "wrapped stanza changed")
}

func (j *judgement) mapWrapped(e *xmlstream.Element, ok *bool) *xmlstream.Element {
	return rules.MapWrapped(e, func(inner *xmlstream.Element, _ rules.Carrier) *xmlstream.Element {
		if !*ok {
			return inner
		}
		s, err := stanza.FromCarried(inner)
		if err != nil {
			*ok = j.refuse(Refusal{
				Stage: Profile, Reason: Wrapped, Detail: "what is wrapped is no stanza", Allowing: "a stanza inside the carrier",
				Condition: stanza.PolicyViolation,
			})
			return inner
		}
		if s, *ok = j.fit(s); !*ok {
			return inner
		}
		return j.mapWrapped(s.Element(), ok)
	})
}

// checkAgain holds a tree that later stages changed against the profile once more, so that
// no rule can make what the profile would have stopped.
func (j *judgement) checkAgain() bool {
	return !j.v.Changed || j.checkProfile() && j.labelsIntact()
}

// labelsIntact holds every label that leaves against what was written: a profile that removes what it does not list
// would leave an empty one of a syntax that it does not know, which means the default label of whoever reads it.
func (j *judgement) labelsIntact() bool {
	e := j.s.Element()
	if j.items.labels != nil {
		if !j.items.intact(e) {
			return j.refuse(lostLabel(j.to.Name))
		}
	} else if !hasLabel(e, j.pass.written) {
		return j.refuse(lostLabel(j.to.Name))
	}
	return !j.wraps || j.wrappedIntact(e)
}

func (j *judgement) wrappedIntact(e *xmlstream.Element) bool {
	for inner := range rules.Wrapped(e) {
		if inner.Local() == "message" && !slices.ContainsFunc(j.inner, func(ps passage) bool { return hasLabel(inner, ps.written) }) {
			return j.refuse(lostLabel(j.to.Name))
		}
		if !j.wrappedIntact(inner) {
			return false
		}
	}
	return true
}

// hasLabel reports whether a message carries exactly that label, or none where it is nil.
func hasLabel(e, label *xmlstream.Element) bool {
	sl := e.Child(nsLabel, "securitylabel")
	return sl == label || sl != nil && label != nil && sl.Equal(label)
}

func lostLabel(peer string) Refusal {
	return Refusal{
		Stage: LabelOut, Reason: "label-syntax", Rule: peer, Detail: "the profile does not list what the label is written in",
		Allowing: "a profile that lists it, or another first entry in label-syntaxes of the peer", Condition: stanza.PolicyViolation,
	}
}
