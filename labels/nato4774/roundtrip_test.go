package nato4774_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/labelfile"
	"sallyport/labels/nato4774"
	"sallyport/labels/spif"
)

// allPolicies has every policy of the test data that loads, one an identifier.
func allPolicies(t testing.TB) *labels.Registry {
	t.Helper()
	var ps []*labels.Policy
	for _, file := range []string{
		"guard/guard.spif.xml", "guard/partner.spif.xml", "spiffing/nato-4774-policy.xml", "spiffing/tlp-plus.xml", "spiffing/tlp.xml",
		"spiffing/uk-demo.xml", "fixed/food-policy.xml", "fixed/ACME-SPIF-example.xml", "acme/MOCK.spif.xml", "fixed/bsi-commercial.xml",
	} {
		p, problems := spif.LoadWith(spif.Options{AnyNamespace: true}, filepath.Join(data, file))
		if p == nil {
			t.Fatal(file, problems)
		}
		ps = append(ps, p)
	}
	reg, err := labels.NewRegistry(ps...)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// wire writes an element and reads it again, as a peer would.
func wire(t testing.TB, e *xmlstream.Element) *xmlstream.Element {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, e, "")
	if err != nil {
		t.Fatal(err)
	}
	again, err := document(b)
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return again
}

// Row 82: every label and clearance of the test data that can be read at all goes from ESS to STANAG 4774 and back
// without a change. Everything is read anew at each step, as at the other end of a wire.
func TestRow82RoundTrips(t *testing.T) {
	reg := allPolicies(t)
	var files []string
	for _, pattern := range []string{"*/*.xml", "*/*.nato", "*/*.ber"} {
		found, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	count := map[string]int{}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := labelfile.Parse(b, reg, labelfile.Options{Debug: true, Lenient: true})
		if err != nil {
			continue // policies, stanzas and what is broken on purpose
		}
		name := strings.TrimPrefix(path, data+"/")
		if l, err := f.Label(reg); err == nil {
			count["labels"]++
			t.Run(name, func(t *testing.T) { roundTripLabel(t, reg, l) })
		}
		if len(f.Clearances) == 1 && f.Clearances[0].Err == nil {
			if c, err := reg.Clearance(f.Clearances[0].Form); err == nil {
				count["clearances"]++
				t.Run(name, func(t *testing.T) { roundTripClearance(t, reg, c) })
			}
		}
	}
	if count["labels"] < 120 || count["clearances"] < 30 {
		t.Errorf("%v is fewer than the test data has", count)
	}
}

func roundTripLabel(t *testing.T, reg *labels.Registry, l *labels.Label) {
	octets, err := ess.AppendLabel(nil, l.Form())
	if err != nil {
		t.Fatal(err)
	}
	form, err := ess.ParseLabelDER(octets)
	if err != nil {
		t.Fatal(err)
	}
	first, err := reg.Label(form)
	if err != nil {
		t.Fatal(err)
	}
	e, err := nato4774.BuildLabel(first, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	form, err = nato4774.ParseLabel(wire(t, e), reg)
	if err != nil {
		t.Fatal(err)
	}
	second, err := reg.Label(form)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ess.AppendLabel(nil, second.Form())
	if err != nil || string(back) != string(octets) || !second.Equal(l) {
		t.Errorf("%v became %v (%v)\n% x\n% x", l, second, err, octets, back)
	}
}

func roundTripClearance(t *testing.T, reg *labels.Registry, c *labels.Clearance) {
	octets, err := ess.AppendClearance(nil, c.Form())
	if err != nil {
		t.Fatal(err)
	}
	form, err := ess.ParseClearance(octets)
	if err != nil {
		t.Fatal(err)
	}
	first, err := reg.Clearance(form)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Ignored()) > 0 || len(form.Classes) == 0 {
		return // a classification without a name, or none: STANAG 4774 has no way to say either
	}
	e, err := nato4774.BuildClearance(first)
	if err != nil {
		t.Fatal(err)
	}
	form, err = nato4774.ParseClearance(wire(t, e), reg)
	if err != nil {
		t.Fatal(err)
	}
	second, err := reg.Clearance(form)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ess.AppendClearance(nil, second.Form())
	if err != nil || string(back) != string(octets) || !second.Equal(c) {
		t.Errorf("%v became %v (%v)\n% x\n% x", c, second, err, octets, back)
	}
}

// A value whose name stands in two tags of its tag set cannot be said in STANAG 4774: nothing is written.
func TestUnnameable(t *testing.T) {
	tag := func(n uint32) labels.TagSpec {
		return labels.TagSpec{Kind: labels.EnumPermissive, Categories: []labels.CategorySpec{{Name: "GBR", LACV: n}}}
	}
	p, problems := labels.Compile(labels.PolicySpec{
		Name: "TWICE", ID: "2.999.1", Classes: []labels.ClassSpec{{Name: "ONE", LACV: 1, Hierarchy: 1}},
		TagSets: []labels.TagSetSpec{{Name: "Release", ID: "2.999.1.1", Tags: []labels.TagSpec{tag(1), tag(2)}}},
	})
	if p == nil {
		t.Fatal(problems)
	}
	v := []labels.Value{{TagSet: "2.999.1.1", Kind: labels.EnumPermissive, LACV: 1}}
	l, err := p.Label(labels.LabelForm{Policy: "2.999.1", Class: 1, Values: v})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := nato4774.BuildLabel(l, time.Unix(1e9, 0)); err == nil {
		t.Errorf("built %v", e)
	}
	c, err := p.Clearance(labels.ClearanceForm{Policy: "2.999.1", Classes: []uint32{1}, Values: v})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := nato4774.BuildClearance(c); err == nil {
		t.Errorf("built %v", e)
	}
}
