package xmlstream_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/xmlstream"
)

// TestPropertyRoundTrip writes random trees and reads them back, in every context that the writer knows.
func TestPropertyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGen(rapid.Uint64().Draw(t, "seed"))
		e := g.element(5)
		for _, ns := range []string{"", xmlstream.NSServer, xmlstream.NSClient} {
			b, err := xmlstream.AppendElement(nil, e, ns)
			if err != nil {
				t.Fatalf("in %q: %v", ns, err)
			}
			again, err := xmlstream.ParseDocument(b, xmlstream.Options{ContentNS: ns})
			if err != nil {
				t.Fatalf("in %q: %v\n%s", ns, err, b)
			}
			if !again.Equal(e) || !e.Equal(again) || !again.Clone().Equal(e) || dump(again) != dump(e) {
				t.Fatalf("in %q: another tree came back\n%s", ns, b)
			}
			if form := canonical(again, ns); form != string(b) {
				t.Fatalf("in %q: not stable\ngot  %s\nwant %s", ns, form, b)
			}
		}
	})
}

// TestPropertyJ13 writes one tree in many ways. All of them must become the same bytes.
func TestPropertyJ13(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGen(rapid.Uint64().Draw(t, "seed"))
		e := g.element(4)
		want := canonical(e, "")
		for range 4 {
			variant := g.scribble(e, nil)
			got, err := xmlstream.ParseDocument([]byte(variant), xmlstream.Options{})
			if err != nil {
				t.Fatalf("%v\n%q", err, variant)
			}
			if form := canonical(got, ""); form != want {
				t.Fatalf("got  %q\nwant %q\nfrom %q", form, want, variant)
			}
		}
	})
}

// TestPropertyWritable builds trees with impossible parts. What the writer takes, the reader takes.
func TestPropertyWritable(t *testing.T) {
	odd := []string{
		"", "a", "a b", ":", "a:b", "1", "\x00", "\xff", "\uFFFE", "xmlns", "xml", "<", "é\xc3", "\x1b[2J", xmlstream.NSXML, "http://www.w3.org/2000/xmlns/",
		"urn:x y", "urn:x\n", "urn:x ", " ", "jabber:server", strings.Repeat("n", 256), strings.Repeat("n", 257), strings.Repeat("n", 512), strings.Repeat("n", 513),
		strings.Repeat("n", 255), strings.Repeat("n", 70_000),
	}
	rapid.Check(t, func(t *rapid.T) {
		str := rapid.OneOf(rapid.SampledFrom(odd), rapid.SampledFrom([]string{"a", "b", "urn:a"}), rapid.String())
		name := rapid.Custom(func(t *rapid.T) xmlstream.Name {
			return xmlstream.Name{Space: str.Draw(t, "space"), Local: str.Draw(t, "local")}
		})
		attr := rapid.Custom(func(t *rapid.T) xmlstream.Attr {
			return xmlstream.Attr{Name: name.Draw(t, "name"), Value: str.Draw(t, "value")}
		})
		attrs := rapid.SliceOfN(attr, 0, 70)
		var e *xmlstream.Element
		for range rapid.IntRange(1, 70).Draw(t, "depth") {
			n := xmlstream.Name{Local: "a"}
			if rapid.Bool().Draw(t, "odd") {
				n = name.Draw(t, "name")
			}
			var own []xmlstream.Attr
			if rapid.Bool().Draw(t, "attributes") {
				own = attrs.Draw(t, "attrs")
			}
			e = xmlstream.NewElement(n, own, xmlstream.TextNode(str.Draw(t, "text")), xmlstream.ElementNode(e))
		}
		ns := rapid.SampledFrom([]string{"", xmlstream.NSServer, xmlstream.NSClient}).Draw(t, "ns")
		b, err := xmlstream.AppendElement([]byte("before"), e, ns)
		if err != nil {
			if string(b) != "before" {
				t.Fatalf("something was left behind: %q", b)
			}
			return
		}
		again, err := xmlstream.ParseDocument(b[len("before"):], xmlstream.Options{ContentNS: ns})
		if err != nil || !again.Equal(e) {
			t.Fatalf("%v\n%q", err, b)
		}
	})
}

// TestWriterRefuses has one tree for each reason.
func TestWriterRefuses(t *testing.T) {
	a := xmlstream.Name{Local: "a"}
	el := func(n xmlstream.Name, attrs ...xmlstream.Attr) *xmlstream.Element {
		return xmlstream.NewElement(n, attrs)
	}
	deep := el(a)
	for range 64 {
		deep = xmlstream.NewElement(a, nil, xmlstream.ElementNode(deep))
	}
	kids := make([]xmlstream.Node, 4097)
	for i := range kids {
		kids[i] = xmlstream.ElementNode(el(a))
	}
	full := xmlstream.NewElement(a, nil, kids[:4096]...)
	dense := xmlstream.NewElement(a, nil, slices.Repeat([]xmlstream.Node{xmlstream.ElementNode(full)}, 10)...)
	spaces := make([]xmlstream.Attr, 64)
	for i := range spaces {
		spaces[i] = xmlstream.Attr{Name: xmlstream.Name{Space: "urn:" + itoa(int64(i)), Local: "a"}}
	}
	for name, e := range map[string]*xmlstream.Element{
		"nil":               nil,
		"zero":              {},
		"no name":           el(xmlstream.Name{}),
		"colon":             el(xmlstream.Name{Local: "p:a"}),
		"digit":             el(xmlstream.Name{Local: "1"}),
		"text":              xmlstream.NewElement(a, nil, xmlstream.TextNode("\x1b")),
		"not UTF-8":         xmlstream.NewElement(a, nil, xmlstream.TextNode("\xff")),
		"value":             el(a, xmlstream.Attr{Name: a, Value: "\uFFFF"}),
		"twice":             el(a, xmlstream.Attr{Name: a}, xmlstream.Attr{Name: xmlstream.Name{Local: "b"}}, xmlstream.Attr{Name: a}),
		"xmlns":             el(a, xmlstream.Attr{Name: xmlstream.Name{Local: "xmlns"}, Value: "urn:x"}),
		"xmlns prefix":      el(a, xmlstream.Attr{Name: xmlstream.Name{Space: "http://www.w3.org/2000/xmlns/", Local: "p"}, Value: "urn:x"}),
		"namespace":         el(xmlstream.Name{Space: "urn:\nx", Local: "a"}),
		"deep":              deep,
		"children":          xmlstream.NewElement(a, nil, kids...),
		"dense":             dense,
		"long":              xmlstream.NewElement(a, nil, xmlstream.TextNode(strings.Repeat("x", 512<<10))),
		"long when escaped": xmlstream.NewElement(a, nil, xmlstream.TextNode(strings.Repeat(">", 200<<10))),
		"declarations":      el(xmlstream.Name{Space: "urn:own", Local: "a"}, spaces...),
		"attributes":        el(a, append([]xmlstream.Attr{{Name: a}}, spaces...)...),
		"poisoned child":    xmlstream.NewElement(a, nil, xmlstream.ElementNode(el(xmlstream.Name{Local: " "}))),
		"huge name":         el(xmlstream.Name{Local: strings.Repeat("n", 70_000)}),
		"huge attribute":    el(a, xmlstream.Attr{Name: xmlstream.Name{Local: strings.Repeat("n", 70_000)}}),
	} {
		if b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer); err == nil || len(b) > 0 {
			t.Errorf("%s: wrote %.100q", name, b)
		}
	}
}
