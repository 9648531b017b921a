package catalogue_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/catalogue"
)

// Every policy of the test data gives a catalogue of valid labels, the same one each time, that can be written and read
// back.
func TestGenerateFromEveryPolicy(t *testing.T) {
	for _, row := range []struct {
		file  string
		items int
		left  catalogue.Left
	}{
		{file: guardSPIF, items: 120, left: catalogue.Left{Obsolete: 2, Invalid: 7}},
		{file: "spiffing/nato-4774-policy.xml", items: 200, left: catalogue.Left{Obsolete: 8, Invalid: 272, Beyond: 518}},
		{file: "fixed/food-policy.xml", items: 117, left: catalogue.Left{Invalid: 2}},
		{file: "spiffing/uk-demo.xml", items: 20, left: catalogue.Left{Invalid: 4}},
		{file: "spiffing/tlp-plus.xml", items: 52, left: catalogue.Left{Invalid: 2}},
		{file: "fixed/ACME-SPIF-example.xml", items: 10, left: catalogue.Left{Invalid: 10}},
	} {
		t.Run(row.file, func(t *testing.T) {
			reg := registry(t, row.file)
			p := reg.Policies()[0]
			c, err := catalogue.FromPolicy(p, catalogue.Generate{At: now})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Items) != row.items || c.Left != row.left {
				t.Errorf("%d items and left %q, want %d and %q", len(c.Items), c.Left, row.items, row.left)
			}
			for _, i := range c.Items {
				if d := p.Validate(i.Label, now); !d.Granted || len(i.Label.Obsolete()) > 0 {
					t.Errorf("%s: %s, obsolete %v", i.Label, d.Explain(), i.Label.Obsolete())
				}
			}
			again, err := catalogue.FromPolicy(p, catalogue.Generate{At: now})
			if err != nil || !c.Equal(again) || c.ID != again.ID {
				t.Errorf("a second time it is another catalogue (%v)", err)
			}
			read, err := catalogue.Parse(octets(t, element(t, c, writing)), reg)
			if err != nil || !c.Equal(read) || c.ID != read.ID {
				t.Errorf("written and read it is another catalogue (%v)", err)
			}
		})
	}
}

func TestGenerate(t *testing.T) {
	reg := registry(t, guardSPIF)
	p := reg.Policies()[0]
	for _, row := range []struct {
		name string
		g    catalogue.Generate
		want string // selectors
		left string
	}{
		{
			"classifications",
			catalogue.Generate{At: now, ClassOnly: true},
			"SECRET|ALPHA NORTH; SECRET|ALPHA SOUTH; CONFIDENTIAL|NORTH; CONFIDENTIAL|SOUTH; INTERNAL; PUBLIC; UNMARKED", "2 obsolete",
		},
		{"named ones", catalogue.Generate{At: now, ClassOnly: true, Classes: []string{"internal", "PUBLIC"}}, "INTERNAL; PUBLIC", "1 obsolete"},
		{"an obsolete one", catalogue.Generate{At: now, ClassOnly: true, Classes: []string{"ANCIENT"}}, "", "2 obsolete"},
		{
			"one tag set",
			catalogue.Generate{At: now, Classes: []string{"PUBLIC"}, TagSets: []string{"Caveats"}},
			"PUBLIC; PUBLIC|ALPHA; PUBLIC|BRAVO; PUBLIC|ALPHA CHARLIE; PUBLIC|BRAVO CHARLIE", "1 obsolete, 2 not valid",
		},
		{
			"for a clearance",
			catalogue.Generate{At: now, Classes: []string{"PUBLIC", "INTERNAL"}, TagSets: []string{"Release"}, Clearance: clearance(t, reg, guardID, []uint32{internal}, gbr)},
			"INTERNAL; INTERNAL|REL TO GBR", "1 not valid, 9 not cleared",
		},
		{
			"at most",
			catalogue.Generate{At: now, TagSets: []string{"Release"}, MaxItems: 3},
			"SECRET|ALPHA NORTH; SECRET|ALPHA SOUTH; CONFIDENTIAL|NORTH", "",
		},
		{
			"default by marking, and without label",
			catalogue.Generate{At: now, ClassOnly: true, Classes: []string{"PUBLIC"}, Default: "GUARD PUBLIC", Unlabelled: true},
			"*PUBLIC; No label", "1 obsolete",
		},
		{
			"default without label",
			catalogue.Generate{At: now, ClassOnly: true, Classes: []string{"PUBLIC"}, Default: "No label", Unlabelled: true},
			"PUBLIC; *No label", "",
		},
		{"one and the offer without label", catalogue.Generate{At: now, ClassOnly: true, MaxItems: 2, Unlabelled: true}, "SECRET|ALPHA NORTH; No label", ""},
		{"no time", catalogue.Generate{}, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := catalogue.FromPolicy(p, row.g)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, i := range c.Items {
				if i.Default {
					i.Selector = "*" + i.Selector
				}
				names = append(names, i.Selector)
			}
			if got := strings.Join(names, "; "); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if row.left != "" && c.Left.String() != row.left {
				t.Errorf("left %q, want %q", c.Left, row.left)
			}
		})
	}
}

func TestGenerateRefuses(t *testing.T) {
	p := registry(t, guardSPIF).Policies()[0]
	for _, row := range []struct {
		name string
		p    *labels.Policy
		g    catalogue.Generate
		says string
	}{
		{"no policy", nil, catalogue.Generate{At: now}, "no policy"},
		{"unknown classification", p, catalogue.Generate{At: now, Classes: []string{"PUBIC"}}, "PUBIC"},
		{"unknown tag set", p, catalogue.Generate{At: now, TagSets: []string{"Nations"}}, "Nations"},
		{"a default that is not there", p, catalogue.Generate{At: now, Default: "GUARD ANCIENT"}, "ANCIENT"},
		{"a name that cannot be shown", p, catalogue.Generate{At: now, Name: "a\nb"}, "name"},
	} {
		if c, err := catalogue.FromPolicy(row.p, row.g); c != nil || err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.says)
		}
	}
}

// A policy in which everything requires one of everything: it ends, soon, and says that there would be more.
func TestGenerateIsBounded(t *testing.T) {
	spec := labels.PolicySpec{Name: "EXPLOSION", ID: "2.999.9"}
	for n := range 20 {
		spec.Classes = append(spec.Classes, labels.ClassSpec{Name: fmt.Sprintf("C%d", n), LACV: uint32(n), Hierarchy: n})
	}
	for s := range 8 {
		set := labels.TagSetSpec{Name: fmt.Sprintf("S%d", s), ID: fmt.Sprintf("2.999.9.%d", s)}
		tag := labels.TagSpec{Name: "T", Kind: labels.Restrictive}
		for v := range 100 {
			c := labels.CategorySpec{Name: fmt.Sprintf("V%d", v), LACV: uint32(v)}
			next := fmt.Sprintf("S%d", (s+1)%8)
			c.Required = []labels.RequiredSpec{{Operation: labels.OneOrMore, Groups: []labels.GroupSpec{{TagSet: next, Kind: labels.Restrictive, Any: true}}}}
			tag.Categories = append(tag.Categories, c)
		}
		set.Tags = []labels.TagSpec{tag}
		spec.TagSets = append(spec.TagSets, set)
	}
	p, problems := labels.Compile(spec)
	if p == nil {
		t.Fatal(problems)
	}
	c, err := catalogue.FromPolicy(p, catalogue.Generate{At: now, MaxItems: catalogue.MaxItems})
	if err != nil || len(c.Items) == 0 || c.Left.Beyond == 0 {
		t.Fatalf("%v, %d items, left %q", err, len(c.Items), c.Left)
	}
	for _, i := range c.Items {
		if !p.Validate(i.Label, now).Granted {
			t.Errorf("%s is not valid", i.Label)
		}
	}
}
