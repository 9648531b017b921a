package labels_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/labels"
)

const acmeFile = "fixed/ACME-SPIF-example.xml"

// acme makes a label of the ACME policy from words: "CONFIDENTIAL MOCK PHONY".
func acme(t *testing.T, p *labels.Policy, words string) *labels.Label {
	t.Helper()
	values := map[string]labels.Value{
		"MOCK": val("1.3.6.1.4.1.31778.111.1", labels.EnumPermissive, 100), "PHONY": val("1.3.6.1.4.1.31778.111.1", labels.EnumPermissive, 200),
		"STAFF": val("1.3.6.1.4.1.31778.111.2", labels.InformativeBits, 1), "FINANCE": val("1.3.6.1.4.1.31778.111.2", labels.InformativeBits, 2),
		"RED": val("1.3.6.1.4.1.31778.111.3", labels.Restrictive, 1), "BLUE": val("1.3.6.1.4.1.31778.111.3", labels.Restrictive, 2),
	}
	class, rest, _ := strings.Cut(words, " ")
	lacv, ok := p.ClassNamed(class)
	if !ok {
		t.Fatalf("no classification %s", class)
	}
	f := labels.LabelForm{Policy: p.ID(), Class: lacv}
	for _, w := range strings.Fields(rest) {
		v, ok := values[w]
		if !ok {
			t.Fatalf("no value %s", w)
		}
		f.Values = append(f.Values, v)
	}
	l, err := p.Label(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ADatP-4774.1 §4.4 with its example policy. The first five are the standard's; the others follow from its rules and
// from what the ACME policy allows.
func TestDominant(t *testing.T) {
	p, mock := policyFile(t, acmeFile), policyFile(t, "acme/MOCK.spif.xml")
	secret, err := mock.Label(labels.LabelForm{Policy: mock.ID(), Class: 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		parts  []string
		want   string // "" is a policy decision
		reason string
	}{
		{"1 restrictive values are united", []string{"INTERNAL RED", "INTERNAL BLUE"}, "INTERNAL RED BLUE", ""},
		{"2 permissive values in common", []string{"CONFIDENTIAL MOCK PHONY", "CONFIDENTIAL MOCK"}, "CONFIDENTIAL MOCK", ""},
		{"3 a permissive tag that one lacks", []string{"CONFIDENTIAL MOCK PHONY", "INTERNAL"}, "INTERNAL", ""},
		{"4 no permissive value in common", []string{"CONFIDENTIAL MOCK", "CONFIDENTIAL PHONY"}, "", "no common value of Releasable To"},
		{"5 another policy", []string{"PUBLIC", "MOCK SECRET"}, "", "must be translated first"},
		{"6 the highest classification with its caveat", []string{"PUBLIC", "INTERNAL RED"}, "INTERNAL RED", ""},
		{"7 informative values are united", []string{"INTERNAL STAFF", "INTERNAL FINANCE"}, "INTERNAL STAFF FINANCE", ""},
		{"8 the result would not be valid", []string{"PUBLIC", "CONFIDENTIAL MOCK"}, "", "CONFIDENTIAL needs"},
		{"one label", []string{"CONFIDENTIAL MOCK"}, "CONFIDENTIAL MOCK", ""},
		{"the same twice", []string{"INTERNAL RED STAFF", "INTERNAL RED STAFF"}, "INTERNAL RED STAFF", ""},
		{"three", []string{"CONFIDENTIAL MOCK PHONY", "PUBLIC", "INTERNAL BLUE"}, "INTERNAL BLUE", ""},
		{"none", nil, "", "there is no label"},
		{"a part without label", []string{"INTERNAL", "-"}, "", "has no label"},
		{"a part against the rules", []string{"CONFIDENTIAL", "INTERNAL"}, "", "is not valid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parts := make([]*labels.Label, len(tt.parts))
			for i, words := range tt.parts {
				switch words {
				case "MOCK SECRET":
					parts[i] = secret
				case "-":
				default:
					parts[i] = acme(t, p, words)
				}
			}
			got, err := labels.Dominant(today, parts...)
			if tt.want == "" {
				var u *labels.UndecidedError
				if got != nil || !errors.As(err, &u) || !strings.Contains(u.Reason, tt.reason) || !strings.Contains(err.Error(), "policy decision") {
					t.Fatalf("%v, %v, want a policy decision: %s", got, err, tt.reason)
				}
				return
			}
			if err != nil || !got.Equal(acme(t, p, tt.want)) {
				t.Fatalf("%v, %v, want %s", got, err, tt.want)
			}
		})
	}
}

// Informative values are optional: they go where the rules would not allow all of them.
func TestDominantDropsInformative(t *testing.T) {
	s := home()
	s.TagSets[2].Tags[0].Single = true
	s.TagSets[2].Tags[0].Categories[0].Equivalents = nil
	p := compile(t, s)
	a, _ := p.Label(form(homeID, 1, red, draft))
	b, _ := p.Label(form(homeID, 2, staff))
	want, _ := p.Label(form(homeID, 2, red))
	if got, err := labels.Dominant(today, a, b); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func TestDominantPrivacyMark(t *testing.T) {
	p := compile(t, home())
	with := func(mark string) *labels.Label {
		l, err := p.Label(labels.LabelForm{Policy: homeID, Class: 1, PrivacyMark: mark})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, tt := range []struct{ name, a, b, want string }{
		{"the same in all", "EYES", "EYES", "EYES"}, {"in one", "EYES", "", ""}, {"in the other", "", "EYES", ""}, {"two", "EYES", "x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := labels.Dominant(today, with(tt.a), with(tt.b))
			if err != nil || got.Form().PrivacyMark != tt.want {
				t.Errorf("%+v, %v, want %q", got.Form(), err, tt.want)
			}
		})
	}
}

func TestDominates(t *testing.T) {
	p, other := policyFile(t, acmeFile), policyFile(t, "acme/MOCK.spif.xml")
	again := policyFile(t, acmeFile)
	for _, tt := range []struct {
		outer, inner string
		want         bool
	}{
		{"INTERNAL", "INTERNAL", true},
		{"INTERNAL", "PUBLIC", true},
		{"PUBLIC", "INTERNAL", false},
		{"INTERNAL RED BLUE", "INTERNAL RED", true},
		{"INTERNAL RED", "INTERNAL RED BLUE", false},
		{"INTERNAL RED", "PUBLIC", true},
		{"CONFIDENTIAL MOCK", "CONFIDENTIAL MOCK PHONY", true},
		{"CONFIDENTIAL MOCK PHONY", "CONFIDENTIAL MOCK", false},
		{"CONFIDENTIAL PHONY", "CONFIDENTIAL MOCK", false},
		{"CONFIDENTIAL MOCK", "PUBLIC", true},
		{"INTERNAL", "CONFIDENTIAL MOCK", false}, // no release list is no restriction
		{"INTERNAL", "INTERNAL STAFF", true},
		{"INTERNAL STAFF", "INTERNAL", true},
	} {
		t.Run(tt.outer+" over "+tt.inner, func(t *testing.T) {
			outer, inner := acme(t, p, tt.outer), acme(t, p, tt.inner)
			if got := outer.Dominates(inner); got != tt.want {
				t.Errorf("got %v", got)
			}
			if got := outer.Dominates(acme(t, again, tt.inner)); got != tt.want {
				t.Errorf("read under another load of the policy: got %v", got)
			}
		})
	}
	foreign, err := other.Label(labels.LabelForm{Policy: other.ID(), Class: 1})
	if err != nil {
		t.Fatal(err)
	}
	l := acme(t, p, "INTERNAL")
	var none *labels.Label
	if l.Dominates(foreign) || foreign.Dominates(l) || l.Dominates(none) || none.Dominates(l) || none.Dominates(none) || l.Dominates(&labels.Label{}) {
		t.Error("what cannot be compared is dominated")
	}
}
