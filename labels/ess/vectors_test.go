package ess_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/ess"

	ber "github.com/go-asn1-ber/asn1-ber"
)

const data = "../testdata"

// vector is a row of ess-vectors.tsv.
type vector struct{ file, kind, policy, base64, meaning string }

func vectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, "ess-vectors.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var out []vector
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		f := strings.Split(line, "\t")
		out = append(out, vector{f[0], f[1], f[2], f[3], f[4]})
	}
	return out
}

func octets(t testing.TB, v vector) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(v.base64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// refused lists the vectors that are no label or clearance for us, with the code. Not loaded policies are a matter of
// the registry, not of the octets.
var refused = map[string]labels.Code{
	"ess/label-guard-trailing.ber":              labels.CodeSyntax,
	"ess/label-guard-truncated.ber":             labels.CodeSyntax,
	"ess/label-guard-noclass.ber":               labels.CodeSyntax,
	"ess/label-nopolicy.ber":                    labels.CodeSyntax,
	"ess/label-guard-negclass.ber":              labels.CodeSyntax,
	"ess/label-guard-dupfield.ber":              labels.CodeSyntax,
	"ess/label-guard-enum-pad0.ber":             labels.CodeSyntax, // INTEGER 00 03 3A is not even BER
	"ess/label-guard-unknown-category-type.ber": labels.CodeUnknown,
	"spiffing/label-1.ber":                      labels.CodeSyntax, // no policy
	"x509/rfc3114-label.ber":                    labels.CodeUnknown,
	"x509/rfc5755-clearance.ber":                labels.CodeUnknown,
}

// sameAs says which vector means the same as another one.
var sameAs = map[string]string{
	"ess/clearance-food-all-okay-3281.ber":            "ess/clearance-food-all-okay.ber",
	"ess/clearance-guard-all-3281.ber":                "ess/clearance-guard-all.ber",
	"ess/clearance-guard-secret-north-alpha-3281.ber": "ess/clearance-guard-secret-north-alpha.ber",
	"ess/clearance-uk-secret-uk-3281.ber":             "ess/clearance-uk-secret-uk.ber",
	"ess/label-guard-rel-gbr-ber-indefinite.ber":      "ess/label-guard-rel-gbr.ber",
	"ess/label-guard-rel-gbr-ber-longlen.ber":         "ess/label-guard-rel-gbr.ber",
	"ess/label-guard-implicit-value.ber":              "ess/label-guard-rel-gbr.ber",
	"ess/label-spiffing-water.ber":                    "ess/label-water.ber",
	"ess/label-spiffing-bacon.ber":                    "ess/label-bacon.ber",
	"ess/label-spiffing-milk-chocolate.ber":           "ess/label-milk-chocolate.ber",
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.file, func(t *testing.T) {
			switch v.kind {
			case "label":
				f, err := ess.ParseLabel(octets(t, v))
				check(t, v, err, func() []byte { return appendLabel(t, f) })
			case "clearance":
				f, err := ess.ParseClearance(octets(t, v))
				check(t, v, err, func() []byte { return appendClearance(t, f) })
			case "clearance constraints":
				if _, err := ess.ParseClearance(octets(t, v)); err == nil {
					t.Error("constraints were read as a clearance")
				}
				values, err := ess.ParseConstraints(octets(t, v))
				if err != nil || len(values) != 3 || values[0].Err == nil || values[1].Err != nil || values[2].Err != nil {
					t.Errorf("got %+v, %v", values, err)
				}
			default:
				t.Fatalf("kind %q", v.kind)
			}
		})
	}
}

// A decoder that we did not write takes every octet string that we take, and ends where we end.
func TestIndependentDecoder(t *testing.T) {
	for _, v := range vectors(t) {
		if _, no := refused[v.file]; no {
			continue
		}
		t.Run(v.file, func(t *testing.T) {
			p, err := ber.ReadPacket(bytes.NewReader(octets(t, v)))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(p.Children); n < 1 || n > 4 {
				t.Errorf("%d members", n)
			}
		})
	}
}

// check compares a reading with what the table says. DER with ACP-145 categories must come out as it went in.
func check(t *testing.T, v vector, err error, again func() []byte) {
	t.Helper()
	if code, no := refused[v.file]; no {
		le, ok := err.(*labels.Error)
		if !ok || le.Code != code {
			t.Errorf("got %v, want %s", err, code)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", v.meaning, err)
	}
	want := octets(t, v)
	if other := sameAs[v.file]; other != "" {
		i := slices.IndexFunc(vectors(t), func(o vector) bool { return o.file == other })
		want = octets(t, vectors(t)[i])
	} else if foreign(v) {
		return
	}
	if v.kind == "label" && strings.Contains(v.meaning, "(MISSI PRBAC)") {
		t.Fatal("a vector in SDN.801c is for TestSDN801c")
	}
	if got := again(); !bytes.Equal(got, want) {
		t.Errorf("written again:\ngot  %x\nwant %x", got, want)
	}
}

// foreign vectors are in a form that we read and do not write, and have no twin in the table.
func foreign(v vector) bool {
	return strings.Contains(v.meaning, "SDN.801c") || strings.Contains(v.meaning, "SSLPrivileges") ||
		strings.Contains(v.meaning, "BER, not DER") || strings.Contains(v.meaning, "PrintableString")
}

func appendLabel(t testing.TB, f labels.LabelForm) []byte {
	t.Helper()
	b, err := ess.AppendLabel(nil, numbersAs(f, labels.EnumRestrictive))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func appendClearance(t testing.TB, f labels.ClearanceForm) []byte {
	t.Helper()
	l := numbersAs(labels.LabelForm{Values: f.Values}, labels.EnumRestrictive)
	f.Values = l.Values
	b, err := ess.AppendClearance(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// numbersAs gives the numbers of SDN.801c a kind, as a policy would.
func numbersAs(f labels.LabelForm, k labels.Kind) labels.LabelForm {
	f.Values = slices.Clone(f.Values)
	for i := range f.Values {
		if f.Values[i].Kind == labels.Enumerated {
			f.Values[i].Kind = k
		}
	}
	return f
}
