package rules_test

import (
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/rules"
)

// guardLabel makes a label of the guard policy.
func guardLabel(t testing.TB, class uint32, values ...labels.Value) *labels.Label {
	t.Helper()
	p, problems := spif.Load("../labels/testdata/guard/guard.spif.xml")
	if p == nil {
		t.Fatal(problems)
	}
	l, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: class, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRelabel(t *testing.T) {
	t.Parallel()
	public, internal := guardLabel(t, 1), guardLabel(t, 2)
	relabel := func(l *labels.Label, downgrade bool) rules.RuleSpec {
		return rules.RuleSpec{ID: "r", Action: "relabel", Label: "l.xml", NewLabel: l, Downgrade: downgrade}
	}
	refuseInternal := rules.RuleSpec{ID: "no-internal", Action: "refuse", When: rules.MatchSpec{Labels: []string{"INTERNAL"}}}
	for _, c := range []struct {
		name      string
		specs     []rules.RuleSpec
		old, want *labels.Label // want nil: no new label
		action    rules.Action
		downgrade bool
	}{
		{"raised", []rules.RuleSpec{relabel(internal, false)}, public, internal, rules.Allow, false},
		{"the same again", []rules.RuleSpec{relabel(internal, false)}, internal, internal, rules.Allow, false},
		{"lowered without saying so", []rules.RuleSpec{relabel(public, false)}, internal, nil, rules.Refuse, false},
		{"lowered with downgrade", []rules.RuleSpec{relabel(public, true)}, internal, public, rules.Allow, true},
		{"what has no label stays without", []rules.RuleSpec{relabel(internal, true)}, nil, nil, rules.Allow, true},
		{"later rules see the new label", []rules.RuleSpec{relabel(internal, false), refuseInternal}, public, nil, rules.Refuse, false},
		{"and no longer the old one", []rules.RuleSpec{relabel(public, true), refuseInternal}, internal, public, rules.Allow, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set, problems := rules.CompileRules(c.specs)
			if problems != nil {
				t.Fatal(problems)
			}
			s := read(t, `<message xmlns='jabber:server' from='a@a.example' to='b@b.example'><body>x</body></message>`)
			out := set.Apply(&rules.Input{Stanza: s, Label: c.old, Marking: c.old.String()})
			if out.Action != c.action || out.Label != c.want || out.Downgrade != c.downgrade {
				t.Errorf("%v, label %v, downgrade %v; want %v, %v, %v", out.Action, out.Label, out.Downgrade, c.action, c.want, c.downgrade)
			}
			if c.action == rules.Refuse && out.Rule == "r" && !strings.Contains(out.Allowing, "downgrade = true") {
				t.Errorf("the refusal does not say what would have allowed it: %s", out.Allowing)
			}
		})
	}
}

func TestRelabelSpec(t *testing.T) {
	t.Parallel()
	l := guardLabel(t, 1)
	for _, c := range []struct {
		name string
		spec rules.RuleSpec
		want string
	}{
		{"no file", rules.RuleSpec{ID: "r", Action: "relabel"}, "r: label: is missing"},
		{"not read", rules.RuleSpec{ID: "r", Action: "relabel", Label: "l.xml"}, "r: label: has not been read"},
		{"label of another action", rules.RuleSpec{ID: "r", Action: "allow", Label: "l.xml", NewLabel: l}, "r: label: has no meaning with action"},
		{"presence has no label", rules.RuleSpec{ID: "r", Action: "relabel", Label: "l.xml", NewLabel: l, When: rules.MatchSpec{Kinds: []string{"presence"}}}, "r: when.kinds: only messages have labels"},
	} {
		_, problems := rules.CompileRules([]rules.RuleSpec{c.spec})
		if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), c.want) {
			t.Errorf("%s: %v, want one problem: %s", c.name, problems, c.want)
		}
	}
}
