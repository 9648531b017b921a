package labels_test

import (
	"strings"
	"testing"

	"sallyport/labels"
)

// TestClearanceMarking: the reference library's own rendering, where it is one of the clearance alone.
func TestClearanceMarking(t *testing.T) {
	ps := policies{}
	for _, line := range strings.Split(strings.TrimSpace(string(readData(t, "expected.tsv"))), "\n")[1:] {
		f := strings.Split(line, "\t")
		switch {
		case f[13] == "-":
		case f[5] == "food/c-nothing.xml", f[5] == "guard/c-nil.xml": // no classification: the library makes one up
		default:
			p := ps.get(t, f[3])
			if got := mustClearance(t, p, f[5]).Marking(""); got != f[13] {
				t.Errorf("%s\ngot  %q\nwant %q", f[5], got, f[13])
			}
		}
	}
	var none *labels.Clearance
	if got := none.Marking(""); got != "" {
		t.Errorf("no clearance is shown as %q", got)
	}
}

// TestClearanceString: a clearance in logs is the marking behind the name of its policy.
func TestClearanceString(t *testing.T) {
	p := policyFile(t, guardFile)
	c := mustClearance(t, p, "guard/c-all.xml")
	if got, want := c.String(), "GUARD "+c.Marking(""); got != want || !strings.Contains(want, "//ALPHA BRAVO") {
		t.Errorf("got %q, want %q", got, want)
	}
	var none *labels.Clearance
	if got := none.String(); got != "no clearance" {
		t.Errorf("no clearance is shown as %q", got)
	}
	if got := labels.NewClearance(labels.ClearanceForm{Policy: "2.999.1"}).String(); got != "clearance under policy 2.999.1" {
		t.Errorf("one without a policy is shown as %q", got)
	}
}

func TestRGB(t *testing.T) {
	for _, c := range []struct {
		in      string
		r, g, b uint8
		ok      bool
	}{
		{"white", 255, 255, 255, true},
		{"fuschia", 255, 0, 255, true},
		{"Navy", 0, 0, 128, true},
		{"#00AAFF", 0, 0xAA, 255, true},
		{"#00AAF", 0, 0, 0, false},
		{"00AAFF0", 0, 0, 0, false},
		{"gold", 0, 0, 0, false}, // not of the schema
		{"", 0, 0, 0, false},
	} {
		if r, g, b, ok := labels.RGB(c.in); r != c.r || g != c.g || b != c.b || ok != c.ok {
			t.Errorf("%q is %d %d %d %v", c.in, r, g, b, ok)
		}
	}
}
