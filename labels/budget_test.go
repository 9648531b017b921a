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

func BenchmarkTranslate(b *testing.B) {
	guard, partner := policyFile(b, guardFile), policyFile(b, "guard/partner.spif.xml")
	l := mustLabel(b, guard, "guard/l-internal-rel-gbr.xml")
	tr, _ := labels.NewTranslator(guard, partner, labels.Outbound, labels.TranslatorOptions{})
	b.ReportAllocs()
	for b.Loop() {
		if tr.Translate(l, today).Label() == nil {
			b.Fatal("not translated")
		}
	}
}

func BenchmarkMarkingAt(b *testing.B) {
	p := policyFile(b, "spiffing/nato-4774-policy.xml")
	l := mustLabel(b, p, "spiffing/nato-4774-17-1.xml")
	for _, place := range []labels.Place{labels.PageBottom, labels.FirstLineOfText} {
		b.Run(place.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p.MarkingAt(l, place, "fr").Text == "" {
					b.Fatal("no marking")
				}
			}
		})
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
