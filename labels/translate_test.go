package labels_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/labels"
)

// Two small policies: HOME calls the other one NEIGHBOUR, which calls itself AWAY. Each test bends one of them.

const homeID, awayID = "2.999.10", "2.999.20"

func toAway(lacv uint32, a labels.Applied, need ...labels.RequiredSpec) labels.EquivalentClassSpec {
	return labels.EquivalentClassSpec{Policy: "NEIGHBOUR", LACV: lacv, Applied: a, Required: need}
}

func valueAway(set string, k labels.Kind, n uint32, a labels.Applied) labels.EquivalentCategorySpec {
	return labels.EquivalentCategorySpec{Policy: "NEIGHBOUR", TagSet: set, Kind: k, LACV: n, Applied: a}
}

func group(set string, k labels.Kind, n uint32) labels.GroupSpec {
	return labels.GroupSpec{TagSet: set, Kind: k, LACV: n}
}

func home() labels.PolicySpec {
	return labels.PolicySpec{
		Name: "HOME", ID: homeID,
		Classes: []labels.ClassSpec{
			{Name: "LOW", LACV: 1, Hierarchy: 1, Equivalents: []labels.EquivalentClassSpec{toAway(11, labels.AppliedBoth)}},
			{Name: "HIGH", LACV: 2, Hierarchy: 2, Equivalents: []labels.EquivalentClassSpec{
				toAway(12, labels.AppliedEncrypt), toAway(13, labels.AppliedDecrypt),
			}},
			{Name: "TOP", LACV: 3, Hierarchy: 3},
		},
		TagSets: []labels.TagSetSpec{
			{Name: "Caveat", ID: "2.999.10.1", Tags: []labels.TagSpec{{Kind: labels.Restrictive, Categories: []labels.CategorySpec{
				{Name: "RED", LACV: 0, Equivalents: []labels.EquivalentCategorySpec{valueAway("2.999.20.1", labels.Restrictive, 5, labels.AppliedBoth)}},
				{Name: "BLUE", LACV: 1},
			}}}},
			{Name: "Release", ID: "2.999.10.2", Tags: []labels.TagSpec{{Kind: labels.EnumPermissive, Categories: []labels.CategorySpec{
				{Name: "AAA", LACV: 1, Equivalents: []labels.EquivalentCategorySpec{valueAway("2.999.20.2", labels.Permissive, 1, labels.AppliedBoth)}},
				{Name: "BBB", LACV: 2, Equivalents: []labels.EquivalentCategorySpec{
					valueAway("2.999.20.2", labels.Permissive, 1, labels.AppliedEncrypt),
					valueAway("2.999.20.2", labels.Permissive, 2, labels.AppliedEncrypt),
				}},
			}}}},
			{Name: "Note", ID: "2.999.10.3", Tags: []labels.TagSpec{{Kind: labels.InformativeEnum, Categories: []labels.CategorySpec{
				{Name: "DRAFT", LACV: 1, Equivalents: []labels.EquivalentCategorySpec{
					{Policy: "NEIGHBOUR", Applied: labels.AppliedEncrypt, Kind: labels.InformativeBits, Discard: true},
				}},
				{Name: "STAFF", LACV: 2, Equivalents: []labels.EquivalentCategorySpec{valueAway("2.999.20.3", labels.InformativeBits, 2, labels.AppliedBoth)}},
			}}}},
		},
		Privacy:     labels.PrivacySpec{Marks: []labels.PrivacyMarkSpec{{Name: "EYES"}}},
		Equivalents: []labels.EquivalentPolicySpec{{Name: "NEIGHBOUR", ID: awayID}},
	}
}

func away() labels.PolicySpec {
	return labels.PolicySpec{
		Name: "AWAY", ID: awayID,
		Classes: []labels.ClassSpec{
			{Name: "ONE", LACV: 11, Hierarchy: 1},
			{Name: "TWO", LACV: 12, Hierarchy: 2},
			{Name: "THREE", LACV: 13, Hierarchy: 3},
			{Name: "OLD", LACV: 14, Hierarchy: 4, Obsolete: true},
		},
		TagSets: []labels.TagSetSpec{
			{Name: "Rules", ID: "2.999.20.1", Tags: []labels.TagSpec{{Kind: labels.Restrictive, Categories: []labels.CategorySpec{
				{Name: "STOP", LACV: 5}, {Name: "WAIT", LACV: 6}, {Name: "GONE", LACV: 7, Obsolete: true},
			}}}},
			{Name: "Share", ID: "2.999.20.2", Tags: []labels.TagSpec{{Kind: labels.Permissive, Categories: []labels.CategorySpec{
				{Name: "X", LACV: 1}, {Name: "Y", LACV: 2},
			}}}},
			{Name: "Origin", ID: "2.999.20.3", Tags: []labels.TagSpec{{Kind: labels.InformativeBits, Categories: []labels.CategorySpec{
				{Name: "abroad", LACV: 1}, {Name: "staff", LACV: 2},
			}}}},
		},
	}
}

func compile(t testing.TB, s labels.PolicySpec) *labels.Policy {
	t.Helper()
	p, problems := labels.Compile(s)
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

// form is a label with values of the three tag sets of a policy.
func form(policy string, class uint32, vs ...labels.Value) labels.LabelForm {
	return labels.LabelForm{Policy: policy, Class: class, Values: vs}
}

func val(set string, k labels.Kind, n uint32) labels.Value {
	return labels.Value{TagSet: set, Kind: k, LACV: n}
}

var (
	red   = val("2.999.10.1", labels.Restrictive, 0)
	blue  = val("2.999.10.1", labels.Restrictive, 1)
	aaa   = val("2.999.10.2", labels.EnumPermissive, 1)
	bbb   = val("2.999.10.2", labels.EnumPermissive, 2)
	draft = val("2.999.10.3", labels.InformativeEnum, 1)
	staff = val("2.999.10.3", labels.InformativeEnum, 2)

	stop   = val("2.999.20.1", labels.Restrictive, 5)
	wait   = val("2.999.20.1", labels.Restrictive, 6)
	shareX = val("2.999.20.2", labels.Permissive, 1)
	shareY = val("2.999.20.2", labels.Permissive, 2)
	abroad = val("2.999.20.3", labels.InformativeBits, 1)
	staffT = val("2.999.20.3", labels.InformativeBits, 2)
)

type bend func(home, away *labels.PolicySpec)

func TestTranslate(t *testing.T) {
	all := func(gs ...labels.GroupSpec) labels.RequiredSpec { return labels.RequiredSpec{Groups: gs} }
	oneOf := func(op labels.Operation, gs ...labels.GroupSpec) labels.RequiredSpec {
		return labels.RequiredSpec{Operation: op, Groups: gs}
	}
	policyNeeds := func(rs ...labels.RequiredSpec) bend {
		return func(h, _ *labels.PolicySpec) { h.Equivalents[0].Required = rs }
	}
	for _, tt := range []struct {
		name    string
		bend    bend
		reading labels.Reading
		discard []labels.Value
		in      labels.LabelForm
		status  labels.TranslationStatus
		want    labels.LabelForm
		words   string // in the reason or a step
	}{
		{name: "class alone", reading: labels.Outbound, in: form(homeID, 1), status: labels.Translated, want: form(awayID, 11), words: "LOW becomes ONE"},
		{name: "the direction counts: out", reading: labels.Outbound, in: form(homeID, 2), status: labels.Translated, want: form(awayID, 12)},
		{name: "the direction counts: in, foreign policy", reading: labels.ForeignSPIF, in: form(homeID, 2), status: labels.Translated, want: form(awayID, 13)},
		{name: "class without equivalent", reading: labels.Outbound, in: form(homeID, 3), status: labels.NoMapping, words: "TOP has no equivalent in AWAY"},
		{name: "value of each kind", reading: labels.Outbound, in: form(homeID, 1, red, aaa, staff), status: labels.Translated, want: form(awayID, 11, stop, shareX, staffT)},
		{name: "one value to several", reading: labels.Outbound, in: form(homeID, 1, bbb), status: labels.Translated, want: form(awayID, 11, shareX, shareY), words: "Release BBB becomes Share X and Share Y"},
		{name: "several values to one", reading: labels.Outbound, in: form(homeID, 1, aaa, bbb), status: labels.Translated, want: form(awayID, 11, shareX, shareY)},
		{name: "value without equivalent", reading: labels.Outbound, in: form(homeID, 1, blue), status: labels.NoMapping, words: "Caveat BLUE has no equivalent"},
		{name: "all that is missing is said", reading: labels.Outbound, in: form(homeID, 3, blue), status: labels.NoMapping, words: "TOP has no equivalent in AWAY; Caveat BLUE has no equivalent"},
		{name: "value for the other direction", reading: labels.ForeignSPIF, in: form(homeID, 1, bbb), status: labels.NoMapping, words: "other direction only"},
		{name: "discarded by the policy", reading: labels.Outbound, in: form(homeID, 1, draft), status: labels.Translated, want: form(awayID, 11), words: "Note DRAFT is dropped: policy HOME"},
		{name: "not discarded in the other direction", reading: labels.ForeignSPIF, in: form(homeID, 1, draft), status: labels.NoMapping},
		{name: "discarded by the profile", reading: labels.Outbound, discard: []labels.Value{blue}, in: form(homeID, 1, red, blue), status: labels.Translated, want: form(awayID, 11, stop), words: "listed as discardable; that removes a restriction (RESTRICTIVE)"},
		{name: "discardable with an equivalent is kept", reading: labels.Outbound, discard: []labels.Value{red}, in: form(homeID, 1, red), status: labels.Translated, want: form(awayID, 11, stop)},
		{
			name: "policy needs all: added", bend: policyNeeds(all(group("Origin", labels.InformativeBits, 1))), reading: labels.Outbound,
			in: form(homeID, 1), status: labels.Translated, want: form(awayID, 11, abroad), words: "Origin abroad is added: required with every label under AWAY",
		},
		{
			name: "policy needs all: there already", bend: policyNeeds(all(group("Rules", labels.Restrictive, 5))), reading: labels.Outbound,
			in: form(homeID, 1, red), status: labels.Translated, want: form(awayID, 11, stop),
		},
		{
			name: "policy needs one or more: never chosen", bend: policyNeeds(oneOf(labels.OneOrMore, group("Rules", labels.Restrictive, 5), group("Rules", labels.Restrictive, 6))),
			reading: labels.Outbound, in: form(homeID, 1), status: labels.NoMapping, words: "one or more of Rules STOP, Rules WAIT is missing",
		},
		{
			name: "policy needs one or more: there", bend: policyNeeds(oneOf(labels.OneOrMore, group("Rules", labels.Restrictive, 5), group("Rules", labels.Restrictive, 6))),
			reading: labels.Outbound, in: form(homeID, 1, red), status: labels.Translated, want: form(awayID, 11, stop),
		},
		{
			name: "one or more, met by what all adds", reading: labels.Outbound, in: form(homeID, 1), status: labels.Translated, want: form(awayID, 11, wait),
			bend: policyNeeds(oneOf(labels.OneOrMore, group("Rules", labels.Restrictive, 5), group("Rules", labels.Restrictive, 6)), all(group("Rules", labels.Restrictive, 6))),
		},
		{
			name: "only one: two are there", reading: labels.Outbound, in: form(homeID, 1, bbb), status: labels.NoMapping, words: "exactly one of",
			bend: policyNeeds(oneOf(labels.OnlyOne, group("Share", labels.Permissive, 1), group("Share", labels.Permissive, 2))),
		},
		{
			name: "only one: one is there", reading: labels.Outbound, in: form(homeID, 1, aaa), status: labels.Translated, want: form(awayID, 11, shareX),
			bend: policyNeeds(oneOf(labels.OnlyOne, group("Share", labels.Permissive, 1), group("Share", labels.Permissive, 2))),
		},
		{
			name: "all of any value: not chosen", reading: labels.Outbound, in: form(homeID, 1), status: labels.NoMapping, words: "a value of Share (any)",
			bend: policyNeeds(all(labels.GroupSpec{TagSet: "Share", Kind: labels.Permissive, Any: true})),
		},
		{
			name: "all of any value: there", reading: labels.Outbound, in: form(homeID, 1, aaa), status: labels.Translated, want: form(awayID, 11, shareX),
			bend: policyNeeds(all(labels.GroupSpec{TagSet: "Share", Kind: labels.Permissive, Any: true})),
		},
		{
			name: "needs a value that is not there", bend: policyNeeds(all(group("Rules", labels.Restrictive, 99))), reading: labels.Outbound,
			in: form(homeID, 1), status: labels.NoMapping, words: "value 99 of Rules is missing",
		},
		{
			name: "needs an obsolete value", bend: policyNeeds(all(group("Rules", labels.Restrictive, 7))), reading: labels.Outbound,
			in: form(homeID, 1), status: labels.NoMapping, words: "Rules GONE is missing",
		},
		{
			name: "needs a tag set that is not there", bend: policyNeeds(all(group("Nowhere", labels.Restrictive, 1))), reading: labels.Outbound,
			in: form(homeID, 1), status: labels.NoMapping, words: "Nowhere",
		},
		{
			name: "class needs", reading: labels.Outbound, in: form(homeID, 1), status: labels.Translated, want: form(awayID, 11, wait), words: "required with ONE",
			bend: func(h, _ *labels.PolicySpec) {
				h.Classes[0].Equivalents[0].Required = []labels.RequiredSpec{all(group("Rules", labels.Restrictive, 6))}
			},
		},
		{
			name: "another class needs", reading: labels.Outbound, in: form(homeID, 2), status: labels.Translated, want: form(awayID, 12),
			bend: func(h, _ *labels.PolicySpec) {
				h.Classes[0].Equivalents[0].Required = []labels.RequiredSpec{all(group("Rules", labels.Restrictive, 6))}
			},
		},
		{name: "tag set needs", reading: labels.Outbound, in: form(homeID, 1, aaa), bend: tagSetNeeds(all(group("Rules", labels.Restrictive, 6))), status: labels.Translated, want: form(awayID, 11, wait, shareX), words: "required for values of Release"},
		{name: "tag set needs, not used", reading: labels.Outbound, in: form(homeID, 1, red), bend: tagSetNeeds(all(group("Rules", labels.Restrictive, 6))), status: labels.Translated, want: form(awayID, 11, stop)},
		{
			name: "to an obsolete class", reading: labels.Outbound, in: form(homeID, 3), status: labels.NoMapping, words: "obsolete in AWAY",
			bend: func(h, _ *labels.PolicySpec) {
				h.Classes[2].Equivalents = []labels.EquivalentClassSpec{toAway(14, labels.AppliedBoth)}
			},
		},
		{
			name: "to a class that is not there", reading: labels.Outbound, in: form(homeID, 3), status: labels.NoMapping, words: "AWAY does not have",
			bend: func(h, _ *labels.PolicySpec) {
				h.Classes[2].Equivalents = []labels.EquivalentClassSpec{toAway(99, labels.AppliedBoth)}
			},
		},
		{name: "to an obsolete value", reading: labels.Outbound, in: form(homeID, 1, blue), bend: blueBecomes(7), status: labels.NoMapping, words: "obsolete in AWAY"},
		{name: "to a value that is not there", reading: labels.Outbound, in: form(homeID, 1, blue), bend: blueBecomes(99), status: labels.NoMapping, words: "AWAY does not have"},
		{name: "to one value that is there and one that is not", reading: labels.Outbound, in: form(homeID, 1, blue), bend: blueBecomes(6, 99), status: labels.NoMapping},
		{
			name: "source against its rules", reading: labels.Outbound, in: form(homeID, 1, red), status: labels.SourceInvalid, words: "Caveat RED is not allowed with LOW",
			bend: func(h, _ *labels.PolicySpec) { h.TagSets[0].Tags[0].Categories[0].ExcludedClasses = []string{"LOW"} },
		},
		{
			name: "result against the rules of the target", reading: labels.Outbound, in: form(homeID, 1, red), status: labels.TargetInvalid,
			want: form(awayID, 11, stop), words: "Rules STOP is not allowed with ONE",
			bend: func(_, a *labels.PolicySpec) { a.TagSets[0].Tags[0].Categories[0].ExcludedClasses = []string{"ONE"} },
		},
		{
			name: "target outside its period", reading: labels.Outbound, in: form(homeID, 1), status: labels.TargetInvalid, want: form(awayID, 11),
			bend: func(_, a *labels.PolicySpec) { a.NotAfter = today.Add(-time.Hour) },
		},
		{
			name: "privacy mark", reading: labels.Outbound, in: labels.LabelForm{Policy: homeID, Class: 1, PrivacyMark: "EYES"}, status: labels.Translated,
			want: form(awayID, 11), words: "the privacy mark is dropped",
		},
		{
			name: "an obsolete source value is translated", reading: labels.Outbound, in: form(homeID, 1, red), status: labels.Translated, want: form(awayID, 11, stop),
			bend: func(h, _ *labels.PolicySpec) { h.TagSets[0].Tags[0].Categories[0].Obsolete = true },
		},
		{
			name: "no equivalent policy", reading: labels.Outbound, in: form(homeID, 1), status: labels.NoMapping,
			bend: func(h, _ *labels.PolicySpec) { h.Equivalents[0].ID = "2.999.77" },
		},
		{
			name: "informative of either encoding", reading: labels.Outbound, in: form(homeID, 1, staff), status: labels.Translated,
			want: form(awayID, 11, val("2.999.20.3", labels.InformativeEnum, 2)),
			bend: func(_, a *labels.PolicySpec) { a.TagSets[2].Tags[0].Kind = labels.InformativeEnum },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, a := home(), away()
			if tt.bend != nil {
				tt.bend(&h, &a)
			}
			from, to := compile(t, h), compile(t, a)
			checkTranslation(t, from, to, tt.reading, tt.discard, tt.in, tt.status, tt.want, tt.words)
		})
	}
}

func tagSetNeeds(rs ...labels.RequiredSpec) bend {
	return func(h, _ *labels.PolicySpec) {
		h.TagSets[1].Equivalents = []labels.EquivalentTagSetSpec{{Policy: "NEIGHBOUR", Name: "Share", ID: "2.999.20.2", Required: rs}}
	}
}

func blueBecomes(ns ...uint32) bend {
	return func(h, _ *labels.PolicySpec) {
		for _, n := range ns {
			c := &h.TagSets[0].Tags[0].Categories[1]
			c.Equivalents = append(c.Equivalents, valueAway("2.999.20.1", labels.Restrictive, n, labels.AppliedBoth))
		}
	}
}

func checkTranslation(t *testing.T, from, to *labels.Policy, r labels.Reading, discard []labels.Value, in labels.LabelForm,
	status labels.TranslationStatus, want labels.LabelForm, words string,
) {
	t.Helper()
	tr, problems := labels.NewTranslator(from, to, r, labels.TranslatorOptions{Discard: discard})
	if tr == nil {
		t.Fatal(problems)
	}
	l, err := from.Label(in)
	if err != nil {
		t.Fatal(err)
	}
	got := tr.Translate(l, today)
	if got.Status != status {
		t.Fatalf("status %s, want %s: %s; %q", got.Status, status, got.Reason, got.Steps)
	}
	if (got.Label() != nil) != (status == labels.Translated) || (got.Reason == "") != (status == labels.Translated) {
		t.Errorf("label %v and reason %q with status %s", got.Label(), got.Reason, got.Status)
	}
	if !strings.Contains(strings.Join(got.Steps, "; ")+"; "+got.Reason, words) {
		t.Errorf("steps %q, reason %q: %q is not said", got.Steps, got.Reason, words)
	}
	wanted, err := to.Label(want)
	if want.Policy != "" && (err != nil || !got.Result.Equal(wanted)) {
		t.Errorf("got %+v, want %+v (%v)", got.Result.Form(), want, err)
	}
	if want.Policy == "" && got.Result != nil {
		t.Errorf("got %v, want nothing", got.Result)
	}
	if again := tr.Translate(l, today); !again.Result.Equal(got.Result) || !slices.Equal(again.Steps, got.Steps) {
		t.Errorf("the second answer differs: %+v", again)
	}
}
