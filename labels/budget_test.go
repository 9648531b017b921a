package labels_test

import (
	"testing"

	"sallyport/labels"
)

// Budget: validating and granting allocate nothing.
func TestGrantedAllocatesNothing(t *testing.T) {
	for _, tt := range []struct{ policy, label, clearance string }{
		{guardFile, "guard/l-internal-bravo-charlie.xml", "guard/c-all.xml"},
		{"spiffing/nato-4774-policy.xml", "spiffing/nato-4774-17-1.xml", "nato/c-gbr-codes.xml"},
	} {
		p := policyFile(t, tt.policy)
		l, c := mustLabel(t, p, tt.label), mustClearance(t, p, tt.clearance)
		n := testing.AllocsPerRun(100, func() {
			if !p.Validate(l, today).Granted || !p.Decide(l, c).Granted {
				t.Fatal("not granted")
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, budget 0", tt.label, n)
		}
	}
}

// Budget: finding a clearance and comparing two labels allocate nothing; wrapped content is compared on every stanza.
func TestMeaningAllocatesNothing(t *testing.T) {
	p := policyFile(t, guardFile)
	set, err := labels.NewClearanceSet(mustClearance(t, p, "guard/c-all.xml"))
	if err != nil {
		t.Fatal(err)
	}
	outer, inner := mustLabel(t, p, "guard/l-internal-rel-gbr.xml"), mustLabel(t, p, "guard/l-internal-rel-fra-gbr.xml")
	n := testing.AllocsPerRun(100, func() {
		if set.For(p.ID()) == nil || !outer.Dominates(inner) {
			t.Fatal("not found or not dominated")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, budget 0", n)
	}
}
