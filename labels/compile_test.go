package labels_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/labels"
)

// plain is the smallest policy with something of everything.
func plain() labels.PolicySpec {
	return labels.PolicySpec{
		Name: "P", ID: "2.999.7", Version: "1",
		Classes: []labels.ClassSpec{
			{Name: "LOW", LACV: 1, Hierarchy: 1, Equivalents: []labels.EquivalentClassSpec{{Policy: "Q", LACV: 1, Applied: labels.AppliedBoth}}},
			{Name: "HIGH", LACV: 2, Hierarchy: 2},
		},
		TagSets: []labels.TagSetSpec{{Name: "S", ID: "2.999.7.1", Tags: []labels.TagSpec{{
			Name: "T", Kind: labels.Restrictive,
			Categories: []labels.CategorySpec{
				{Name: "A", LACV: 0, Equivalents: []labels.EquivalentCategorySpec{{
					Policy: "Q", TagSet: "2.999.8.1", Kind: labels.Restrictive, LACV: 1, Applied: labels.AppliedBoth,
				}}},
				{Name: "B", LACV: 1, Required: []labels.RequiredSpec{{Groups: []labels.GroupSpec{{TagSet: "S", Kind: labels.Restrictive, LACV: 0}}}}},
			},
		}}}},
		Equivalents: []labels.EquivalentPolicySpec{{Name: "Q", ID: "2.999.8"}},
	}
}

// Compile does not rely on what reads files: whatever a specification can hold is checked.
func TestCompileRefuses(t *testing.T) {
	category := func(s *labels.PolicySpec, i int) *labels.CategorySpec { return &s.TagSets[0].Tags[0].Categories[i] }
	tests := []struct {
		name   string
		change func(*labels.PolicySpec)
		rule   string
	}{
		{"the zero value", func(s *labels.PolicySpec) { *s = labels.PolicySpec{} }, "classes"},
		{"no identifier", func(s *labels.PolicySpec) { s.ID = "" }, "policy-id"},
		{"class number above the highest", func(s *labels.PolicySpec) { s.Classes[0].LACV = labels.MaxNumber + 1 }, "class-lacv"},
		{"category number above the highest", func(s *labels.PolicySpec) {
			s.TagSets[0].Tags[0].Kind = labels.EnumRestrictive
			category(s, 0).LACV = labels.MaxNumber + 1
		}, "category-lacv"},
		{"bit above the highest", func(s *labels.PolicySpec) { category(s, 0).LACV = labels.MaxBit + 1 }, "category-lacv"},
		{"no kind", func(s *labels.PolicySpec) { s.TagSets[0].Tags[0].Kind = labels.NoKind }, "tag-type"},
		{"a kind of forms only", func(s *labels.PolicySpec) { s.TagSets[0].Tags[0].Kind = labels.Enumerated }, "tag-type"},
		{"a kind that does not exist", func(s *labels.PolicySpec) { s.TagSets[0].Tags[0].Kind = 99 }, "tag-type"},
		{"negative limit", func(s *labels.PolicySpec) { s.TagSets[0].Tags[0].Max = -1 }, "tag-selection"},
		{"an operation that does not exist", func(s *labels.PolicySpec) { category(s, 1).Required[0].Operation = 3 }, "operation"},
		{"an operation that does not exist, in the other policy", func(s *labels.PolicySpec) {
			s.Equivalents[0].Required = []labels.RequiredSpec{{Operation: 7, Groups: []labels.GroupSpec{{TagSet: "X", Kind: labels.Restrictive}}}}
		}, "operation"},
		{"a group of no kind", func(s *labels.PolicySpec) { category(s, 1).Required[0].Groups[0].Kind = labels.NoKind }, "category-reference"},
		{"every value of a kind that the tag set does not have", func(s *labels.PolicySpec) {
			category(s, 1).Required[0].Groups[0] = labels.GroupSpec{TagSet: "S", Kind: labels.Permissive, Any: true}
		}, "category-reference"},
		{"an equivalence that holds in no direction", func(s *labels.PolicySpec) { category(s, 0).Equivalents[0].Applied = labels.NoApplied }, "applied"},
		{"an equivalence to a number above the highest", func(s *labels.PolicySpec) { s.Classes[0].Equivalents[0].LACV = labels.MaxNumber + 1 }, "equivalent-class"},
		{"an equivalence of no kind", func(s *labels.PolicySpec) { category(s, 0).Equivalents[0].Kind = labels.NoKind }, "equivalent-category"},
		{"an equivalent policy that is not declared", func(s *labels.PolicySpec) { s.Equivalents = nil }, "policy-reference"},
		{"a period that never is", func(s *labels.PolicySpec) {
			s.NotBefore = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
			s.NotAfter = s.NotBefore.Add(-time.Second)
		}, "period"},
	}
	if p, problems := labels.Compile(plain()); p == nil || len(problems) > 0 {
		t.Fatalf("the policy itself: %v", problems)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := plain()
			tt.change(&s)
			p, problems := labels.Compile(s)
			if p != nil || !slices.ContainsFunc(problems, func(q labels.Problem) bool { return q.Rule == tt.rule && !q.Warning }) {
				t.Errorf("got %v, want %s: %+v", p, tt.rule, problems)
			}
		})
	}
}

// A specification is read, never changed, and can be compiled again.
func TestCompileLeavesTheSpecification(t *testing.T) {
	s := plain()
	s.Equivalents[0].Name, s.ClassMarkings = "q", []labels.MarkingSpec{{HasPhrase: true, Phrase: "X"}} // references differ by case
	first, problems := labels.Compile(s)
	if first == nil {
		t.Fatal(problems)
	}
	if s.Classes[0].Equivalents[0].Policy != "Q" || len(s.Classes[0].Markings) != 0 {
		t.Errorf("changed: %+v", s.Classes[0])
	}
	if again, _ := labels.Compile(s); again == nil || again.Digest() != first.Digest() {
		t.Error("another policy the second time")
	}
	if e := first.Classes()[0].Equivalents; len(e) != 1 || e[0].Words(nil) != "q classification 1, both ways" {
		t.Errorf("%+v", e)
	}
}

func TestNear(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"SECRET", "secret", true},
		{"SECRET", "SECRETS", true},
		{"SCRET", "SECRET", true},
		{"SECRAT", "SECRET", true},
		{"SERCET", "SECRET", true},
		{"SECRET", "TOP SECRET", false},
		{"NORTH", "SOUTH", false},
		{"RED", "REF", true},
		{"A", "B", false},
		{"A", "a", true},
		{"", "A", false},
		{"", "", true},
		{"ÉTÉ", "été", true},
		{"abcd", "badc", false},
	}
	for _, tt := range tests {
		if got := labels.Near(tt.a, tt.b); got != tt.want || labels.Near(tt.b, tt.a) != tt.want {
			t.Errorf("%q and %q: got %v", tt.a, tt.b, got)
		}
	}
}

func TestShown(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "REL TO GBR, USA": true, "Suède": true, "機密": true, "سري": true, "a\u200fb": true,
		"a\nb": false, "a\x00": false, "a\x7f": false, "a\u0085": false, "a\u202eb": false, "\u2066a\u2069": false, "a\u2028b": false,
	} {
		if labels.Shown(s) != want {
			t.Errorf("%+q: got %v", s, !want)
		}
	}
	if !labels.Shown(strings.Repeat("x", 1000)) {
		t.Error("length is not what it looks at")
	}
}
