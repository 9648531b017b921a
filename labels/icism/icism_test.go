package icism_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/icism"
	"sallyport/labels/spif"
)

// mapping is how the guard policy of the test data would be mapped, as an operator writes it.
const mapping = `
namespace = "urn:example:carrier"
element = "ism"
policy = "GUARD"
owner-producers = ["USA", "USA GBR"]

[classifications]
U = "PUBLIC"
R = "INTERNAL"
S = "SECRET"

[[value]]
attribute = "releasableTo"
token = "*"
tag-set = "Release"
type = "permissive"

[[value]]
attribute = "releasableTo"
token = "CAN"
discard = true

[[value]]
attribute = "releasableTo"
token = "FVEY"
tag-set = "Release"
type = "permissive"
name = "FIVE"

[[value]]
attribute = "SCIcontrols"
token = "SI"
tag-set = "Caveats"
type = "restrictive"
name = "ALPHA"

[[value]]
attribute = "disseminationControls"
token = "OC"
tag-set = "Owner"
type = "permissive"
name = "NORTH"

[[value]]
attribute = "disseminationControls"
token = "FOUO"
tag-set = "Info"
type = "informative"
name = "STAFF"

[[value]]
attribute = "disseminationControls"
token = "DSEN"
discard = true
`

func mapped(t testing.TB, change ...string) *icism.Mapping {
	t.Helper()
	m := &icism.Mapping{}
	md, err := toml.Decode(strings.NewReplacer(change...).Replace(mapping), m)
	if err != nil || len(md.Undecoded()) > 0 {
		t.Fatalf("%v %v", err, md.Undecoded())
	}
	return m
}

func registry(t testing.TB) *labels.Registry {
	t.Helper()
	p, problems := spif.Load("../testdata/guard/guard.spif.xml")
	if p == nil {
		t.Fatal(problems)
	}
	reg, err := labels.NewRegistry(p)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func parse(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits()})
	if err != nil {
		t.Fatalf("%v\n%.400s", err, text)
	}
	return e
}

// carrier writes "name=value, name=value" as a carrier element.
func carrier(space, attributes string) string {
	out := "<ism xmlns='urn:example:carrier' xmlns:i='" + space + "'"
	for _, a := range strings.Split(attributes, ", ") {
		if name, value, ok := strings.Cut(a, "="); ok {
			if space != "" {
				name = "i:" + name
			}
			out += " " + name + "='" + value + "'"
		}
	}
	if space == "" {
		out = strings.Replace(out, " xmlns:i=''", "", 1)
	}
	return out + "/>"
}

func TestRead(t *testing.T) {
	long := strings.Repeat("X", 5000)
	tests := []struct {
		name, attributes, want string // want "": refused with code
		code                   labels.Code
	}{
		{"class alone", "classification=U, ownerProducer=USA", "GUARD PUBLIC", 0},
		{"released", "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=USA GBR", "GUARD INTERNAL USE REL TO GBR, USA", 0},
		{"order of the list means nothing", "releasableTo=GBR  USA, disseminationControls=REL, ownerProducer=USA, classification=R", "GUARD INTERNAL USE REL TO GBR, USA", 0},
		{"a discarded nation beside another", "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=USA CAN", "GUARD INTERNAL USE REL TO USA", 0},
		{"nothing but discarded nations", "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=CAN", "", labels.CodeUnknown},
		{"nation of the wildcard that the policy lacks", "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=USA NZL", "", labels.CodeUnknown},
		{"named before the wildcard", "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=USA FVEY", "GUARD INTERNAL USE GRP FIVE REL TO USA", 0},
		{"restrictive", "classification=S, ownerProducer=USA, SCIcontrols=SI", "GUARD SECRET //ALPHA", 0},
		{"several attributes", "classification=R, ownerProducer=USA, SCIcontrols=SI, disseminationControls=FOUO OC DSEN", "GUARD INTERNAL USE //ALPHA NORTH - STAFF", 0},
		{"two owners", "classification=U, ownerProducer=GBR USA", "GUARD PUBLIC", 0},
		{"authority block is dropped", "classification=R, ownerProducer=USA, classifiedBy=someone, declassDate=2040-01-01, DESVersion=13", "GUARD INTERNAL USE", 0},
		{"not joint", "classification=U, ownerProducer=USA, joint=false", "GUARD PUBLIC", 0},

		{"class without a mapping", "classification=TS, ownerProducer=USA", "", labels.CodeUnknown},
		{"class that is none", "classification=X, ownerProducer=USA", "", labels.CodeUnknown},
		{"no class", "ownerProducer=USA", "", labels.CodeSyntax},
		{"two classes", "classification=U S, ownerProducer=USA", "", labels.CodeSyntax},
		{"no owner", "classification=U", "", labels.CodeSyntax},
		{"foreign owner", "classification=U, ownerProducer=NATO", "", labels.CodePolicy},
		{"one owner too many", "classification=U, ownerProducer=USA FRA", "", labels.CodePolicy},
		{"joint", "classification=U, ownerProducer=USA GBR, joint=true", "", labels.CodeUnknown},
		{"joint is no boolean", "classification=U, ownerProducer=USA, joint=perhaps", "", labels.CodeSyntax},
		{"word without a mapping", "classification=R, ownerProducer=USA, disseminationControls=IMC", "", labels.CodeUnknown},
		{"list without a mapping", "classification=R, ownerProducer=USA, nonICmarkings=LES", "", labels.CodeUnknown},
		{"NF without a mapping", "classification=R, ownerProducer=USA, disseminationControls=NF", "", labels.CodeUnknown},
		{"NF and REL", "classification=R, ownerProducer=USA, disseminationControls=NF REL, releasableTo=USA GBR", "", labels.CodeMismatch},
		{"NF and a release", "classification=R, ownerProducer=USA, disseminationControls=NF, releasableTo=USA", "", labels.CodeMismatch},
		{"REL without a list", "classification=R, ownerProducer=USA, disseminationControls=REL", "", labels.CodeMismatch},
		{"list without REL", "classification=R, ownerProducer=USA, releasableTo=USA GBR", "", labels.CodeMismatch},
		{"display only without a list", "classification=R, ownerProducer=USA, disseminationControls=DISPLAYONLY", "", labels.CodeMismatch},
		{"SCI on U", "classification=U, ownerProducer=USA, SCIcontrols=SI", "", labels.CodeMismatch},
		{"a word twice", "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=GBR GBR", "", labels.CodeSyntax},
		{"an empty list", "classification=R, ownerProducer=USA, releasableTo= ", "", labels.CodeSyntax},
		{"a list of 65", "classification=R, ownerProducer=USA, disseminationControls=" + strings.TrimSpace(strings.Repeat("X ", 65)), "", labels.CodeSyntax},
		{"a long value", "classification=R, ownerProducer=USA, classifiedBy=" + long, "", labels.CodeSyntax},
		{"an unknown attribute", "classification=R, ownerProducer=USA, exemptFrom=RULES", "", labels.CodeUnknown},
		{"nothing", "", "", labels.CodeSyntax},
	}
	reg, m := registry(t), mapped(t)
	if problems := m.Check(reg); len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, tt := range tests {
		for _, space := range []string{icism.NS, icism.NSv2} {
			t.Run(tt.name, func(t *testing.T) {
				f, err := icism.Read(parse(t, carrier(space, tt.attributes)), m, reg)
				want(t, reg, f, err, tt.want, tt.code)
			})
		}
	}
}

func want(t *testing.T, reg *labels.Registry, f labels.LabelForm, err error, marking string, code labels.Code) {
	t.Helper()
	if marking == "" {
		var e *labels.Error
		if !errors.As(err, &e) || e.Code != code || f.Policy != "" {
			t.Errorf("got %+v %v, want %v", f, err, code)
		}
		return
	}
	l, resolved := reg.Label(f)
	if err != nil || resolved != nil || l.String() != marking {
		t.Errorf("got %v (%v, %v), want %s", l, err, resolved, marking)
	}
}

func TestCarrier(t *testing.T) {
	const u = "classification=U, ownerProducer=USA"
	reg := registry(t)
	good := carrier(icism.NS, u)
	tests := []struct {
		name, element string
		m             *icism.Mapping
		want          string
		code          labels.Code
	}{
		{"plain attributes", carrier("", u), mapped(t, "policy =", "plain-attributes = true\npolicy ="), "GUARD PUBLIC", 0},
		{"plain where they are not", carrier("", u), mapped(t), "", labels.CodeSyntax},
		{"not plain where they are", good, mapped(t, "policy =", "plain-attributes = true\npolicy ="), "", labels.CodeSyntax},
		{"policy by identifier", good, mapped(t, `"GUARD"`, `"2.999.258.1"`), "GUARD PUBLIC", 0},
		{"policy not loaded", good, mapped(t, `"GUARD"`, `"PARTNER"`), "", labels.CodePolicy},
		{"policy not named", good, mapped(t, `"GUARD"`, `""`), "", labels.CodePolicy},
		{"two namespaces", strings.Replace(good, "/>", " xmlns:j='"+icism.NSv2+"' j:SCIcontrols='SI'/>", 1), mapped(t), "", labels.CodeSyntax},
		{"foreign attribute", strings.Replace(good, "/>", " xmlns:j='urn:x' j:a='b'/>", 1), mapped(t), "", labels.CodeSyntax},
		{"language", strings.Replace(good, "/>", " xml:lang='en'/>", 1), mapped(t), "", labels.CodeSyntax},
		{"a child", strings.Replace(good, "/>", "><x/></ism>", 1), mapped(t), "", labels.CodeSyntax},
		{"text", strings.Replace(good, "/>", ">SECRET</ism>", 1), mapped(t), "", labels.CodeSyntax},
		{"white space", strings.Replace(good, "/>", ">\n </ism>", 1), mapped(t), "GUARD PUBLIC", 0},
		{"another element", strings.Replace(good, "<ism", "<icism", 1), mapped(t), "", labels.CodeSyntax},
		{"another namespace", strings.Replace(good, "urn:example:carrier", "urn:example:other", 1), mapped(t), "", labels.CodeSyntax},
		{"no mapping", good, nil, "", labels.CodeUnknown},
		{"empty mapping", good, &icism.Mapping{}, "", labels.CodeSyntax},
		{"no owner in the mapping", good, mapped(t, `"USA", "USA GBR"`, ""), "", labels.CodePolicy},
		{"class that the policy lacks", good, mapped(t, "PUBLIC", "OPEN"), "", labels.CodeUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := icism.Read(parse(t, tt.element), tt.m, reg)
			want(t, reg, f, err, tt.want, tt.code)
		})
	}
}

func TestCheck(t *testing.T) {
	reg := registry(t)
	for _, tt := range []struct{ name, from, to, want string }{
		{"policy", `"GUARD"`, `"NOBODY"`, `policy: "NOBODY" is not loaded`},
		{"element", `"ism"`, `""`, "name the element"},
		{"owner", `"USA", "USA GBR"`, "", "owner-producers: name at least one"},
		{"empty owner", `"USA GBR"`, `" "`, "owner-producers: an empty one"},
		{"letter", "U = ", "X = ", `"X" is none of`},
		{"class", "PUBLIC", "OPEN", `no classification "OPEN"`},
		{"attribute", `"SCIcontrols"`, `"SCI"`, "value 4 (SCI SI): attribute is none of"},
		{"two words", `"SI"`, `"SI TK"`, "token is one word"},
		{"twice", `"CAN"`, `"FVEY"`, "value 3 (releasableTo FVEY): the word has an entry already"},
		{"type", `type = "restrictive"`, `type = "strict"`, "type is restrictive, permissive or informative"},
		{"nations restrict", `type = "permissive"`, `type = "restrictive"`, "a list of nations permits"},
		{"tag set", `"Caveats"`, `"Caveat"`, `has no tag set "Caveat"`},
		{"category", `"ALPHA"`, `"ALFA"`, `value "ALFA"`},
		{"wildcard with a name", `token = "*"`, "token = \"*\"\nname = \"GBR\"", "every word cannot have one name"},
		{"wildcard discarded", `token = "DSEN"`, `token = "*"`, "cannot be discarded"},
		{"discarded and named", `token = "DSEN"`, "token = \"DSEN\"\nname = \"STAFF\"", "discarded, and yet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(mapped(t, tt.from, tt.to).Check(reg), "\n")
			if !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWrite(t *testing.T) {
	reg := registry(t)
	p, _ := reg.Policy("2.999.258.1")
	rel := func(n uint32) labels.Value {
		return labels.Value{TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: n}
	}
	alpha := labels.Value{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 0}
	bravo := labels.Value{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 1}
	discardUSA := []string{"token = \"CAN\"", "token = \"USA\""}
	tests := []struct {
		name   string
		form   labels.LabelForm
		change []string
		want   string // "": refused
	}{
		{"class", labels.LabelForm{Class: 1}, nil, "classification=U, ownerProducer=USA"},
		{"nations, USA first", labels.LabelForm{Class: 2, Values: []labels.Value{rel(250), rel(826), rel(840)}}, nil, "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=USA FRA GBR"},
		{"USA is said by the owner", labels.LabelForm{Class: 2, Values: []labels.Value{rel(826)}}, discardUSA, "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=USA GBR"},
		{"SCI", labels.LabelForm{Class: 5, Values: []labels.Value{alpha}}, nil, "classification=S, ownerProducer=USA, SCIcontrols=SI"},
		{"class without a letter", labels.LabelForm{Class: 6}, nil, ""},
		{"class with two letters", labels.LabelForm{Class: 2}, []string{"U = \"PUBLIC\"", "U = \"INTERNAL\""}, ""},
		{"value without a word", labels.LabelForm{Class: 2, Values: []labels.Value{bravo}}, nil, ""},
		{"value with two words", labels.LabelForm{Class: 2, Values: []labels.Value{alpha}}, []string{"\"FOUO\"\ntag-set = \"Info\"\ntype = \"informative\"\nname = \"STAFF\"", "\"FOUO\"\ntag-set = \"Caveats\"\ntype = \"restrictive\"\nname = \"ALPHA\""}, ""},
		{"SCI that U excludes", labels.LabelForm{Class: 1, Values: []labels.Value{alpha}}, nil, ""},
		{"privacy mark", labels.LabelForm{Class: 1, PrivacyMark: "CLEAR"}, nil, ""},
		{"another policy", labels.LabelForm{Class: 1}, []string{`"GUARD"`, `"PARTNER"`}, ""},
		{"no owner", labels.LabelForm{Class: 1}, []string{`"USA", "USA GBR"`, ""}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.form.Policy = p.ID()
			l, err := p.Label(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			m := mapped(t, tt.change...)
			attrs, err := icism.Write(l, m)
			var got []string
			for _, a := range attrs {
				if a.Name.Space != icism.NS {
					t.Errorf("attribute %v", a)
				}
				got = append(got, a.Name.Local+"="+a.Value)
			}
			if s := strings.Join(got, ", "); s != tt.want || (err != nil) != (tt.want == "") {
				t.Fatalf("got %s (%v), want %s", s, err, tt.want)
			}
		})
	}
	if _, err := icism.Write(nil, mapped(t)); err == nil {
		t.Error("a nil label was written")
	}
	l, _ := p.Label(labels.LabelForm{Policy: p.ID(), Class: 1})
	if _, err := icism.Write(l, nil); err == nil {
		t.Error("written without a mapping")
	}
}

func TestBanner(t *testing.T) {
	m := mapped(t)
	for _, tt := range []struct{ attributes, want string }{
		{"classification=S, ownerProducer=USA, disseminationControls=REL, releasableTo=USA GBR", "SECRET//REL TO USA, GBR"},
		{"classification=TS, ownerProducer=USA, SCIcontrols=SI, disseminationControls=NF", "TOP SECRET//SI//NOFORN"},
		{"classification=U, ownerProducer=USA", "UNCLASSIFIED"},
		{"classification=U, ownerProducer=USA, disseminationControls=FOUO", "UNCLASSIFIED//FOUO"},
		{"classification=TS, ownerProducer=USA, SCIcontrols=HCS SI TK, SARIdentifier=BP, atomicEnergyMarkings=RD, FGIsourceOpen=DEU GBR, disseminationControls=OC IMC, nonICmarkings=LES-NF", "TOP SECRET//HCS/SI/TK//SAR-BP//RD//FGI DEU GBR//ORCON/IMCON//LES NOFORN"},
		{"classification=C, ownerProducer=USA, FGIsourceProtected=FGI, disseminationControls=DISPLAYONLY, displayOnlyTo=AFG", "CONFIDENTIAL//FGI//DISPLAY ONLY AFG"},
		{"classification=S, ownerProducer=NATO", ""},
		{"classification=S, ownerProducer=USA, nonUSControls=ATOMAL", ""},
		{"classification=S, ownerProducer=USA, disseminationControls=REL", ""},
	} {
		got, err := icism.Banner(parse(t, carrier(icism.NS, tt.attributes)), m)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: got %q (%v), want %q", tt.attributes, got, err, tt.want)
		}
	}
	if _, err := icism.Banner(parse(t, carrier(icism.NS, "")), nil); err == nil {
		t.Error("a banner without a mapping")
	}
}

// What is accepted and can be written is equal when read again; nothing panics.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"classification=U, ownerProducer=USA", "classification=R, ownerProducer=USA, disseminationControls=REL, releasableTo=USA GBR",
		"classification=S, ownerProducer=USA, SCIcontrols=SI", "classification=R, ownerProducer=USA, disseminationControls=NF REL, releasableTo=USA",
		"classification=R, ownerProducer=USA, joint=true", "classification=R, ownerProducer=GBR USA, disseminationControls=FOUO OC",
		"classification=R, ownerProducer=USA, classifiedBy=x, DESVersion=9",
	} {
		f.Add([]byte(carrier(icism.NS, s)))
		f.Add([]byte(carrier(icism.NSv2, s)))
		f.Add([]byte(carrier("", s)))
	}
	reg, m, plain := registry(f), mapped(f), mapped(f, "policy =", "plain-attributes = true\npolicy =")
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.ServerLimits()})
		if err != nil {
			return
		}
		for _, m := range []*icism.Mapping{m, plain} {
			_, _ = icism.Banner(e, m)
			form, err := icism.Read(e, m, reg)
			if err != nil {
				continue
			}
			l, err := reg.Label(form)
			if err != nil {
				t.Fatalf("the mapping gives a label that the policy lacks: %v", err)
			}
			out, err := icism.Element(l, m)
			if err != nil {
				continue // not one to one
			}
			again, err := icism.Read(out, m, reg)
			if l2, err2 := reg.Label(again); err != nil || err2 != nil || !l2.Equal(l) {
				t.Fatalf("%v came back as %v (%v %v)", l, l2, err, err2)
			}
		}
	})
}
