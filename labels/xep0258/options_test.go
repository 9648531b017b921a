package xep0258_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
)

func labelOf(t testing.TB, reg *labels.Registry, f labels.LabelForm) *labels.Label {
	t.Helper()
	l, err := reg.Label(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestWriteOptions(t *testing.T) {
	reg := guard(t, "guard/partner.spif.xml", "spiffing/tlp.xml")
	gbr := labels.Value{TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: 826}
	titan := labels.Value{TagSet: "2.999.258.1.5", Kind: labels.EnumRestrictive, LACV: 1}
	marked := labelOf(t, reg, labels.LabelForm{Policy: guardID, Class: 2, Values: []labels.Value{gbr}, PrivacyMark: "CLEAR"})
	plain := labelOf(t, reg, labels.LabelForm{Policy: guardID, Class: 2, Values: []labels.Value{gbr}})
	project := labelOf(t, reg, labels.LabelForm{Policy: guardID, Class: 2, Values: []labels.Value{titan}})
	partner := labelOf(t, reg, labels.LabelForm{Policy: "2.999.258.2", Class: 1, PrivacyMark: "FREE TEXT"})
	display := func(text string) string {
		return "<displaymarking bgcolor='#00AAFF' fgcolor='black'>" + text + "</displaymarking>"
	}
	english := display("GUARD INTERNAL USE REL TO GBR")
	partnerESS := "MQoCAQEGBYg3ggIC"
	tests := []struct {
		name string
		l    *labels.Label
		o    xep0258.WriteOptions
		want string // "": refused
	}{
		{"privacy mark dropped", marked, xep0258.WriteOptions{Syntax: xep0258.ESS}, english + essLabel(relGBR)},
		{"privacy mark kept", marked, xep0258.WriteOptions{Syntax: xep0258.ESS, KeepPrivacyMark: true}, display("GUARD INTERNAL USE REL TO GBR (CLEAR)") +
			essLabel("MTMCAQIGBYg3ggIBDAVDTEVBUjEgMB6ACmCGSAFlAgEIAwGhEDAOBgaIN4ICAQMxBAICAzo=")},
		{"French", plain, xep0258.WriteOptions{Syntax: xep0258.ESS, Lang: "fr-CA"}, display("GUARD USAGE INTERNE REL TO GBR") + essLabel(relGBR)},
		{"a language without markings", plain, xep0258.WriteOptions{Syntax: xep0258.ESS, Lang: "ja"}, english + essLabel(relGBR)},
		{"equivalent", plain, xep0258.WriteOptions{Syntax: xep0258.ESS, Equivalents: []*labels.Label{partner}}, english + essLabel(relGBR) + equivalent(essLabel(partnerESS))},
		{"IC-ISM with an equivalent", plain, xep0258.WriteOptions{Syntax: xep0258.ICISM, ICISM: ism(), Equivalents: []*labels.Label{partner}}, english +
			ismLabel("classification='S' ownerProducer='USA' disseminationControls='REL' releasableTo='USA GBR'") + equivalent(essLabel(partnerESS))},
		{"4778 is written bare", plain, xep0258.WriteOptions{Syntax: xep0258.STANAG4778, At: now}, english + written(guardName, "INTERNAL", writtenGBR)},
		{"4774 with an alternative", plain, xep0258.WriteOptions{Syntax: xep0258.STANAG4774, At: now, Equivalents: []*labels.Label{partner}}, english + written(guardName, "INTERNAL", writtenGBR) +
			equivalent(strings.ReplaceAll(written("<PolicyIdentifier URI='urn:oid:2.999.258.2'>PARTNER</PolicyIdentifier>", "OPEN", ""), "originatorC", "alternativeC"))},
		{"SDN.801c", project, xep0258.WriteOptions{Syntax: xep0258.SDN801c}, display("GUARD INTERNAL USE TITAN") + essLabel("MTACAQIGBYg3ggIBMSQwIoAJYIZIAWUCAQgBoRUxEzARBgaIN4ICAQUwB6IFMQMCAQE=")},
		{"equivalent under the same policy", plain, xep0258.WriteOptions{Syntax: xep0258.ESS, Equivalents: []*labels.Label{project}}, ""},
		{"two equivalents under one policy", plain, xep0258.WriteOptions{Syntax: xep0258.ESS, Equivalents: []*labels.Label{partner, partner}}, ""},
		{"no equivalent", plain, xep0258.WriteOptions{Syntax: xep0258.ESS, Equivalents: []*labels.Label{nil}}, ""},
		{"nine equivalents", plain, xep0258.WriteOptions{Syntax: xep0258.ESS, Equivalents: make([]*labels.Label, 9)}, ""},
		{"IC-ISM without a mapping", plain, xep0258.WriteOptions{Syntax: xep0258.ICISM}, ""},
		{"IC-ISM, no word for a value", project, xep0258.WriteOptions{Syntax: xep0258.ICISM, ICISM: ism()}, ""},
		{"IC-ISM cannot keep a privacy mark", marked, xep0258.WriteOptions{Syntax: xep0258.ICISM, ICISM: ism(), KeepPrivacyMark: true}, ""},
		{"no label", nil, xep0258.WriteOptions{Syntax: xep0258.ESS}, ""},
		{"no syntax", plain, xep0258.WriteOptions{}, ""},
	}
	var w xep0258.Writer
	r := xep0258.NewReaderWith(reg, xep0258.Options{ICISM: ism()})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := xep0258.ElementWith(tt.l, tt.l.Policy(), tt.o)
			for range 2 {
				again, err2 := w.ElementWith(tt.l, tt.l.Policy(), tt.o)
				if (err == nil) != (err2 == nil) || !again.Equal(e) && tt.o.At.IsZero() {
					t.Errorf("the writer that remembers says %v %v", again, err2)
				}
			}
			if tt.want == "" {
				if err == nil {
					t.Error("was written")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := xmlstream.AppendElement(nil, e, "")
			if err != nil {
				t.Fatal(err)
			}
			if !e.Equal(parse(t, securityLabel(tt.want))) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			f := r.Read(parse(t, message(string(got))))
			if f.State != xep0258.Labelled || f.Label.ClassName() != tt.l.ClassName() {
				t.Errorf("read again: %v %v %s", f.State, f.Label, f.Detail)
			}
		})
	}
}

// written is what STANAG 4774 looks like when we write it at the time now.
func written(policy, class, rest string) string {
	return strings.NewReplacer("1:0'>", "1:0' ReviewDateTime='2030-06-01T12:00:00Z'>", "2025-01-01T00", "2025-06-01T12").Replace(stanag(policy, class, rest))
}

const writtenGBR = "<Category TagName='Release' Type='PERMISSIVE' URI='urn:oid:2.999.258.1.3'><GenericValue>GBR</GenericValue></Category>"

// Each option is part of what the writer remembers by.
func TestWriterTellsApart(t *testing.T) {
	reg := guard(t, "guard/partner.spif.xml")
	l := labelOf(t, reg, labels.LabelForm{Policy: guardID, Class: 2, PrivacyMark: "CLEAR"})
	partner := labelOf(t, reg, labels.LabelForm{Policy: "2.999.258.2", Class: 1})
	var w xep0258.Writer
	seen := map[string]string{}
	for name, o := range map[string]xep0258.WriteOptions{
		"ESS": {Syntax: xep0258.ESS}, "kept": {Syntax: xep0258.ESS, KeepPrivacyMark: true}, "French": {Syntax: xep0258.ESS, Lang: "fr"},
		"equivalent": {Syntax: xep0258.ESS, Equivalents: []*labels.Label{partner}}, "IC-ISM": {Syntax: xep0258.ICISM, ICISM: ism()},
		"4774": {Syntax: xep0258.STANAG4774, At: now}, "next day": {Syntax: xep0258.STANAG4774, At: now.Add(24 * time.Hour)},
	} {
		for range 2 {
			e, err := w.ElementWith(l, l.Policy(), o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			text, err := xmlstream.AppendElement(nil, e, "")
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[string(text)]; ok && other != name {
				t.Errorf("%s is written as %s", name, other)
			}
			seen[string(text)] = name
		}
	}
	if len(seen) != 7 {
		t.Errorf("%d elements of 7 options", len(seen))
	}
}
