package xep0258_test

import (
	"os"
	"path/filepath"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/xep0258"
)

// Every readable label of the test data: ESS, then 4774, then ESS again, by way of the wire, is the same label.
func TestRoundTrip(t *testing.T) {
	reg := guard(t, "spiffing/nato-4774-policy.xml", "spiffing/uk-demo.xml", "spiffing/tlp-plus.xml", "fixed/food-policy-missi.xml")
	r := xep0258.NewReader(reg)
	files, err := filepath.Glob(filepath.Join(data, "ess", "label-*.ber"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ess.ParseLabel(b)
		if err != nil {
			continue // refused ones have tests of their own
		}
		l, err := reg.Label(f)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		ran++
		t.Run(filepath.Base(file), func(t *testing.T) {
			for _, s := range []xep0258.Syntax{xep0258.ESS, xep0258.STANAG4774, xep0258.ESS} {
				l = carry(t, r, l, s)
			}
			if want, _ := reg.Label(f); !l.Equal(want) {
				t.Errorf("got %+v\nwant %+v", l.Form(), want.Form())
			}
		})
	}
	if ran < 20 {
		t.Errorf("only %d labels", ran)
	}
}

// carry writes a label into a message, to bytes and back.
func carry(t *testing.T, r *xep0258.Reader, l *labels.Label, s xep0258.Syntax) *labels.Label {
	t.Helper()
	e, err := xep0258.ElementWith(l, l.Policy(), xep0258.WriteOptions{Syntax: s, At: now, KeepPrivacyMark: true})
	if err != nil {
		t.Fatal(err)
	}
	wire, err := xmlstream.AppendElement(nil, parse(t, message("")).WithNodes(xmlstream.ElementNode(e)), "")
	if err != nil {
		t.Fatal(err)
	}
	f := r.Read(parse(t, string(wire)))
	if f.State != xep0258.Labelled || !f.Label.Equal(l) {
		t.Fatalf("%s came back as %v %v %s:\n%s", l, f.State, f.Label, f.Detail, wire)
	}
	return f.Label
}

func TestElement(t *testing.T) {
	reg := guard(t)
	f := xep0258.NewReader(reg).Read(parse(t, message(securityLabel("<displaymarking fgcolor='red'>lies</displaymarking>"+essLabel(" "+relGBR+"\n")))))
	tests := []struct {
		name string
		s    xep0258.Syntax
		want string
	}{
		{"ESS", xep0258.ESS, securityLabel("<displaymarking bgcolor='#00AAFF' fgcolor='black'>GUARD INTERNAL USE REL TO GBR</displaymarking>" + essLabel(relGBR))},
		{"4774", xep0258.STANAG4774, securityLabel("<displaymarking bgcolor='#00AAFF' fgcolor='black'>GUARD INTERNAL USE REL TO GBR</displaymarking>" +
			"<label><originatorConfidentialityLabel xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0' ReviewDateTime='2030-06-01T12:00:00Z'>" +
			"<ConfidentialityInformation>" + guardName + "<Classification>INTERNAL</Classification>" +
			"<Category TagName='Release' Type='PERMISSIVE' URI='urn:oid:2.999.258.1.3'><GenericValue>GBR</GenericValue></Category>" +
			"</ConfidentialityInformation><CreationDateTime>2025-06-01T12:00:00Z</CreationDateTime></originatorConfidentialityLabel></label>")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := xep0258.Element(f.Label, f.Policy, tt.s, now)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := xmlstream.AppendElement(nil, e, ""); err != nil || string(got) != tt.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, tt.want)
			}
		})
	}
	if _, err := xep0258.Element(nil, f.Policy, xep0258.ESS, now); err == nil {
		t.Error("a nil label was written")
	}
	if _, err := xep0258.Element(f.Label, f.Policy, xep0258.NoSyntax, now); err == nil {
		t.Error("no syntax was written")
	}
}
