package spif_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sallyport/labels/spif"
)

// Every policy file of the test data: whether it loads, strictly and leniently, and what is said of it, as "line rule",
// with "!" where it refuses the file. Cases 70, 71 and 72 of the facts are among them.
func TestEveryPolicyFile(t *testing.T) {
	tests := []struct {
		file, id        string // id: where it loads at all
		strict, lenient []string
	}{
		{"guard/guard.spif.xml", "2.999.258.1", nil, nil},
		{"guard/partner.spif.xml", "2.999.258.2", nil, nil},
		{"spiffing/nato-4774-policy.xml", "1.3.26.1.3.1", nil, nil},
		{"spiffing/tlp-plus.xml", "1.2.826.0.1.6726289.0.1", nil, nil},
		{"spiffing/tlp.xml", "1.2.826.0.1.6726289.0.2", nil, nil},
		{"spiffing/uk-demo.xml", "1.2.826.0.1.6726289.0.4", nil, nil},
		{"acme/MOCK.spif.xml", "1.3.6.1.4.1.31778.120.1", nil, nil},
		{"fixed/ACME-SPIF-example.xml", "1.3.6.1.4.1.31778.110.1", nil, nil},
		{"fixed/food-policy-missi.xml", "1.2.826.0.1.6726289.0.0", nil, nil},
		// Two equivalences in no namespace: without effect, or read.
		{
			"acme/ACME-SPIF-example.xml", "1.3.6.1.4.1.31778.110.1",
			[]string{"46 namespace", "59 namespace"},
			[]string{"46 namespace", "59 namespace"},
		},
		// One value is typed by users.
		{"fixed/bsi-commercial.xml", "1.2.826.0.1.6726289.0.3", []string{"27 user-input"}, []string{"27 user-input"}},
		// No namespace at all.
		{"fixed/food-policy.xml", "1.2.826.0.1.6726289.0.0", []string{"1 root!"}, []string{"1 namespace"}},
		// A category excludes a class twice; a marking code stands where none belongs.
		{"spiffing/food-policy-borked.xml", "", []string{"1 root!"}, []string{"1 namespace", "5 element!", "35 excluded-class!"}},
		// Not well-formed: an end tag is misspelt; the file ends early.
		{"spiffing/food-policy.xml", "", []string{"81 xml!"}, []string{"81 xml!"}},
		{"spiffing/food-policy-missi.xml", "", []string{"85 xml!"}, []string{"85 xml!"}},
		{"spiffing/bsi-commercial.xml", "", []string{"54 xml!"}, []string{"54 xml!"}},
	}
	seen := map[string]bool{}
	for _, tt := range tests {
		seen[tt.file] = true
		for how, want := range map[bool][]string{false: tt.strict, true: tt.lenient} {
			t.Run(fmt.Sprintf("%s/lenient=%v", tt.file, how), func(t *testing.T) {
				p, problems := spif.LoadWith(spif.Options{AnyNamespace: how}, filepath.Join(data, tt.file))
				refused := slices.ContainsFunc(want, func(s string) bool { return strings.HasSuffix(s, "!") })
				if (p == nil) != refused || p != nil && p.ID() != tt.id {
					t.Errorf("got %v, want %q", p, tt.id)
				}
				var got []string
				for _, q := range problems {
					s := fmt.Sprintf("%d %s", q.Line, q.Rule)
					if !q.Warning {
						s += "!"
					}
					got = append(got, s)
					if q.File != filepath.Join(data, tt.file) || q.Text == "" {
						t.Errorf("%+v", q)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %q, want %q: %v", got, want, problems)
				}
			})
		}
	}
	err := filepath.WalkDir(data, func(path string, _ fs.DirEntry, err error) error {
		name, _ := filepath.Rel(data, path)
		if err == nil && strings.HasSuffix(name, ".xml") && !seen[filepath.ToSlash(name)] &&
			strings.Contains(readData(t, name), "securityPolicyId") {
			t.Errorf("%s is a policy file without a row", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoPolicyFile(t *testing.T) {
	tests := []struct{ file, rule string }{
		{"not-there.xml", "file"},
		{".", "file"},
		{"guard/l-public.xml", "root"},
		{"expected.tsv", "xml"},
		{"ess/label-water.ber", "encoding"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			for _, o := range []spif.Options{{}, {AnyNamespace: true}} {
				p, problems := spif.LoadWith(o, filepath.Join(data, tt.file))
				if p != nil || len(problems) != 1 || problems[0].Rule != tt.rule || problems[0].Warning {
					t.Errorf("%v: %v, %v", o, p, problems)
				}
			}
		})
	}
}
