package labels_test

import "testing"

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

func BenchmarkDecide(b *testing.B) {
	for _, tt := range []struct{ name, policy, label, clearance string }{
		{"guard", guardFile, "guard/l-internal-bravo-charlie.xml", "guard/c-all.xml"},
		{"nato", "spiffing/nato-4774-policy.xml", "spiffing/nato-4774-17-1.xml", "nato/c-gbr-codes.xml"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			p := policyFile(b, tt.policy)
			l, c := mustLabel(b, p, tt.label), mustClearance(b, p, tt.clearance)
			b.ReportAllocs()
			for b.Loop() {
				if !p.Validate(l, today).Granted || !p.Decide(l, c).Granted {
					b.Fatal("not granted")
				}
			}
		})
	}
}
