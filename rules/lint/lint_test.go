package lint_test

import (
	"strings"
	"testing"

	"sallyport/rules"
	"sallyport/rules/lint"
)

type match = rules.MatchSpec

func rule(id, action string, when match) rules.RuleSpec {
	return rules.RuleSpec{ID: id, Action: action, When: when}
}

func TestPairs(t *testing.T) {
	tests := []struct {
		name  string
		a, b  rules.RuleSpec
		want  lint.Code
		aware string // words that the finding must have
	}{
		{"the same", rule("a", "refuse", match{From: []string{"a.example"}}), rule("b", "allow", match{From: []string{"a.example"}}), lint.Unreachable, `"a"`},
		{"everything before", rule("a", "refuse", match{}), rule("b", "allow", match{From: []string{"a.example"}}), lint.Unreachable, ""},
		{"the domain before one user", rule("a", "refuse", match{From: []string{"a.example"}}), rule("b", "allow", match{From: []string{"u@a.example"}}), lint.Unreachable, ""},
		{"one user before the domain", rule("a", "refuse", match{From: []string{"u@a.example"}}), rule("b", "allow", match{From: []string{"a.example"}}), lint.None, ""},
		{"domains below before one", rule("a", "refuse", match{To: []string{"*.example"}}), rule("b", "allow", match{To: []string{"u@x.a.example"}}), lint.Unreachable, ""},
		{"domains below before fewer", rule("a", "refuse", match{To: []string{"*.example"}}), rule("b", "allow", match{To: []string{"*.a.example"}}), lint.Unreachable, ""},
		{"domains below, not itself", rule("a", "refuse", match{To: []string{"*.a.example"}}), rule("b", "allow", match{To: []string{"a.example"}}), lint.None, ""},
		{"itself, not below", rule("a", "refuse", match{To: []string{"a.example"}}), rule("b", "allow", match{To: []string{"*.a.example"}}), lint.None, ""},
		{"another form of the domain", rule("a", "refuse", match{To: []string{"A.Example."}}), rule("b", "allow", match{To: []string{"a.example"}}), lint.Unreachable, ""},
		{"kind before type", rule("a", "refuse", match{Kinds: []string{"iq"}}), rule("b", "allow", match{Types: []string{"get", "set"}}), lint.Unreachable, ""},
		{"type before kind", rule("a", "refuse", match{Types: []string{"get", "set"}}), rule("b", "allow", match{Kinds: []string{"iq"}}), lint.None, ""},
		{"a type of several kinds", rule("a", "refuse", match{Kinds: []string{"iq"}}), rule("b", "allow", match{Types: []string{"error"}}), lint.None, ""},
		{"namespace before element", rule("a", "refuse", match{Elements: []string{"{u}*"}}), rule("b", "allow", match{Elements: []string{"{u}x"}}), lint.Unreachable, ""},
		{"namespace before a longer one", rule("a", "refuse", match{Elements: []string{"{u}*"}}), rule("b", "allow", match{Elements: []string{"{u:v}x"}}), lint.None, ""},
		{"another side", rule("a", "refuse", match{FromSide: []string{"x"}}), rule("b", "allow", match{FromSide: []string{"x", "y"}}), lint.None, ""},
		{"a side before all sides", rule("a", "refuse", match{FromSide: []string{"x"}}), rule("b", "refuse", match{Kinds: []string{"iq"}}), lint.None, ""},
		{"a change decides nothing", rule("a", "fold", match{}), rule("b", "refuse", match{Kinds: []string{"iq"}}), lint.None, ""},
		{"dropped twice", rule("a", "drop-chat-states", match{}), rule("b", "drop-chat-states", match{Kinds: []string{"message"}}), lint.Shadowed, `"a"`},
		{
			"stripped twice",
			rules.RuleSpec{ID: "a", Action: "strip", Elements: []string{"{u}*"}},
			rules.RuleSpec{ID: "b", Action: "strip", Elements: []string{"{u}x"}},
			lint.Shadowed, "",
		},
		{
			"more stripped",
			rules.RuleSpec{ID: "a", Action: "strip", Elements: []string{"{u}x"}},
			rules.RuleSpec{ID: "b", Action: "strip", Elements: []string{"{u}*"}},
			lint.None, "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			specs := []rules.RuleSpec{tt.a, tt.b}
			if set, problems := rules.CompileRules(specs); set == nil {
				t.Fatal(problems)
			}
			got := lint.None
			for _, f := range lint.Rules(specs, lint.Names{}) {
				if f.Rule == "b" {
					got = f.Code
					if !strings.Contains(f.String(), tt.aware) {
						t.Errorf("%q does not say %s", f, tt.aware)
					}
				}
			}
			if got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAlone(t *testing.T) {
	known := lint.Names{Sides: []string{"in", "out"}, Peers: []string{"pa"}, Labels: []string{"SECRET"}}
	tests := []struct {
		name string
		rule rules.RuleSpec
		key  string
		want lint.Code
	}{
		{"allow everything", rule("r", "allow", match{}), "when", lint.AllowsAll},
		{"allow all kinds", rule("r", "allow", match{Kinds: []string{"message", "presence", "iq"}}), "when", lint.AllowsAll},
		{"allow one peer", rule("r", "allow", match{FromPeer: []string{"pa"}}), "", lint.None},
		{"refuse everything", rule("r", "refuse", match{}), "", lint.None},
		{"hold", rule("r", "hold", match{FromPeer: []string{"pa"}}), "action", lint.NoSpool},
		{"unknown side", rule("r", "refuse", match{ToSide: []string{"up"}}), "when.to-side", lint.UnknownName},
		{"unknown peer", rule("r", "refuse", match{FromPeer: []string{"pa", "pb"}}), "when.from-peer", lint.UnknownName},
		{"unknown classification", rule("r", "refuse", match{Labels: []string{"SECRTE"}}), "when.labels", lint.UnknownName},
		{"known names", rule("r", "refuse", match{FromSide: []string{"in"}, FromPeer: []string{"pa"}, Labels: []string{"SECRET"}}), "", lint.None},
		{"rate without bound", rules.RuleSpec{ID: "r", Action: "rate", Rate: rules.RateSpec{PerMinute: 1 << 20}}, "rate.per-minute", lint.NoRate},
		{"ghosts", rules.RuleSpec{ID: "r", Action: "refuse", Condition: "item-not-found"}, "condition", lint.Conditioned},
		{"ghosts told nothing", rules.RuleSpec{ID: "r", Action: "refuse", Condition: "item-not-found", Reply: "silent"}, "", lint.None},
		{"no ghosts in iq", rules.RuleSpec{ID: "r", Action: "refuse", Condition: "item-not-found", When: match{Kinds: []string{"iq"}}}, "", lint.None},
		{"labelled presence", rule("r", "refuse", match{Kinds: []string{"presence"}, Labels: []string{"SECRET"}}), "when.labels", lint.NeverMatches},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := lint.Rules([]rules.RuleSpec{tt.rule}, known)
			switch {
			case tt.want == lint.None && len(found) > 0:
				t.Errorf("found %v", found)
			case tt.want != lint.None && (len(found) != 1 || found[0].Code != tt.want || found[0].Key != tt.key):
				t.Errorf("found %v, want %v at %s", found, tt.want, tt.key)
			}
		})
	}
}

func TestHoldSaysWhy(t *testing.T) {
	found := lint.Rules([]rules.RuleSpec{rule("r", "hold", match{Kinds: []string{"iq"}})}, lint.Names{})
	if len(found) != 1 || !strings.Contains(found[0].String(), "held stanzas are refused until a spool exists") {
		t.Errorf("found %v", found)
	}
}
