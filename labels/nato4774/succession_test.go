package nato4774_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/labels"
	"sallyport/labels/nato4774"
)

// successors builds a label of that content and what succeeds it when; the last argument is the last successor.
func successors(content string, next ...string) string {
	return fmt.Sprintf(`<originatorConfidentialityLabel xmlns="%s">%s</originatorConfidentialityLabel>`, nato4774.NS, chain(content, next))
}

func chain(content string, next []string) string {
	s := `<ConfidentialityInformation><PolicyIdentifier>GUARD</PolicyIdentifier>` + content + `</ConfidentialityInformation>` +
		`<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime>`
	if len(next) >= 2 {
		s += `<SuccessionHandling><SuccessionDateTime>` + next[0] + `</SuccessionDateTime><SuccessorConfidentialityLabel>` +
			chain(next[1], next[2:]) + `</SuccessorConfidentialityLabel></SuccessionHandling>`
	}
	return s
}

func class(name string) string { return "<Classification>" + name + "</Classification>" }

func caveat(names ...string) string {
	s := `<Category Type="RESTRICTIVE" TagName="Caveats">`
	for _, n := range names {
		s += "<GenericValue>" + n + "</GenericValue>"
	}
	return s + "</Category>"
}

func release(names ...string) string {
	s := `<Category Type="PERMISSIVE" TagName="Release">`
	for _, n := range names {
		s += "<GenericValue>" + n + "</GenericValue>"
	}
	return s + "</Category>"
}

// §5.1: a successor counts from its date on, and one that is less strict only where somebody wants the clock to lower
// labels.
func TestSuccession(t *testing.T) {
	const early, date, late = "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"
	secret, internal, public := class("SECRET"), class("INTERNAL"), class("PUBLIC")
	tests := []struct {
		name, text, at string
		careful, open  string // marking of the label that counts without and with Succession
	}{
		{"no time known", successors(internal, date, secret), "", "GUARD INTERNAL USE", "GUARD INTERNAL USE"},
		{"before its date", successors(internal, date, secret), early, "GUARD INTERNAL USE", "GUARD INTERNAL USE"},
		{"on its date", successors(internal, date, secret), date, "GUARD SECRET", "GUARD SECRET"},
		{"upwards", successors(internal, date, secret), late, "GUARD SECRET", "GUARD SECRET"},
		{"downwards", successors(secret, date, public), late, "GUARD SECRET", "GUARD PUBLIC"},
		{"the same class, one caveat more", successors(internal+caveat("ALPHA"), date, internal+caveat("ALPHA", "BRAVO")), late, "GUARD INTERNAL USE //ALPHA BRAVO", "GUARD INTERNAL USE //ALPHA BRAVO"},
		{"higher class, one caveat less", successors(internal+caveat("ALPHA"), date, secret), late, "GUARD INTERNAL USE //ALPHA", "GUARD SECRET"},
		{"released to fewer", successors(internal+release("GBR", "FRA"), date, internal+release("GBR")), late, "GUARD INTERNAL USE REL TO GBR", "GUARD INTERNAL USE REL TO GBR"},
		{"released to more", successors(internal+release("GBR"), date, internal+release("GBR", "FRA")), late, "GUARD INTERNAL USE REL TO GBR", "GUARD INTERNAL USE REL TO FRA, GBR"},
		{"released to all", successors(internal+release("GBR"), date, internal), late, "GUARD INTERNAL USE REL TO GBR", "GUARD INTERNAL USE"},
		{"up, then down", successors(internal, early, secret, date, public), late, "GUARD SECRET", "GUARD PUBLIC"},
		{"down, then up", successors(internal, early, public, date, secret), late, "GUARD SECRET", "GUARD SECRET"},
		{"the second has not come", successors(internal, early, public, late, secret), date, "GUARD INTERNAL USE", "GUARD PUBLIC"},
		{"a second whose date is before that of the first", successors(internal, late, public, early, secret), date, "GUARD INTERNAL USE", "GUARD INTERNAL USE"},
		{"a zone", successors(internal, "2027-01-01T02:00:00+02:00", secret), date, "GUARD SECRET", "GUARD SECRET"},
	}
	reg := registry(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var at time.Time
			if tt.at != "" {
				var err error
				if at, err = time.Parse(time.RFC3339, tt.at); err != nil {
					t.Fatal(err)
				}
			}
			for _, open := range []bool{false, true} {
				r, err := nato4774.Read(nato4774.Options{At: at, Succession: open}, parse(t, tt.text), reg)
				if err != nil {
					t.Fatal(err)
				}
				want := tt.careful
				if open {
					want = tt.open
				}
				l, err := reg.Label(r.Form)
				if err != nil || l.String() != want {
					t.Errorf("succession %v: got %v, want %s (%v)", open, l, want, err)
				}
				first, err := reg.Label(r.Original)
				if err != nil || len(r.Successors) != strings.Count(tt.text, "<SuccessionDateTime>") {
					t.Errorf("reported %v and %+v (%v)", first, r.Successors, err)
				}
				if r.Succeeded == first.Equal(l) {
					t.Errorf("succeeded %v, from %v to %v", r.Succeeded, first, l)
				}
			}
		})
	}
}

func TestSuccessionRefusals(t *testing.T) {
	const date = "2027-01-01T00:00:00Z"
	good := successors(class("INTERNAL"), date, class("SECRET"))
	replace := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	deep := []string{}
	for range 6 {
		deep = append(deep, date, class("SECRET"))
	}
	tests := []struct {
		name, text string
		code       labels.Code
	}{
		{"no date", replace("<SuccessionDateTime>"+date+"</SuccessionDateTime>", ""), labels.CodeSyntax},
		{"date without zone", replace(date, "2027-01-01T00:00:00"), labels.CodeSyntax},
		{"year 10000", replace(date, "10000-01-01T00:00:00Z"), labels.CodeSyntax},
		{"no successor", strings.Replace(good, "<SuccessorConfidentialityLabel>"+chain(class("SECRET"), nil)+"</SuccessorConfidentialityLabel>", "", 1), labels.CodeSyntax},
		{"empty successor", strings.Replace(good, chain(class("SECRET"), nil), "", 1), labels.CodeSyntax},
		{"unknown classification", replace("SECRET", "COSMIC"), labels.CodeUnknown},
		{"unknown policy", strings.Replace(good, "GUARD</PolicyIdentifier><Classification>SECRET", "NOBODY</PolicyIdentifier><Classification>SECRET", 1), labels.CodePolicy},
		{"attribute on the successor", replace("<SuccessorConfidentialityLabel>", "<SuccessorConfidentialityLabel Id='a'>"), labels.CodeSyntax},
		{"two handlings", strings.Replace(good, "</SuccessionHandling>", "</SuccessionHandling><SuccessionHandling/>", 1), labels.CodeSyntax},
		{"extension", replace("</SuccessionHandling>", "<x xmlns='urn:x'/></SuccessionHandling>"), labels.CodeSyntax},
		{"six generations", successors(class("INTERNAL"), deep...), labels.CodeSyntax},
	}
	reg := registry(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := nato4774.Read(nato4774.Options{}, parse(t, tt.text), reg)
			le, ok := err.(*labels.Error)
			if !ok || le.Code != tt.code || r.Form.Policy != "" {
				t.Errorf("got %+v, %v, want %s", r, err, tt.code)
			}
		})
	}
}

// A review date is for people: it neither ends a label nor starts a successor.
func TestDatesAndOriginator(t *testing.T) {
	reg := registry(t)
	text := strings.ReplaceAll(good, "2030-01-01T00:00:00Z", "2020-06-01T12:00:00+02:00")
	r, err := nato4774.Read(nato4774.Options{At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Succession: true}, parse(t, text), reg)
	if err != nil {
		t.Fatal(err)
	}
	if want := (nato4774.Identity{Type: "jID", Name: "a@a.example"}); r.Originator != want {
		t.Errorf("originator %+v", r.Originator)
	}
	if !r.Review.Equal(time.Date(2020, 6, 1, 10, 0, 0, 0, time.UTC)) || !r.Created.Equal(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("review %s, created %s", r.Review, r.Created)
	}
	if r.Succeeded || r.Alternative || len(r.Successors) != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestBuildLabelFrom(t *testing.T) {
	reg := registry(t)
	f, err := nato4774.ParseLabel(parse(t, good), reg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := reg.Label(f)
	if err != nil {
		t.Fatal(err)
	}
	origin := nato4774.Origin{
		Created: time.Date(2025, 1, 2, 3, 4, 5, 678, time.UTC), Review: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Originator: nato4774.Identity{Type: "rfc822Name", Name: "a@b.example"},
	}
	for name, build := range map[string]func() (nato4774.Reading, error){
		"originator": func() (nato4774.Reading, error) {
			e, err := nato4774.BuildLabelFrom(l, origin)
			if err != nil {
				return nato4774.Reading{}, err
			}
			return nato4774.Read(nato4774.Options{}, wire(t, e), reg)
		},
		"alternative": func() (nato4774.Reading, error) {
			e, err := nato4774.BuildAlternative(l, origin)
			if err != nil {
				return nato4774.Reading{}, err
			}
			return nato4774.Read(nato4774.Options{}, wire(t, e), reg)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := build()
			if err != nil {
				t.Fatal(err)
			}
			if r.Originator != origin.Originator || !r.Created.Equal(origin.Created.Truncate(time.Second)) || !r.Review.Equal(origin.Review) {
				t.Errorf("got %+v", r)
			}
			if again, err := reg.Label(r.Form); err != nil || !again.Equal(l) || r.Alternative != (name == "alternative") {
				t.Errorf("got %v, %v, alternative %v", again, err, r.Alternative)
			}
		})
	}
	for name, id := range map[string]nato4774.Identity{
		"unknown type": {Type: "nick", Name: "a"}, "no name": {Type: "jID"}, "no type": {Name: "a"}, "long": {Type: "jID", Name: strings.Repeat("a", 257)},
	} {
		if e, err := nato4774.BuildLabelFrom(l, nato4774.Origin{Originator: id}); err == nil {
			t.Errorf("%s: %v", name, e)
		}
	}
}
