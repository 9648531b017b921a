package rules_test

import (
	"strings"
	"testing"

	"sallyport/rules"
)

func TestPrecedenceOfRules(t *testing.T) {
	t.Parallel()
	chat := message("<body>x</body>")
	say := func(id, word string) rules.RuleSpec {
		return rules.RuleSpec{ID: id, Action: "precedence", Precedence: word}
	}
	to := func(r rules.RuleSpec, domain string) rules.RuleSpec { r.When.To = []string{domain}; return r }
	strip := rules.RuleSpec{ID: "s", Action: "strip", Elements: []string{"{urn:q:1}*"}, Precedence: "flash"}
	allow := rules.RuleSpec{ID: "a", Action: "allow", Precedence: "priority"}
	tests := []struct {
		name  string
		rules []rules.RuleSpec
		want  rules.Precedence
		by    string
	}{
		{"nothing said", nil, rules.NoPrecedence, ""},
		{"said", []rules.RuleSpec{say("p", "immediate")}, rules.Immediate, "p"},
		{"the last counts", []rules.RuleSpec{say("p", "flash"), say("q", "routine")}, rules.Routine, "q"},
		{"not about it", []rules.RuleSpec{say("p", "flash"), to(say("q", "routine"), "elsewhere.example")}, rules.Flash, "p"},
		{"beside another action", []rules.RuleSpec{strip}, rules.Flash, "s"},
		{"with the rule that decides", []rules.RuleSpec{say("p", "flash"), allow}, rules.Priority, "a"},
		{"not after the rule that decides", []rules.RuleSpec{allow, say("p", "flash")}, rules.Priority, "a"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in := input(t, chat)
			out := compileRules(t, tc.rules...).Apply(in)
			if out.Action != rules.Allow || out.Precedence != tc.want || out.PrecedesBy != tc.by {
				t.Errorf("got %v, %v by %q, want allow, %v by %q", out.Action, out.Precedence, out.PrecedesBy, tc.want, tc.by)
			}
			if out.Stanza.Element().Child("", "precedence") != nil || out.Changed && len(tc.rules) == 1 && tc.rules[0].Action == "precedence" {
				t.Error("a precedence got into the stanza")
			}
		})
	}
}

func TestARefusalHasNoPrecedence(t *testing.T) {
	t.Parallel()
	set := compileRules(t, rules.RuleSpec{ID: "p", Action: "precedence", Precedence: "flash"}, refuse("no", rules.MatchSpec{}))
	if out := set.Apply(input(t, message("<body>x</body>"))); out.Action != rules.Refuse || out.Precedence != rules.NoPrecedence {
		t.Errorf("got %v with %v", out.Action, out.Precedence)
	}
}

func TestPrecedenceProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		rule rules.RuleSpec
		want string
	}{
		{"missing", rules.RuleSpec{ID: "p", Action: "precedence"}, "is missing"},
		{"unknown word", rules.RuleSpec{ID: "p", Action: "precedence", Precedence: "FLASH"}, "none of routine"},
		{"of a refusal", rules.RuleSpec{ID: "p", Action: "refuse", Precedence: "flash"}, "has no meaning"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, problems := rules.CompileRules([]rules.RuleSpec{tc.rule})
			if len(problems) != 1 || problems[0].Key != "precedence" || !strings.Contains(problems[0].Text, tc.want) {
				t.Errorf("got %v, want one about precedence that says %q", problems, tc.want)
			}
		})
	}
}

func TestPrecedenceWords(t *testing.T) {
	t.Parallel()
	lane := uint8(0)
	for p := rules.Routine; p <= rules.Flash; p++ {
		if got, ok := rules.ParsePrecedence(p.String()); !ok || got != p || p.Lane() != lane {
			t.Errorf("%v: read back as %v %v, lane %d, want lane %d", p, got, ok, p.Lane(), lane)
		}
		lane++
	}
	for _, word := range []string{"", "Flash", "flash ", "4"} {
		if p, ok := rules.ParsePrecedence(word); ok || p != rules.NoPrecedence {
			t.Errorf("%q is %v", word, p)
		}
	}
	if rules.NoPrecedence.Lane() != 0 || rules.Precedence(200).Lane() != 0 {
		t.Error("what nobody said anything about is not routine")
	}
}
