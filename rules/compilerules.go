package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// ruleCompiler collects the problems of one list of rules.
type ruleCompiler struct {
	set      *Set
	id       string // of the rule at hand
	problems []Problem
}

// CompileRules turns specifications into a Set. If there is any problem the set is nil.
func CompileRules(specs []RuleSpec) (*Set, []Problem) {
	c := &ruleCompiler{set: &Set{}}
	seen := map[string]bool{}
	if len(specs) > math.MaxUint16 {
		return nil, []Problem{{ID: "rules", Text: "there are more than 65535"}}
	}
	for i := range specs {
		spec := &specs[i]
		c.id = spec.ID
		if c.id == "" {
			c.id = fmt.Sprintf("rule %d", i+1)
			c.bad("id", "is missing")
		} else if seen[c.id] {
			c.bad("id", "is the id of another rule, too")
		}
		seen[c.id] = true
		c.rule(spec)
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return c.set, nil
}

func (c *ruleCompiler) bad(key, format string, args ...any) {
	c.problems = append(c.problems, Problem{ID: c.id, Key: key, Text: fmt.Sprintf(format, args...)})
}

func (c *ruleCompiler) rule(spec *RuleSpec) {
	r := rule{id: c.id, action: actions[spec.Action], downgrade: spec.Downgrade}
	if r.action == 0 {
		c.bad("action", "%q is none of allow, refuse, hold, strip, fold, drop-chat-states, rewrite, mark, rate, relabel, precedence", spec.Action)
	}
	r.types, r.match = c.types(&spec.When), c.match(&spec.When)
	c.answer(spec, &r)
	c.action(spec, &r)
	c.precedence(spec, &r)
	c.strangers(spec, r.action)
	r.allowing = allowing(spec)
	about := candidate{n: uint16(len(c.set.rules)), spaces: patternSpaces(r.match.elements), labels: labelBits(r.match.labels)}
	c.set.rules = append(c.set.rules, r)
	for t := range c.set.lists {
		if stanza.Type(t) != stanza.NoType && r.types.has(stanza.Type(t)) {
			c.set.lists[t] = append(c.set.lists[t], about)
		}
	}
}

// typesOf returns all types of a kind.
func typesOf(k stanza.Kind) (set typeSet) {
	for t := stanza.MessageNormal; t <= stanza.IQError; t++ {
		if t.Kind() == k {
			set |= setOf(t)
		}
	}
	return set
}

func (c *ruleCompiler) match(spec *MatchSpec) match {
	m := match{
		fromSide: c.words("when.from-side", spec.FromSide), toSide: c.words("when.to-side", spec.ToSide),
		fromPeer: c.words("when.from-peer", spec.FromPeer), toPeer: c.words("when.to-peer", spec.ToPeer),
		labels: c.words("when.labels", spec.Labels),
	}
	for _, f := range []struct {
		key  string
		spec []string
		list *[]addressPattern
	}{{"when.from", spec.From, &m.from}, {"when.to", spec.To, &m.to}} {
		c.empty(f.key, f.spec)
		for _, s := range f.spec {
			a, ok := parseAddress(s)
			if !ok {
				c.bad(f.key, "%q is neither a domain, *.domain, nor a bare address", s)
			}
			*f.list = append(*f.list, a)
		}
	}
	m.elements = c.patterns("when.elements", spec.Elements)
	return m
}

// empty refuses a list that is written and has nothing in it: it reads as "none" and would match everything.
func (c *ruleCompiler) empty(key string, list []string) {
	if list != nil && len(list) == 0 {
		c.bad(key, "is empty; leave the key out if everything shall match")
	}
}

func (c *ruleCompiler) words(key string, list []string) []string {
	c.empty(key, list)
	if slices.Contains(list, "") {
		c.bad(key, "has an empty name")
	}
	return slices.Clone(list)
}

func (c *ruleCompiler) patterns(key string, list []string) (out []pattern) {
	c.empty(key, list)
	for _, s := range list {
		p, ok := parsePattern(s)
		if !ok {
			c.bad(key, "%q is neither a local name, {namespace}local nor {namespace}*", s)
		}
		out = append(out, p)
	}
	return out
}

// types joins kinds and types to one set; both must agree.
func (c *ruleCompiler) types(spec *MatchSpec) typeSet {
	c.empty("when.kinds", spec.Kinds)
	c.empty("when.types", spec.Types)
	kinds, types := allTypes, allTypes
	if spec.Kinds != nil {
		kinds = 0
	}
	for _, name := range spec.Kinds {
		k, ok := stanza.ParseKind(name)
		if !ok {
			c.bad("when.kinds", "%q is neither message, presence nor iq", name)
		}
		kinds |= typesOf(k)
	}
	if spec.Types != nil {
		types = 0
	}
	for _, name := range spec.Types {
		named := typesNamed(name)
		if named == 0 {
			c.bad("when.types", "%q is no type of any stanza", name)
		}
		types |= named
	}
	if kinds&types == 0 {
		c.bad("when.types", "no type of the kinds given; the rule can never match")
	}
	return kinds & types
}

func typesNamed(name string) (set typeSet) {
	for k := stanza.Message; k <= stanza.IQ; k++ {
		if t, ok := stanza.ParseType(k, name); ok {
			set |= setOf(t)
		}
	}
	return set
}

// answer reads what a refusal says.
func (c *ruleCompiler) answer(spec *RuleSpec, r *rule) {
	r.condition = stanza.PolicyViolation
	if spec.Condition != "" {
		cond, ok := stanza.ParseCondition(spec.Condition)
		if !ok {
			c.bad("condition", "%q is no stanza error condition of RFC 6120", spec.Condition)
		}
		r.condition = cond
	}
	switch spec.Reply {
	case "", "error":
	case "silent":
		r.reply = ReplySilent
	default:
		c.bad("reply", "%q is neither error nor silent", spec.Reply)
	}
	if r.action == actDropStates {
		r.reply = ReplySilent // nobody waits for an answer to typing
	}
}

func (c *ruleCompiler) action(spec *RuleSpec, r *rule) {
	switch r.action {
	case actStrip:
		if len(spec.Elements) == 0 {
			c.bad("elements", "is missing: what shall be removed")
		}
		r.change = stripping(c.patterns("elements", spec.Elements))
	case actFold:
		r.change = c.fold(&spec.Fold)
	case actDropStates:
		r.change = droppingStates()
	case actRewrite:
		r.change = c.rewrite(spec.Rewrite)
	case actMark:
		if spec.Mark == "" || strings.ContainsAny(spec.Mark, "\r\n") {
			c.bad("mark", "must be one line of text")
		}
		r.change = marking(spec.Mark)
	case actRate:
		c.rate(&spec.Rate, r)
	case actRelabel:
		c.relabel(spec, r)
	}
}

func (c *ruleCompiler) precedence(spec *RuleSpec, r *rule) {
	if spec.Precedence == "" {
		if r.action == actPrecedence {
			c.bad("precedence", "is missing: routine, priority, immediate or flash")
		}
		return
	}
	var ok bool
	if r.precedence, ok = ParsePrecedence(spec.Precedence); !ok {
		c.bad("precedence", "%q is none of routine, priority, immediate, flash", spec.Precedence)
	}
}

func (c *ruleCompiler) relabel(spec *RuleSpec, r *rule) {
	switch {
	case spec.Label == "":
		c.bad("label", "is missing: a file with the label that takes the place of the message's")
	case spec.NewLabel == nil:
		c.bad("label", "has not been read")
	}
	if r.types&typesOf(stanza.Message) == 0 {
		c.bad("when.kinds", "only messages have labels; the rule can never change one")
	}
	r.label = spec.NewLabel
}

func (c *ruleCompiler) fold(spec *FoldSpec) change {
	var shown []stanza.Show
	for _, word := range spec.Show {
		s, ok := stanza.ParseShow(word)
		if !ok {
			c.bad("fold.show", "%q is none of online, away, chat, dnd, xa", word)
		}
		shown = append(shown, s)
	}
	if len(shown) == 0 {
		shown = []stanza.Show{stanza.Online}
	}
	other := stanza.Online
	if spec.Other != "" {
		var ok bool
		if other, ok = stanza.ParseShow(spec.Other); !ok || !slices.Contains(shown, other) {
			c.bad("fold.other", "%q is not in show", spec.Other)
		}
	}
	return folding(shown, other, c.patterns("fold.keep", spec.Keep))
}

func (c *ruleCompiler) rewrite(spec RewriteSpec) change {
	for _, part := range spec.Remove {
		switch part {
		case "subject", "thread", "from-resource":
		default:
			c.bad("rewrite.remove", "%q is none of subject, thread, from-resource", part)
		}
	}
	if spec.FromResource != "" {
		if _, err := jid.New("", "a.example", spec.FromResource); err != nil {
			c.bad("rewrite.from-resource", "%v", err)
		}
	}
	if spec.Subject == "" && spec.FromResource == "" && len(spec.Remove) == 0 {
		c.bad("rewrite", "changes nothing")
	}
	return rewriting(spec)
}

func (c *ruleCompiler) rate(spec *RateSpec, r *rule) {
	if spec.PerMinute < 1 {
		c.bad("rate.per-minute", "must be positive")
	}
	burst := spec.Burst
	if burst == 0 {
		burst = spec.PerMinute
	}
	if burst < 1 {
		c.bad("rate.burst", "must be positive")
	}
	if spec.Per != "" && spec.Per != "pair" && spec.Per != "sender" {
		c.bad("rate.per", "%q is neither pair nor sender", spec.Per)
	}
	r.bucket = uint16(len(c.set.buckets))
	c.set.buckets = append(c.set.buckets, Bucket{Rule: c.id, PerMinute: spec.PerMinute, Burst: burst, PerSender: spec.Per == "sender"})
}

// strangers finds keys that belong to another action: they were meant to do something.
func (c *ruleCompiler) strangers(spec *RuleSpec, action uint8) {
	for _, f := range []struct {
		key   string
		given bool
		of    []uint8
	}{
		{"condition", spec.Condition != "", []uint8{actRefuse, actRate}},
		{"reply", spec.Reply != "", []uint8{actRefuse, actRate}},
		{"elements", spec.Elements != nil, []uint8{actStrip}},
		{"fold", spec.Fold.Show != nil || spec.Fold.Other != "" || spec.Fold.Keep != nil, []uint8{actFold}},
		{"rewrite", spec.Rewrite.Subject != "" || spec.Rewrite.Remove != nil || spec.Rewrite.FromResource != "", []uint8{actRewrite}},
		{"mark", spec.Mark != "", []uint8{actMark}},
		{"rate", spec.Rate != RateSpec{}, []uint8{actRate}},
		{"label", spec.Label != "", []uint8{actRelabel}},
		{"downgrade", spec.Downgrade, []uint8{actAllow, actStrip, actFold, actRewrite, actMark, actRate, actDropStates, actRelabel}},
		{"precedence", spec.Precedence != "", []uint8{
			actAllow, actHold, actStrip, actFold, actRewrite, actMark, actRate, actDropStates, actRelabel, actPrecedence,
		}},
	} {
		if f.given && !slices.Contains(f.of, action) {
			c.bad(f.key, "has no meaning with action %q", spec.Action)
		}
	}
}
