package labelproof_test

import (
	"path/filepath"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/labelfile"
)

// TestNumberedMarkings is 83 to 94.
func TestNumberedMarkings(t *testing.T) {
	rows := []struct{ number, file, lang, want string }{
		{"83", "spiffing/food-label-milk-chocolate.xml", "", "[ Food Sweet/Yummy Chocolate Brown Contains Lactose Not Vegan Animal Rights ]"},
		{"84", "spiffing/food-label-water.xml", "", "[ Food FREE British Flag ]"},
		{"85", "spiffing/tlpx-amber-eu.xml", "", "TLPX:AMBER J:EU"},
		{"86", "spiffing/tlpx-green-sh-na.xml", "", "TLPX:GREEN J:SafeHarbour Do not action"},
		{"87", "spiffing/nato-4774-17-1.xml", "", "NATO UNCLASSIFIED Releasable to ISAF, KFOR, RESOLUTE SUPPORT"},
		{"88", "spiffing/nato-4774-17-1.xml", "fr", "NATO SANS CLASSIFICATION Communicable a ISAF, KFOR, RESOLUTE SUPPORT"},
		{"88", "spiffing/nato-4774-17-1.xml", "fr-CA", "NATO SANS CLASSIFICATION Communicable a ISAF, KFOR, RESOLUTE SUPPORT"},
		{"89", "spiffing/nato-4774-17-2.xml", "", "NATO UNCLASSIFIED"},
		{"90", "spiffing/nato-4774-17-3.xml", "", "NATO UNCLASSIFIED - STAFF"},
		{"91", "spiffing/nato-4774-17-4.xml", "", "NATO RESTRICTED Releasable to Japan, Switzerland, Ukraine"},
		{"91", "spiffing/nato-4774-17-4.xml", "en", "NATO RESTRICTED Releasable to Japan, Switzerland, Ukraine"},
		{"91", "spiffing/nato-4774-17-4.xml", "en-GB", "NATO RESTRICTED Releasable to Japan, Switzerland, Ukraine"},
		{"92", "spiffing/nato-4774-17-6.xml", "", "NATO/KFOR CONFIDENTIAL Ireland, Sweden, Ukraine, NATO ONLY"},
		{"92", "spiffing/nato-4774-17-6.nato", "", "NATO/KFOR CONFIDENTIAL Ireland, Sweden, Ukraine, NATO ONLY"},
		{"93", "spiffing/nato-4774-extra-1.xml", "", "COSMIC TOP SECRET"},
		// The reference library prints NATO here: a phrase in French hides the entry without language that replaces the policy's name.
		{"94", "spiffing/nato-4774-extra-1.xml", "fr", "COSMIC TRES SECRET"},
	}
	for _, row := range rows {
		t.Run(row.number+" "+row.file+" "+row.lang, func(t *testing.T) {
			l := mustLoad(t, row.file)
			if got, _, _ := l.Policy().Marking(l, row.lang); got != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
}

// TestNumberedTranslations is 95 to 108.
func TestNumberedTranslations(t *testing.T) {
	const tlp, uk, partner, mock, guard = "1.2.826.0.1.6726289.0.2", "1.2.826.0.1.6726289.0.4", "2.999.258.2", "1.3.6.1.4.1.31778.120.1", "2.999.258.1"
	rows := []struct {
		number, file, to string
		reading          labels.Reading
		want             string // the marking of the result, or why there is none
	}{
		{"95", "spiffing/tlpx-amber-eu.xml", tlp, labels.Outbound, "TLP:AMBER [REGION=EU] [Additional Handling May Apply]/[Imported Data]"},
		{"96", "spiffing/tlpx-green-sh-na.xml", tlp, labels.Outbound, "TLP:GREEN [REGION=EU/US] [Imported Data]"},
		{"97", "spiffing/tlpx-amber-eu.xml", uk, labels.Outbound, "DEMO-UK SECRET - UK / EU EYES ONLY"},
		{"98", "spiffing/tlpx-green-sh-na.xml", uk, labels.Outbound, "no-mapping"},
		{"99", "tlp/l-amber-eu-us.xml", tlp, labels.Outbound, "TLP:AMBER [REGION=EU/US] [Additional Handling May Apply]/[Imported Data]"},
		{"100", "tlp/l-amber-no-dissem.xml", tlp, labels.Outbound, "source-invalid"}, // the reference library launders it
		{"101", "guard/l-internal-rel-gbr.xml", partner, labels.Outbound, "PARTNER LIMITED SHARE Britain [was internal; imported]"},
		{"102", "guard/l-public-staff.xml", partner, labels.Outbound, "PARTNER OPEN [imported]"},
		{"103", "guard/l-internal-rel-gbr-five.xml", partner, labels.Outbound, "no-mapping"},
		{"104", "guard/l-internal-titan-atlas.xml", partner, labels.Outbound, "no-mapping"},
		{"105", "acme/l-conf-rel-mock-phony.xml", mock, labels.Outbound, "MOCK CONFIDENTIAL REL TO MOCK, PHONY"},
		{"106", "guard/p-open.xml", guard, labels.LocalSPIF, "GUARD PUBLIC"},
		{"107", "guard/p-limited.xml", guard, labels.LocalSPIF, "no-mapping"},
		{"108", "guard/p-open-imported.xml", guard, labels.LocalSPIF, "no-mapping"},
	}
	for _, row := range rows {
		t.Run(row.number+" "+row.file, func(t *testing.T) {
			got, result := translated(t, row.file, row.to, row.reading, labels.TranslatorOptions{})
			if got != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
			if row.number == "97" {
				c, err := labelfile.LoadClearance(filepath.Join(data, "spiffing/uk-demo-secret-uk.xml"), registry(t), readOptions)
				if err != nil || !result.Policy().Decide(result, c).Granted {
					t.Errorf("the result is not granted for its clearance: %v", err)
				}
			}
		})
	}
	t.Run("108 with the value declared discardable", func(t *testing.T) {
		imported := labels.Value{}
		for _, v := range mustLoad(t, "guard/p-open-imported.xml").Form().Values {
			if v.Kind.Type() == labels.TypeInformative {
				imported = v
			}
		}
		o := labels.TranslatorOptions{Discard: []labels.Value{imported}}
		if got, _ := translated(t, "guard/p-open-imported.xml", guard, labels.LocalSPIF, o); got != "GUARD PUBLIC" {
			t.Errorf("got %q", got)
		}
	})
}

func translated(t *testing.T, file, to string, r labels.Reading, o labels.TranslatorOptions) (string, *labels.Label) {
	t.Helper()
	l := mustLoad(t, file)
	target, ok := registry(t).Policy(to)
	if !ok {
		t.Fatalf("no policy %s", to)
	}
	tr, problems := labels.NewTranslator(l.Policy(), target, r, o)
	if tr == nil {
		t.Fatal(problems)
	}
	result := tr.Translate(l, tableDay)
	if result.Label() == nil {
		if strings.TrimSpace(result.Reason) == "" {
			t.Error("no reason is given")
		}
		return result.Status.String(), nil
	}
	text, _, _ := target.Marking(result.Label(), "")
	return text, result.Label()
}
