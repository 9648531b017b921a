package labels_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/labels"
)

// Reading B: labels of AWAY come in, and only the equivalences of HOME are read, from right to left.
func TestTranslateBackwards(t *testing.T) {
	highest := func(h, _ *labels.PolicySpec) {
		h.Classes[2].Equivalents = []labels.EquivalentClassSpec{toAway(11, labels.AppliedDecrypt)}
	}
	blueStops := func(h, _ *labels.PolicySpec) {
		h.TagSets[0].Tags[0].Categories[1].Equivalents = []labels.EquivalentCategorySpec{valueAway("2.999.20.1", labels.Restrictive, 5, labels.AppliedDecrypt)}
	}
	for _, tt := range []struct {
		name    string
		bend    bend
		discard []labels.Value
		in      labels.LabelForm
		status  labels.TranslationStatus
		want    labels.LabelForm
		words   string
	}{
		{name: "class alone", in: form(awayID, 11), status: labels.Translated, want: form(homeID, 1), words: "ONE becomes LOW"},
		{name: "equivalent for the other direction only", in: form(awayID, 12), status: labels.NoMapping, words: "other direction only"},
		{name: "applied decrypt", in: form(awayID, 13), status: labels.Translated, want: form(homeID, 2)},
		{name: "no counterpart", in: form(awayID, 14), status: labels.NoMapping, words: "OLD has no equivalent in HOME"},
		{name: "the highest of several classes", bend: highest, in: form(awayID, 11), status: labels.Translated, want: form(homeID, 3)},
		{
			name: "an obsolete class is no candidate", in: form(awayID, 11), status: labels.Translated, want: form(homeID, 1),
			bend: func(h, a *labels.PolicySpec) { highest(h, a); h.Classes[2].Obsolete = true },
		},
		{
			name: "an obsolete class is the only candidate", in: form(awayID, 11), status: labels.NoMapping,
			bend: func(h, _ *labels.PolicySpec) { h.Classes[0].Obsolete = true },
		},
		{name: "value of each kind", in: form(awayID, 11, stop, shareX, staffT), status: labels.Translated, want: form(homeID, 1, red, aaa, staff)},
		{name: "value outbound only", in: form(awayID, 11, shareY), status: labels.NoMapping, words: "Share Y has no equivalent in HOME"},
		{name: "what our own outbound step adds", in: form(awayID, 11, abroad), status: labels.NoMapping, words: "Origin abroad has no equivalent"},
		{name: "the same, discardable", discard: []labels.Value{abroad}, in: form(awayID, 11, abroad), status: labels.Translated, want: form(homeID, 1), words: "listed as discardable"},
		{name: "several restrictive candidates are all added", bend: blueStops, in: form(awayID, 11, stop), status: labels.Translated, want: form(homeID, 1, red, blue)},
		{
			name: "several permissive candidates: none is certain", in: form(awayID, 11, shareX), status: labels.NoMapping, words: "none is certain",
			bend: func(h, _ *labels.PolicySpec) {
				h.TagSets[1].Tags[0].Categories[1].Equivalents[0].Applied = labels.AppliedBoth
			},
		},
		{
			name: "an obsolete value is no candidate", in: form(awayID, 11, stop), status: labels.NoMapping,
			bend: func(h, _ *labels.PolicySpec) { h.TagSets[0].Tags[0].Categories[0].Obsolete = true },
		},
		{
			name: "a discard says nothing backwards", in: form(awayID, 11, abroad), status: labels.NoMapping,
			bend: func(h, _ *labels.PolicySpec) {
				h.TagSets[2].Tags[0].Categories[0].Equivalents[0] = labels.EquivalentCategorySpec{
					Policy: "NEIGHBOUR", TagSet: "2.999.20.3", Kind: labels.InformativeBits, LACV: 1, Applied: labels.AppliedBoth, Discard: true,
				}
			},
		},
		{
			name: "source against its rules", in: form(awayID, 11, stop), status: labels.SourceInvalid,
			bend: func(_, a *labels.PolicySpec) { a.TagSets[0].Tags[0].Categories[0].RequiredClass = "TWO" },
		},
		{
			name: "result against our rules", in: form(awayID, 11, stop), status: labels.TargetInvalid, want: form(homeID, 1, red),
			bend: func(h, _ *labels.PolicySpec) { h.TagSets[0].Tags[0].Categories[0].RequiredClass = "TOP" },
		},
		{
			name: "we know nothing of that policy", in: form(awayID, 11), status: labels.NoMapping,
			bend: func(h, _ *labels.PolicySpec) { h.Equivalents[0].ID = "2.999.77" },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, a := home(), away()
			if tt.bend != nil {
				tt.bend(&h, &a)
			}
			checkTranslation(t, compile(t, a), compile(t, h), labels.LocalSPIF, tt.discard, tt.in, tt.status, tt.want, tt.words)
		})
	}
}

func TestTranslateTable(t *testing.T) {
	from, to := compile(t, home()), compile(t, away())
	mk := func(p *labels.Policy, f labels.LabelForm) *labels.Label {
		t.Helper()
		l, err := p.Label(f)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	marked := mk(from, labels.LabelForm{Policy: homeID, Class: 3, PrivacyMark: "EYES"})
	pairs := []labels.Mapping{
		{From: mk(from, form(homeID, 3)), To: mk(to, labels.LabelForm{Policy: awayID, Class: 13, PrivacyMark: "free"})},
		{From: mk(from, form(homeID, 1, red, aaa)), To: mk(to, form(awayID, 12, wait))},
	}
	tr, problems := labels.NewTranslator(from, to, labels.Table, labels.TranslatorOptions{Table: pairs})
	if tr == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, tt := range []struct {
		name   string
		in     *labels.Label
		status labels.TranslationStatus
		want   string
	}{
		{"in the table", pairs[1].From, labels.Translated, "AWAY TWO WAIT"},
		{"with a privacy mark, which neither counts nor passes", marked, labels.Translated, "AWAY THREE"},
		{"values in another order", mk(from, form(homeID, 1, aaa, red)), labels.Translated, "AWAY TWO WAIT"},
		{"less than in the table", mk(from, form(homeID, 1, red)), labels.NoMapping, "no label"},
		{"the policies' equivalences do not count", mk(from, form(homeID, 1)), labels.NoMapping, "no label"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tr.Translate(tt.in, today)
			if got.Status != tt.status || got.Label().String() != tt.want || got.Label().Form().PrivacyMark != "" {
				t.Errorf("%s %q (%s), want %s %q", got.Status, got.Label(), got.Reason, tt.status, tt.want)
			}
		})
	}
}

func TestTranslatorProblems(t *testing.T) {
	from, to := compile(t, home()), compile(t, away())
	l, _ := from.Label(form(homeID, 1))
	a, _ := to.Label(form(awayID, 11))
	b, _ := to.Label(form(awayID, 12))
	old, _ := to.Label(form(awayID, 14))
	gone, _ := to.Label(form(awayID, 11, val("2.999.20.1", labels.Restrictive, 7)))
	for _, tt := range []struct {
		name     string
		from, to *labels.Policy
		reading  labels.Reading
		options  labels.TranslatorOptions
		rule     string
		warning  bool
	}{
		{name: "no source", to: to, reading: labels.Outbound, rule: "policy"},
		{name: "no target", from: from, reading: labels.Outbound, rule: "policy"},
		{name: "the same policy", from: from, to: from, reading: labels.Outbound, rule: "policy"},
		{name: "no reading", from: from, to: to, rule: "reading"},
		{name: "a reading that does not exist", from: from, to: to, reading: 99, rule: "reading"},
		{name: "empty table", from: from, to: to, reading: labels.Table, rule: "table"},
		{name: "table with another reading", from: from, to: to, reading: labels.Outbound, options: labels.TranslatorOptions{Table: []labels.Mapping{{From: l, To: a}}}, rule: "table"},
		{name: "table of nothing", from: from, to: to, reading: labels.Table, options: labels.TranslatorOptions{Table: []labels.Mapping{{}}}, rule: "table"},
		{name: "table the wrong way round", from: from, to: to, reading: labels.Table, options: labels.TranslatorOptions{Table: []labels.Mapping{{From: a, To: l}}}, rule: "table"},
		{name: "table that says two things", from: from, to: to, reading: labels.Table, options: labels.TranslatorOptions{Table: []labels.Mapping{{From: l, To: a}, {From: l, To: b}}}, rule: "table"},
		{name: "table that makes an obsolete label", from: from, to: to, reading: labels.Table, options: labels.TranslatorOptions{Table: []labels.Mapping{{From: l, To: old}}}, rule: "table"},
		{name: "table that makes an obsolete value", from: from, to: to, reading: labels.Table, options: labels.TranslatorOptions{Table: []labels.Mapping{{From: l, To: gone}}}, rule: "table"},
		{name: "discard with a table", from: from, to: to, reading: labels.Table, options: labels.TranslatorOptions{Table: []labels.Mapping{{From: l, To: a}}, Discard: []labels.Value{red}}, rule: "discard"},
		{name: "no equivalence", from: to, to: from, reading: labels.Outbound, rule: "no-equivalence", warning: true},
		{name: "no equivalence backwards", from: from, to: to, reading: labels.LocalSPIF, rule: "no-equivalence", warning: true},
		{name: "discard of an unknown value", from: from, to: to, reading: labels.Outbound, options: labels.TranslatorOptions{Discard: []labels.Value{abroad}}, rule: "discard", warning: true},
		{name: "discard of a restriction", from: from, to: to, reading: labels.Outbound, options: labels.TranslatorOptions{Discard: []labels.Value{blue}}, rule: "discard", warning: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr, problems := labels.NewTranslator(tt.from, tt.to, tt.reading, tt.options)
			if len(problems) == 0 || problems[0].Rule != tt.rule || problems[0].Warning != tt.warning || len(problems[0].Text) < 20 {
				t.Errorf("problems %+v, want %s", problems, tt.rule)
			}
			if (tr == nil) == tt.warning {
				t.Errorf("translator %v", tr)
			}
			if got := tr.Translate(l, today); tr == nil && (got.Status != labels.NotTranslated || got.Label() != nil || got.Reason == "") {
				t.Errorf("no translator answers %+v", got)
			}
		})
	}
}

func TestTranslateNothing(t *testing.T) {
	from, to := compile(t, home()), compile(t, away())
	tr, _ := labels.NewTranslator(from, to, labels.Outbound, labels.TranslatorOptions{})
	a, _ := to.Label(form(awayID, 11))
	for _, tt := range []struct {
		name string
		in   *labels.Label
		want string
	}{
		{"no label", nil, "no label"},
		{"the zero label", &labels.Label{}, "no label"},
		{"a label of the target", a, "under policy AWAY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tr.Translate(tt.in, today)
			if got.Status != labels.NotTranslated || got.Label() != nil || got.Result != nil || !strings.Contains(got.Reason, tt.want) {
				t.Errorf("%+v, want not translated: %s", got, tt.want)
			}
		})
	}
	if (labels.Translation{Result: a}).Label() != nil {
		t.Error("the zero status gives a label")
	}
}

// An equivalence with what the other policy does not have is a warning for the operator, in both readings.
func TestTranslatorWarnings(t *testing.T) {
	h := home()
	h.Classes[2].Equivalents = []labels.EquivalentClassSpec{toAway(99, labels.AppliedBoth)}
	blueBecomes(98)(&h, nil)
	from, to := compile(t, h), compile(t, away())
	for _, tt := range []struct {
		name     string
		from, to *labels.Policy
		reading  labels.Reading
	}{{"outbound", from, to, labels.Outbound}, {"foreign-spif", from, to, labels.ForeignSPIF}, {"local-spif", to, from, labels.LocalSPIF}} {
		t.Run(tt.name, func(t *testing.T) {
			tr, problems := labels.NewTranslator(tt.from, tt.to, tt.reading, labels.TranslatorOptions{})
			var rules []string
			for _, p := range problems {
				if !p.Warning || p.Policy != "HOME" || !strings.Contains(p.Text, "AWAY does not have") {
					t.Errorf("%+v", p)
				}
				rules = append(rules, p.Rule)
			}
			if strings.Join(rules, " ") != "equivalent-classification equivalent-category" {
				t.Errorf("rules %q", rules)
			}
			if tr.From() != tt.from || tr.To() != tt.to || tr.Reading() != tt.reading {
				t.Errorf("%v", tr)
			}
		})
	}
}

// The words of a translation are bounded, its values are not cut.
func TestTranslationStepsAreBounded(t *testing.T) {
	h, a := home(), away()
	var vs []labels.Value
	for n := uint32(10); n < 1010; n++ {
		h.TagSets[0].Tags[0].Categories = append(h.TagSets[0].Tags[0].Categories, labels.CategorySpec{
			Name: fmt.Sprintf("R%d", n), LACV: n, Equivalents: []labels.EquivalentCategorySpec{valueAway("2.999.20.1", labels.Restrictive, n, labels.AppliedBoth)},
		})
		a.TagSets[0].Tags[0].Categories = append(a.TagSets[0].Tags[0].Categories, labels.CategorySpec{Name: fmt.Sprintf("A%d", n), LACV: n})
		vs = append(vs, val("2.999.10.1", labels.Restrictive, n))
	}
	from := compile(t, h)
	tr, _ := labels.NewTranslator(from, compile(t, a), labels.Outbound, labels.TranslatorOptions{})
	l, err := from.Label(form(homeID, 1, vs...))
	if err != nil {
		t.Fatal(err)
	}
	got := tr.Translate(l, today)
	if n := len(got.Label().Form().Values); n != 1000 || len(got.Steps) > 300 || got.Steps[len(got.Steps)-1] != "… and more" {
		t.Errorf("%d values, %d steps, the last %q", n, len(got.Steps), got.Steps[len(got.Steps)-1])
	}
}

// A label that was read under an earlier version of its policy is read again under the translator's.
func TestTranslateAfterReload(t *testing.T) {
	before, to := compile(t, home()), compile(t, away())
	l, err := before.Label(form(homeID, 1, red))
	if err != nil {
		t.Fatal(err)
	}
	later := home()
	later.TagSets[0], later.TagSets[1] = later.TagSets[1], later.TagSets[0]
	tr, _ := labels.NewTranslator(compile(t, later), to, labels.Outbound, labels.TranslatorOptions{})
	if got := tr.Translate(l, today); got.Label().String() != "AWAY ONE STOP" {
		t.Errorf("%+v", got)
	}
	later.TagSets[1].Tags[0].Categories = later.TagSets[1].Tags[0].Categories[1:] // RED is gone
	tr, _ = labels.NewTranslator(compile(t, later), to, labels.Outbound, labels.TranslatorOptions{})
	if got := tr.Translate(l, today); got.Status != labels.NotTranslated || got.Label() != nil {
		t.Errorf("%+v", got)
	}
}

func TestReadingNames(t *testing.T) {
	for r := labels.NoReading; r <= labels.Table; r++ {
		got, ok := labels.ParseReading(r.String())
		if ok != (r != labels.NoReading) || got != r {
			t.Errorf("%d is %q is %d, %v", r, r, got, ok)
		}
	}
	if r, ok := labels.ParseReading("guess"); ok || r != labels.NoReading {
		t.Errorf("guess is %v", r)
	}
}

// How translated real labels read in steps, for the audit record.
func TestTranslationSteps(t *testing.T) {
	guard, partner := policyFile(t, guardFile), policyFile(t, "guard/partner.spif.xml")
	tr, problems := labels.NewTranslator(guard, partner, labels.Outbound, labels.TranslatorOptions{})
	if len(problems) != 0 {
		t.Errorf("%+v", problems)
	}
	got := tr.Translate(mustLabel(t, guard, "guard/l-internal-rel-gbr.xml"), today)
	want := []string{
		"classification INTERNAL becomes LIMITED", "REL TO GBR becomes SHARE Britain",
		"Origin was internal is added: required with LIMITED", "Origin imported is added: required with every label under PARTNER",
	}
	if strings.Join(got.Steps, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %q\nwant %q", got.Steps, want)
	}
}
