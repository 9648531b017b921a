package nato4774_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/nato4774"
	"sallyport/labels/spif"
)

const data = "../testdata"

func registry(t testing.TB) *labels.Registry {
	t.Helper()
	var ps []*labels.Policy
	for _, file := range []string{"guard/guard.spif.xml", "guard/partner.spif.xml", "spiffing/nato-4774-policy.xml", "acme/ACME-SPIF-example.xml"} {
		p, problems := spif.Load(filepath.Join(data, file))
		if p == nil {
			t.Fatal(problems)
		}
		ps = append(ps, p)
	}
	reg, err := labels.NewRegistry(ps...)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func document(b []byte) (*xmlstream.Element, error) {
	return xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
}

func parse(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := document([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return e
}

// good is a label with every part the schema has.
const good = `<originatorConfidentialityLabel xmlns="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0" Id="a" ReviewDateTime="2030-01-01T00:00:00Z">
<ConfidentialityInformation>
<PolicyIdentifier URI="urn:oid:2.999.258.1">GUARD</PolicyIdentifier>
<Classification> INTERNAL </Classification>
<PrivacyMark>CLEAR</PrivacyMark>
<Category Type="PERMISSIVE" TagName="Release" URI="urn:oid:2.999.258.1.3"><GenericValue>GBR</GenericValue></Category>
<Category Type="RESTRICTIVE" TagName="Project"><GenericValue>TITAN</GenericValue><GenericValue>ATLAS</GenericValue></Category>
</ConfidentialityInformation>
<OriginatorID IDType="jID">a@a.example</OriginatorID>
<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime>
<SuccessionHandling><SuccessionDateTime>2027-01-01T00:00:00Z</SuccessionDateTime>
<SuccessorConfidentialityLabel><ConfidentialityInformation><PolicyIdentifier>guard</PolicyIdentifier><Classification>public</Classification></ConfidentialityInformation>
<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime></SuccessorConfidentialityLabel></SuccessionHandling>
</originatorConfidentialityLabel>`

func TestGoodLabel(t *testing.T) {
	f, err := nato4774.ParseLabel(parse(t, good), registry(t))
	if err != nil {
		t.Fatal(err)
	}
	l, err := registry(t).Label(f)
	if err != nil || l.String() != "GUARD INTERNAL USE REL TO GBR TITAN/ATLAS (CLEAR)" {
		t.Errorf("got %v, %v", l, err)
	}
}

// A policy that is not loaded is named as the label names it, so that somebody knows which file is missing.
func TestUnknownPolicyIsNamed(t *testing.T) {
	const id = `URI="urn:oid:2.999.258.1">GUARD<`
	for _, tt := range []struct{ name, next, want string }{
		{"both unknown", `URI="urn:oid:2.999.258.77">RIVER<`, `policy "RIVER" (2.999.258.77) is not loaded`},
		{"a name that is known", `URI="urn:oid:2.999.258.77">GUARD<`, `policy "GUARD" (2.999.258.77) is not loaded; the one of that name here is 2.999.258.1`},
		{"no identifier", `>RIVER<`, `policy "RIVER" is not loaded`},
		{"a name that is long", `URI="urn:oid:2.999.258.77">` + strings.Repeat("R", 200) + `<`, `R"… (2.999.258.77) is not loaded`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := nato4774.ParseLabel(parse(t, strings.Replace(good, id, tt.next, 1)), registry(t))
			le, ok := err.(*labels.Error)
			if !ok || le.Code != labels.CodePolicy || !strings.HasSuffix(le.Detail, tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// Each row changes the good label in one place.
func TestLabelRefusals(t *testing.T) {
	tests := []struct {
		name, old, new string
		code           labels.Code
		lenient        bool // accepted by a lenient reader
	}{
		{"I10 no classification", "<Classification> INTERNAL </Classification>", "", labels.CodeSyntax, false},
		{"I10 empty classification", " INTERNAL ", " ", labels.CodeSyntax, false},
		{"I11 unknown classification", "INTERNAL", "TOP SECRET PLUS", labels.CodeUnknown, false},
		{"classification with URI", "<Classification>", "<Classification URI='urn:oid:1.1'>", labels.CodeSyntax, false},
		{"classification with elements", " INTERNAL ", "<b/>INTERNAL", labels.CodeSyntax, false},
		{"I12 no policy", `<PolicyIdentifier URI="urn:oid:2.999.258.1">GUARD</PolicyIdentifier>`, "", labels.CodeSyntax, false},
		{"I12 empty policy name", ">GUARD<", "><", labels.CodeSyntax, false},
		{"I12 identifier of A, name of B", ">GUARD<", ">PARTNER<", labels.CodeMismatch, false},
		{"I12 unknown identifier", `URI="urn:oid:2.999.258.1">`, `URI="urn:oid:2.999.258.77">`, labels.CodePolicy, false},
		{"identifier that is none", `URI="urn:oid:2.999.258.1">`, `URI="urn:oid:2.999.0258.1">`, labels.CodeSyntax, false},
		{"another URI", `URI="urn:oid:2.999.258.1">`, `URI="http://guard.example/">`, labels.CodeSyntax, false},
		{"URL for URI", `URI="urn:oid:2.999.258.1">`, `URL="urn:oid:2.999.258.1">`, labels.CodeSyntax, true},
		{"I13 unknown tag set", `TagName="Project"`, `TagName="Nothing"`, labels.CodeUnknown, false},
		{"I13 unknown value", "TITAN", "TITANIC", labels.CodeUnknown, false},
		{"I13 unknown type", `Type="RESTRICTIVE"`, `Type="FORBIDDING"`, labels.CodeUnknown, false},
		{"type in small letters", `Type="RESTRICTIVE"`, `Type="restrictive"`, labels.CodeUnknown, false},
		{"value of another type", `Type="RESTRICTIVE"`, `Type="PERMISSIVE"`, labels.CodeUnknown, false},
		{"no type", `Type="RESTRICTIVE"`, "", labels.CodeSyntax, false},
		{"no tag name", `TagName="Project"`, "", labels.CodeSyntax, false},
		{"attribute names in small letters", `Type="RESTRICTIVE" TagName`, `type="RESTRICTIVE" tagName`, labels.CodeSyntax, true},
		{"type twice", `Type="RESTRICTIVE"`, `Type="RESTRICTIVE" type="PERMISSIVE"`, labels.CodeSyntax, false},
		{"tag set name and identifier differ", `TagName="Release"`, `TagName="Owner"`, labels.CodeMismatch, false},
		{"tag set identifier unknown", `2.999.258.1.3"`, `2.999.258.1.33"`, labels.CodeUnknown, false},
		{"I14 empty category", "<GenericValue>GBR</GenericValue>", "", labels.CodeSyntax, false},
		{"empty value", "<GenericValue>GBR<", "<GenericValue><", labels.CodeSyntax, false},
		{"integer value", "<GenericValue>GBR</GenericValue>", "<IntegerValue>826</IntegerValue>", labels.CodeSyntax, false},
		{"bit string value", "<GenericValue>GBR</GenericValue>", "<BitStringValue>1</BitStringValue>", labels.CodeSyntax, false},
		{"value in no namespace", "<GenericValue>GBR", "<GenericValue xmlns=''>GBR", labels.CodeSyntax, false},
		{"text in a category", "<GenericValue>GBR", "GBR<GenericValue>GBR", labels.CodeSyntax, false},
		{"privacy mark after the categories", "<PrivacyMark>CLEAR</PrivacyMark>", "<Category Type='PERMISSIVE' TagName='Release'><GenericValue>GBR</GenericValue></Category><PrivacyMark>CLEAR</PrivacyMark>", labels.CodeSyntax, false},
		{"I18 extension in the information", "</ConfidentialityInformation>\n<Orig", "<x xmlns='urn:x'/></ConfidentialityInformation>\n<Orig", labels.CodeSyntax, false},
		{"I18 extension at the end", "</originatorC", "<x xmlns='urn:x'/></originatorC", labels.CodeSyntax, false},
		{"I18 foreign attribute", `Id="a"`, `Id="a" xmlns:p="urn:x" p:Id="b"`, labels.CodeSyntax, false},
		{"unknown attribute", `Id="a"`, `ID="a"`, labels.CodeSyntax, false},
		{"review without zone", `ReviewDateTime="2030-01-01T00:00:00Z"`, `ReviewDateTime="2030-01-01T00:00:00"`, labels.CodeSyntax, false},
		{"creation that is no date", "<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime>\n<Succ", "<CreationDateTime>soon</CreationDateTime>\n<Succ", labels.CodeSyntax, false},
		{"misspelt creation", "<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime>\n<Succ", "<CreationDataTime>2025-01-01T00:00:00Z</CreationDataTime>\n<Succ", labels.CodeSyntax, false},
		{"creation before the originator", "<OriginatorID", "<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime><OriginatorID", labels.CodeSyntax, false},
		{"type of originator", `IDType="jID"`, `IDType="nick"`, labels.CodeSyntax, false},
		{"successor that cannot be read", ">public<", ">nothing<", labels.CodeUnknown, false},
		{"succession without date", "<SuccessionDateTime>2027-01-01T00:00:00Z</SuccessionDateTime>", "", labels.CodeSyntax, false},
		{"root of metadata", "originator", "metadata", labels.CodeSyntax, false},
		{"text in the label", "<OriginatorID", "x<OriginatorID", labels.CodeSyntax, false},
		{"long value", "GBR", strings.Repeat("G", 257), labels.CodeSyntax, false},
	}
	reg := registry(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(good, tt.old, tt.new)
			if text == good {
				t.Fatal("nothing changed")
			}
			f, err := nato4774.ParseLabel(parse(t, text), reg)
			le, ok := err.(*labels.Error)
			if !ok || le.Code != tt.code {
				t.Errorf("got %v (%+v), want %s", err, f, tt.code)
			}
			if _, err := nato4774.ParseLabelWith(nato4774.Options{Lenient: true}, parse(t, text), reg); (err == nil) != tt.lenient {
				t.Errorf("lenient: %v", err)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	for _, tt := range []struct{ name, old, new string }{
		{"no creation date", "<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime>", ""},
		{"no policy URI", ` URI="urn:oid:2.999.258.1"`, ""},
		{"names in another case", "INTERNAL", "Internal"},
		{"old root", "originatorConfidentialityLabel", "ConfidentialityLabel"},
		{"unknown name beside a known identifier", ">GUARD<", ">GUARD (old name)<"},
		{"review in the past", "2030-01-01T00:00:00Z", "1999-01-01T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(good, tt.old, tt.new)
			want, err := nato4774.ParseLabel(parse(t, good), registry(t))
			if err != nil {
				t.Fatal(err)
			}
			f, err := nato4774.ParseLabel(parse(t, text), registry(t))
			if err != nil {
				t.Fatal(err)
			}
			a, _ := registry(t).Label(f)
			if b, _ := registry(t).Label(want); !a.Equal(b) {
				t.Errorf("got %+v, want %+v", f, want)
			}
		})
	}
}

func TestClearances(t *testing.T) {
	reg := registry(t)
	read := func(file string) string {
		b, err := os.ReadFile(filepath.Join(data, file))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	mock := strings.TrimSpace(read("acme/c-mock-red.xml"))
	tests := []struct {
		name, text string
		code       labels.Code
		ignored    int
	}{
		{"ACME", mock, 0, 0},
		{"unknown classification has no effect", strings.Replace(mock, ">PUBLIC<", ">COSMIC<", 1), 0, 1},
		{"empty category grants nothing", strings.Replace(mock, "<slab:GenericValue>RED</slab:GenericValue>", "", 1), 0, 0},
		{"no classification at all", strings.NewReplacer(">PUBLIC<", ">x<", ">CONFIDENTIAL<", ">x<", ">INTERNAL<", ">x<").Replace(mock), 0, 3},
		{"unknown value", read("nato/c-wsm.xml"), labels.CodeUnknown, 0},
		{"unknown policy", strings.NewReplacer("URI=\"urn:oid:1.3.6.1.4.1.31778.110.1\"", "", ">ACME<", ">NOBODY<").Replace(mock), labels.CodePolicy, 0},
		{"a label", good, labels.CodeSyntax, 0},
		{"no list", strings.ReplaceAll(mock, "sclr:ClassificationList", "sclr:ClassificationLists"), labels.CodeSyntax, 0},
		{"extension", strings.Replace(mock, "</sclr:ConfidentialityClearance>", "<sclr:ConfidentialityClearanceExtensions/></sclr:ConfidentialityClearance>", 1), labels.CodeSyntax, 0},
		{"attribute", strings.Replace(mock, "<sclr:ClassificationList>", "<sclr:ClassificationList all='true'>", 1), labels.CodeSyntax, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := nato4774.ParseClearance(parse(t, strings.TrimSpace(tt.text)), reg)
			if tt.code != 0 {
				if le, ok := err.(*labels.Error); !ok || le.Code != tt.code {
					t.Errorf("got %v, want %s", err, tt.code)
				}
				return
			}
			if err != nil || len(f.Ignored) != tt.ignored {
				t.Fatalf("%v, ignored %v", err, f.Ignored)
			}
			c, err := reg.Clearance(f)
			if err != nil {
				t.Fatal(err)
			}
			e, err := nato4774.BuildClearance(c)
			if err != nil {
				t.Fatal(err)
			}
			if tt.name == "no classification at all" {
				return // the schema wants one in the list; nothing is built that could be read otherwise
			}
			again, err := nato4774.ParseClearance(e, reg)
			if err != nil {
				t.Fatal(err)
			}
			if c2, err := reg.Clearance(again); err != nil || !c2.Equal(c) {
				t.Errorf("built and read: %v, %v", c2, err)
			}
		})
	}
}

func TestBuildNothing(t *testing.T) {
	if _, err := nato4774.BuildLabel(nil, time.Time{}); err == nil {
		t.Error("a nil label was built")
	}
	if _, err := nato4774.BuildClearance(nil); err == nil {
		t.Error("a nil clearance was built")
	}
}
