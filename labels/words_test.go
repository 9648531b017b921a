package labels_test

import (
	"slices"
	"testing"

	"sallyport/labels"
)

// What rules need is said plainly, and exactly where a tag set has values of several types.
func TestWordsOfRequirements(t *testing.T) {
	t.Parallel()
	a := labels.GroupSpec{TagSet: "S", Kind: labels.Restrictive, LACV: 0}
	b := labels.GroupSpec{TagSet: "S", Kind: labels.Restrictive, LACV: 1}
	c := labels.GroupSpec{TagSet: "S", Kind: labels.Restrictive, LACV: 2}
	every := labels.GroupSpec{TagSet: "S", Kind: labels.Restrictive, Any: true}
	for _, tt := range []struct {
		name   string
		op     labels.Operation
		groups []labels.GroupSpec
		mixed  bool
		want   string
	}{
		{"one", labels.All, []labels.GroupSpec{a}, false, "S A"},
		{"one of one", labels.OnlyOne, []labels.GroupSpec{a}, false, "S A"},
		{"two", labels.All, []labels.GroupSpec{a, b}, false, "S A, and S B"},
		{"three", labels.All, []labels.GroupSpec{a, b, c}, false, "S A, S B, and S C"},
		{"any", labels.All, []labels.GroupSpec{every}, false, "a value of S (any)"},
		{"any and one", labels.All, []labels.GroupSpec{every, a}, false, "a value of S (any), and S A"},
		{"one or more", labels.OneOrMore, []labels.GroupSpec{a, b}, false, "one or more of S A, S B"},
		{"exactly one", labels.OnlyOne, []labels.GroupSpec{every, b}, false, "exactly one of a value of S (any), S B"},
		{"any, of several types", labels.All, []labels.GroupSpec{every}, true, "a restrictive value of S (any)"},
		{"any informative", labels.All, []labels.GroupSpec{{TagSet: "S", Kind: labels.InformativeBits, Any: true}}, true, "an informative value of S (any)"},
	} {
		s := plain()
		tags := &s.TagSets[0].Tags
		(*tags)[0].Categories = []labels.CategorySpec{{Name: "A", LACV: 0}, {Name: "B", LACV: 1}, {Name: "C", LACV: 2}}
		if tt.mixed {
			*tags = append(*tags, labels.TagSpec{Name: "I", Kind: labels.InformativeBits, Categories: []labels.CategorySpec{{Name: "N", LACV: 9}}})
		}
		s.Classes[1].Required = []labels.RequiredSpec{{Operation: tt.op, Groups: tt.groups}}
		p, problems := labels.Compile(s)
		if p == nil {
			t.Errorf("%s: %v", tt.name, problems)
			continue
		}
		if got := p.Classes()[1].Required; !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
