package labels_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sallyport/labels"
)

// places is a policy with something to say at every place.
const places = `<SPIF xmlns="http://www.xmlspif.org/spif" schemaVersion="2.1" version="1" creationDate="20250101000000Z"
  originatorDN="CN=x" keyIdentifier="00" privilegeId="2.16.840.1.101.2.1.8.3" rbacId="2.16.840.1.101.2.1.8.3">
 <securityPolicyId name="ORG" id="2.999.5"/>
 <securityClassifications>
  <securityClassification name="OPEN" lacv="0" hierarchy="0" color="lime"/>
  <securityClassification name="SECRET" lacv="1" hierarchy="1" color="red">
   <markingData phrase="S"><code>portionMarking</code></markingData>
   <markingData phrase="GEHEIM" xml:lang="de"><code>pageTopBottom</code><code>documentStart</code></markingData>
   <markingData phrase="GEHEIM/CH" xml:lang="de-CH"><code>pageTopBottom</code></markingData>
   <markingData phrase="secret text"><code>firstLineOfText</code></markingData>
   <markingData phrase="choose SECRET with care"><code>inputTitle</code><code>noMarkingDisplay</code></markingData>
  </securityClassification>
  <securityClassification name="TOP" lacv="2" hierarchy="2" color="#101010">
   <markingData phrase="CROWN"><code>replacePolicy</code></markingData>
   <markingData phrase="STRENG" xml:lang="de"><code>pageTopBottom</code></markingData>
   <markingQualifier markingCode="documentEnd">
    <qualifier markingQualifier="&lt;" qualifierCode="prefix"/><qualifier markingQualifier="&gt;" qualifierCode="suffix"/>
   </markingQualifier>
  </securityClassification>
 </securityClassifications>
 <securityCategoryTagSets>
  <securityCategoryTagSet name="Words" id="2.999.5.1">
   <securityCategoryTag name="Words" tagType="restrictive">
    <tagCategory name="ALPHA" lacv="0"/>
    <tagCategory name="HIDDEN" lacv="1"><markingData><code>noNameDisplay</code></markingData></tagCategory>
    <tagCategory name="BRAVO" lacv="2">
     <markingData phrase="B"><code>portionMarking</code></markingData>
     <markingQualifier markingCode="pageTopBottom"><qualifier markingQualifier="(" qualifierCode="prefix"/><qualifier markingQualifier=")" qualifierCode="suffix"/></markingQualifier>
    </tagCategory>
    <tagCategory name="CODE" lacv="3">
     <markingData phrase="ORG/CODE"><code>replacePolicy</code><code>noNameDisplay</code></markingData>
    </tagCategory>
    <tagCategory name="ALONE" lacv="4">
     <markingData phrase="alone"><code>suppressClassName</code><code>pageTop</code></markingData>
    </tagCategory>
    <tagCategory name="ELSE" lacv="5"><markingData phrase="nobody knows"><code>someNewPlace</code></markingData></tagCategory>
   </securityCategoryTag>
  </securityCategoryTagSet>
  <securityCategoryTagSet name="Release" id="2.999.5.2">
   <securityCategoryTag name="Release" tagType="enumerated" enumType="permissive">
    <tagCategory name="DEU" lacv="1"/>
    <tagCategory name="FRA" lacv="2"/>
    <markingQualifier markingCode="pageTopBottom">
     <qualifier markingQualifier="REL TO " qualifierCode="prefix"/>
     <qualifier markingQualifier="FREI FUER " qualifierCode="prefix" xml:lang="de"/>
     <qualifier markingQualifier=", " qualifierCode="separator"/>
     <qualifier markingQualifier=" only" qualifierCode="suffix"/>
    </markingQualifier>
    <markingQualifier markingCode="portionMarking">
     <qualifier markingQualifier="" qualifierCode="prefix"/><qualifier markingQualifier="+" qualifierCode="separator"/><qualifier markingQualifier="" qualifierCode="suffix"/>
    </markingQualifier>
   </securityCategoryTag>
  </securityCategoryTagSet>
 </securityCategoryTagSets>
 <privacyMarks><privacyMark name="EYES"/><privacyMark name="POST"><markingData phrase="by post"><code>pageBottom</code></markingData></privacyMark></privacyMarks>
 <markingQualifier markingCode="portionMarking">
  <qualifier markingQualifier="(" qualifierCode="prefix"/><qualifier markingQualifier="//" qualifierCode="separator"/><qualifier markingQualifier=")" qualifierCode="suffix"/>
 </markingQualifier>
 <markingQualifier markingCode="xHeader"><qualifier markingQualifier="X-Org-Marking: " qualifierCode="prefix"/></markingQualifier>
 <markingQualifier markingCode="pageBottom"><qualifier markingQualifier="[" qualifierCode="prefix"/><qualifier markingQualifier="]" qualifierCode="suffix"/></markingQualifier>
</SPIF>`

func TestMarkingPlaces(t *testing.T) {
	p := parsePolicy(t, places)
	words := func(ns ...uint32) (vs []labels.Value) {
		for _, n := range ns {
			vs = append(vs, val("2.999.5.1", labels.Restrictive, n))
		}
		return vs
	}
	rel := func(ns ...uint32) (vs []labels.Value) {
		for _, n := range ns {
			vs = append(vs, val("2.999.5.2", labels.EnumPermissive, n))
		}
		return vs
	}
	for _, tt := range []struct {
		name    string
		class   uint32
		values  []labels.Value
		privacy string
		place   labels.Place
		lang    string
		want    string
	}{
		{name: "bottom", class: 1, place: labels.PageBottom, want: "[ORG SECRET]"},
		{name: "top has no brackets", class: 1, place: labels.PageTop, want: "ORG SECRET"},
		{name: "portion: phrase, separator, brackets", class: 1, values: append(words(2), rel(1, 2)...), place: labels.Portion, want: "(ORG//S//B//DEU+FRA)"},
		{name: "portion without phrase is the name", class: 0, values: words(0), place: labels.Portion, want: "(ORG//OPEN//ALPHA)"},
		{name: "tag prefix, separator, suffix", class: 0, values: rel(2, 1), place: labels.PageTop, want: "ORG OPEN REL TO DEU, FRA only"},
		{name: "tag prefix at a place without one", class: 0, values: rel(1), place: labels.Subject, want: "ORG OPEN REL TO DEU only"},
		{name: "value prefix and suffix", class: 0, values: words(0, 2), place: labels.PageTop, want: "ORG OPEN ALPHA/(BRAVO)"},
		{name: "value prefix at another place", class: 0, values: words(0, 2), place: labels.Subject, want: "ORG OPEN ALPHA/BRAVO"},
		{name: "language of the phrase", class: 1, place: labels.PageTop, lang: "de", want: "ORG GEHEIM"},
		{name: "language: exact before primary", class: 1, place: labels.PageTop, lang: "de-CH", want: "ORG GEHEIM/CH"},
		{name: "language: primary", class: 1, place: labels.PageTop, lang: "de-AT", want: "ORG GEHEIM"},
		{name: "language: case", class: 1, place: labels.PageTop, lang: "DE-ch", want: "ORG GEHEIM/CH"},
		{name: "language nobody has", class: 1, place: labels.PageTop, lang: "fi", want: "ORG SECRET"},
		{name: "language of the prefix alone", class: 0, values: rel(1), place: labels.PageTop, lang: "de", want: "ORG OPEN FREI FUER DEU only"},
		{name: "document start", class: 1, place: labels.DocumentStart, lang: "de", want: "ORG GEHEIM"},
		{name: "document start without language", class: 1, place: labels.DocumentStart, want: "ORG SECRET"},
		{name: "first line", class: 1, place: labels.FirstLineOfText, want: "ORG secret text"},
		{name: "last line has no phrase", class: 1, place: labels.LastLineOfText, want: "ORG SECRET"},
		{name: "replaced policy at every place", class: 2, place: labels.WaterMark, want: "CROWN TOP"},
		{name: "a phrase in a language does not hide the replaced policy", class: 2, place: labels.PageTop, lang: "de", want: "CROWN STRENG"},
		{name: "class prefix and suffix", class: 2, place: labels.DocumentEnd, want: "CROWN <TOP>"},
		{name: "policy replaced by a value, whose name is not shown", class: 0, values: words(0, 3), place: labels.PageTop, want: "ORG/CODE OPEN ALPHA"},
		{name: "the class before the value", class: 2, values: words(3), place: labels.PageTop, want: "CROWN TOP"},
		{name: "name not shown", class: 0, values: words(1), place: labels.PageTop, want: "ORG OPEN"},
		{name: "class not shown, at this place", class: 0, values: words(4), place: labels.PageTop, want: "ORG alone"},
		{name: "class not shown, elsewhere", class: 0, values: words(4), place: labels.Subject, want: "ORG OPEN ALONE"},
		{name: "a place that nobody knows is another place", class: 0, values: words(5), place: labels.PageTop, want: "ORG OPEN ELSE"},
		{name: "only while composing", class: 1, place: labels.InputTitle, want: "ORG choose SECRET with care"},
		{name: "listed privacy mark", class: 0, privacy: "EYES", place: labels.PageBottom, want: "[ORG OPEN (EYES)]"},
		{name: "privacy mark with a phrase", class: 0, privacy: "POST", place: labels.PageBottom, want: "[ORG OPEN (by post)]"},
		{name: "privacy mark at another place", class: 0, privacy: "POST", place: labels.PageTop, want: "ORG OPEN (POST)"},
		{name: "privacy mark that is not listed", class: 0, privacy: "ORG TOP", place: labels.PageTop, want: "ORG OPEN"},
		{name: "header value has not the name", class: 1, place: labels.XHeader, want: "ORG SECRET"},
		{name: "a place that does not exist", class: 1, place: 99, want: ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: tt.class, Values: tt.values, PrivacyMark: tt.privacy})
			if err != nil {
				t.Fatal(err)
			}
			got := p.MarkingAt(l, tt.place, tt.lang)
			if got.Text != tt.want {
				t.Errorf("got %q, want %q", got.Text, tt.want)
			}
			wantHeader := ""
			if tt.place == labels.XHeader {
				wantHeader = "X-Org-Marking"
			}
			if got.Header != wantHeader {
				t.Errorf("header %q, want %q", got.Header, wantHeader)
			}
		})
	}
}

// The numbered markings 83 to 94 and the examples of the data's notes.
func TestMarkingExamples(t *testing.T) {
	const food, nato = "fixed/food-policy.xml", "spiffing/nato-4774-policy.xml"
	ps := policies{}
	for _, tt := range []struct{ name, policy, label, lang, want string }{
		{"83", food, "spiffing/food-label-milk-chocolate.xml", "", "[ Food Sweet/Yummy Chocolate Brown Contains Lactose Not Vegan Animal Rights ]"},
		{"84", food, "spiffing/food-label-water.xml", "", "[ Food FREE British Flag ]"},
		{"85", "spiffing/tlp-plus.xml", "spiffing/tlpx-amber-eu.xml", "", "TLPX:AMBER J:EU"},
		{"86", "spiffing/tlp-plus.xml", "spiffing/tlpx-green-sh-na.xml", "", "TLPX:GREEN J:SafeHarbour Do not action"},
		{"87", nato, "spiffing/nato-4774-17-1.xml", "", "NATO UNCLASSIFIED Releasable to ISAF, KFOR, RESOLUTE SUPPORT"},
		{"88 fr", nato, "spiffing/nato-4774-17-1.xml", "fr", "NATO SANS CLASSIFICATION Communicable a ISAF, KFOR, RESOLUTE SUPPORT"},
		{"88 fr-CA", nato, "spiffing/nato-4774-17-1.xml", "fr-CA", "NATO SANS CLASSIFICATION Communicable a ISAF, KFOR, RESOLUTE SUPPORT"},
		{"89", nato, "spiffing/nato-4774-17-2.xml", "", "NATO UNCLASSIFIED"},
		{"90", nato, "spiffing/nato-4774-17-3.xml", "", "NATO UNCLASSIFIED - STAFF"},
		{"91", nato, "spiffing/nato-4774-17-4.xml", "", "NATO RESTRICTED Releasable to Japan, Switzerland, Ukraine"},
		{"91 en", nato, "spiffing/nato-4774-17-4.xml", "en", "NATO RESTRICTED Releasable to Japan, Switzerland, Ukraine"},
		{"91 en-GB", nato, "spiffing/nato-4774-17-4.xml", "en-GB", "NATO RESTRICTED Releasable to Japan, Switzerland, Ukraine"},
		{"91 fr", nato, "spiffing/nato-4774-17-4.xml", "fr", "NATO DIFFUSION RESTREINTE Communicable a Japon, Suisse, Ukraine"},
		{"92", nato, "spiffing/nato-4774-17-6.xml", "", "NATO/KFOR CONFIDENTIAL Ireland, Sweden, Ukraine, NATO ONLY"},
		{"92 XML", nato, "spiffing/nato-4774-17-6.nato", "", "NATO/KFOR CONFIDENTIAL Ireland, Sweden, Ukraine, NATO ONLY"},
		{"92 fr", nato, "spiffing/nato-4774-17-6.xml", "fr", "NATO/KFOR CONFIDENTIEL Irlande, Suède, Ukraine, NATO SEULEMENT"},
		{"93", nato, "spiffing/nato-4774-extra-1.xml", "", "COSMIC TOP SECRET"},
		{"94", nato, "spiffing/nato-4774-extra-1.xml", "fr", "COSMIC TRES SECRET"},
		{"UK", "spiffing/uk-demo.xml", "uk/l-ts-overlord.xml", "", "DEMO-UK TOP SECRET OVERLORD - UK EYES ONLY"},
		{"two tags of one name", guardFile, "guard/l-internal-rel-gbr-xray.xml", "", "GUARD INTERNAL USE REL TO GBR PARTNER XRAY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := ps.get(t, tt.policy)
			if got := p.MarkingAt(mustLabel(t, p, tt.label), labels.PageBottom, tt.lang).Text; got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// A policy that has nothing for the first line of a text uses what stands at the bottom of a page.
func TestFirstLineFallsBack(t *testing.T) {
	p := policyFile(t, guardFile)
	l := mustLabel(t, p, "guard/l-internal-rel-gbr.xml")
	bottom := p.MarkingAt(l, labels.PageBottom, "fr")
	if got := p.MarkingAt(l, labels.FirstLineOfText, "fr"); got != bottom || bottom.Text != "GUARD USAGE INTERNE REL TO GBR" {
		t.Errorf("first line %+v, bottom %+v", got, bottom)
	}
	if got := p.MarkingAt(l, labels.Subject, "fr").Text; got != "GUARD INTERNAL REL TO GBR" {
		t.Errorf("the subject is not the bottom of a page: %q", got)
	}
}

func TestMarkingOfNothing(t *testing.T) {
	p, other := policyFile(t, guardFile), policyFile(t, "guard/partner.spif.xml")
	l := mustLabel(t, p, "guard/l-internal.xml")
	var none *labels.Policy
	for _, tt := range []struct {
		name string
		got  labels.MarkingText
	}{
		{"no policy", none.MarkingAt(l, labels.PageTop, "")},
		{"no label", p.MarkingAt(nil, labels.PageTop, "")},
		{"the zero label", p.MarkingAt(&labels.Label{}, labels.PageTop, "")},
		{"another policy", other.MarkingAt(l, labels.PageTop, "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != (labels.MarkingText{}) {
				t.Errorf("%+v", tt.got)
			}
		})
	}
}

// A marking is one line in reading order, whatever a policy says.
func TestMarkingIsOneCleanLine(t *testing.T) {
	for _, tt := range []struct{ name, phrase, want string }{
		{"line feed", "A\nB", "P A B"},
		{"carriage return and tab", "A\r\n\tB", "P A   B"},
		{"line and paragraph separators", "A\u2028B\u2029C", "P A B C"},
		{"right-to-left override", "A\u202EB\u202C", "P AB"},
		{"isolates and marks", "\u2066A\u2069\u200F\u061CB", "P AB"},
		{"not seen", "A\u200B\u00AD\uFEFFB", "P AB"},
		{"C0, DEL, C1", "A\x00\x1b[31m\x7f\u0085\u009bB", "P A[31m B"},
		{"not UTF-8", "A\xff\xfeB", "P AB"},
		{"not a character", "A\uFFFFB", "P AB"},
		{"private use", "A\uE000B", "P AB"},
		{"wide spaces", "A\u3000B\u2003C", "P A B C"},
		{"letters of the world", "SÈCRET 秘密 سري", "P SÈCRET 秘密 سري"},
		{"as long as allowed", strings.Repeat("x", 254), "P " + strings.Repeat("x", 254)},
		{"too long", strings.Repeat("x", 255), "P " + strings.Repeat("x", 253) + "…"},
		{"too long, wide", strings.Repeat("é", 300), "P " + strings.Repeat("é", 253) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := compile(t, labels.PolicySpec{Name: "P", ID: "2.999.6", Classes: []labels.ClassSpec{{
				Name: "C", Markings: []labels.MarkingSpec{{HasPhrase: true, Phrase: tt.phrase, Codes: []string{"pagetopbottom"}}},
			}}})
			l, err := p.Label(labels.LabelForm{Policy: "2.999.6"})
			if err != nil {
				t.Fatal(err)
			}
			got := p.MarkingAt(l, labels.PageTop, "").Text
			if got != tt.want {
				t.Errorf("got  %+q\nwant %+q", got, tt.want)
			}
			if utf8.RuneCountInString(got) > labels.MaxMarking || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%+q is too long or has what is not printed", got)
			}
			if l.String() != got {
				t.Errorf("the label calls itself %+q", l)
			}
		})
	}
}

// The name of a header must be one.
func TestHeaderName(t *testing.T) {
	for _, tt := range []struct{ name, prefix, want string }{
		{"plain", "X-Marking", "X-Marking"},
		{"with colon", "X-Marking: ", "X-Marking"},
		{"injected", "X-Marking: a\r\nBcc: b", ""},
		{"space inside", "X Marking", ""},
		{"not ASCII", "X-Märking", ""},
		{"too long", strings.Repeat("X", 65), ""},
		{"none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := compile(t, labels.PolicySpec{
				Name: "P", ID: "2.999.6", Classes: []labels.ClassSpec{{Name: "C"}},
				Qualifiers: []labels.QualifierSpec{{Code: "xheader", Role: labels.Prefix, Text: tt.prefix}, {Role: labels.Prefix, Text: "~"}},
			})
			l, err := p.Label(labels.LabelForm{Policy: "2.999.6"})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.MarkingAt(l, labels.XHeader, ""); got.Header != tt.want || got.Text != "~P C" {
				t.Errorf("%+v, want header %q", got, tt.want)
			}
		})
	}
}

func TestPlaceNames(t *testing.T) {
	for p := labels.PageBottom; p <= labels.InputTitle; p++ {
		for _, s := range []string{p.String(), strings.ToUpper(p.String())} {
			if got, ok := labels.ParsePlace(s); !ok || got != p {
				t.Errorf("%q is %v, %v", s, got, ok)
			}
		}
	}
	for s, want := range map[string]labels.Place{"page-top": labels.PageTop, "portion": labels.Portion, "firstLineofText": labels.FirstLineOfText} {
		if got, ok := labels.ParsePlace(s); !ok || got != want {
			t.Errorf("%q is %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "pageTopBottom", "replacePolicy", "nowhere"} {
		if got, ok := labels.ParsePlace(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestMarkingColors(t *testing.T) {
	p := parsePolicy(t, places)
	for _, tt := range []struct {
		class  uint32
		fg, bg string
	}{{0, "black", "lime"}, {1, "white", "red"}, {2, "white", "#101010"}} {
		l, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: tt.class})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.MarkingAt(l, labels.Portion, ""); got.Foreground != tt.fg || got.Background != tt.bg {
			t.Errorf("class %d: %+v", tt.class, got)
		}
	}
}

// Of several texts for one role the language decides, then the one for the place before the one for every place.
func TestQualifierChoice(t *testing.T) {
	q := func(code, lang, text string) labels.QualifierSpec {
		return labels.QualifierSpec{Code: code, Role: labels.Prefix, Lang: lang, Text: text}
	}
	for _, tt := range []struct {
		name string
		qs   []labels.QualifierSpec
		lang string
		want string
	}{
		{"for the place before for every place", []labels.QualifierSpec{q("", "", "every "), q("pagetop", "", "top ")}, "", "top P C"},
		{"language before place", []labels.QualifierSpec{q("pagetop", "", "top "), q("", "fr", "partout ")}, "fr", "partout P C"},
		{"for both pages", []labels.QualifierSpec{q("pagetopbottom", "", "page ")}, "", "page P C"},
		{"another place", []labels.QualifierSpec{q("subject", "", "subject ")}, "", "P C"},
		{"another language", []labels.QualifierSpec{q("pagetop", "fr", "haut ")}, "de", "P C"},
		{"the first of two", []labels.QualifierSpec{q("pagetop", "", "one "), q("pagetop", "", "two ")}, "", "one P C"},
		{"the bottom alone", []labels.QualifierSpec{q("pagebottom", "", "bottom ")}, "", "P C"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := compile(t, labels.PolicySpec{Name: "P", ID: "2.999.6", Classes: []labels.ClassSpec{{Name: "C"}}, Qualifiers: tt.qs})
			l, err := p.Label(labels.LabelForm{Policy: "2.999.6"})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.MarkingAt(l, labels.PageTop, tt.lang).Text; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
