package labelfile_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/labels/labelfile"
)

// What the files of a configuration may hold.
func TestFiles(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml", "acme/ACME-SPIF-example.xml", "spiffing/nato-4774-policy.xml")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	all := string(read(t, "ess/clearance-guard-all.ber"))
	clearances := []struct {
		name, path, want string // want "": refused
	}{
		{"octets", write("c.ber", all), "GUARD {UNMARKED|PUBLIC|INTERNAL|CONFIDENTIAL|SECRET|ANCIENT}"},
		{"base64", write("c.b64", base64.StdEncoding.EncodeToString([]byte(all))+"\n"), "GUARD {UNMARKED|PUBLIC|"},
		{"4774", filepath.Join("../testdata", "acme/c-mock-red.xml"), "ACME {PUBLIC|CONFIDENTIAL|INTERNAL} REL TO MOCK"},
		{"NATO member", filepath.Join("../testdata", "nato/c-gbr.xml"), "NATO {UNCLASSIFIED|RESTRICTED|CONFIDENTIAL|SECRET|TOP SECRET}"},
		{"default class list", filepath.Join("../testdata", "ess/clearance-guard-default-classlist.ber"), "GUARD {PUBLIC}"},
		{"empty class list", filepath.Join("../testdata", "ess/clearance-guard-empty-classlist.ber"), "GUARD {}"},
		{"value that the policy lacks", filepath.Join("../testdata", "nato/c-wsm.xml"), ""},
		{"a label", write("l.ber", string(read(t, "ess/label-guard-public.ber"))), ""},
		{"empty", write("empty", ""), ""},
		{"white space", write("white", " \n"), ""},
		{"not there", filepath.Join(dir, "none"), ""},
		{"neither", write("neither", "clearance = all"), ""},
		{"too large", write("large", strings.Repeat("A", 300<<10)), ""},
		{"broken XML", write("x.xml", "<ConfidentialityClearance"), ""},
	}
	for _, tt := range clearances {
		t.Run("clearance/"+tt.name, func(t *testing.T) {
			c, err := labelfile.LoadClearance(tt.path, reg, labelfile.Options{})
			if tt.want == "" {
				if err == nil || c != nil {
					t.Errorf("read as %v", c)
				}
				return
			}
			if err != nil || !strings.HasPrefix(c.String(), tt.want) {
				t.Errorf("got %v (%v), want %s", c, err, tt.want)
			}
		})
	}
	for _, tt := range []struct{ name, path, want string }{
		{"octets", filepath.Join("../testdata", "ess/label-guard-public.ber"), "GUARD PUBLIC"},
		{"base64", write("l.b64", "MQoCAQEGBYg3ggIB"), "GUARD PUBLIC"},
		{"4774", filepath.Join("../testdata", "acme/l-internal-red.xml"), "ACME INTERNAL RED"},
		{"trailing octets", filepath.Join("../testdata", "ess/label-guard-trailing.ber"), ""},
		{"a clearance", write("c2.ber", all), ""},
	} {
		t.Run("label/"+tt.name, func(t *testing.T) {
			l, err := labelfile.LoadLabel(tt.path, reg, labelfile.Options{})
			if tt.want == "" {
				if err == nil {
					t.Errorf("read as %v", l)
				}
				return
			}
			if err != nil || l.String() != tt.want {
				t.Errorf("got %v (%v), want %s", l, err, tt.want)
			}
		})
	}
}
