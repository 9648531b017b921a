package xep0258_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/icism"
	"sallyport/labels/xep0258"
)

// ism is the mapping of the XEP's illustration to the guard policy.
func ism() *icism.Mapping {
	return &icism.Mapping{
		Namespace: "http://example.gov/IC-ISM/0", Element: "icismlabel", Plain: true, Policy: "GUARD", Owners: []string{"USA"},
		Classes: map[string]string{"U": "PUBLIC", "C": "CONFIDENTIAL", "S": "INTERNAL"},
		Values: []icism.ValueMapping{
			{Attribute: "releasableTo", Token: "*", TagSet: "Release", Type: "permissive"},
			{Attribute: "releasableTo", Token: "USA", Discard: true},
		},
	}
}

func ismLabel(attributes string) string {
	return "<label><icismlabel xmlns='http://example.gov/IC-ISM/0' " + attributes + "/></label>"
}

// original and alternative turn what stanag writes into bare elements.
func original(label string) string {
	return strings.NewReplacer("<label>", "", "</label>", "").Replace(label)
}

func alternative(label string) string {
	return strings.ReplaceAll(original(label), "originatorC", "alternativeC")
}

func binding(before string, metadata ...string) string {
	out := "<label><BindingInformation xmlns='urn:nato:stanag:4778:bindinginformation:1:0'>" + before
	for _, m := range metadata {
		out += "<MetadataBindingContainer><MetadataBinding><Metadata>" + m + "</Metadata><DataReference URI=''/></MetadataBinding></MetadataBindingContainer>"
	}
	return out + "</BindingInformation></label>"
}

const (
	unknownName   = "<PolicyIdentifier URI='urn:oid:2.999.7'>NOBODY</PolicyIdentifier>"
	unknownSyntax = "<label><x xmlns='urn:x'/></label>"
)

// TestPayloads: every syntax, which part of the securitylabel spoke, and what refuses.
func TestPayloads(t *testing.T) {
	public, internal := stanag(guardName, "PUBLIC", ""), stanag(guardName, "INTERNAL", "")
	nobody := stanag(unknownName, "OPEN", "")
	signature := "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>"
	tests := []struct {
		name, inside string
		source       string
		syntax       xep0258.Syntax
		marking      string // "": refused
		code         labels.Code
	}{
		{"ESS", essLabel(publicESS), "label", xep0258.ESS, "GUARD PUBLIC", 0},
		{"4774", public, "label", xep0258.STANAG4774, "GUARD PUBLIC", 0},
		{"IC-ISM", ismLabel("classification='U' ownerProducer='USA'"), "label", xep0258.ICISM, "GUARD PUBLIC", 0},
		{"IC-ISM released", ismLabel("classification='S' ownerProducer='USA' disseminationControls='REL' releasableTo='USA GBR'"), "label", xep0258.ICISM, "GUARD INTERNAL USE REL TO GBR", 0},
		{"IC-ISM without a mapping for a word", ismLabel("classification='S' ownerProducer='USA' disseminationControls='NF'"), "label", xep0258.ICISM, "", labels.CodeUnknown},
		{"IC-ISM that contradicts itself", ismLabel("classification='S' ownerProducer='USA' disseminationControls='REL'"), "label", xep0258.ICISM, "", labels.CodeMismatch},
		{"IC-ISM, a broken one is not replaced", ismLabel("classification='S' ownerProducer='USA' disseminationControls='REL'") + equivalent(essLabel(publicESS)), "label", xep0258.ICISM, "", labels.CodeMismatch},
		{"binding", binding("", original(public)), "label", xep0258.STANAG4778, "GUARD PUBLIC", 0},
		{"binding with an alternative that nobody asks", binding("", original(internal), alternative(public)), "label", xep0258.STANAG4778, "GUARD INTERNAL USE", 0},
		{"binding, the alternative stands in", binding("", original(nobody), alternative(public)), "equivalent 1", xep0258.STANAG4778, "GUARD PUBLIC", 0},
		{"binding, after an equivalent that is nothing", binding("", original(nobody), alternative(public)) + equivalent(nobody), "equivalent 2", xep0258.STANAG4774, "GUARD PUBLIC", 0},
		{"binding, alternative and equivalent differ", binding("", original(nobody), alternative(public)) + equivalent(internal), "label", xep0258.STANAG4778, "", labels.CodeMismatch},
		{"binding, alternatives differ", binding("", original(nobody), alternative(public), alternative(internal)), "label", xep0258.STANAG4778, "", labels.CodeMismatch},
		{"binding with two originators", binding("", original(public), original(internal)), "label", xep0258.STANAG4778, "", labels.CodeSyntax},
		{"binding with none", binding("", alternative(public)), "label", xep0258.STANAG4778, "", labels.CodeSyntax},
		{"binding of nothing", binding(""), "label", xep0258.STANAG4778, "", labels.CodeSyntax},
		{"binding, signed", binding(signature, original(public)), "label", xep0258.STANAG4778, "", labels.CodeUnknown},
		{"binding, signed, is not replaced", binding(signature, original(public)) + equivalent(essLabel(publicESS)), "label", xep0258.STANAG4778, "", labels.CodeUnknown},
		{"another element of bindings", "<label><MetadataBinding xmlns='urn:nato:stanag:4778:bindinginformation:1:0'/></label>", "label", 0, "", labels.CodeSyntax},
		{"equivalent in a binding", unknownSyntax + equivalent(binding("", original(public))), "equivalent 1", xep0258.STANAG4778, "GUARD PUBLIC", 0},
		{"equivalent in a binding of two", unknownSyntax + equivalent(binding("", original(public), alternative(public))), "label", 0, "", labels.CodeSyntax},
		{"third equivalent", unknownSyntax + equivalent(unknownSyntax) + equivalent(nobody) + equivalent(essLabel(publicESS)), "equivalent 3", xep0258.ESS, "GUARD PUBLIC", 0},
		{"IC-ISM equivalent", unknownSyntax + equivalent(ismLabel("classification='U' ownerProducer='USA'")), "equivalent 1", xep0258.ICISM, "GUARD PUBLIC", 0},
		{"binding marked higher", "<displaymarking>GUARD SECRET</displaymarking>" + binding("", original(public)), "label", xep0258.STANAG4778, "", labels.CodeMismatch},
		{"unknown syntax", unknownSyntax, "label", 0, "", labels.CodeUnknown},
		{"two labels", essLabel(publicESS) + essLabel(publicESS), "none", 0, "", labels.CodeSyntax},
	}
	r := xep0258.NewReaderWith(guard(t), xep0258.Options{ICISM: ism(), TrustEquivalents: []string{guardID}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, message(securityLabel(tt.inside)))
			for range 2 { // the second time out of what is remembered
				f := r.Read(m)
				if tt.marking == "" {
					wantCode(t, f, tt.code)
				} else if f.State != xep0258.Labelled || f.Label.String() != tt.marking {
					t.Fatalf("got %v %q %s", f.State, f.Label, f.Detail)
				}
				if f.Source.String() != tt.source || tt.syntax != 0 && f.Syntax != tt.syntax && f.Source.Equivalent() == 0 {
					t.Errorf("source %v, syntax %v", f.Source, f.Syntax)
				}
				if !f.Received().Equal(m.Child(xep0258.NS, "securitylabel")) {
					t.Error("what was received is not kept")
				}
			}
		})
	}
	f := xep0258.NewReader(guard(t)).Read(parse(t, message(securityLabel(ismLabel("classification='U' ownerProducer='USA'")))))
	wantCode(t, f, labels.CodeUnknown)
	f = r.Read(parse(t, message(securityLabel("<label/>"))))
	if f.State != xep0258.UseDefault || f.Source != xep0258.FromEmpty || f.Source.String() != "empty" {
		t.Errorf("empty: %v %v", f.State, f.Source)
	}
}

// TestSuccession: a successor counts from its date on; a less strict one only where somebody wants it.
func TestSuccession(t *testing.T) {
	successor := func(first, date, second string) string {
		end := "<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime></originator"
		inner := original(stanag(guardName, second, ""))
		inner = inner[strings.Index(inner, "<ConfidentialityInformation>"):strings.Index(inner, "</originator")]
		return strings.Replace(stanag(guardName, first, ""), end, "<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime><SuccessionHandling><SuccessionDateTime>"+
			date+"</SuccessionDateTime><SuccessorConfidentialityLabel>"+inner+"</SuccessorConfidentialityLabel></SuccessionHandling></originator", 1)
	}
	past, future := now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)
	for _, tt := range []struct {
		name, inside     string
		at               time.Time
		downwards        bool
		marking, replace string
	}{
		{"stricter, its time has come", successor("PUBLIC", past, "INTERNAL"), now, false, "GUARD INTERNAL USE", "GUARD PUBLIC"},
		{"stricter, not yet", successor("PUBLIC", future, "INTERNAL"), now, false, "GUARD PUBLIC", "no label"},
		{"no time", successor("PUBLIC", past, "INTERNAL"), time.Time{}, false, "GUARD PUBLIC", "no label"},
		{"less strict", successor("INTERNAL", past, "PUBLIC"), now, false, "GUARD INTERNAL USE", "no label"},
		{"less strict, wanted", successor("INTERNAL", past, "PUBLIC"), now, true, "GUARD PUBLIC", "GUARD INTERNAL USE"},
		{"less strict, wanted, not yet", successor("INTERNAL", future, "PUBLIC"), now, true, "GUARD INTERNAL USE", "no label"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := xep0258.NewReaderWith(guard(t), xep0258.Options{Succession: tt.downwards})
			m := parse(t, message(securityLabel(tt.inside)))
			for _, at := range []time.Time{now.AddDate(-1, 0, 0), tt.at} { // what was read at another time is not remembered
				f := r.ReadAt(m, at)
				if at == tt.at && (f.State != xep0258.Labelled || f.Label.String() != tt.marking || f.Replaced.String() != tt.replace) {
					t.Errorf("got %v %v, replaced %v (%s)", f.State, f.Label, f.Replaced, f.Detail)
				}
			}
		})
	}
}

func TestDigest(t *testing.T) {
	r := xep0258.NewReader(guard(t))
	sum := func(text string) ([sha256.Size]byte, bool) { return r.Read(parse(t, text)).Digest() }
	sl := securityLabel(essLabel(publicESS))
	b, err := xmlstream.AppendElement(nil, parse(t, sl), "")
	if err != nil {
		t.Fatal(err)
	}
	first, ok := sum(message(sl))
	if !ok || first != sha256.Sum256(b) {
		t.Errorf("got %x %v", first, ok)
	}
	for name, tt := range map[string]struct {
		text  string
		same  bool
		there bool
	}{
		"again":                 {message(sl), true, true},
		"written another way":   {strings.ReplaceAll(message(sl), "'", `"`), true, true},
		"one blank more":        {message(strings.Replace(sl, publicESS, publicESS+" ", 1)), false, true},
		"refused":               {message(securityLabel(unknownSyntax)), false, true},
		"broken":                {message(securityLabel("x")), false, true},
		"in an error":           {strings.Replace(message(sl), "<message ", "<message type='error' ", 1), true, true},
		"empty":                 {message(securityLabel("<label/>")), false, true},
		"none":                  {message(""), false, false},
		"two":                   {message(sl + sl), false, false},
		"in presence":           {strings.ReplaceAll(message(sl), "message", "presence"), false, false},
		"too large to remember": {message(securityLabel(essLabel(publicESS) + strings.Repeat(" ", 5000))), false, true},
	} {
		got, ok := sum(tt.text)
		if ok != tt.there || (got == first) != tt.same {
			t.Errorf("%s: %x %v", name, got, ok)
		}
	}
	var none xep0258.Found
	if _, ok := none.Digest(); ok || none.Received() != nil {
		t.Error("nothing has a digest")
	}
}
