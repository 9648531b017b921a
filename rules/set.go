package rules

import (
	"slices"

	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
)

// Set is a compiled list of rules. It is immutable; the nil Set refuses everything, the zero Set has no rules.
type Set struct {
	rules   []rule
	lists   [stanza.IQError + 1][]candidate // the rules that can match a type of stanza
	buckets []Bucket
}

// candidate is the number of a rule, and bits by which it is nearly always seen that it does not match, beside each other so that
// passing over a rule costs no more than that.
type candidate struct {
	n      uint16
	spaces uint64 // of the namespaces of its elements, one of which the stanza must have; 0: no matter
	labels uint64 // of its labels, one of which the message must have; 0: no matter
}

// rule is a compiled RuleSpec.
type rule struct {
	id         string
	types      typeSet
	match      match
	action     uint8
	condition  stanza.Condition
	reply      Reply
	allowing   string
	change     change
	bucket     uint16
	label      *labels.Label // of relabel
	downgrade  bool
	precedence Precedence
}

// Input is what rules may know of a stanza.
type Input struct {
	Stanza           stanza.Stanza
	FromSide, ToSide string
	FromPeer, ToPeer string
	Label            *labels.Label // nil where there is none
	Marking          string        // of that label, from the policy
	// Levels has the tokens in each bucket of Set.Buckets, by its number. A bucket that is not there is empty.
	Levels []uint32
}

// Bucket is a counter that a rate rule needs its caller to keep.
type Bucket struct {
	Rule      string // id of the rule
	PerMinute int
	Burst     int
	PerSender bool // one for each bare sender, not one for each pair of domains
}

// Action is what becomes of the stanza. The zero value refuses.
type Action uint8

// The actions.
const (
	Refuse Action = iota
	Hold
	Allow
)

// String returns refuse, hold or allow.
func (a Action) String() string {
	switch a {
	case Hold:
		return "hold"
	case Allow:
		return "allow"
	case Refuse:
	}
	return "refuse"
}

// Reply is how a refusal is told.
type Reply uint8

// The two ways.
const (
	ReplyError Reply = iota
	ReplySilent
)

// String returns error or silent.
func (r Reply) String() string {
	if r == ReplySilent {
		return "silent"
	}
	return "error"
}

// Limits of what an outcome reports.
const (
	maxFired = 8
	maxTake  = 4
)

// Outcome is what the rules say. The zero value refuses.
type Outcome struct {
	Action     Action
	Stanza     stanza.Stanza // as changed by the rules; zero when refused
	Changed    bool
	ChangedBy  string           // the last rule that changed it
	Rule       string           // the rule that decided; empty where none did
	Condition  stanza.Condition // of a refusal
	Reply      Reply            // to a refusal
	Allowing   string           // of a refusal: what would have allowed the stanza
	Fired      [maxFired]uint16 // numbers of the first rules that matched; see Set.ID
	NFired     int              // how many matched; may be more than maxFired
	Take       [maxTake]uint16  // buckets to take one token from, once the stanza is released
	NTake      int
	Label      *labels.Label // what the last relabel rule says the stanza goes on under; nil where none did
	LabelledBy string        // that rule
	Downgrade  bool          // a rule let the label be lowered
	Precedence Precedence    // of the last rule that gave one
	PrecedesBy string        // that rule
}

// Len returns the number of rules.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.rules)
}

// ID returns the id of rule number n, counted from 0, or the empty string.
func (s *Set) ID(n int) string {
	if s == nil || n < 0 || n >= len(s.rules) {
		return ""
	}
	return s.rules[n].id
}

// Buckets returns the counters that the set needs, in the order of Input.Levels.
func (s *Set) Buckets() []Bucket {
	if s == nil {
		return nil
	}
	return append([]Bucket(nil), s.buckets...)
}

// Between returns the set without the rules that can never match between these sides and peers. It numbers rules as s
// does and says the same of every stanza between them.
func (s *Set) Between(fromSide, toSide, fromPeer, toPeer string) *Set {
	if s == nil {
		return nil
	}
	out := *s
	for t := range s.lists {
		out.lists[t] = slices.DeleteFunc(slices.Clone(s.lists[t]), func(c candidate) bool {
			m := &s.rules[c.n].match
			return !oneOf(m.fromSide, fromSide) || !oneOf(m.toSide, toSide) || !oneOf(m.fromPeer, fromPeer) || !oneOf(m.toPeer, toPeer)
		})
	}
	return &out
}

// Apply runs the rules over one stanza. It allocates nothing unless a rule changes the stanza.
func (s *Set) Apply(in *Input) Outcome {
	if s == nil || in.Stanza.IsZero() {
		return Outcome{Condition: stanza.PolicyViolation, Allowing: "a policy with rules, and a stanza to judge"}
	}
	out := Outcome{Action: Allow, Stanza: in.Stanza}
	view := in // replaced by a copy with the first change, so that later rules see what earlier ones made
	spaces, labelled := childSpaces(in.Stanza.Element()), labelBit(in.Label)
	for i := range s.lists[in.Stanza.Type()] {
		c := &s.lists[in.Stanza.Type()][i]
		if c.spaces != 0 && c.spaces&spaces == 0 || c.labels != 0 && c.labels&labelled == 0 {
			continue
		}
		n := c.n
		r := &s.rules[n]
		if !r.match.matches(view) {
			continue
		}
		if out.NFired < maxFired {
			out.Fired[out.NFired] = n
		}
		out.NFired++
		out.Downgrade = out.Downgrade || r.downgrade
		if r.precedence != NoPrecedence {
			out.Precedence, out.PrecedesBy = r.precedence, r.id
		}
		if s.step(r, view, &out) {
			return out
		}
		if out.Stanza != view.Stanza || out.Label != nil && out.Label != view.Label {
			changed := *view
			changed.Stanza = out.Stanza
			if out.Label != nil {
				changed.Label, changed.Marking = out.Label, out.Label.String()
				labelled = labelBit(out.Label)
			}
			if out.Stanza != view.Stanza {
				out.Changed, out.ChangedBy = true, r.id
				spaces = childSpaces(out.Stanza.Element())
			}
			view = &changed
		}
	}
	return out
}

// step carries out one rule; done says that it decided.
func (s *Set) step(r *rule, in *Input, out *Outcome) (done bool) {
	switch r.action {
	case actAllow:
		out.Rule = r.id
		return true
	case actPrecedence:
		return false
	case actHold:
		out.Action, out.Rule = Hold, r.id
		return true
	case actRate:
		return s.rate(r, in, out)
	case actRelabel:
		if r.relabel(in, out) {
			return false
		}
	case actStrip, actFold, actDropStates, actRewrite, actMark:
		changed, ok := r.change.apply(in.Stanza, in.Marking)
		if ok {
			out.Stanza = changed
			return false
		}
	}
	refuse(r, out)
	return true
}

// relabel puts the rule's label in the place of the message's; false refuses: it would be lowered by a rule that does
// not say so. What carries no label stays without.
func (r *rule) relabel(in *Input, out *Outcome) bool {
	switch {
	case in.Label == nil:
		return true
	case !r.downgrade && !r.label.Dominates(in.Label):
		return false
	}
	out.Label, out.LabelledBy = r.label, r.id
	return true
}

// rate takes a token or refuses. What is taken is only noted: the caller takes it when the stanza really leaves.
func (s *Set) rate(r *rule, in *Input, out *Outcome) (done bool) {
	if int(r.bucket) < len(in.Levels) && in.Levels[r.bucket] > 0 && out.NTake < maxTake {
		out.Take[out.NTake] = r.bucket
		out.NTake++
		return false
	}
	refuse(r, out)
	return true
}

func refuse(r *rule, out *Outcome) {
	*out = Outcome{
		Rule: r.id, Condition: r.condition, Reply: r.reply, Allowing: r.allowing,
		Fired: out.Fired, NFired: out.NFired,
	}
}
