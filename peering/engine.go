package peering

import (
	"sync/atomic"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/rules"
)

// Engine judges under the policy that is active now. Any number of goroutines may judge
// while another swaps the policy; one stanza is judged by exactly one version.
type Engine struct {
	policy atomic.Pointer[Policy]
}

// NewEngine returns an engine that judges under p. With a nil policy it refuses all.
func NewEngine(p *Policy) *Engine {
	e := &Engine{}
	e.policy.Store(p)
	return e
}

// Policy is the active policy, nil if there is none.
func (e *Engine) Policy() *Policy { return e.policy.Load() }

// Swap makes p the active policy and returns the one before.
func (e *Engine) Swap(p *Policy) *Policy { return e.policy.Swap(p) }

// Judge turns an arrival into a verdict under the active policy.
func (e *Engine) Judge(a *Arrival) (v Verdict) {
	e.JudgeInto(a, &v)
	return v
}

// JudgeInto is Judge into memory of the caller, for the way that every stanza goes: a
// plain release then allocates nothing.
func (e *Engine) JudgeInto(a *Arrival, v *Verdict) {
	if p := e.policy.Load(); p != nil {
		p.JudgeInto(a, v)
		return
	}
	v.Clear()
	v.FromPeer = a.Peer
	v.source.of(a)
	v.Refusal = Refusal{
		Stage: Admit, Reason: NoPolicy, Detail: "no policy is active",
		Allowing: "a policy that loads", Condition: stanza.ServiceUnavailable,
	}
}

// judgement is one stanza on its way through the stages. It lives on the stack.
type judgement struct {
	p        *Policy
	a        *Arrival
	v        *Verdict
	from, to *Peer
	s        stanza.Stanza // as it stands now
	src, dst jid.JID       // final addresses
	pass     passage       // of the label of the stanza
	inner    []passage     // of the labels of messages wrapped in it
	items    itemLabels    // of the items in it; pass is then the first of theirs
	rules    *rules.Set    // those that can match on this way
	only     string        // the link it is for; "": any that is cleared
	links    LinkSet       // that reach the destination and are cleared
	wraps    bool          // there are stanzas inside the stanza
	open     bool          // between users of the server of this node, who may say what their clients understand
	// canonical says that the label came as it would be written; it still stands so in the
	// tree as long as nothing has changed.
	canonical bool
}

// Judge turns an arrival into a verdict under this policy, active or not.
func (p *Policy) Judge(a *Arrival) (v Verdict) {
	p.JudgeInto(a, &v)
	return v
}

// JudgeInto is Judge into memory of the caller; what was in v is gone. A verdict is large
// because its trace is, so the way that every stanza goes does not copy it.
func (p *Policy) JudgeInto(a *Arrival, v *Verdict) {
	p.judgeFor(a, "", v)
}

// judgeFor is JudgeInto for one link of those that reach the destination, or for any.
func (p *Policy) judgeFor(a *Arrival, link string, v *Verdict) {
	v.Clear()
	v.Version, v.FromPeer = p.version, a.Peer
	v.source.of(a)
	j := judgement{p: p, a: a, v: v, s: a.Stanza, only: link}
	if j.run() {
		j.release()
	}
}

// run takes the six stages in order; the first that says no ends it.
func (j *judgement) run() bool {
	return j.admit() &&
		j.labelIn() &&
		j.checkProfile() &&
		j.applyRules() &&
		j.rewriteAddress() &&
		j.labelOut() &&
		j.checkAgain()
}

// applyRules is stage 4: the ordered rules.
func (j *judgement) applyRules() bool {
	in := rules.Input{
		Stanza: j.s, Label: j.pass.inside,
		FromSide: j.from.Side, ToSide: j.to.Side, FromPeer: j.from.Name, ToPeer: j.to.Name,
		Marking: j.marking(), Levels: j.a.Facts.Levels,
	}
	out := j.rules.Apply(&in)
	if len(j.items.labels) > 1 && !j.applyToItems(&in, &out) {
		return false
	}
	for i := range min(out.NFired, len(out.Fired)) {
		j.step(Step{Stage: Rules, Note: "rule matched", Subject: j.p.rules.ID(int(out.Fired[i]))})
	}
	if out.Changed {
		j.s, j.v.Changed = out.Stanza, true
		j.step(Step{Stage: Rules, Changed: true, Note: "changed by rule", Subject: out.ChangedBy})
	}
	if out.Precedence != rules.NoPrecedence {
		j.v.Precedence, j.v.PrecedesBy = out.Precedence, out.PrecedesBy
		j.step(Step{Stage: Rules, Note: "precedence given by rule", Subject: out.PrecedesBy})
	}
	switch out.Action {
	case rules.Refuse:
		cond := out.Condition
		if out.Reply == rules.ReplySilent {
			cond = stanza.NoCondition
		}
		return j.refuse(Refusal{
			Stage: Rules, Reason: RuleRefused, Rule: out.Rule,
			Detail: "a rule refuses it", Allowing: out.Allowing, Condition: cond,
		})
	case rules.Hold:
		j.refuse(Refusal{
			Stage: Rules, Reason: RuleHeld, Rule: out.Rule, Detail: "a rule holds it",
			Allowing: out.Allowing, Condition: stanza.NoCondition,
		})
		j.v.Outcome = Hold
		return false
	case rules.Allow:
		j.v.Effects.Take, j.v.Effects.NTake = out.Take, out.NTake
		if out.NFired == 0 {
			j.step(Step{Stage: Rules, Note: "no rule refuses it"})
		}
		return out.Label == nil || j.relabel(&out)
	}
	return true
}

// relabel makes the label of a rule the one in force. What came is forgotten: it must not leave as an equivalent.
func (j *judgement) relabel(out *rules.Outcome) bool {
	j.pass.received, j.pass.inside, j.canonical = out.Label, out.Label, false
	for i := range j.items.labels {
		j.items.labels[i].received, j.items.labels[i].inside = out.Label, out.Label
	}
	f := &j.v.Facts
	f.RelabelledBy, f.Defaulted = out.LabelledBy, false
	j.v.LabelOut, f.PolicyOut, f.MarkingOut = out.Label, out.Label.Policy(), out.Label.String()
	note := "label replaced by rule"
	if out.Downgrade {
		note = "label replaced by rule, downgrade = true"
	}
	j.v.Changed = true
	j.step(Step{Stage: Rules, Changed: true, Note: note, Subject: out.LabelledBy})
	return j.valid(Rules, out.Label)
}

// marking is the display marking of the label in force, as rules may write it: without a privacy mark.
func (j *judgement) marking() string {
	if j.pass.inside == nil {
		return ""
	}
	return j.p.unmarked(j.pass.inside).String()
}

// release makes the one thing that may cross.
func (j *judgement) release() {
	r := Released{
		stanza: j.s, peer: j.to.Name, link: j.bearer(), version: j.p.version,
		local: j.src.DomainJID(), remote: j.dst.DomainJID(),
	}
	if j.p.def.Expiry > 0 {
		r.expires = j.a.Time.Add(j.p.def.Expiry)
	}
	j.v.released, j.v.Outcome, j.v.Links = r, Release, j.links
	j.effects()
}

// effects says what the conversation table must remember of a release.
func (j *judgement) effects() {
	e := &j.v.Effects
	e.From, e.To = j.src, j.dst
	switch j.s.Type() {
	case stanza.IQGet, stanza.IQSet:
		e.Await, e.OriginalID = true, j.a.Stanza.ID()
	case stanza.IQResult, stanza.IQError:
		e.Answered = true
	case stanza.PresenceSubscribe, stanza.PresenceUnsubscribe:
		e.Ask = !j.open // rosters remember it
	case stanza.PresenceSubscribed, stanza.PresenceUnsubscribed:
		e.Answer = !j.open
	default: // every other type leaves no trace in the conversation table
	}
}

func (j *judgement) step(s Step) { j.v.Trace.add(s) }

// refuse ends the judgement; it returns false so that stages can end with it.
func (j *judgement) refuse(r Refusal) bool {
	j.v.Outcome, j.v.Refusal = Refuse, r
	j.step(Step{Stage: r.Stage, Note: "refused: " + string(r.Reason), Subject: r.Rule})
	return false
}

// of keeps what a reply needs of an arrival.
func (s *source) of(a *Arrival) {
	s.stanza, s.malformed = a.Stanza, nil
	s.link, s.peer, s.local = a.Link, a.Peer, a.LocalDomain
	s.node, s.serial = a.Node, a.Serial
}
