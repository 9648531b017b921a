package catalogue_test

import (
	"path/filepath"
	"testing"

	"sallyport/labels/catalogue"
	"sallyport/labels/labelfile"
)

// The work for one request: 200 labels of a large policy for five parties, and writing what is left.
func BenchmarkAnswer(b *testing.B) {
	reg := registry(b, "spiffing/nato-4774-policy.xml")
	p := reg.Policies()[0]
	c, err := catalogue.FromPolicy(p, catalogue.Generate{At: now})
	if err != nil {
		b.Fatal(err)
	}
	nation, err := labelfile.LoadClearance(filepath.Join(data, "nato/c-gbr.xml"), reg, labelfile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s := judged(b, nation)
	f := catalogue.Filter{At: now, Sender: s, Service: s, Peer: s, Link: s, Recipient: s}
	b.Run("for", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.For(f)
		}
	})
	b.Run("yardstick", func(b *testing.B) { // every label asked about for every party, and nothing else
		b.ReportAllocs()
		for b.Loop() {
			for _, i := range c.Items {
				if !p.Validate(i.Label, now).Granted {
					b.Fatal("not valid")
				}
				for range 5 {
					p.Decide(i.Label, nation)
				}
			}
		}
	})
	b.Run("element", func(b *testing.B) {
		b.ReportAllocs()
		few := c.For(f)
		for b.Loop() {
			element(b, few, writing)
		}
	})
}
