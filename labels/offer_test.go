package labels_test

import (
	"fmt"
	"slices"
	"testing"

	"sallyport/labels"
)

// What a label of the guard policy still needs, and what in it is obsolete.
func TestUnmetAndObsolete(t *testing.T) {
	p := policyFile(t, "guard/guard.spif.xml")
	owner, caveats := "2.999.258.1.2", "2.999.258.1.1"
	alpha := labels.Value{TagSet: caveats, Kind: labels.Restrictive, LACV: 0}
	charlie := labels.Value{TagSet: caveats, Kind: labels.Restrictive, LACV: 15}
	delta := labels.Value{TagSet: caveats, Kind: labels.Restrictive, LACV: 16}
	north := labels.Value{TagSet: owner, Kind: labels.Permissive, LACV: 0}
	south := labels.Value{TagSet: owner, Kind: labels.Permissive, LACV: 1}
	for _, row := range []struct {
		name     string
		class    uint32
		values   []labels.Value
		unmet    []string
		obsolete []string
	}{
		{"nothing required", 1, nil, nil, nil},
		{"all: two groups", 5, nil, []string{"0 [any of 2 no] [any of 1 no]"}, nil},
		{"all: one of the groups is there", 5, []labels.Value{north}, []string{"0 [any of 2 yes] [any of 1 no]"}, nil},
		{"all: both", 5, []labels.Value{north, alpha}, nil, nil},
		{"exactly one: none", 6, nil, []string{"2 [any of 1 no] [any of 1 no]"}, nil},
		{"exactly one: one", 6, []labels.Value{south}, nil, nil},
		{"exactly one: two", 6, []labels.Value{north, south}, []string{"2 [any of 1 yes] [any of 1 yes]"}, nil},
		{"of a value", 2, []labels.Value{charlie}, []string{"1 [any of 1 no] [any of 1 no]"}, nil},
		{"of class and value", 6, []labels.Value{charlie}, []string{"2 [any of 1 no] [any of 1 no]", "1 [any of 1 no] [any of 1 no]"}, nil},
		{"obsolete value", 2, []labels.Value{delta}, nil, []string{"Caveats DELTA"}},
		{"obsolete classification", 9, nil, nil, []string{"ANCIENT"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: row.class, Values: row.values})
			if err != nil {
				t.Fatal(err)
			}
			var unmet []string
			for _, n := range l.Unmet() {
				s := fmt.Sprint(uint8(n.Operation))
				for i, g := range n.Groups {
					s += fmt.Sprintf(" [any of %d %s]", len(g), map[bool]string{true: "yes", false: "no"}[n.Matched[i]])
				}
				unmet = append(unmet, s)
			}
			if !slices.Equal(unmet, row.unmet) {
				t.Errorf("needs %q, want %q", unmet, row.unmet)
			}
			if got := l.Obsolete(); !slices.Equal(got, row.obsolete) {
				t.Errorf("obsolete %q, want %q", got, row.obsolete)
			}
		})
	}
	var none *labels.Label
	if none.Unmet() != nil || none.Obsolete() != nil {
		t.Error("no label needs something or has something obsolete")
	}
}
