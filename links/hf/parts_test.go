package hf_test

import (
	"math/rand/v2"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/compact"
	"sallyport/links/deflate"
)

// TestWhereBytesGo: what identifier and text of a chat cost in either coding: as many bytes as it is shorter without them. The rest is what
// says from whom to whom, the label, and the form of it all; nothing of that can be taken away without surprising a model.
func TestWhereBytesGo(t *testing.T) {
	l := lessons()
	cfg := figuresModes(t)
	zip := deflate.NewWriter(deflate.Config{Dictionary: l.known})
	coders := map[string]func(*xmlstream.Element) int{
		"compact": func(e *xmlstream.Element) int { return codedSize(t, cfg["compact-known-names"].Codec, e) },
		"stream": func(e *xmlstream.Element) int {
			id, _ := e.Attr("id")
			beside, lifted := deflate.AppendIdentifier(nil, id)
			if lifted {
				e = e.WithoutAttr(xmlstream.Name{Local: "id"})
			}
			b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
			if err != nil {
				t.Fatal(err)
			}
			f, err := zip.Append(nil, b)
			if err != nil {
				f = b
			}
			return len(beside) + len(f)
		},
	}
	parts := map[string]func(*xmlstream.Element) *xmlstream.Element{
		"id": func(e *xmlstream.Element) *xmlstream.Element { return e.WithoutAttr(xmlstream.Name{Local: "id"}) },
		"text": func(e *xmlstream.Element) *xmlstream.Element {
			return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
				if c.Local() == "body" {
					return c.WithNodes()
				}
				return c
			})
		},
	}
	most := map[string]map[string]float64{
		"compact": {"id": 10, "text": 15},
		"stream":  {"id": 12, "text": 25},
	}
	for name, size := range coders {
		w := writer{rand.New(rand.NewPCG(2, 2)), measuredPeople}
		var all []*xmlstream.Element
		for _, text := range texts(t) {
			all = append(all, w.chat(t, 0, text))
		}
		mean := func(change func(*xmlstream.Element) *xmlstream.Element) float64 {
			n := 0
			for _, e := range all {
				n += size(change(e))
			}
			return float64(n) / float64(len(all))
		}
		whole := mean(func(e *xmlstream.Element) *xmlstream.Element { return e })
		rest := whole
		for part, without := range parts {
			cost := whole - mean(without)
			rest -= cost
			t.Logf("%s: %s %.1f", name, part, cost)
			if cost > most[name][part] {
				t.Errorf("%s: %s takes %.1f bytes, want at most %.1f", name, part, cost, most[name][part])
			}
		}
		t.Logf("%s: whole %.1f, rest %.1f", name, whole, rest)
	}
}

func codedSize(t *testing.T, c *compact.Codec, e *xmlstream.Element) int {
	t.Helper()
	b, err := c.Encode(nil, e)
	if err != nil {
		t.Fatal(err)
	}
	return len(b)
}
