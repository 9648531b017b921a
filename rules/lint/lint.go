// Package lint reads a list of rules the way a reviewer would and says what is probably a mistake: rules that can never
// take effect, rules that allow too much, names that nothing bears.
//
// It does not repeat what rules.CompileRules refuses, it changes nothing, and what it finds is advice: a finding never
// stops a policy by itself. It is careful in one direction only: a rule that it calls unreachable is unreachable, but it
// does not find all of them, for it compares rules in pairs and does not add several earlier ones up.
package lint

import (
	"fmt"
	"slices"

	"sallyport/rules"
)

// Names are what the configuration knows. A nil list means that nothing is known, and nothing is checked against it.
type Names struct {
	Sides  []string
	Peers  []string
	Labels []string // classifications of the policies
}

// Code tells findings apart.
type Code uint8

// The findings. The zero value is none.
const (
	None         Code = iota
	Unreachable       // an earlier rule decides about everything that this one is about
	Shadowed          // an earlier rule does the same to everything that this one is about
	AllowsAll         // an allow rule without conditions: all rules after it are dead, and it allows whatever comes
	NoRate            // a rate so high that it bounds nothing
	UnknownName       // a side, peer or classification that the configuration does not have
	NoSpool           // held stanzas are refused until a spool exists
	Conditioned       // the condition makes rooms throw people out
	NeverMatches      // a label on what cannot have one
)

var codes = [...]string{
	"", "unreachable", "shadowed", "allows-all", "no-rate", "unknown-name", "no-spool", "conditioned", "never-matches",
}

// String returns the word that goes with a finding.
func (c Code) String() string {
	if int(c) >= len(codes) {
		return ""
	}
	return codes[c]
}

// Finding is one remark about one rule.
type Finding struct {
	Rule string // id
	Key  string // the TOML key, where there is one
	Code Code
	Text string
}

// String gives rule, key and text in one line.
func (f Finding) String() string {
	if f.Key == "" {
		return f.Rule + ": " + f.Text
	}
	return f.Rule + ": " + f.Key + ": " + f.Text
}

// Rules looks at a list that CompileRules accepts. The findings stand in the order of the rules.
func Rules(specs []rules.RuleSpec, known Names) []Finding {
	var l list
	for i := range specs {
		l.rule = &specs[i]
		l.order(specs[:i])
		l.alone()
		l.names(known)
	}
	return l.found
}

// list collects findings about the rule at hand.
type list struct {
	rule  *rules.RuleSpec
	found []Finding
}

func (l *list) add(code Code, key, format string, args ...any) {
	l.found = append(l.found, Finding{Rule: l.rule.ID, Key: key, Code: code, Text: fmt.Sprintf(format, args...)})
}

// order compares with the rules before. One finding is enough: the first rule that covers this one explains it.
func (l *list) order(before []rules.RuleSpec) {
	for i := range before {
		earlier := &before[i]
		if !covers(&earlier.When, &l.rule.When) {
			continue
		}
		if earlier.Decides() {
			l.add(Unreachable, "", "can never take effect: %q stands before it and decides about everything it is about", earlier.ID)
			return
		}
		if repeats(earlier, l.rule) {
			l.add(Shadowed, "", "does nothing: %q stands before it and does the same to everything it is about", earlier.ID)
			return
		}
	}
}

// repeats reports whether carrying out b after a changes nothing more. It knows only actions whose second time is idle.
func repeats(a, b *rules.RuleSpec) bool {
	if a.Action != b.Action || a.Downgrade != b.Downgrade || b.Precedence != "" { // a rule between may say another
		return false
	}
	switch a.Action {
	case "drop-chat-states":
		return true
	case "strip":
		return all(b.Elements, func(e string) bool { return anyOf(a.Elements, func(o string) bool { return elementCovers(o, e) }) })
	}
	return false
}

// ghosts are the conditions on which a room takes an occupant for gone (XEP-0045 §18.1.2): refusing one message of the
// room with such a condition throws the recipient out of it.
var ghosts = []string{
	"gone", "item-not-found", "recipient-unavailable", "redirect", "remote-server-not-found", "remote-server-timeout",
}

// generous is a rate per minute above which a rate rule is no limit for what people write.
const generous = 60000

// alone looks at the rule by itself.
func (l *list) alone() {
	r := l.rule
	switch r.Action {
	case "allow":
		if unconditional(&r.When) {
			l.add(AllowsAll, "when", "allows every stanza that comes this far; say which, or leave the rule out")
		}
	case "hold":
		l.add(NoSpool, "action", "held stanzas are refused until a spool exists")
	case "rate":
		if r.Rate.PerMinute > generous {
			l.add(NoRate, "rate.per-minute", "%d a minute bounds nothing", r.Rate.PerMinute)
		}
	}
	if r.Action == "refuse" && r.Reply != "silent" && slices.Contains(ghosts, r.Condition) && touchesRooms(&r.When) {
		l.add(Conditioned, "condition",
			"refusing one message of a room with %s makes the room remove its occupant; use policy-violation or not-acceptable, or reply = \"silent\"", r.Condition)
	}
	if len(r.When.Labels) > 0 && len(r.When.Kinds) > 0 && !slices.Contains(r.When.Kinds, "message") {
		l.add(NeverMatches, "when.labels", "only messages have labels")
	}
}

// touchesRooms reports whether a rule can match messages of type groupchat.
func touchesRooms(m *rules.MatchSpec) bool {
	return (m.Kinds == nil || slices.Contains(m.Kinds, "message")) && (m.Types == nil || slices.Contains(m.Types, "groupchat"))
}

// names looks for what the configuration does not have.
func (l *list) names(known Names) {
	w := &l.rule.When
	for _, f := range []struct {
		key, what   string
		used, known []string
	}{
		{"when.from-side", "side", w.FromSide, known.Sides},
		{"when.to-side", "side", w.ToSide, known.Sides},
		{"when.from-peer", "peer", w.FromPeer, known.Peers},
		{"when.to-peer", "peer", w.ToPeer, known.Peers},
		{"when.labels", "classification", w.Labels, known.Labels},
	} {
		if f.known == nil {
			continue
		}
		for _, name := range f.used {
			if !slices.Contains(f.known, name) {
				l.add(UnknownName, f.key, "there is no %s %q", f.what, name)
			}
		}
	}
}
