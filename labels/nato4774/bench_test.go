package nato4774_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
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

// BenchmarkYardstick makes tokens of the same text with encoding/xml, and reads nothing in them.
func BenchmarkYardstick(b *testing.B) {
	for _, bm := range []struct{ name, text string }{
		{"class", boundLabel},
		{"every part", good},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d := xml.NewDecoder(strings.NewReader(bm.text))
				for {
					if _, err := d.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
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
