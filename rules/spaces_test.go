package rules_test

import (
	"testing"

	"sallyport/rules"
)

// A later rule sees the children that an earlier one made or took away.
func TestLaterRulesSeeChangedChildren(t *testing.T) {
	const text = `<message xmlns='jabber:server' from='a@a.example' to='b@b.example' type='chat'><body>x</body><x xmlns='urn:x:one'/></message>`
	strip := rules.RuleSpec{ID: "strip", Action: "strip", Elements: []string{"{urn:x:one}*"}}
	refuse := rules.RuleSpec{ID: "refuse", Action: "refuse", When: rules.MatchSpec{Elements: []string{"{urn:x:one}x"}}}
	for _, c := range []struct {
		name  string
		rules []rules.RuleSpec
		want  rules.Action
	}{
		{"refused before it is stripped", []rules.RuleSpec{refuse, strip}, rules.Refuse},
		{"stripped before it would be refused", []rules.RuleSpec{strip, refuse}, rules.Allow},
		{"body is in the stanza's own namespace", []rules.RuleSpec{{ID: "b", Action: "refuse", When: rules.MatchSpec{Elements: []string{"body"}}}}, rules.Refuse},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, problems := rules.CompileRules(c.rules)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if out := set.Apply(&rules.Input{Stanza: read(t, text)}); out.Action != c.want {
				t.Errorf("%v, want %v", out.Action, c.want)
			}
		})
	}
}
