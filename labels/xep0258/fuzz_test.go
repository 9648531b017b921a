package xep0258_test

import (
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels/xep0258"
)

// What is accepted, written in any syntax that can say it and read again is an equal label, and what is remembered
// answers as what is not; nothing panics.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(data, "xmpp", "*.xml"))
	if err != nil || len(files) == 0 {
		f.Fatal("no corpus")
	}
	for _, file := range files {
		f.Add(readData(f, filepath.Join("xmpp", filepath.Base(file))))
	}
	public, internal := stanag(guardName, "PUBLIC", ""), stanag(guardName, "INTERNAL", category("PERMISSIVE", "Release", "GBR", "FRA"))
	for _, inside := range []string{
		essLabel(bravo), essLabel(unknownType), internal, "<label/>", binding("", original(public), alternative(internal)),
		unknownSyntax + equivalent(essLabel(publicESS)) + equivalent(public), ismLabel("classification='U' ownerProducer='USA'"),
		ismLabel("classification='S' ownerProducer='USA' disseminationControls='REL' releasableTo='USA GBR'"),
		"<displaymarking fgcolor='red' bgcolor='#123456'>GUARD SECRET</displaymarking>" + public,
	} {
		f.Add([]byte(message(securityLabel(inside))))
	}
	f.Add([]byte(message("<forwarded xmlns='urn:xmpp:forward:0'>" + message(securityLabel(essLabel(publicESS))) + "</forwarded>")))
	f.Add([]byte(strings.ReplaceAll(message(securityLabel(essLabel(publicESS))), "message", "presence")))
	reg := guard(f)
	o := xep0258.Options{ICISM: ism(), TrustEquivalents: []string{guardID}, Lenient: true, Succession: true}
	warm := xep0258.NewReaderWith(reg, o)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
		if err != nil {
			return
		}
		got, cold := warm.ReadAt(e, now), xep0258.NewReaderWith(reg, o).ReadAt(e, now)
		if got.State != cold.State || got.Refusal != cold.Refusal || !got.Label.Equal(cold.Label) || got.Source != cold.Source || got.Syntax != cold.Syntax {
			t.Fatalf("remembered %v %v, fresh %v %v", got.State, got.Label, cold.State, cold.Label)
		}
		if (got.State == xep0258.Labelled) != (got.Label != nil) {
			t.Fatalf("%v with label %v", got.State, got.Label)
		}
		if _, ok := got.Digest(); got.State == xep0258.Labelled && !ok {
			t.Fatal("a label without a digest")
		}
		if got.State != xep0258.Labelled {
			return
		}
		for _, s := range []xep0258.Syntax{xep0258.ESS, xep0258.STANAG4774, xep0258.SDN801c, xep0258.ICISM} {
			sl, err := xep0258.ElementWith(got.Label, got.Policy, xep0258.WriteOptions{Syntax: s, At: now, KeepPrivacyMark: true, ICISM: ism()})
			if err != nil {
				continue // not every syntax can say everything
			}
			text, err := xmlstream.AppendElement(nil, sl, "")
			if err != nil {
				continue
			}
			again, err := xmlstream.ParseDocument(text, xmlstream.Options{Limits: xmlstream.ServerLimits()})
			if err != nil {
				t.Fatal(err)
			}
			if f := xep0258.NewReaderWith(reg, o).ReadLabel(again); f.State != xep0258.Labelled || !f.Label.Equal(got.Label) {
				t.Fatalf("%v %+v came back as %v %v %s\n%s", s, got.Label.Form(), f.State, f.Label.Form(), f.Detail, text)
			}
		}
	})
}
