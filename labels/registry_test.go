package labels_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/spif"
)

// edited returns a policy of the test data with pieces of its text replaced: old, new, old, new.
func edited(t testing.TB, file string, pairs ...string) *labels.Policy {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(pairs); i += 2 {
		next := strings.Replace(text, pairs[i], pairs[i+1], 1)
		if next == text {
			t.Fatalf("%q is not in %s", pairs[i], file)
		}
		text = next
	}
	p, problems := spif.Parse(file, []byte(text))
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

// A policy gives way to its successor only.
func TestReplace(t *testing.T) {
	const seven = `version="7"`
	file := guardFile
	tests := []struct {
		name    string
		old     []string // edits of the one in use
		next    []string
		refusal string // "" replaces
	}{
		{"higher version", nil, []string{seven, `version="8"`, `name="TITAN"`, `name="TITANIC"`}, ""},
		{"higher version, same content", nil, []string{seven, `version="8"`}, ""},
		{"ten after nine", []string{seven, `version="9"`}, []string{seven, `version="10"`}, ""},
		{"of any size", []string{seven, `version="99999999999999999999998"`}, []string{seven, `version="99999999999999999999999"`}, ""},
		{"the same file", nil, nil, ""},
		{"the same but for comments and prefixes of nothing", nil, []string{"<spif:privacyMarks>", "<!-- x -->\n\n<spif:privacyMarks xmlns:y='urn:y'>"}, ""},
		{"same version, other rule", nil, []string{`requiredClass="SECRET"`, ``}, "other content"},
		{"same version, other marking", nil, []string{`phrase="INTERNAL USE"`, `phrase="INTERN"`}, "other content"},
		{"same version, other equivalence", nil, []string{`lacv="3" applied="both"/>`, `lacv="4" applied="both"/>`}, "other content"},
		{"lower version", nil, []string{seven, `version="6"`}, "lower than version 7"},
		{"no version is 1", nil, []string{seven, ``}, "version 1 is lower"},
		{"zeros are no step", nil, []string{seven, `version="007"`}, "other content"},
		{"version that is no number", nil, []string{seven, `version="8b"`}, "not an integer"},
		{"after a version that is no number", []string{seven, `version="7b"`}, []string{seven, `version="8"`}, "not an integer"},
	}
	partner := policyFile(t, "guard/partner.spif.xml")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, next := edited(t, file, tt.old...), edited(t, file, tt.next...)
			r := registry(t, partner, old)
			got, err := r.Replace(next)
			if (err == nil) != (tt.refusal == "") || err != nil && (got != nil || !strings.Contains(err.Error(), tt.refusal)) {
				t.Fatalf("got %v, %v, want %q", got, err, tt.refusal)
			}
			if err == nil && !slices.Equal(got.Policies(), []*labels.Policy{partner, next}) {
				t.Errorf("policies %v", got.Policies())
			}
			if kept, _ := r.Policy(old.ID()); kept != old {
				t.Error("the registry itself has changed")
			}
		})
	}
}

func TestReplaceOthers(t *testing.T) {
	partner, guard := policyFile(t, "guard/partner.spif.xml"), policyFile(t, guardFile)
	r, err := registry(t, partner).Replace(guard)
	if err != nil || len(r.Policies()) != 2 {
		t.Errorf("a policy that is new was not added: %v", err)
	}
	if _, err := r.Replace(nil); err == nil {
		t.Error("nil replaced something")
	}
	if _, err := r.Replace(edited(t, guardFile, `name="GUARD" id="2.999.258.1"`, `name="guard" id="2.999.258.9"`, `name="PARTNER" id="2.999.258.2"`, `name="PARTNER" id="2.999.258.8"`)); err == nil {
		t.Error("a second policy took the name of the first")
	}
	var none *labels.Registry
	if r, err := none.Replace(guard); err != nil || len(r.Policies()) != 1 {
		t.Errorf("nothing is a registry of nothing: %v", err)
	}
}

// What is kept of an edition tells its successors, and nothing follows another policy or none.
func TestFollows(t *testing.T) {
	guard, partner := policyFile(t, guardFile), policyFile(t, "guard/partner.spif.xml")
	kept := guard.Edition()
	if kept != (labels.Edition{ID: guard.ID(), Name: "GUARD", Version: "7", Digest: guard.Digest()}) {
		t.Errorf("kept %+v", kept)
	}
	older := kept
	older.Version, older.Digest = "6", [32]byte{}
	var none *labels.Policy
	for _, tt := range []struct {
		name    string
		next    *labels.Policy
		e       labels.Edition
		follows bool
	}{
		{"itself", guard, kept, true},
		{"after an older one", guard, older, true},
		{"another policy", partner, kept, false},
		{"no policy", none, kept, false},
		{"no policy after nothing", none, none.Edition(), false},
		{"no edition", guard, labels.Edition{}, false},
	} {
		if err := tt.next.Follows(tt.e); (err == nil) != tt.follows {
			t.Errorf("%s: %v, want it to follow: %v", tt.name, err, tt.follows)
		}
	}
}

// What one policy says of another is checked in the other. Where both files are as published, only the class that a
// policy does not have is found (labels of it have no translation).
func TestCheck(t *testing.T) {
	guard, partner := []string{guardFile}, []string{"guard/partner.spif.xml"}
	with := func(file []string, pairs ...string) []string { return append(slices.Clone(file), pairs...) }
	tests := []struct {
		name     string
		policies [][]string // file and edits
		want     []string   // "policy rule", "!" for more than a warning; then words of the text
	}{
		{"both as they are", [][]string{guard, partner}, nil},
		{"the other is not loaded", [][]string{guard}, []string{"GUARD equivalent-policy", "not loaded"}},
		{
			"published demonstration policies",
			[][]string{{"spiffing/tlp-plus.xml"}, {"spiffing/tlp.xml"}, {"spiffing/uk-demo.xml"}, {"fixed/bsi-commercial.xml"}},
			[]string{"UK equivalent-class", `"OFFICIAL": policy "BSI Basic" has no classification 11`},
		},
		{"ACME and MOCK", [][]string{{"fixed/ACME-SPIF-example.xml"}, {"acme/MOCK.spif.xml"}}, nil},
		{
			"class that is not there",
			[][]string{with(guard, `lacv="4" applied="encrypt"`, `lacv="44" applied="encrypt"`), partner},
			[]string{"GUARD equivalent-class", `"SECRET": policy "PARTNER" has no classification 44`},
		},
		{
			"class that is obsolete",
			[][]string{guard, with(partner, ` lacv="1" hierarchy`, ` obsolete="true" lacv="1" hierarchy`)},
			[]string{"GUARD equivalent-class", "obsolete"},
		},
		{
			"classes in another order",
			[][]string{with(guard, `lacv="4" applied="encrypt"`, `lacv="1" applied="encrypt"`), partner},
			[]string{"GUARD equivalent-order", `"INTERNAL" and "SECRET"`},
		},
		{
			"category that is not there",
			[][]string{with(guard, `lacv="44" applied="both"`, `lacv="45" applied="both"`), partner},
			[]string{"GUARD equivalent-category", `"GBR": policy "PARTNER" has no enumerated permissive value 45`},
		},
		{
			"category of another kind",
			[][]string{with(guard, `enumType="permissive" lacv="44"`, `enumType="restrictive" lacv="44"`), partner},
			[]string{"GUARD equivalent-category", "enumerated restrictive value 44"},
		},
		{
			"category that is obsolete",
			[][]string{guard, with(partner, `name="Britain"`, `name="Britain" obsolete="true"`)},
			[]string{"GUARD equivalent-category", "obsolete"},
		},
		{
			"category that is typed",
			[][]string{guard, with(partner, `name="Britain"`, `name="Britain" userInput="string"`)},
			[]string{"GUARD equivalent-category", "typed by users"},
		},
		{
			"required tag set that is not there",
			[][]string{with(guard, `tagSetRef="Origin" tagType="tagType7" lacv="1"`, `tagSetRef="Origins" tagType="tagType7" lacv="1"`), partner},
			[]string{"GUARD tag-set-reference!", `in policy "PARTNER": there is no tag set "Origins", perhaps "Origin"`},
		},
		{
			"required category that is not there",
			[][]string{with(guard, `tagSetRef="Origin" tagType="tagType7" lacv="0"`, `tagSetRef="Origin" tagType="tagType7" lacv="9"`), partner},
			[]string{"GUARD category-reference!", `in policy "PARTNER"`},
		},
		{
			"tag set that is not there",
			[][]string{with(guard, `<spif:securityCategoryTag name="Project"`, `<spif:equivalentSecurityCategoryTagSet policyRef="PARTNER" id="2.999.258.2.9"/><spif:securityCategoryTag name="Project"`), partner},
			[]string{"GUARD equivalent-tag-set", "2.999.258.2.9"},
		},
		{
			"requirement of a tag set",
			[][]string{with(guard, `<spif:securityCategoryTag name="Project"`, `<spif:equivalentSecurityCategoryTagSet policyRef="partner"><spif:requiredCategory operation="all"><spif:categoryGroup tagSetRef="None" tagType="restrictive" lacv="0"/></spif:requiredCategory></spif:equivalentSecurityCategoryTagSet><spif:securityCategoryTag name="Project"`), partner},
			[]string{"GUARD tag-set-reference!", `"None"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var ps []*labels.Policy
			for _, f := range tt.policies {
				if len(f) == 1 {
					ps = append(ps, policyFile(t, f[0]))
				} else {
					ps = append(ps, edited(t, f[0], f[1:]...))
				}
			}
			problems := registry(t, ps...).Check()
			if len(tt.want) == 0 {
				if len(problems) > 0 {
					t.Errorf("%+v", problems)
				}
				return
			}
			if len(problems) != 1 {
				t.Fatalf("got %+v, want one", problems)
			}
			q := problems[0]
			got := q.Policy + " " + q.Rule
			if !q.Warning {
				got += "!"
			}
			if got != tt.want[0] || !strings.Contains(q.Text, tt.want[1]) || q.Line == 0 {
				t.Errorf("got %s: %+v, want %q", got, q, tt.want)
			}
		})
	}
	var none *labels.Registry
	if got := none.Check(); got != nil {
		t.Errorf("%v", got)
	}
}
