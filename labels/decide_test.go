package labels_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/labels"
)

const (
	guardFile = "guard/guard.spif.xml"
	guardID   = "2.999.258.1"
)

func TestZeroDenies(t *testing.T) {
	p := policyFile(t, guardFile)
	l, c := mustLabel(t, p, "guard/l-public.xml"), mustClearance(t, p, "guard/c-all.xml")
	var none *labels.Policy
	tests := []struct {
		name string
		got  labels.Decision
		why  labels.Reason
	}{
		{"zero decision", labels.Decision{}, labels.Undecided},
		{"no policy", none.Decide(l, c), labels.NoPolicy},
		{"no policy, validity", none.Validate(l, today), labels.NoPolicy},
		{"nil label", p.Decide(nil, c), labels.NoLabel},
		{"nil label, validity", p.Validate(nil, today), labels.NoLabel},
		{"zero label", p.Decide(new(labels.Label), c), labels.NoLabel},
		{"zero label, validity", p.Validate(new(labels.Label), today), labels.NoLabel},
		{"nil clearance", p.Decide(l, nil), labels.NoClearance},
		{"zero clearance", p.Decide(l, new(labels.Clearance)), labels.NoClearance},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got.Granted || tt.got.Reason != tt.why || tt.got.Reason.Code() == labels.NoCode || tt.got.Explain() == "" {
				t.Errorf("got %v %v %q, want %v", tt.got.Granted, tt.got.Reason, tt.got.Explain(), tt.why)
			}
		})
	}
}

func TestOtherPolicy(t *testing.T) {
	p, q := policyFile(t, guardFile), policyFile(t, "guard/partner.spif.xml")
	l, c := mustLabel(t, p, "guard/l-public.xml"), mustClearance(t, p, "guard/c-all.xml")
	if d := q.Decide(l, c); d.Granted || d.Reason != labels.LabelOtherPolicy {
		t.Errorf("label of another policy: %v %s", d.Granted, d.Explain())
	}
	foreign, err := q.Clearance(labels.ClearanceForm{Policy: q.ID(), Classes: []uint32{1}})
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Decide(l, foreign); d.Granted || d.Reason != labels.ClearanceOtherPolicy {
		t.Errorf("clearance of another policy: %v %s", d.Granted, d.Explain())
	}
	if d := q.Validate(l, today); d.Granted {
		t.Error("a label is valid under another policy")
	}
}

// A label and a clearance read under an earlier version of the policy are resolved again, because their bits may stand
// elsewhere now.
func TestReloadedPolicy(t *testing.T) {
	p := policyFile(t, guardFile)
	changed := strings.Replace(string(readData(t, guardFile)), `<spif:tagCategory name="ALPHA" lacv="0">`,
		`<spif:tagCategory name="NEW" lacv="3"/><spif:tagCategory name="ALPHA" lacv="0">`, 1)
	q := parsePolicy(t, changed)
	l, c := mustLabel(t, p, "guard/l-internal-titan-atlas.xml"), mustClearance(t, p, "guard/c-all.xml")
	less := mustClearance(t, p, "guard/c-secret-only.xml")
	if !q.Decide(l, c).Granted || q.Decide(l, less).Granted || !q.Validate(l, today).Granted {
		t.Error("a decision changed with the position of bits")
	}
	gone := parsePolicy(t, strings.Replace(string(readData(t, guardFile)), `<spif:tagCategory name="TITAN" lacv="1"/>`, "", 1))
	if d := gone.Decide(l, c); d.Granted || gone.Validate(l, today).Granted {
		t.Errorf("a value that is gone: %s", d.Explain())
	}
}

// A clearance read back without its policy decides as it did before.
func TestUnresolvedClearance(t *testing.T) {
	p, q := policyFile(t, guardFile), policyFile(t, "guard/partner.spif.xml")
	l, all := mustLabel(t, p, "guard/l-internal-titan-atlas.xml"), mustClearance(t, p, "guard/c-all.xml")
	c := labels.NewClearance(all.Form())
	if !c.Equal(all) || !p.Decide(l, c).Granted {
		t.Error("an unresolved clearance decides otherwise")
	}
	for _, f := range []labels.ClearanceForm{
		{},
		{Policy: guardID, Classes: []uint32{1}},
		{Policy: q.ID(), Classes: all.Form().Classes},
		{Policy: guardID, Classes: all.Form().Classes, Values: []labels.Value{{TagSet: "2.999.9", Kind: labels.Restrictive}}},
	} {
		if d := p.Decide(l, labels.NewClearance(f)); d.Granted || d.Explain() == "" {
			t.Errorf("%+v was granted", f)
		}
	}
}

func TestUnresolved(t *testing.T) {
	p := policyFile(t, guardFile)
	tests := []struct {
		name string
		form labels.LabelForm
		code labels.Code
	}{
		{"I11 class 99", labels.LabelForm{Policy: guardID, Class: 99}, labels.CodeUnknown},
		{"I12 other policy", labels.LabelForm{Policy: "2.999.258.77", Class: 2}, labels.CodePolicy},
		{"I13 unknown tag set", withValue("2.999.258.1.99", labels.Restrictive, 0), labels.CodeUnknown},
		{"I13 unknown category", withValue("2.999.258.1.1", labels.Restrictive, 9), labels.CodeUnknown},
		{"I13 wrong kind", withValue("2.999.258.1.1", labels.Permissive, 0), labels.CodeUnknown},
		{"I13 no kind", withValue("2.999.258.1.1", labels.NoKind, 0), labels.CodeUnknown},
		{"SDN.801 number without enumerated tag", withValue("2.999.258.1.1", labels.Enumerated, 0), labels.CodeUnknown},
		{"SDN.801 number in unknown tag set", withValue("2.999.9", labels.Enumerated, 0), labels.CodeUnknown},
		{"privacy mark too long", labels.LabelForm{Policy: guardID, Class: 2, PrivacyMark: strings.Repeat("x", 257)}, labels.CodeSyntax},
		{"too many values", labels.LabelForm{Policy: guardID, Class: 2, Values: make([]labels.Value, 4097)}, labels.CodeSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := registry(t, p).Label(tt.form)
			le, ok := err.(*labels.Error)
			if l != nil || !ok || le.Code != tt.code {
				t.Errorf("got %v, %v, want %s", l, err, tt.code)
			}
		})
	}
}

func withValue(set string, k labels.Kind, n uint32) labels.LabelForm {
	return labels.LabelForm{Policy: guardID, Class: 2, Values: []labels.Value{{TagSet: set, Kind: k, LACV: n}}}
}

func TestExplain(t *testing.T) {
	p := policyFile(t, guardFile)
	tlp := policyFile(t, "spiffing/tlp-plus.xml")
	tests := []struct {
		name string
		d    labels.Decision
		want string
	}{
		{
			"class", p.Decide(mustLabel(t, p, "guard/l-internal.xml"), mustClearance(t, p, "guard/c-secret-only.xml")),
			"label needs INTERNAL; clearance has SECRET",
		},
		{
			"no class", p.Decide(mustLabel(t, p, "guard/l-internal.xml"), clearance(t, p)),
			"label needs INTERNAL; clearance has none",
		},
		{
			"restrictive", p.Decide(mustLabel(t, p, "guard/l-internal-bravo-charlie.xml"), clearance(t, p, 2)),
			"label needs Caveats BRAVO and Caveats CHARLIE; clearance lacks them",
		},
		{
			"two permissive tags", p.Decide(mustLabel(t, p, "guard/l-internal-rel-gbr-five.xml"), clearance(t, p, 2)),
			"label needs GRP FIVE; clearance has none of Release; label needs REL TO GBR; clearance has none of Release",
		},
		{
			"permissive", tlp.Decide(mustLabel(t, tlp, "tlp/l-amber-eu-us.xml"), clearance(t, tlp, 12)),
			"label needs J:EU or J:US; clearance has none of Dissemination",
		},
		{
			"invalid", p.Validate(mustLabel(t, p, "guard/l-internal-charlie.xml"), today),
			"Caveats CHARLIE needs one or more of Caveats ALPHA, Caveats BRAVO",
		},
		{
			"every rule that is broken", p.Validate(everythingWrong(t, p), today),
			"SECRET needs a value of Owner (any), and Caveats ALPHA; Caveats CHARLIE needs one or more of " +
				"Caveats ALPHA, Caveats BRAVO; Caveats FOXTROT is outside its validity period",
		},
		{
			"period", p.Validate(mustLabel(t, p, "guard/l-internal-foxtrot.xml"), today),
			"Caveats FOXTROT is outside its validity period",
		},
		{
			"selection", p.Validate(mustLabel(t, p, "guard/l-internal-north-south.xml"), today),
			`tag "Owner" of Owner takes at most one, the label has 2`,
		},
		{
			"selection of numbers", p.Validate(mustLabel(t, p, "guard/l-internal-three-projects.xml"), today),
			`tag "Project" of Project takes 0 to 2, the label has 3`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.d.Explain(); got != tt.want {
				t.Errorf("\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func clearance(t *testing.T, p *labels.Policy, classes ...uint32) *labels.Clearance {
	t.Helper()
	c, err := p.Clearance(labels.ClearanceForm{Policy: p.ID(), Classes: classes})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPeriods(t *testing.T) {
	p := policyFile(t, guardFile)
	l := mustLabel(t, p, "guard/l-internal-foxtrot.xml")
	end := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	if d := p.Validate(l, end); !d.Granted {
		t.Errorf("at the last moment: %s", d.Explain())
	}
	if p.Validate(l, end.Add(time.Second)).Granted {
		t.Error("valid after its period")
	}
	old := parsePolicy(t, strings.Replace(string(readData(t, guardFile)), `version="7"`,
		`version="7" notBefore="2024-01-01T00:00:00Z" notAfter="2025-01-01T00:00:00Z"`, 1))
	pub := mustLabel(t, old, "guard/l-public.xml")
	for _, tt := range []struct {
		at   time.Time
		want bool
	}{{end, false}, {time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), true}, {today, false}} {
		if d := old.Validate(pub, tt.at); d.Granted != tt.want {
			t.Errorf("policy period at %v: %v, %s", tt.at, d.Granted, d.Explain())
		}
	}
}

func TestContradicts(t *testing.T) { // I08
	p, nato := policyFile(t, guardFile), policyFile(t, "spiffing/nato-4774-policy.xml")
	internal, public := mustLabel(t, p, "guard/l-internal.xml"), mustLabel(t, p, "guard/l-public.xml")
	secret := mustLabel(t, nato, "nato/l-secret.xml")
	tests := []struct {
		name    string
		p       *labels.Policy
		l       *labels.Label
		marking string
		want    bool
	}{
		{"none", p, public, "", false},
		{"its own", p, internal, "GUARD INTERNAL USE", false},
		{"lower", p, internal, "GUARD PUBLIC", false},
		{"higher", p, public, "GUARD SECRET", true},
		{"higher, other case and signs", p, public, "[secret]", true},
		{"higher by phrase", p, public, "usage interne", true},
		{"part of a word", p, public, "SECRETARIAT", false},
		{"foreign words", p, public, "PARTNER LIMITED", false},
		{"longest name counts", nato, secret, "NATO TOP SECRET", true},
		{"its own name inside a longer marking", nato, secret, "NATO SECRET Releasable to Sweden", false},
		{"in French", nato, secret, "COSMIC TRES SECRET", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.Contradicts(tt.l, tt.marking); got != tt.want {
				t.Errorf("Contradicts(%s, %q) = %v", tt.l, tt.marking, got)
			}
		})
	}
}

func TestColors(t *testing.T) {
	for _, tt := range []struct{ color, fg, bg string }{
		{"white", "black", "white"},
		{"Red", "white", "red"},
		{"fuchsia", "white", "fuschia"},
		{"gold", "black", "#FFD700"},
		{"#00aaff", "black", "#00AAFF"},
		{"red;}body{", "", ""},
		{"#12345", "", ""},
		{"", "", ""},
	} {
		p, problems := labels.Compile(labels.PolicySpec{Name: "P", ID: "2.999.1", Classes: []labels.ClassSpec{{Name: "C", Color: tt.color}}})
		if p == nil {
			t.Fatal(problems)
		}
		l, err := p.Label(labels.LabelForm{Policy: "2.999.1"})
		if err != nil {
			t.Fatal(err)
		}
		if _, fg, bg := p.Marking(l, ""); fg != tt.fg || bg != tt.bg {
			t.Errorf("%q: got %q on %q, want %q on %q", tt.color, fg, bg, tt.fg, tt.bg)
		}
	}
}

func TestRegistry(t *testing.T) {
	p, q := policyFile(t, guardFile), policyFile(t, "guard/partner.spif.xml")
	reg := registry(t, p, q)
	if got, ok := reg.Policy(guardID); !ok || got != p {
		t.Error("a policy is not found by identifier")
	}
	if got, ok := reg.ByName("partner"); !ok || got != q {
		t.Error("a policy is not found by name in another case")
	}
	_, byName := reg.ByName("nobody")
	if _, byID := reg.Policy("1.1"); byID || byName {
		t.Error("policies that are not there are found")
	}
	if _, err := labels.NewRegistry(p, p); err == nil {
		t.Error("two policies with one identifier")
	}
	if _, err := labels.NewRegistry(nil); err == nil {
		t.Error("a nil policy")
	}
	var none *labels.Registry
	if _, err := none.Label(labels.LabelForm{Policy: guardID}); err == nil {
		t.Error("a nil registry reads labels")
	}
}

func TestEqualFormats(t *testing.T) { // the same label in two formats
	for _, tt := range []struct{ policy, a, b string }{
		{"fixed/food-policy.xml", "ess/label-water.ber", "spiffing/food-label-water.xml"},
		{"fixed/food-policy.xml", "ess/label-spiffing-bacon.ber", "spiffing/food-label-bacon.xml"},
		{"fixed/food-policy-missi.xml", "ess/label-missi-bacon.ber", "spiffing/food-label-bacon.xml"},
		{"fixed/food-policy-missi.xml", "ess/label-missi-milk-chocolate.ber", "spiffing/food-label-milk-chocolate.xml"},
		{"fixed/food-policy-missi.xml", "ess/label-missi-water.ber", "ess/label-water.ber"},
		{"spiffing/uk-demo.xml", "ess/label-uk-ts-overlord.ber", "uk/l-ts-overlord.xml"},
		{"spiffing/nato-4774-policy.xml", "ess/label-nato-17-6.ber", "spiffing/nato-4774-17-6.nato"},
		{"spiffing/nato-4774-policy.xml", "ess/label-nato-17-3.ber", "spiffing/nato-4774-17-3.xml"},
		{guardFile, "ess/label-guard-titan-atlas.ber", "guard/l-internal-titan-atlas.xml"},
		{guardFile, "ess/label-guard-rel-gbr-ber-indefinite.ber", "guard/l-internal-rel-gbr.xml"},
	} {
		t.Run(tt.a+" = "+tt.b, func(t *testing.T) {
			p := policyFile(t, tt.policy)
			if a, b := mustLabel(t, p, tt.a), mustLabel(t, p, tt.b); !a.Equal(b) {
				t.Errorf("%+v\n%+v", a.Form(), b.Form())
			}
		})
	}
	p := policyFile(t, "fixed/food-policy-missi.xml")
	a, b := mustClearance(t, p, "ess/clearance-sslp-food-all-okay.ber"), mustClearance(t, p, "spiffing/food-clearance-all-okay.xml")
	if !a.Equal(b) {
		t.Errorf("%+v\n%+v", a.Form(), b.Form())
	}
}

// everythingWrong is SECRET with CHARLIE and FOXTROT alone.
func everythingWrong(t *testing.T, p *labels.Policy) *labels.Label {
	t.Helper()
	l, err := p.Label(labels.LabelForm{Policy: guardID, Class: 5, Values: []labels.Value{
		{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 15},
		{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 18},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
