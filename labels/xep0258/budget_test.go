package xep0258_test

import (
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// Budget: a label that was read before costs nothing, whatever its syntax; so does one that was written before.
func TestRepeatedLabelAllocatesNothing(t *testing.T) {
	reg := guard(t)
	r := xep0258.NewReader(reg)
	var w xep0258.Writer
	for name, inside := range map[string]string{
		"ESS":  "<displaymarking>GUARD INTERNAL USE REL TO GBR</displaymarking>" + essLabel(relGBR),
		"4774": stanag(guardName, "INTERNAL", category("PERMISSIVE", "Release", "GBR")),
	} {
		first, again := parse(t, message(securityLabel(inside))), parse(t, message(securityLabel(inside)))
		r.Read(first)
		n := testing.AllocsPerRun(100, func() {
			f := r.Read(again)
			if f.State != xep0258.Labelled {
				t.Fatal(f.Detail)
			}
			if _, err := w.Element(f.Label, f.Policy, xep0258.STANAG4774, now); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, budget 0", name, n)
		}
	}
}

// Budget: the options of writing and the digest of reading cost nothing a second time either.
func TestRepeatedOptionsAllocateNothing(t *testing.T) {
	reg := guard(t, "guard/partner.spif.xml")
	r := xep0258.NewReaderWith(reg, xep0258.Options{ICISM: ism()})
	var w xep0258.Writer
	equivalents := []*labels.Label{labelOf(t, reg, labels.LabelForm{Policy: "2.999.258.2", Class: 1})}
	m := parse(t, message(securityLabel(ismLabel("classification='U' ownerProducer='USA'")+equivalent(essLabel(publicESS)))))
	n := testing.AllocsPerRun(100, func() {
		f := r.ReadAt(m, now)
		if _, ok := f.Digest(); !ok || f.Syntax != xep0258.ICISM || f.Source != xep0258.FromLabel {
			t.Fatal(f.Detail)
		}
		o := xep0258.WriteOptions{Syntax: xep0258.STANAG4774, Lang: "fr", Equivalents: equivalents, At: now}
		if _, err := w.ElementWith(f.Label, f.Policy, o); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, budget 0", n)
	}
}

func BenchmarkRead(b *testing.B) {
	reg := guard(b)
	for name, inside := range map[string]string{
		"ess":  "<displaymarking>GUARD INTERNAL USE REL TO GBR</displaymarking>" + essLabel(relGBR),
		"4774": stanag(guardName, "INTERNAL", category("PERMISSIVE", "Release", "GBR")),
	} {
		m := parse(b, message(securityLabel(inside)))
		b.Run(name+"/repeated", func(b *testing.B) {
			r := xep0258.NewReader(reg)
			b.ReportAllocs()
			for b.Loop() {
				if r.Read(m).State != xep0258.Labelled {
					b.Fatal("refused")
				}
			}
		})
		b.Run(name+"/first", func(b *testing.B) {
			b.ReportAllocs()
			r := xep0258.NewReader(reg)
			big := parse(b, message(securityLabel(inside+strings.Repeat(" ", 5000)))) // too large to be remembered
			for b.Loop() {
				if r.Read(big).State != xep0258.Labelled {
					b.Fatal("refused")
				}
			}
		})
	}
}
