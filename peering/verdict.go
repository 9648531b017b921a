package peering

import (
	"encoding/hex"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
	"sallyport/labels/xep0258"
	"sallyport/rules"
)

// Version names one compiled policy: the first half of the SHA-256 of its sources.
type Version [16]byte

func (v Version) String() string { return hex.EncodeToString(v[:]) }

// Outcome is what a verdict says. The zero value refuses.
type Outcome uint8

const (
	Refuse Outcome = iota // nothing crosses; the zero value
	Hold                  // nothing crosses yet; needs a spool
	Drop                  // nothing crosses and the sender is not told, by rule
	Release
)

func (o Outcome) String() string {
	switch o {
	case Refuse:
		return "refused"
	case Hold:
		return "held"
	case Drop:
		return "dropped"
	case Release:
		return "released"
	}
	return "unknown"
}

// Stage is one of the six steps of a judgement, in order.
type Stage uint8

const (
	NoStage Stage = iota
	Admit
	LabelIn
	Profile
	Rules
	Address
	LabelOut
)

var stageNames = [...]string{"none", "admit", "label-in", "profile", "rules", "address", "label-out"}

func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "unknown"
}

// Step is one line of a trace: what a stage looked at and what it found. Note and
// Subject are constants or names out of the policy, so that tracing costs no memory;
// Subject never carries stanza content.
type Step struct {
	Stage   Stage
	Changed bool   // this step made another tree
	Note    string // what was decided, in words
	Subject string // peer, rule, element or label it was decided on
}

// MaxSteps bounds a trace; a judgement that fires more rules says so in the last step.
const MaxSteps = 24

// Trace is the way of one stanza through the stages.
type Trace struct {
	n     uint8
	steps [MaxSteps]Step
}

// Len is the number of steps taken.
func (t *Trace) Len() int { return int(t.n) }

// At returns step i, in order.
func (t *Trace) At(i int) Step { return t.steps[i] }

func (t *Trace) add(s Step) {
	if int(t.n) == MaxSteps {
		t.steps[MaxSteps-1] = Step{Stage: s.Stage, Note: "more steps than a trace holds"}
		return
	}
	t.steps[t.n] = s
	t.n++
}

// Refusal is why nothing crossed. Only Condition and Ref may reach the sender.
type Refusal struct {
	Stage     Stage
	Reason    Reason
	Rule      string           // peer, pair, rule or policy that decided
	Detail    string           // in words, for operators; no content
	Allowing  string           // what would have allowed it
	Condition stanza.Condition // what the sender is told; NoCondition: silence
	App       AppCondition     // application condition beside it
}

// AppCondition is a second, application specific element of a stanza error.
type AppCondition uint8

const (
	NoApp        AppCondition = iota
	StanzaTooBig              // <stanza-too-big xmlns='urn:xmpp:errors'/>, XEP-0205
)

// Verdict is the answer of a judgement, and the way to it. The zero value refuses, silently.
type Verdict struct {
	Ruling
	Trace   Trace
	Checks  [MaxChecks]Check
	NChecks uint8 // how many of Checks count
}

// Ruling is a verdict without the way to it.
type Ruling struct {
	Outcome  Outcome
	Refusal  Refusal // set unless Outcome is Release
	Effects  Effects // to be applied after audit, only if Outcome is Release
	Version  Version // policy version that judged
	FromPeer string
	ToPeer   string // "" when no destination was found
	ToSide   string // of that peer
	LabelIn  *labels.Label
	LabelOut *labels.Label
	Facts    LabelFacts
	Changed  bool // what leaves is not what came
	// Links are those of the outgoing peer that it may leave by, only if Outcome is Release. Released names the best.
	Links LinkSet
	// Precedence is what the last rule that said one gave it; PrecedesBy is that rule.
	Precedence rules.Precedence
	PrecedesBy string

	released Released
	source   source
}

// Clear makes v the zero value again. Of the trace and the checks, which are most of it, it writes no more than was used.
func (v *Verdict) Clear() {
	v.Ruling = Ruling{}
	clear(v.Trace.steps[:v.Trace.n])
	clear(v.Checks[:v.NChecks])
	v.Trace.n, v.NChecks = 0, 0
}

// LabelFacts are how the label was found and what became of it, for audit and explain.
type LabelFacts struct {
	PolicyIn, PolicyOut *labels.Policy
	Received            xep0258.Found // what was in the message: syntax, digest, which equivalent
	Source              LabelSource
	SourceName          string // of the rule, peer or side whose default it is
	Defaulted           bool   // the label is a default, the stanza carried none
	RelabelledBy        string // the rule that put another label in its place
	MarkingIn           string
	MarkingOut          string
	// ItemsIn and ItemsOut are the labels of items (XEP-0314), each once and no more than a few; LabelIn and LabelOut are
	// then the first. Nil for every other stanza, and for one whose labels were refused as they came.
	ItemsIn, ItemsOut []*labels.Label
	// TranslatedIn is the translation for the side it goes to, TranslatedOut for the peer; nil where none was needed.
	TranslatedIn, TranslatedOut *labels.Translation
}

// source is what a reply needs of the arrival, kept by value so that nothing pins content
// longer than its verdict lives.
type source struct {
	stanza    stanza.Stanza
	malformed *stanza.Malformed // in place of stanza
	link      string
	peer      string
	local     jid.JID // domain the neighbour wrote to
	node      string
	serial    uint64
}

// Released returns what crosses, and whether anything does.
func (v *Verdict) Released() (Released, bool) {
	return v.released, v.Outcome == Release && !v.released.IsZero()
}

// Source is the stanza that was judged, as received.
func (v *Verdict) Source() stanza.Stanza { return v.source.stanza }

// Addresses are those of the judged stanza, as received, even if it was malformed.
func (v *Verdict) Addresses() (from, to jid.JID) {
	if m := v.source.malformed; m != nil {
		return m.From, m.To
	}
	return v.source.stanza.From(), v.source.stanza.To()
}

// Ref is the safe reference of this verdict: it names the audit record and says nothing
// of the stanza.
func (v *Verdict) Ref() string { return makeRef(v.source.node, v.source.serial) }
