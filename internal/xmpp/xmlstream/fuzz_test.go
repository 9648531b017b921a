package xmlstream_test

import (
	"bytes"
	"encoding/xml"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"sallyport/internal/xmpp/xmlstream"
)

// FuzzDecode wants the same events for every split, and of each element read that it is written in one stable form.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		before, message("<body>a &amp; b<![CDATA[<]]></body>"), "</stream:stream>", message("<x xmlns='urn:x' xmlns:p='urn:p' p:a='1'>\r\n</x>"),
		message(strings.Repeat("<a>", 30)), "<stream:features/>", " \n", "&lt;", "<a b=\"&#xD;\t\"/>é", "<!DOCTYPE", message("<b>\xEB</b>"),
	} {
		f.Add([]byte(s), uint64(1))
	}
	o := xmlstream.Options{ContentNS: xmlstream.NSServer, Limits: xmlstream.Limits{ElementBytes: 600, OversizeFactor: 1, WhitespaceBytes: 100, Depth: 12, Bindings: 12}}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		for _, in := range [][]byte{slices.Concat([]byte(benchHeader), b), b} {
			whole := play(o, in, pieces(1<<30))
			rnd := rand.New(rand.NewPCG(seed, 1))
			for _, next := range []func() int{pieces(1), func() int { return 1 + rnd.IntN(16) }} {
				if got := play(o, in, next); strings.Join(got, "\n") != strings.Join(whole, "\n") {
					t.Fatalf("the split changes the outcome\ngot  %q\nwant %q", got, whole)
				}
			}
			for _, form := range whole.elements() {
				e, err := xmlstream.ParseDocument([]byte(form), xmlstream.Options{ContentNS: xmlstream.NSServer})
				if err != nil {
					t.Fatalf("%v\n%q", err, form)
				}
				if again := canonical(e, xmlstream.NSServer); again != form {
					t.Fatalf("not stable\ngot  %q\nwant %q", again, form)
				}
			}
		}
	})
}

// FuzzDocument uses encoding/xml and etree as cheap oracles: what we accept they accept, and see the same names and text.
func FuzzDocument(f *testing.F) {
	g := newGen(3)
	for range 20 {
		doc := g.scribble(g.element(3), nil)
		f.Add([]byte(doc))
		f.Add([]byte(g.mutate(doc)))
	}
	// encoding/xml leaves white space in attributes as it is
	blank := strings.NewReplacer(`\t`, " ", `\n`, " ", `\r`, " ")
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := xmlstream.ParseDocument(b, xmlstream.Options{})
		if err != nil {
			return
		}
		std, err := dumpStd(xml.NewDecoder(bytes.NewReader(b)))
		if err != nil {
			t.Fatalf("encoding/xml refuses what we accept: %v\n%q", err, b)
		}
		if got, want := blank.Replace(dump(e)), blank.Replace(std); got != want {
			t.Fatalf("encoding/xml sees another tree\ngot\n%s\nwant\n%s\n%q", got, want, b)
		}
		doc := etree.NewDocument()
		doc.ReadSettings.PreserveDuplicateAttrs = true
		if err := doc.ReadFromBytes(b); err != nil {
			t.Fatalf("etree refuses what we accept: %v\n%q", err, b)
		}
		sameAsEtree(t, e, doc.Root())
	})
}

func sameAsEtree(t *testing.T, e *xmlstream.Element, o *etree.Element) {
	if o == nil || o.Tag != e.Local() || o.NamespaceURI() != e.Space() && o.Space != "xml" {
		t.Fatalf("etree sees %v, we see %v", o, e.Name())
	}
	var children []*xmlstream.Element
	for c := range e.Children() {
		children = append(children, c)
	}
	if len(children) != len(o.ChildElements()) {
		t.Fatalf("etree sees %d children in %s, we see %d", len(o.ChildElements()), e.Local(), len(children))
	}
	for i, c := range o.ChildElements() {
		sameAsEtree(t, children[i], c)
	}
}
