package ess_test

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/spif"
)

// registry has every policy that the vectors are under, but for the one of SDN.801c, which has the same identifier as
// the food policy and differs in the syntaxes it names.
func registry(t testing.TB) *labels.Registry {
	t.Helper()
	var ps []*labels.Policy
	for _, file := range []string{
		"guard/guard.spif.xml", "guard/partner.spif.xml", "spiffing/nato-4774-policy.xml", "spiffing/tlp-plus.xml",
		"spiffing/uk-demo.xml", "fixed/food-policy.xml", "fixed/ACME-SPIF-example.xml",
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

// Rows 73 to 76: files that hold a label we can read and have no policy for, or no label.
func TestRows73To76(t *testing.T) {
	reg := registry(t)
	tests := []struct {
		name, file string
		parsed     labels.Code // of the octets
		resolved   labels.Code // under the policies
		class      uint32
	}{
		{"row 73 policy 1.1 is unknown", "spiffing/stupid-label.ber", 0, labels.CodePolicy, 51},
		{"row 75 members not in DER order", "spiffing/label-3.ber", 0, labels.CodePolicy, 3},
		{"row 76 no policy", "spiffing/label-1.ber", labels.CodeSyntax, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ess.ParseLabel(file(t, tt.file))
			if code(err) != tt.parsed {
				t.Fatalf("got %v, want %s", err, tt.parsed)
			}
			if tt.parsed != 0 {
				return
			}
			if f.Policy != "1.1" || f.Class != tt.class {
				t.Errorf("got %+v", f)
			}
			if _, err := reg.Label(f); code(err) != tt.resolved {
				t.Errorf("got %v, want %s", err, tt.resolved)
			}
		})
	}
	t.Run("row 74 empty file", func(t *testing.T) {
		if _, err := ess.ParseLabel(nil); code(err) != labels.CodeSyntax {
			t.Errorf("got %v", err)
		}
	})
}

// Row 79: what other encoders write means the same as what we write. Row 80: so do the two taggings of a clearance.
func TestRows79And80(t *testing.T) {
	n, reg := 0, registry(t)
	for _, v := range vectors(t) {
		other := strings.NewReplacer("label-spiffing-", "label-", "label-missi-", "label-", "-3281", "").Replace(v.file)
		if other == v.file {
			continue
		}
		n++
		t.Run(v.file, func(t *testing.T) {
			if v.kind == "label" {
				a, b := resolved(t, reg, v), resolved(t, reg, named(t, other))
				if !a.Equal(b) {
					t.Errorf("%s means %v, %s means %v", v.file, a, other, b)
				}
				return
			}
			a, err := ess.ParseClearance(octets(t, v))
			if err != nil {
				t.Fatal(err)
			}
			b, err := ess.ParseClearance(octets(t, named(t, other)))
			if err != nil {
				t.Fatal(err)
			}
			ca, err := reg.Clearance(a)
			if err != nil {
				t.Fatal(err)
			}
			if cb, err := reg.Clearance(b); err != nil || !ca.Equal(cb) {
				t.Errorf("%s means %v, %s means %v (%v)", v.file, ca, other, cb, err)
			}
		})
	}
	if n < 10 {
		t.Errorf("%d pairs", n)
	}
}

func resolved(t testing.TB, reg *labels.Registry, v vector) *labels.Label {
	t.Helper()
	f, err := ess.ParseLabel(octets(t, v))
	if err != nil {
		t.Fatal(err)
	}
	l, err := reg.Label(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Row 81 is about base64; the octets behind it are the same. See package xep0258 for the text.
func TestRow81(t *testing.T) {
	b, err := base64.RawStdEncoding.DecodeString("MQYCAQMGASk")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := ess.ParseLabel(b); err != nil || f.Policy != "1.1" || f.Class != 3 {
		t.Errorf("got %+v, %v", f, err)
	}
}

// The text categories of RFC 3114 are known to nobody here: the label and the clearance that have one are unreadable
// under every policy, and never a label with a category less.
func TestTextCategories(t *testing.T) {
	if f, err := ess.ParseLabel(file(t, "x509/rfc3114-label.ber")); code(err) != labels.CodeUnknown {
		t.Errorf("label: %+v, %v", f, err)
	}
	if f, err := ess.ParseClearance(file(t, "x509/rfc5755-clearance.ber")); code(err) != labels.CodeUnknown {
		t.Errorf("clearance: %+v, %v", f, err)
	}
}
