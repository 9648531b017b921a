package catalogue_test

import (
	"testing"

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
