package labelproof_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
)

// The numbered cases of the label rules. The decisions are in testdata/decisions.tsv; what is loaded, shown and
// translated is in the tables below. Every name begins with the number.

const data = "../../labels/testdata"

// tableDay is the day the tables are judged at: after category FOXTROT of the policy GUARD ended.
var tableDay = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

var readOptions = labelfile.Options{Debug: true, Lenient: true}

// everything is one registry with every policy of the test data.
var everything = sync.OnceValues(func() (*labels.Registry, error) {
	var ps []*labels.Policy
	for _, file := range []string{
		"guard/guard.spif.xml", "guard/partner.spif.xml", "fixed/food-policy.xml", "spiffing/tlp-plus.xml", "spiffing/tlp.xml",
		"spiffing/uk-demo.xml", "spiffing/nato-4774-policy.xml", "fixed/ACME-SPIF-example.xml", "acme/MOCK.spif.xml",
	} {
		p, _ := spif.LoadWith(spif.Options{AnyNamespace: true}, filepath.Join(data, file))
		ps = append(ps, p)
	}
	return labels.NewRegistry(ps...)
})

func registry(t testing.TB) *labels.Registry {
	t.Helper()
	reg, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func loadLabel(t testing.TB, file string) (*labels.Label, error) {
	t.Helper()
	return labelfile.LoadLabel(filepath.Join(data, file), registry(t), readOptions)
}

func mustLoad(t testing.TB, file string) *labels.Label {
	t.Helper()
	l, err := loadLabel(t, file)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestNumberedDecisions is 1 to 69: both answers and what they make together.
func TestNumberedDecisions(t *testing.T) {
	text, err := os.ReadFile("testdata/decisions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	if len(rows) != 69 {
		t.Fatalf("%d rows, want 69", len(rows))
	}
	for _, row := range rows {
		f := strings.Split(row, "\t")
		t.Run(f[0]+" "+f[1]+" x "+f[2], func(t *testing.T) {
			is, access, decision := judge(t, f[1], f[2])
			if is != f[3] || access != f[4] || decision != f[5] {
				t.Errorf("label %s, access %s, decision %s; want %s, %s, %s: %s", is, access, decision, f[3], f[4], f[5], f[6])
			}
		})
	}
}

func judge(t *testing.T, label, clearance string) (is, access, decision string) {
	t.Helper()
	l, err := loadLabel(t, label)
	if err != nil {
		return "label-error", "-", "block"
	}
	c, err := labelfile.LoadClearance(filepath.Join(data, clearance), registry(t), readOptions)
	if err != nil {
		return "clearance-error", "-", "block"
	}
	is, access, decision = "invalid", "deny", "block"
	valid, granted := l.Policy().Validate(l, tableDay).Granted, l.Policy().Decide(l, c).Granted
	if valid {
		is = "valid"
	}
	if granted {
		access = "grant"
	}
	if valid && granted {
		decision = "allow"
	}
	return is, access, decision
}

// TestNumberedPolicies is 70 to 72: what a policy is refused for.
func TestNumberedPolicies(t *testing.T) {
	rows := []struct{ number, file, rule, words string }{
		{"70", "spiffing/food-policy-borked.xml", "excluded-class", "twice"},
		{"71", "spiffing/food-policy.xml", "xml", "not well-formed"},
		{"71", "spiffing/food-policy-missi.xml", "xml", "not well-formed"},
		{"72", "spiffing/bsi-commercial.xml", "xml", "not well-formed"},
	}
	for _, row := range rows {
		t.Run(row.number+" "+row.file, func(t *testing.T) {
			p, problems := spif.LoadWith(spif.Options{AnyNamespace: true}, filepath.Join(data, row.file))
			if p != nil {
				t.Fatal("it was loaded")
			}
			if !slices.ContainsFunc(problems, func(q spif.Problem) bool { return q.Rule == row.rule && strings.Contains(q.Text, row.words) }) {
				t.Errorf("problems %v, want one of %s with %q", problems, row.rule, row.words)
			}
		})
	}
}

// TestNumberedReading is 73 to 82: what the binary syntaxes read as.
func TestNumberedReading(t *testing.T) {
	t.Run("73 policy 1.1 is unknown", func(t *testing.T) {
		if _, err := loadLabel(t, "spiffing/stupid-label.ber"); err == nil || !strings.Contains(err.Error(), "policy-unknown") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("74 an empty file and none", func(t *testing.T) {
		if _, err := labelfile.Parse(nil, registry(t), readOptions); err == nil {
			t.Error("nothing was read as something")
		}
		if _, err := loadLabel(t, "spiffing/no-such-file"); err == nil {
			t.Error("a file that is not there was read")
		}
	})
	t.Run("75 members in BER order", func(t *testing.T) {
		if f := form(t, "spiffing/label-3.ber"); f.Policy != "1.1" || f.Class != 3 {
			t.Errorf("%+v", f)
		}
	})
	t.Run("76 no policy is no label", func(t *testing.T) {
		f, err := labelfile.Load(filepath.Join(data, "spiffing/label-1.ber"), registry(t), readOptions)
		if err == nil && f.Labels[0].Err == nil {
			t.Errorf("read as %+v", f.Labels[0].Form)
		}
	})
	t.Run("77 clearance of a certificate", func(t *testing.T) {
		cert, err := labelfile.Load(filepath.Join(data, "x509/rfc5755-cert-with-clearance.pem"), registry(t), readOptions)
		if err != nil {
			t.Fatal(err)
		}
		// Its category syntax is the text of RFC 3114, which nobody can compare: unreadable both ways, never half read.
		_, fileErr := ess.ParseClearance(read(t, "x509/rfc5755-clearance.ber"))
		if len(cert.Clearances) != 1 || cert.Clearances[0].Err == nil || fileErr == nil {
			t.Fatalf("certificate %+v, file %v", cert.Clearances, fileErr)
		}
		if got, want := cert.Clearances[0].Err.Error(), fileErr.Error(); !strings.Contains(got, want) && !strings.Contains(want, got) {
			t.Errorf("the certificate says %q, the value alone %q", got, want)
		}
	})
	t.Run("78 label of a signed message", func(t *testing.T) {
		for _, name := range []string{"rfc3114", "rfc2634"} {
			cms, err := labelfile.Load(filepath.Join(data, "x509", name+"-signed-with-label.pem"), registry(t), readOptions)
			if err != nil {
				t.Fatal(err)
			}
			alone, aloneErr := ess.ParseLabel(read(t, "x509/"+name+"-label.ber"))
			if len(cms.Labels) != 1 || (cms.Labels[0].Err == nil) != (aloneErr == nil) {
				t.Fatalf("%s: message %+v, label alone %v", name, cms.Labels, aloneErr)
			}
			if aloneErr == nil && !equalForms(cms.Labels[0].Form, alone) {
				t.Errorf("%s: message %+v, label alone %+v", name, cms.Labels[0].Form, alone)
			}
		}
	})
	t.Run("81 base64 without padding", func(t *testing.T) {
		short, err1 := labelfile.Parse([]byte("MQYCAQMGASk"), registry(t), readOptions)
		long, err2 := labelfile.Parse([]byte("MQYCAQMGASk="), registry(t), readOptions)
		if err1 != nil || err2 != nil || !equalForms(short.Labels[0].Form, long.Labels[0].Form) || long.Labels[0].Form.Class != 3 {
			t.Errorf("%v %v", err1, err2)
		}
	})
}

// TestNumberedTwins is 79 and 80: two encodings, one meaning.
func TestNumberedTwins(t *testing.T) {
	pairs := 0
	for _, pattern := range []string{"label-spiffing-", "-3281"} {
		files, _ := filepath.Glob(filepath.Join(data, "ess", "*"+pattern+"*"))
		for _, file := range files {
			twin := strings.Replace(strings.Replace(file, "label-spiffing-", "label-", 1), "-3281", "", 1)
			pairs++
			t.Run(filepath.Base(file), func(t *testing.T) {
				a, errA := labelfile.Load(file, registry(t), readOptions)
				b, errB := labelfile.Load(twin, registry(t), readOptions)
				if errA != nil || errB != nil {
					t.Fatal(errA, errB)
				}
				if len(a.Labels) == 1 {
					if !equalForms(a.Labels[0].Form, b.Labels[0].Form) {
						t.Errorf("%+v and %+v", a.Labels[0].Form, b.Labels[0].Form)
					}
					return
				}
				x, errX := a.Clearance(registry(t))
				y, errY := b.Clearance(registry(t))
				if errX != nil || errY != nil || !x.Equal(y) {
					t.Errorf("%v and %v (%v, %v)", x, y, errX, errY)
				}
			})
		}
	}
	if pairs < 7 {
		t.Errorf("%d pairs", pairs)
	}
}

// TestNumberedRoundTrip is 82: every readable label goes to STANAG 4774 and back to ESS without a change.
func TestNumberedRoundTrip(t *testing.T) {
	n := 0
	for _, dir := range []string{"acme", "ess", "food", "guard", "nato", "spiffing", "tlp", "uk"} {
		files, _ := filepath.Glob(filepath.Join(data, dir, "*"))
		for _, file := range files {
			l, err := labelfile.LoadLabel(file, registry(t), readOptions)
			if err != nil {
				continue
			}
			n++
			t.Run(filepath.Join(dir, filepath.Base(file)), func(t *testing.T) {
				at := l
				for _, s := range []labelfile.Syntax{labelfile.ESS, labelfile.STANAG4774, labelfile.SDN801c, labelfile.XEP0258, labelfile.Spiffing, labelfile.ESSDER} {
					if s == labelfile.SDN801c && mixedNumbers(at) {
						continue // the syntax cannot say whether a number restricts or permits
					}
					if at.Form().PrivacyMark != "" && (s == labelfile.Spiffing || s == labelfile.XEP0258) {
						continue // the one has no place for it, the other does not pass it on
					}
					b, err := labelfile.AppendLabel(nil, at, s, labelfile.WriteOptions{At: tableDay})
					if err != nil {
						t.Fatalf("%s: %v", s, err)
					}
					f, err := labelfile.Parse(b, registry(t), readOptions)
					if err != nil {
						t.Fatalf("%s: %v", s, err)
					}
					if at, err = f.Label(registry(t)); err != nil {
						t.Fatalf("%s: %v\n%s", s, err, b)
					}
				}
				if want := l.Form(); !equalForms(at.Form(), want) {
					t.Errorf("%+v became %+v", want, at.Form())
				}
			})
		}
	}
	if n < 90 {
		t.Errorf("%d labels were readable", n)
	}
}

// mixedNumbers says whether a tag set of the label's policy has restrictive and permissive numbers.
func mixedNumbers(l *labels.Label) bool {
	kinds := map[string]map[labels.Kind]bool{}
	for _, tag := range l.Policy().Tags() {
		if tag.Kind == labels.EnumRestrictive || tag.Kind == labels.EnumPermissive {
			if kinds[tag.TagSet] == nil {
				kinds[tag.TagSet] = map[labels.Kind]bool{}
			}
			kinds[tag.TagSet][tag.Kind] = true
		}
	}
	for _, v := range l.Form().Values {
		if len(kinds[v.TagSet]) > 1 {
			return true
		}
	}
	return false
}

func form(t *testing.T, file string) labels.LabelForm {
	t.Helper()
	f, err := labelfile.Load(filepath.Join(data, file), registry(t), readOptions)
	if err != nil || len(f.Labels) != 1 || f.Labels[0].Err != nil {
		t.Fatalf("%s: %+v, %v", file, f, err)
	}
	return f.Labels[0].Form
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, file))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}

func equalForms(a, b labels.LabelForm) bool {
	key := func(vs []labels.Value) map[labels.Value]bool {
		out := map[labels.Value]bool{}
		for _, v := range vs {
			out[v] = true
		}
		return out
	}
	x, y := key(a.Values), key(b.Values)
	if len(x) != len(y) || a.Policy != b.Policy || a.Class != b.Class || a.PrivacyMark != b.PrivacyMark {
		return false
	}
	for v := range x {
		if !y[v] {
			return false
		}
	}
	return true
}
