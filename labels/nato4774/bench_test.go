package nato4774_test

import (
	"testing"
	"time"

	"sallyport/labels/nato4774"
)

func BenchmarkParseLabel(b *testing.B) {
	reg := registry(b)
	for _, bm := range []struct{ name, text string }{
		{"class", boundLabel},
		{"every part", good},
	} {
		e := parse(b, bm.text)
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := nato4774.ParseLabel(e, reg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBuildLabel(b *testing.B) {
	reg := registry(b)
	f, err := nato4774.ParseLabel(parse(b, good), reg)
	if err != nil {
		b.Fatal(err)
	}
	l, err := reg.Label(f)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nato4774.BuildLabel(l, time.Unix(1e9, 0)); err != nil {
			b.Fatal(err)
		}
	}
}
