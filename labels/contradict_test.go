package labels_test

import (
	"strings"
	"testing"

	"sallyport/labels"
)

// A label that was read under an earlier version of its policy is judged like any other.
func TestContradictsAfterReload(t *testing.T) {
	before := policyFile(t, guardFile)
	l := mustLabel(t, before, "guard/l-public.xml")
	text := string(readData(t, guardFile))
	same, less := parsePolicy(t, text), parsePolicy(t, strings.Replace(text, `name="PUBLIC" color="lime" lacv="1"`, `name="PUBLIC" color="lime" lacv="77"`, 1))
	for _, tt := range []struct {
		name    string
		p       *labels.Policy
		marking string
		want    bool
	}{
		{"higher", same, "GUARD SECRET", true},
		{"its own", same, "GUARD PUBLIC", false},
		{"the classification is gone", less, "GUARD PUBLIC, twice", true},
		{"no policy", nil, "GUARD SECRET", false},
		{"another policy", policyFile(t, "guard/partner.spif.xml"), "PARTNER SEALED", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.Contradicts(l, tt.marking); got != tt.want {
				t.Errorf("Contradicts(%s, %q) = %v", l, tt.marking, got)
			}
		})
	}
}
