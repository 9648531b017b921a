package labels_test

import (
	"testing"

	"sallyport/labels"
)

func BenchmarkDecide(b *testing.B) {
	for _, tt := range granted {
		b.Run(tt.name, func(b *testing.B) {
			p := policyFile(b, tt.policy)
			l, c := mustLabel(b, p, tt.label), mustClearance(b, p, tt.clearance)
			b.ReportAllocs()
			for b.Loop() {
				if !p.Decide(l, c).Granted {
					b.Fatal("not granted")
				}
			}
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	for _, tt := range granted {
		b.Run(tt.name, func(b *testing.B) {
			p := policyFile(b, tt.policy)
			l := mustLabel(b, p, tt.label)
			b.ReportAllocs()
			for b.Loop() {
				if !p.Validate(l, today).Granted {
					b.Fatal("not valid")
				}
			}
		})
	}
}

// granted are a label with two categories and one with many, and clearances that cover them.
var granted = []struct{ name, policy, label, clearance string }{
	{"guard", guardFile, "guard/l-internal-bravo-charlie.xml", "guard/c-all.xml"},
	{"nato", "spiffing/nato-4774-policy.xml", "spiffing/nato-4774-17-1.xml", "nato/c-gbr-codes.xml"},
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

// asMaps is a clearance as one would first write it down.
type asMaps struct {
	classes map[uint32]bool
	values  map[labels.Value]bool
}

func mapsOf(c *labels.Clearance) asMaps {
	m := asMaps{map[uint32]bool{}, map[labels.Value]bool{}}
	f := c.Form()
	for _, class := range f.Classes {
		m.classes[class] = true
	}
	for _, v := range f.Values {
		m.values[v] = true
	}
	return m
}

// covers decides with a look-up for every value: all restrictive ones, and one of the permissive ones of each tag set.
func (m asMaps) covers(f *labels.LabelForm) bool {
	if !m.classes[f.Class] {
		return false
	}
	set, held := "", true
	for _, v := range f.Values { // in the order of tag sets
		switch v.Kind.Type() {
		case labels.TypeRestrictive:
			if !m.values[v] {
				return false
			}
		case labels.TypePermissive:
			if v.TagSet != set && !held {
				return false
			}
			set, held = v.TagSet, m.values[v] || held && v.TagSet == set
		}
	}
	return held
}

// BenchmarkYardstick is the same work done plainly: decisions with maps, a translation by a map of values.
func BenchmarkYardstick(b *testing.B) {
	for _, tt := range granted {
		b.Run("decide/"+tt.name, func(b *testing.B) {
			p := policyFile(b, tt.policy)
			f, m := mustLabel(b, p, tt.label).Form(), mapsOf(mustClearance(b, p, tt.clearance))
			b.ReportAllocs()
			for b.Loop() {
				if !m.covers(&f) {
					b.Fatal("not granted")
				}
			}
		})
	}
	b.Run("translate", func(b *testing.B) {
		guard, partner := policyFile(b, guardFile), policyFile(b, "guard/partner.spif.xml")
		l := mustLabel(b, guard, "guard/l-internal-rel-gbr.xml")
		tr, _ := labels.NewTranslator(guard, partner, labels.Outbound, labels.TranslatorOptions{})
		to, classes := tr.Translate(l, today).Label().Form(), map[uint32]uint32{2: 2}
		values := map[labels.Value][]labels.Value{l.Form().Values[0]: to.Values}
		b.ReportAllocs()
		for b.Loop() {
			f := l.Form()
			made := labels.LabelForm{Policy: partner.ID(), Class: classes[f.Class]}
			for _, v := range f.Values {
				made.Values = append(made.Values, values[v]...)
			}
			if _, err := partner.Label(made); err != nil {
				b.Fatal(err)
			}
		}
	})
}
