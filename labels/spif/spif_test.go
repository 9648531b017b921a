package spif_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/labels"
	"sallyport/labels/spif"
)

const data = "../testdata"

var timeZero time.Time

func readData(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Policies that are there: which load, which do not, and why.
func TestPolicies(t *testing.T) {
	tests := []struct {
		file, id string
		rules    []string // of the problems that are not warnings
		loose    bool     // read with AnyNamespace
	}{
		{"guard/guard.spif.xml", "2.999.258.1", nil, false},
		{"guard/partner.spif.xml", "2.999.258.2", nil, false},
		{"spiffing/nato-4774-policy.xml", "1.3.26.1.3.1", nil, false},
		{"spiffing/tlp-plus.xml", "1.2.826.0.1.6726289.0.1", nil, false},
		{"spiffing/tlp.xml", "1.2.826.0.1.6726289.0.2", nil, false},
		{"spiffing/uk-demo.xml", "1.2.826.0.1.6726289.0.4", nil, false},
		{"acme/ACME-SPIF-example.xml", "1.3.6.1.4.1.31778.110.1", nil, false},
		{"acme/MOCK.spif.xml", "1.3.6.1.4.1.31778.120.1", nil, false},
		{"fixed/ACME-SPIF-example.xml", "1.3.6.1.4.1.31778.110.1", nil, false},
		{"fixed/bsi-commercial.xml", "1.2.826.0.1.6726289.0.3", nil, false},
		{"fixed/food-policy-missi.xml", "1.2.826.0.1.6726289.0.0", nil, false},
		{"fixed/food-policy.xml", "1.2.826.0.1.6726289.0.0", nil, true},
		{"fixed/food-policy.xml", "", []string{"root"}, false},
		{"spiffing/food-policy-borked.xml", "", []string{"excluded-class", "element"}, true},
		{"spiffing/food-policy.xml", "", []string{"xml"}, true},
		{"spiffing/food-policy-missi.xml", "", []string{"xml"}, false},
		{"spiffing/bsi-commercial.xml", "", []string{"xml"}, false},
		{"guard/l-public.xml", "", []string{"root"}, false},
		{"not-there.xml", "", []string{"file"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			p, problems := spif.LoadWith(spif.Options{AnyNamespace: tt.loose}, filepath.Join(data, tt.file))
			if (p != nil) != (tt.id != "") || p != nil && p.ID() != tt.id {
				t.Fatalf("got %v, want %q: %v", p, tt.id, problems)
			}
			for _, rule := range tt.rules {
				if !slices.ContainsFunc(problems, func(q spif.Problem) bool { return q.Rule == rule && !q.Warning }) {
					t.Errorf("no problem of rule %s in %v", rule, problems)
				}
			}
			for _, q := range problems {
				if q.File == "" || q.Text == "" || q.Rule == "" || len(tt.rules) == 0 && !q.Warning {
					t.Errorf("%+v", q)
				}
			}
		})
	}
}

// Each row changes the guard policy in one place.
func TestRefusals(t *testing.T) {
	tests := []struct {
		name, old, new, rule string
	}{
		{"schema 3.0", `schemaVersion="2.1"`, `schemaVersion="3.0"`, "schema-version"},
		{"wrong namespace", "http://www.xmlspif.org/spif", "http://www.xmslpif.org/spif", "root"},
		{"no policy name", `name="GUARD" id`, `id`, "policy-name"},
		{"policy identifier", `id="2.999.258.1"/>`, `id="2.999.258.01"/>`, "policy-id"},
		{"two policies", `<spif:securityClassifications>`, `<spif:securityPolicyId name="B" id="1.2"/><spif:securityClassifications>`, "policy-id"},
		{"class name twice", `name="SECRET" color`, `name="PUBLIC" color`, "class-name"},
		{"class number twice", `lacv="5" hierarchy="4"`, `lacv="2" hierarchy="4"`, "class-lacv"},
		{"class number is none", `lacv="5" hierarchy="4"`, `lacv="five" hierarchy="4"`, "lacv"},
		{"class number negative", `lacv="5" hierarchy="4"`, `lacv="-5" hierarchy="4"`, "lacv"},
		{"hierarchy twice", `lacv="5" hierarchy="4"`, `lacv="5" hierarchy="3"`, "class-hierarchy"},
		{"hierarchy missing", `lacv="5" hierarchy="4"`, `lacv="5"`, "class-hierarchy"},
		{"tag set name twice", `name="Project" id`, `name="Owner" id`, "tag-set-name"},
		{"tag set identifier twice", `id="2.999.258.1.5"`, `id="2.999.258.1.2"`, "tag-set-id"},
		{"tag set identifier", `id="2.999.258.1.5"`, `id="here"`, "tag-set-id"},
		{"number twice in a tag", `name="SOUTH" lacv="1"`, `name="SOUTH" lacv="0"`, "category-lacv"},
		{
			"number twice in two tags of a kind", `<spif:securityCategoryTag name="Countries" tagType="enumerated" enumType="permissive">`,
			`<spif:securityCategoryTag name="C" tagType="permissive"><spif:tagCategory name="X" lacv="0"/></spif:securityCategoryTag><spif:securityCategoryTag name="Countries" tagType="enumerated" enumType="permissive">`, "category-lacv",
		},
		{"bit too high", `name="SOUTH" lacv="1"`, `name="SOUTH" lacv="65536"`, "category-lacv"},
		{"number too high", `name="ORION" lacv="255"`, `name="ORION" lacv="2147483648"`, "lacv"},
		{"name twice in a tag", `name="SOUTH" lacv="1"`, `name="NORTH" lacv="1"`, "category-name"},
		{"tag type not applicable", `name="Handling" tagType="restrictive"`, `name="Handling" tagType="notApplicable"`, "tag-type"},
		{"enumerated without type", `tagType="enumerated" enumType="restrictive" maxSelection`, `tagType="enumerated" maxSelection`, "tag-type"},
		{"type 7 without encoding", ` tag7Encoding="bitSetAttributes"`, ``, "tag-type"},
		{"selection limits", `maxSelection="2"`, `minSelection="3" maxSelection="2"`, "tag-selection"},
		{"selection of none", `maxSelection="2"`, `maxSelection="0"`, "selection"},
		{"boolean", `singleSelection="true"`, `singleSelection="yes"`, "boolean"},
		{"required class unknown", `requiredClass="SECRET"`, `requiredClass="SECRETS"`, "class-reference"},
		{"excluded class unknown", `<spif:excludedClass>PUBLIC<`, `<spif:excludedClass>OPEN<`, "class-reference"},
		{"excluded class twice", `<spif:excludedClass>PUBLIC</spif:excludedClass>`, `<spif:excludedClass>PUBLIC</spif:excludedClass><spif:excludedClass>PUBLIC</spif:excludedClass>`, "excluded-class"},
		{"required tag set unknown", `tagSetRef="Owner" tagType="permissive" all`, `tagSetRef="Owners" tagType="permissive" all`, "tag-set-reference"},
		{"required category unknown", `tagSetRef="Caveats" tagType="restrictive" lacv="1"`, `tagSetRef="Caveats" tagType="restrictive" lacv="9"`, "category-reference"},
		{"required category of another kind", `tagSetRef="Caveats" tagType="restrictive" lacv="1"`, `tagSetRef="Caveats" tagType="permissive" lacv="1"`, "category-reference"},
		{"operation", `operation="oneOrMore"`, `operation="some"`, "operation"},
		{"required category without group", "<spif:categoryGroup tagSetRef=\"Caveats\" tagType=\"restrictive\" lacv=\"0\"/>\n            <spif:categoryGroup tagSetRef=\"Caveats\" tagType=\"restrictive\" lacv=\"1\"/>", "", "required-category"},
		{"category that excludes itself", `<spif:excludedCategory tagSetRef="Caveats" tagType="restrictive" lacv="0"/>`, `<spif:excludedCategory tagSetRef="Caveats" tagType="restrictive" lacv="1"/>`, "excluded-category"},
		{"date", `notAfter="2020-01-01T00:00:00Z"`, `notAfter="2020"`, "date"},
		{"qualifier code", `qualifierCode="prefix"`, `qualifierCode="front"`, "qualifier"},
		{"phrase with a control character", `phrase="INTERNAL USE"`, `phrase="INTERNAL&#10;USE"`, "phrase"},
		{"unknown element", `<spif:privacyMarks>`, `<spif:extraRule/><spif:privacyMarks>`, "element"},
		{"foreign element", `<spif:privacyMarks>`, `<x xmlns="urn:x"/><spif:privacyMarks>`, "element"},
		{"text where none belongs", `<spif:privacyMarks>`, `except Tuesdays<spif:privacyMarks>`, "text"},
		{"element in an excluded class", `<spif:excludedClass>PUBLIC<`, `<spif:excludedClass><b/>PUBLIC<`, "element"},
		{"attribute twice", `singleSelection="true"`, `singleSelection="true" singleSelection="false"`, "xml"},
		{"document type", `<spif:SPIF `, `<!DOCTYPE spif:SPIF [<!ENTITY a "b">]><spif:SPIF `, "xml"},
		{"entity", `phrase="INTERNAL USE"`, `phrase="&a;"`, "xml"},
		{"prefix not declared", `<spif:privacyMarks>`, `<p:x/><spif:privacyMarks>`, "xml"},
		{"not UTF-8", `phrase="INTERNAL USE"`, "phrase=\"\xff\"", "xml"},
		{"text after the root", `</spif:SPIF>`, `</spif:SPIF>more`, "xml"},
		{"two roots", `</spif:SPIF>`, `</spif:SPIF><x/>`, "xml"},
		{"cut off", `</spif:SPIF>`, ``, "xml"},
		{"too deep", `<spif:privacyMarks>`, strings.Repeat("<spif:extensions>", 40) + strings.Repeat("</spif:extensions>", 40) + `<spif:privacyMarks>`, "xml"},
	}
	guard := readData(t, "guard/guard.spif.xml")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(guard, tt.old, tt.new, 1)
			if strings.HasPrefix(tt.name, "wrong namespace") {
				text = strings.ReplaceAll(guard, tt.old, tt.new)
			}
			if text == guard {
				t.Fatal("nothing changed")
			}
			p, problems := spif.Parse("guard.xml", []byte(text))
			if p != nil {
				t.Fatalf("loaded: %v", problems)
			}
			if !slices.ContainsFunc(problems, func(q spif.Problem) bool { return q.Rule == tt.rule && !q.Warning }) {
				t.Errorf("no problem of rule %s in %v", tt.rule, problems)
			}
		})
	}
	for name, text := range map[string]string{"empty": "", "white space": " \n", "comment only": "<!-- -->", "no XML": "policy"} {
		if p, problems := spif.Parse(name, []byte(text)); p != nil || len(problems) == 0 {
			t.Errorf("%s: loaded, %v", name, problems)
		}
	}
	if p, _ := spif.Parse("large", make([]byte, spif.MaxBytes+1)); p != nil {
		t.Error("too large a file was loaded")
	}
}

// What real files do and is accepted, with a warning where somebody should know.
func TestDeviations(t *testing.T) {
	tests := []struct{ name, old, new, warning string }{
		{"no schema version", ` schemaVersion="2.1"`, ``, ""},
		{"creation date in another form", `20250101000000Z`, `2015-11-11 09:23:00`, ""},
		{"operation missing", ` operation="oneOrMore"`, ``, "operation"},
		{"unknown attribute", `name="ANCIENT"`, `name="ANCIENT" colour="blue"`, "attribute"},
		{"unknown marking code", `<spif:code>pageTopBottom<`, `<spif:code>pageLeft<`, "marking-code"},
		{"code instead of markingCode", `markingCode="pageTopBottom"`, `code="pageTopBottom"`, ""},
		{"unknown color", `color="gray"`, `color="gold"`, ""},
		{"two classes of one color", `color="gray"`, `color="red"`, "class-color"},
		{"foreign attribute", `name="ANCIENT"`, `xmlns:p="urn:x" p:a="1" name="ANCIENT"`, ""},
		{"reference in another case", `requiredClass="SECRET"`, `requiredClass="secret"`, ""},
		{"number with zeros", `lacv="826"`, `lacv="0826"`, ""},
		{"values typed by users", `name="ORION"`, `name="ORION" userInput="date"`, "user-input"},
	}
	guard := readData(t, "guard/guard.spif.xml")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(guard, tt.old, tt.new, 1)
			if text == guard {
				t.Fatal("nothing changed")
			}
			p, problems := spif.Parse("guard.xml", []byte(text))
			if p == nil {
				t.Fatal(problems)
			}
			warned := slices.ContainsFunc(problems, func(q spif.Problem) bool { return q.Rule == tt.warning && q.Warning && q.Line > 0 })
			if warned != (tt.warning != "") {
				t.Errorf("warnings: %v", problems)
			}
		})
	}
}

// A requiredCategory without operation means all: dropping it would lift a rule.
func TestOperationMissing(t *testing.T) {
	text := strings.Replace(readData(t, "guard/guard.spif.xml"), ` operation="onlyOne"`, ``, 1)
	p, problems := spif.Parse("guard.xml", []byte(text))
	if p == nil {
		t.Fatal(problems)
	}
	l, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: 6, Values: []labels.Value{{TagSet: "2.999.258.1.2", Kind: labels.Permissive}}})
	if err != nil {
		t.Fatal(err)
	}
	if l.Policy().Validate(l, timeZero).Granted {
		t.Error("one of two groups was enough")
	}
}

func TestLines(t *testing.T) {
	text := "<?xml version='1.0'?>\n<!-- <a>\n<b> -->\n<SPIF xmlns='http://www.xmlspif.org/spif'>\n" +
		"<securityPolicyId name='P' id='2.999.1'/>\n<securityClassifications>\n\n<securityClassification name='A' lacv='1'\n hierarchy='x'/>" +
		"</securityClassifications></SPIF>"
	_, problems := spif.Parse("p.xml", []byte(text))
	if len(problems) != 1 || problems[0].Line != 8 || !strings.HasPrefix(problems[0].String(), "p.xml:8: error: ") {
		t.Errorf("%v", problems)
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"guard/guard.spif.xml", "fixed/food-policy-missi.xml", "acme/MOCK.spif.xml", "spiffing/food-policy-borked.xml"} {
		f.Add([]byte(readData(f, file)))
	}
	f.Add([]byte("<SPIF xmlns='http://www.xmlspif.org/spif'/>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, problems := spif.ParseWith(spif.Options{AnyNamespace: true}, "fuzz", b)
		failed := slices.ContainsFunc(problems, func(q spif.Problem) bool { return !q.Warning })
		if (p == nil) != failed {
			t.Fatalf("policy %v with problems %v", p, problems)
		}
	})
}
