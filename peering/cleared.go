package peering

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
)

// As is in which capacity somebody's clearance is asked for.
type As uint8

const (
	AsNobody As = iota
	AsPeer
	AsLink
	AsSender
	AsRecipient
	numAs
)

var asWords = [numAs]string{"nobody", "peer", "link", "sender", "recipient"}

func (a As) String() string {
	if a < numAs {
		return asWords[a]
	}
	return "unknown"
}

var clearedNotes = [numAs]string{
	AsPeer:      "label is within the clearance of the peer",
	AsLink:      "label is within the clearance of the link",
	AsSender:    "label is within the clearance of the sender",
	AsRecipient: "label is within the clearance of the recipient",
}

// Check is one question whether a clearance covers a label.
type Check struct {
	Stage     Stage
	As        As
	Name      string // of the peer or link; where the clearance of a user came from
	Label     *labels.Label
	Clearance *labels.Clearance // nil: none under the policy of the label
	Granted   bool
}

// MaxChecks bounds the checks that a verdict keeps: those of a message are at most six, those of what is wrapped in it
// follow, and items may each have as many.
const MaxChecks = 8

func (j *judgement) clearedLink(st Stage, link string, l, also *labels.Label) bool {
	set, ok := j.p.def.LinkClear[link]
	return !ok || j.cleared(st, AsLink, link, &set, l, also)
}

// clearedUser asks about a user of whom it is known what he is cleared for.
func (j *judgement) clearedUser(st Stage, who As, f *ClearanceFact, l, also *labels.Label) bool {
	return !f.known() || j.cleared(st, who, f.Source, &f.Clearances, l, also)
}

// cleared asks the second question: does a clearance cover the label. Of several the one under the policy of the label
// counts; for want of one, the label counts as it was or became under another policy, where also says that it did.
func (j *judgement) cleared(st Stage, who As, name string, set *labels.ClearanceSet, l, also *labels.Label) bool {
	d, l, c := grants(set, l, also)
	j.check(Check{st, who, name, l, c, d.Granted})
	if d.Granted {
		j.step(Step{Stage: st, Note: clearedNotes[who], Subject: name})
		return true
	}
	reason := Clearance
	if who == AsSender {
		reason = SenderClear
	}
	detail := d.Explain()
	if c == nil && !set.IsEmpty() {
		detail = "no clearance under policy " + l.Policy().Name()
	}
	return j.refuse(Refusal{
		Stage: st, Reason: reason, Rule: name, Detail: detail + " (" + who.String() + " " + name + ")",
		Allowing: "a label that " + who.String() + " " + name + " is cleared for", Condition: stanza.PolicyViolation,
	})
}

// grants says whether the clearances cover a label, and which form of the label and which clearance were compared.
func grants(set *labels.ClearanceSet, l, also *labels.Label) (labels.Decision, *labels.Label, *labels.Clearance) {
	c := set.For(l.PolicyID())
	if c == nil && also != nil && also != l {
		if other := set.For(also.PolicyID()); other != nil {
			l, c = also, other
		}
	}
	return l.Policy().Decide(l, c), l, c
}

func (j *judgement) check(c Check) {
	switch v := j.v; {
	case int(v.NChecks) < len(v.Checks):
		v.Checks[v.NChecks] = c
		v.NChecks++
	case !c.Granted: // the one that decides is always kept
		v.Checks[len(v.Checks)-1] = c
	}
}
