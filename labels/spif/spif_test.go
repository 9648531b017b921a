package spif_test

import (
	"fmt"
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

// What real files do and is accepted, with a warning where somebody should know. doc.go lists them with their reasons.
func TestTolerances(t *testing.T) {
	tests := []struct {
		name, old, new string
		warnings       []string // "line rule"
	}{
		{"no schema version", ` schemaVersion="2.1"`, ``, nil},
		{"schema 1.0", ` schemaVersion="2.1"`, ` schemaVersion="1.0"`, nil},
		{"creation date in another form", `20250101000000Z`, `2015-11-11 09:23:00`, nil},
		{"no creation date", ` creationDate="20250101000000Z"`, ``, nil},
		{"empty key identifier", `keyIdentifier="00"`, `keyIdentifier=""`, nil},
		{"no originator, key or identifiers of syntaxes", ` originatorDN="CN=Test,O=Example,C=XX" keyIdentifier="00" privilegeId="2.16.840.1.101.2.1.8.3" rbacId="2.16.840.1.101.2.1.8.3"`, ``, nil},
		{"syntax that is no identifier", `rbacId="2.16.840.1.101.2.1.8.3"`, `rbacId="ACP-145"`, []string{"3 identifier"}},
		{"version that is no integer", `version="7"`, `version="7.1"`, []string{"3 version"}},
		{"byte order mark", `<?xml`, "\ufeff<?xml", nil},
		{"encoding declared as ASCII", `encoding="UTF-8"`, `encoding="us-ascii"`, nil},
		{"schema location", `<spif:SPIF `, `<spif:SPIF xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.xmlspif.org/spif spif.xsd" `, nil},
		{"classifications after everything", `</spif:equivalentPolicies>`, `</spif:equivalentPolicies><spif:markingQualifier/>`, nil},
		{"operation missing", ` operation="oneOrMore"`, ``, []string{"49 operation"}},
		{"unknown attribute", `name="ANCIENT"`, `name="ANCIENT" department="X"`, []string{"37 attribute"}},
		{"foreign attribute", `name="ANCIENT"`, `xmlns:p="urn:x" p:name="1" name="ANCIENT"`, nil},
		{"unknown marking code", `<spif:code>pageTopBottom<`, `<spif:code>pageLeft<`, []string{"17 marking-code"}},
		{"code of the NATO document", `<spif:code>pageTopBottom<`, `<spif:code>supressClassName<`, nil},
		{"code instead of markingCode", `markingCode="pageTopBottom"`, `code="pageTopBottom"`, nil},
		{"color outside the list", `color="gray"`, `color="gold"`, nil},
		{"color not known", `color="gray"`, `color="tartan"`, []string{"37 class-color"}},
		{"two classes of one color", `color="gray"`, `color="RED"`, []string{"37 class-color"}},
		{"no color", ` color="gray"`, ``, nil},
		{"reference in another case", `requiredClass="SECRET"`, `requiredClass="secret"`, nil},
		{"names that differ by case", `name="ANCIENT"`, `name="secret"`, []string{"37 class-name"}},
		{"number with zeros", `lacv="826"`, `lacv="0826"`, nil},
		{"number with white space", `lacv="826"`, `lacv=" 826 "`, nil},
		{"class that no binary label holds", `lacv="9" hierarchy`, `lacv="300" hierarchy`, []string{"37 class-lacv"}},
		{"values typed by users", `name="ORION"`, `name="ORION" userInput="date" dateFormat="YYYY-MM-DD"`, []string{"108 user-input"}},
		{"discard without number", `lacv="0" applied="both" action="discard"`, `lacv="" applied="both" action="discard"`, nil},
		{"extensions", `</spif:SPIF>`, `<spif:extensions><x xmlns="urn:x">any <b/> thing</x></spif:extensions></spif:SPIF>`, nil},
		{"address of the next version", `<spif:privacyMarks>`, `<spif:updateInfo><spif:x/></spif:updateInfo><spif:privacyMarks>`, nil},
		{"equivalence twice", `tagSetId="2.999.258.2.1" tagType="restrictive" lacv="3" applied="both"/>`, `tagSetId="2.999.258.2.1" tagType="restrictive" lacv="3" applied="both"/><spif:equivalentSecCategoryTag policyRef="PARTNER" tagSetId="2.999.258.2.1" tagType="restrictive" lacv="3" applied="encrypt"/>`, []string{"43 equivalent-category"}},
		{"equivalence in no namespace", `<spif:equivalentSecCategoryTag policyRef="PARTNER" tagSetId="2.999.258.2.1"`, `<equivalentSecCategoryTag policyRef="PARTNER" tagSetId="2.999.258.2.1"`, []string{"43 namespace"}},
		// Rules that are well-formed and cannot mean what was wanted.
		{"tag that needs more values than it has", `maxSelection="2"`, `minSelection="4"`, []string{"105 tag-selection"}},
		{"category for no class", `name="ECHO" lacv="17" requiredClass="SECRET"/>`, `name="ECHO" lacv="17" requiredClass="SECRET"><spif:excludedClass>SECRET</spif:excludedClass></spif:tagCategory>`, []string{"55 category-unusable"}},
		{"category that needs what it excludes", `<spif:excludedCategory tagSetRef="Caveats" tagType="restrictive" lacv="0"/>`, `<spif:requiredCategory operation="all"><spif:categoryGroup tagSetRef="Caveats" tagType="restrictive" lacv="0"/></spif:requiredCategory><spif:excludedCategory tagSetRef="Caveats" tagType="restrictive" lacv="0"/>`, []string{"46 category-unusable"}},
		{"category that needs itself", `name="ECHO" lacv="17" requiredClass="SECRET"/>`, `name="ECHO" lacv="17"><spif:requiredCategory operation="oneOrMore"><spif:categoryGroup tagSetRef="Caveats" tagType="restrictive" all="true"/></spif:requiredCategory></spif:tagCategory>`, []string{"55 required-category"}},
		{"group twice", `tagSetRef="Owner" tagType="permissive" lacv="1"/>`, `tagSetRef="Owner" tagType="permissive" lacv="0"/>`, []string{"27 required-category"}},
		{"class that needs a category it cannot have", `<spif:requiredCategory operation="onlyOne">`, `<spif:requiredCategory operation="all"><spif:categoryGroup tagSetRef="Caveats" tagType="restrictive" lacv="17"/></spif:requiredCategory><spif:requiredCategory operation="onlyOne">`, []string{"25 class-unusable"}},
		{"two tags of a type with one name", `name="XRAY" lacv="0"/>`, `name="XRAY" lacv="0"/></spif:securityCategoryTag><spif:securityCategoryTag tagType="enumerated" enumType="permissive"><spif:tagCategory name="XRAY" lacv="7"/></spif:securityCategoryTag><spif:securityCategoryTag tagType="permissive">`, []string{"96 category-name"}},
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
			var got []string
			for _, q := range problems {
				got = append(got, fmt.Sprintf("%d %s", q.Line, q.Rule))
			}
			if !slices.Equal(got, tt.warnings) {
				t.Errorf("got %q, want %q: %v", got, tt.warnings, problems)
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
