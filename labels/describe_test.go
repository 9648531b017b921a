package labels_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/labels"
)

// Who has only the policy file learns from the words what its rules are.
func TestDescribe(t *testing.T) {
	p := policyFile(t, guardFile)
	class := func(name string) labels.ClassInfo {
		all := p.Classes()
		i := slices.IndexFunc(all, func(c labels.ClassInfo) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("no class %s", name)
		}
		return all[i]
	}
	category := func(name string) labels.CategoryInfo {
		for _, tag := range p.Tags() {
			for _, c := range tag.Categories {
				if c.Name == name {
					return c
				}
			}
		}
		t.Fatalf("no category %s", name)
		return labels.CategoryInfo{}
	}
	alone, both := registry(t, p), registry(t, p, policyFile(t, "guard/partner.spif.xml"))
	words := func(all []labels.EquivalenceInfo, r *labels.Registry) (out []string) {
		for _, e := range all {
			out = append(out, e.Words(r))
		}
		return out
	}
	tests := []struct {
		name      string
		got, want []string
	}{
		{"class with one of two", class("CONFIDENTIAL").Required, []string{"exactly one of Owner NORTH, Owner SOUTH"}},
		{"class with a tag set and a value", class("SECRET").Required, []string{"a value of Owner (any), and Caveats ALPHA"}},
		{"class without rules", class("PUBLIC").Required, nil},
		{"equivalent class", words(class("PUBLIC").Equivalents, alone), []string{"PARTNER classification 1, both ways"}},
		{"equivalent class by name", words(class("PUBLIC").Equivalents, both), []string{"PARTNER OPEN, both ways"}},
		{"equivalent class that adds", words(class("INTERNAL").Equivalents, nil), []string{"PARTNER classification 2, for what leaves, adding informative 0 of Origin"}},
		{"equivalent class that adds, by name", words(class("INTERNAL").Equivalents, both), []string{"PARTNER LIMITED, for what leaves, adding Origin was internal"}},
		{"excluded category", category("BRAVO").Rules, []string{"not with Caveats ALPHA"}},
		{"required category", category("CHARLIE").Rules, []string{"needs one or more of Caveats ALPHA, Caveats BRAVO"}},
		{"required class", category("ECHO").Rules, []string{"only with SECRET"}},
		{"excluded class", category("FIVE").Rules, []string{"not with PUBLIC"}},
		{"equivalent category", words(category("GBR").Equivalents, alone), []string{"PARTNER enumerated permissive value 44 of 2.999.258.2.2, both ways"}},
		{"equivalent category by name", words(category("GBR").Equivalents, both), []string{"PARTNER SHARE Britain, both ways"}},
		{"category that may be dropped", words(category("STAFF").Equivalents, both), []string{"PARTNER: may be dropped, both ways"}},
		{"nothing", words([]labels.EquivalenceInfo{{}}, both), []string{""}},
		{"languages", p.Languages(), []string{"fr"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !slices.Equal(tt.got, tt.want) {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
	if c := category("FOXTROT"); !c.NotAfter.Equal(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) || !c.NotBefore.IsZero() {
		t.Errorf("period %v to %v", c.NotBefore, c.NotAfter)
	}
	if !class("ANCIENT").Obsolete || !category("DELTA").Obsolete || class("SECRET").Obsolete {
		t.Error("obsolete is not told")
	}
	if c, ok := p.Category(category("GBR").Value); !ok || c.Name != "GBR" || p.Tags()[c.Tag].Name != "Countries" {
		t.Errorf("%+v", c)
	}
	if e := p.Equivalents(); len(e) != 1 || e[0].Name != "PARTNER" || e[0].ID != "2.999.258.2" || !slices.Equal(e[0].Adds(alone), []string{"informative 1 of Origin"}) || !slices.Equal(e[0].Adds(both), []string{"Origin imported"}) {
		t.Errorf("%+v", e)
	}
	if p.PrivilegeID() != "2.16.840.1.101.2.1.8.3" || p.RBACID() != p.PrivilegeID() || p.About().Schema != "2.1" || p.Version() != "7" {
		t.Errorf("%+v", p.About())
	}
}

func TestDescribeOrder(t *testing.T) {
	p := policyFile(t, guardFile)
	names := func() (out []string) {
		for _, c := range p.Classes() {
			out = append(out, c.Name)
		}
		return out
	}
	if got, want := names(), []string{"UNMARKED", "PUBLIC", "INTERNAL", "CONFIDENTIAL", "SECRET", "ANCIENT"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	p.Classes()[0].Required = append(p.Classes()[0].Required, "x")
	p.Tags()[0].Categories[0].Name = "changed"
	if p.Tags()[0].Categories[0].Name != "ALPHA" {
		t.Error("what was handed out changes the policy")
	}
	var none *labels.Policy
	if none.Classes() != nil || none.Tags() != nil || none.Equivalents() != nil || none.Languages() != nil || none.PrivacyMarks() != nil ||
		none.Digest() != [32]byte{} || none.RBACID() != "" {
		t.Error("no policy says something")
	}
	if _, ok := none.Category(labels.Value{}); ok {
		t.Error("no policy has a category")
	}
}

// What the file says beside its rules is kept for tools.
func TestAbout(t *testing.T) {
	p := edited(t, guardFile,
		`version="7"`, `version="7" notBefore="2020-01-01T00:00:00Z" notAfter="2030-01-01T00:00:00+02:00" userRefURI="http://example.org/u"`,
		`<spif:securityPolicyId`, `<spif:defaultSecurityPolicyId name="Basic" id="1.1"/><spif:securityPolicyId`,
		`</spif:SPIF>`, `<spif:extensions><b:BindingInformation xmlns:b="urn:b"/><x xmlns=""/></spif:extensions></spif:SPIF>`)
	a := p.About()
	if a.UserRef != "http://example.org/u" || p.DefaultPolicy() != (labels.PolicyRef{Name: "Basic", ID: "1.1"}) {
		t.Errorf("%+v", a)
	}
	if want := []string{"{urn:b}BindingInformation", "{}x"}; !slices.Equal(a.Extensions, want) {
		t.Errorf("extensions %q, want %q", a.Extensions, want)
	}
	from, to := p.Period()
	if !from.Equal(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) || !to.Equal(time.Date(2029, 12, 31, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("%v to %v", from, to)
	}
}

// What stands beside the classifications or privacy marks holds for each that says nothing of its own.
func TestContainerMarkings(t *testing.T) {
	p := edited(t, guardFile,
		`</spif:securityClassifications>`, `<spif:markingData phrase="LEVEL"><spif:code>pageTopBottom</spif:code></spif:markingData></spif:securityClassifications>`,
		`<spif:privacyMark name="CLEAR"/>`, `<spif:privacyMark name="CLEAR" obsolete="true"/><spif:privacyMark name="PRIVATE"/>`)
	for class, want := range map[uint32]string{1: "GUARD LEVEL", 2: "GUARD INTERNAL USE"} {
		l, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: class})
		if err != nil {
			t.Fatal(err)
		}
		if l.String() != want {
			t.Errorf("class %d: got %q, want %q", class, l.String(), want)
		}
	}
	if got, want := p.PrivacyMarks(), []labels.PrivacyMarkInfo{{"CLEAR", true}, {"PRIVATE", false}}; !slices.Equal(got, want) {
		t.Errorf("privacy marks %v, want %v", got, want)
	}
}

// A value that users type has a number in the policy only: what was typed is not carried by any syntax that is read.
func TestTypedValues(t *testing.T) {
	p := edited(t, guardFile, `name="ORION" lacv="255"`, `name="ORION" lacv="255" userInput="string"`)
	v := labels.Value{TagSet: "2.999.258.1.5", Kind: labels.EnumRestrictive, LACV: 255}
	if c, ok := p.Category(v); !ok || !c.Typed {
		t.Errorf("%+v", c)
	}
	_, labelErr := p.Label(labels.LabelForm{Policy: p.ID(), Class: 1, Values: []labels.Value{v}})
	_, clearanceErr := p.Clearance(labels.ClearanceForm{Policy: p.ID(), Classes: []uint32{1}, Values: []labels.Value{v}})
	for what, err := range map[string]error{"label": labelErr, "clearance": clearanceErr} {
		e := (*labels.Error)(nil)
		if !errors.As(err, &e) || e.Code != labels.CodeUnknown || !strings.Contains(e.Detail, "ORION") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The digest follows what the policy says, and nothing else.
func TestDigest(t *testing.T) {
	same := [][]string{
		nil,
		{`<spif:privacyMarks>`, "<!-- comment -->\n <spif:privacyMarks >"},
		{`name="SECRET" color="red"`, `color="red" name="SECRET"`},
		{`obsolete="true"`, `obsolete="1"`},
		{`lacv="826"`, `lacv="0826"`},
	}
	other := [][]string{
		{`version="7"`, `version="8"`},
		{`keyIdentifier="00"`, `keyIdentifier="01"`},
		{`name="TITAN"`, `name="TITANIC"`},
		{`name="UNION" lacv="1"`, `name="UNION" lacv="2"`},
		{`hierarchy="5"`, `hierarchy="6"`},
		{`color="red"`, `color="maroon"`},
		{`obsolete="true"`, ``},
		{`singleSelection="true"`, ``},
		{`maxSelection="2"`, `maxSelection="3"`},
		{`operation="oneOrMore"`, `operation="all"`},
		{`all="true"`, `lacv="0"`},
		{`requiredClass="SECRET"`, `requiredClass="ANCIENT"`},
		{`<spif:excludedClass>PUBLIC<`, `<spif:excludedClass>INTERNAL<`},
		{`notAfter="2020-01-01T00:00:00Z"`, `notAfter="2020-01-01T00:00:01Z"`},
		{`notAfter="2020-01-01T00:00:00Z"`, `notBefore="2020-01-01T00:00:00Z"`},
		{`xml:lang="fr"`, `xml:lang="de"`},
		{`phrase="INTERNAL USE"`, ``},
		{`phrase="INTERNAL USE"`, `phrase=""`},
		{`qualifierCode="separator"`, `qualifierCode="suffix"`},
		{`lacv="4" applied="encrypt"`, `lacv="4" applied="decrypt"`},
		{` action="discard"`, ``},
		{`<spif:privacyMark name="CLEAR"/>`, `<spif:privacyMark name="CLEAR" obsolete="true"/>`},
		{`name="ORION"`, `userInput="string" name="ORION"`},
		{`tagType="permissive" singleSelection`, `tagType="enumerated" enumType="permissive" singleSelection`, `tagSetRef="Owner" tagType="permissive" lacv="0"`, `tagSetRef="Owner" tagType="enumerated" enumType="permissive" lacv="0"`, `tagSetRef="Owner" tagType="permissive" lacv="1"`, `tagSetRef="Owner" tagType="enumerated" enumType="permissive" lacv="1"`, `tagSetRef="Owner" tagType="permissive" all`, `tagSetRef="Owner" tagType="enumerated" enumType="permissive" all`},
	}
	want := policyFile(t, guardFile).Digest()
	// A policy store keeps digests: they must be the same in every version of this package.
	if got := hex.EncodeToString(want[:]); got != "88c89f720e04c4162e13c4f54f76a4bbaef0e28031cb85b627ed908ccde0549b" {
		t.Errorf("the digest of the guard policy is now %s", got)
	}
	for _, pairs := range same {
		if got := edited(t, guardFile, pairs...).Digest(); got != want {
			t.Errorf("%q: the digest changed", pairs)
		}
	}
	seen := map[[32]byte][]string{want: {"the file itself"}}
	for _, pairs := range other {
		got := edited(t, guardFile, pairs...).Digest()
		if o, twice := seen[got]; twice {
			t.Errorf("%q has the digest of %q", pairs, o)
		}
		seen[got] = pairs
	}
}
