package spif_test

import (
	"testing"

	"sallyport/labels/spif"
)

func BenchmarkParse(b *testing.B) {
	for _, file := range []string{"guard/guard.spif.xml", "spiffing/nato-4774-policy.xml"} {
		text := []byte(readData(b, file))
		b.Run(file, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if p, problems := spif.Parse(file, text); p == nil {
					b.Fatal(problems)
				}
			}
		})
	}
}
