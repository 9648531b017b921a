package xep0258_test

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/textmark"
	"sallyport/labels/xep0258"
)

// debugFile reads a label or clearance of the guard policy in the debug format of the reference library.
func debugFile(t testing.TB, file string) labels.ClearanceForm {
	t.Helper()
	var d struct {
		Policy struct {
			ID string `xml:"id,attr"`
		} `xml:"policy"`
		Classes []struct {
			LACV uint32 `xml:"lacv,attr"`
		} `xml:"classification"`
		Tags []struct {
			Type string `xml:"type,attr"`
			ID   string `xml:"id,attr"`
			LACV uint32 `xml:"lacv,attr"`
		} `xml:"tag"`
	}
	if err := xml.Unmarshal(readData(t, file), &d); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]labels.Kind{
		"restrictive": labels.Restrictive, "enumeratedRestrictive": labels.EnumRestrictive,
		"permissive": labels.Permissive, "enumeratedPermissive": labels.EnumPermissive, "informative": labels.InformativeBits,
	}
	f := labels.ClearanceForm{Policy: d.Policy.ID}
	for _, c := range d.Classes {
		f.Classes = append(f.Classes, c.LACV)
	}
	for _, v := range d.Tags {
		f.Values = append(f.Values, labels.Value{TagSet: v.ID, Kind: kinds[v.Type], LACV: v.LACV})
	}
	return f
}

// catalogueMarkings makes the table for first lines from the catalogue of the test data, as the policy writes them.
func catalogueMarkings(t testing.TB, r *xep0258.Reader, p *labels.Policy) *textmark.Table {
	t.Helper()
	var entries []textmark.Entry
	result := parse(t, strings.Replace(strings.TrimSpace(string(readData(t, "xmpp/catalog-result.xml"))), "jabber:client", "jabber:server", 1))
	for item := range result.Child("urn:xmpp:sec-label:catalog:2", "catalog").Children() {
		f := r.ReadLabel(item.Child(xep0258.NS, "securitylabel"))
		if f.State != xep0258.Labelled {
			t.Fatal(f.Detail)
		}
		entries = append(entries, textmark.Entry{Text: p.MarkingAt(f.Label, labels.FirstLineOfText, "").Text, Label: f.Label})
	}
	return textmark.NewTable(entries)
}

// TestCases runs xmpp/cases.tsv: what a boundary does with each stanza. Here it is the part of the boundary that
// labels decide.
func TestCases(t *testing.T) {
	reg := guard(t)
	p, _ := reg.Policy(guardID)
	r := xep0258.NewReaderWith(reg, xep0258.Options{TrustEquivalents: []string{guardID}})
	rows := strings.Split(strings.TrimSpace(string(readData(t, "xmpp/cases.tsv"))), "\n")[1:]
	ran := 0
	for _, line := range rows {
		f := strings.Split(line, "\t")
		ran++
		t.Run(f[0], func(t *testing.T) {
			file, note, _ := strings.Cut(f[0], " ")
			c, err := reg.Clearance(debugFile(t, f[1]))
			if err != nil {
				t.Fatal(err)
			}
			var fallback *labels.Label
			if strings.Contains(note, "default label") {
				d := debugFile(t, "guard/l-public.xml")
				if fallback, err = reg.Label(labels.LabelForm{Policy: d.Policy, Class: d.Classes[0], Values: d.Values}); err != nil {
					t.Fatal(err)
				}
			}
			stanza := parse(t, strings.Replace(strings.TrimSpace(string(readData(t, "xmpp/"+file))), "jabber:client", "jabber:server", 1))
			found := r.Read(stanza)
			if note == "(FLOT parsing on)" && found.State == xep0258.Unlabelled {
				var line string
				if fallback, line, err = catalogueMarkings(t, r, p).Read(stanza); err != nil || line == "" {
					t.Fatalf("line %q: %v", line, err)
				}
			}
			if f[2] == "not checked" { // whether a subject is checked is a choice of the peer; here it has no label
				if found.State != xep0258.Unlabelled {
					t.Errorf("got %v", found.State)
				}
				return
			}
			if got := outcome(p, found, c, fallback); got != f[2] {
				t.Errorf("got %s, want %s: %s (%v %s)", got, f[2], f[3], found.Refusal, found.Detail)
			}
		})
	}
	if ran != 17 {
		t.Errorf("%d rows ran, want 17", ran)
	}
}

func outcome(p *labels.Policy, f xep0258.Found, c *labels.Clearance, fallback *labels.Label) string {
	l := f.Label
	switch f.State {
	case xep0258.Refused:
		if f.Refusal == labels.CodeMisplaced {
			return "discard"
		}
		return "block"
	case xep0258.Unlabelled, xep0258.UseDefault:
		l = fallback
	case xep0258.Labelled:
	}
	if p.Validate(l, now).Granted && p.Decide(l, c).Granted {
		return "allow"
	}
	return "block"
}

func TestEquivalents(t *testing.T) {
	unknown := "<label><x xmlns='urn:x'/></label>"
	foreign := essLabel("MQYCAQQGASk=") // policy 1.1
	tests := []struct {
		name, inside string
		trusted      bool
		marking      string // "" refused
		code         labels.Code
	}{
		{"trusted", unknown + equivalent(essLabel(relGBR)), true, "GUARD INTERNAL USE REL TO GBR", 0},
		{"not trusted", unknown + equivalent(essLabel(relGBR)), false, "", labels.CodeUnknown},
		{"label under a policy not known", foreign + equivalent(essLabel(relGBR)), true, "GUARD INTERNAL USE REL TO GBR", 0},
		{"the same, not trusted", foreign + equivalent(essLabel(relGBR)), false, "", labels.CodePolicy},
		{"two that agree", unknown + equivalent(essLabel(publicESS)) + equivalent(stanag(guardName, "PUBLIC", "")), true, "GUARD PUBLIC", 0},
		{"two that differ", unknown + equivalent(essLabel(publicESS)) + equivalent(essLabel(bravo)), true, "", labels.CodeMismatch},
		{"one unreadable", unknown + equivalent(essLabel(publicESS)) + equivalent(essLabel("MQMCAQI=")), true, "", labels.CodeSyntax},
		{"unknown ones are passed over", unknown + equivalent(unknown) + equivalent(foreign) + equivalent(essLabel(publicESS)), true, "GUARD PUBLIC", 0},
		{"none fits", unknown + equivalent(foreign), true, "", labels.CodeUnknown},
		{"a readable label is not replaced", essLabel(bravo) + equivalent(essLabel(publicESS)), true, "GUARD INTERNAL USE //BRAVO CHARLIE", 0},
		{"a broken label is not replaced", essLabel("MQMCAQI=") + equivalent(essLabel(publicESS)), true, "", labels.CodeSyntax},
		{"an unknown class is not replaced", essLabel("MQoCAWMGBYg3ggIB") + equivalent(essLabel(publicESS)), true, "", labels.CodeUnknown},
		{"alternative", unknown + equivalent(strings.ReplaceAll(stanag(guardName, "PUBLIC", ""), "originator", "alternative")), true, "GUARD PUBLIC", 0},
		{"empty", unknown + "<equivalentlabel/>", true, "", labels.CodeSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o xep0258.Options
			if tt.trusted {
				o.TrustEquivalents = []string{guardID}
			}
			f := xep0258.NewReaderWith(guard(t), o).Read(parse(t, message(securityLabel(tt.inside))))
			if tt.marking == "" {
				wantCode(t, f, tt.code)
			} else if f.State != xep0258.Labelled || f.Label.String() != tt.marking {
				t.Errorf("got %v %q %s", f.State, f.Label, f.Detail)
			}
		})
	}
}

func TestSyntaxes(t *testing.T) {
	binary, text := message(securityLabel(essLabel(publicESS))), message(securityLabel(stanag(guardName, "PUBLIC", "")))
	for _, tt := range []struct {
		accept []xep0258.Syntax
		ok     [2]bool
	}{
		{nil, [2]bool{true, true}},
		{[]xep0258.Syntax{xep0258.ESS}, [2]bool{true, false}},
		{[]xep0258.Syntax{xep0258.STANAG4774}, [2]bool{false, true}},
		{[]xep0258.Syntax{xep0258.SDN801c}, [2]bool{true, false}},
		{[]xep0258.Syntax{xep0258.STANAG4778, xep0258.ICISM}, [2]bool{false, false}},
		{[]xep0258.Syntax{xep0258.NoSyntax}, [2]bool{false, false}},
	} {
		r := xep0258.NewReader(guard(t), tt.accept...)
		for i, m := range []string{binary, text} {
			if f := r.Read(parse(t, m)); (f.State == xep0258.Labelled) != tt.ok[i] || !tt.ok[i] && f.Refusal != labels.CodeUnknown {
				t.Errorf("%v, message %d: %v %v", tt.accept, i, f.State, f.Refusal)
			}
		}
	}
	for _, s := range []xep0258.Syntax{xep0258.ESS, xep0258.STANAG4774, xep0258.STANAG4778, xep0258.ICISM, xep0258.SDN801c} {
		if got, ok := xep0258.ParseSyntax(s.String()); !ok || got != s {
			t.Errorf("%v is not parsed back", s)
		}
	}
	for m, want := range map[string]xep0258.Syntax{binary: xep0258.ESS, text: xep0258.STANAG4774, message(securityLabel("<label/>")): 0} {
		if got := xep0258.SyntaxOf(parse(t, m).Child(xep0258.NS, "securitylabel")); got != want {
			t.Errorf("syntax %v, want %v", got, want)
		}
	}
	if xep0258.SyntaxOf(nil) != xep0258.NoSyntax {
		t.Error("nothing has a syntax")
	}
	for _, s := range []string{"", "none", "ESS", "syntax 9"} {
		if got, ok := xep0258.ParseSyntax(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
}

// The memo changes no answer, whatever is read in whatever order.
func TestMemoIsTransparent(t *testing.T) {
	reg := guard(t)
	warm := xep0258.NewReader(reg)
	var texts []string
	for class := range 3 {
		for _, rel := range [][]string{{"GBR"}, {"FRA"}, {"GBR", "FRA"}, {"XXX"}, nil} {
			rest := ""
			if rel != nil {
				rest = category("PERMISSIVE", "Release", rel...)
			}
			texts = append(texts, message(securityLabel(stanag(guardName, []string{"INTERNAL", "SECRET", "NONE"}[class], rest))))
		}
	}
	for range 3 {
		for _, text := range texts {
			got, want := warm.Read(parse(t, text)), xep0258.NewReader(reg).Read(parse(t, text))
			if fmt.Sprint(got.State, got.Refusal, got.Label) != fmt.Sprint(want.State, want.Refusal, want.Label) {
				t.Errorf("got %v %v, want %v %v", got.State, got.Label, want.State, want.Label)
			}
		}
		slices.Reverse(texts)
	}
}
