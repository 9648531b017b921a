package peering_test

import (
	"crypto/tls"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/labels/textmark"
	"sallyport/labels/xep0258"
	"sallyport/peering"
	"sallyport/rules"
)

// Two organisations: in.example under the policy GUARD, out.example under PARTNER.
const (
	guardID, partnerID = "2.999.258.1", "2.999.258.2"
	guardRelease       = "2.999.258.1.3"
	guardCaveats       = "2.999.258.1.1"
)

func guardRegistry(t testing.TB) *labels.Registry {
	t.Helper()
	var all []*labels.Policy
	for _, file := range []string{"guard.spif.xml", "partner.spif.xml"} {
		p, problems := spif.Load("../labels/testdata/guard/" + file)
		if p == nil {
			t.Fatal(problems)
		}
		all = append(all, p)
	}
	reg, err := labels.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func countries(nations ...uint32) []labels.Value {
	var out []labels.Value
	for _, n := range nations {
		out = append(out, labels.Value{TagSet: guardRelease, Kind: labels.EnumPermissive, LACV: n})
	}
	return out
}

func made(t testing.TB, reg *labels.Registry, policy string, class uint32, values ...labels.Value) *labels.Label {
	t.Helper()
	l, err := reg.Label(labels.LabelForm{Policy: policy, Class: class, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func cleared(t testing.TB, reg *labels.Registry, policy string, classes []uint32, values ...labels.Value) *labels.Clearance {
	t.Helper()
	c, err := reg.Clearance(labels.ClearanceForm{Policy: policy, Classes: classes, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// guardClear is cleared for PUBLIC, INTERNAL and CONFIDENTIAL, GBR and FRA, ALPHA, BRAVO and FIVE.
func guardClear(t testing.TB, reg *labels.Registry) *labels.Clearance {
	return cleared(t, reg, guardID, []uint32{1, 2, 6}, append(countries(826, 250),
		labels.Value{TagSet: guardCaveats, Kind: labels.Restrictive, LACV: 0},
		labels.Value{TagSet: guardCaveats, Kind: labels.Restrictive, LACV: 1},
		labels.Value{TagSet: guardRelease, Kind: labels.Permissive, LACV: 0},
		labels.Value{TagSet: "2.999.258.1.2", Kind: labels.Permissive, LACV: 0})...)
}

// partnerClear is cleared for OPEN and LIMITED, Britain.
func partnerClear(t testing.TB, reg *labels.Registry) *labels.Clearance {
	return cleared(t, reg, partnerID, []uint32{1, 2}, labels.Value{TagSet: "2.999.258.2.2", Kind: labels.EnumPermissive, LACV: 44})
}

// twoPolicies is a boundary between GUARD and PARTNER: outwards by what GUARD says of its equivalents, inwards by the
// same read backwards.
func twoPolicies(t testing.TB, reg *labels.Registry) peering.Definition {
	t.Helper()
	guard, _ := reg.Policy(guardID)
	partner, _ := reg.Policy(partnerID)
	profile, problems := rules.CompileProfile(rules.DefaultProfile("federation"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	set, _ := rules.CompileRules(nil)
	floor := peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12}
	kinds := peering.Kinds{Message: true, Presence: true, MUC: true, PubSub: true, IQ: []string{"*"}}
	return peering.Definition{
		Labels: reg, Profile: profile, Rules: set,
		Sides: map[string]peering.Side{"inside": {LabelPolicy: guard}, "outside": {}},
		Peers: []peering.Peer{
			{
				Name: "in", Side: "inside", Domains: []peering.Pattern{"in.example", "*.in.example"}, Floor: floor, Kinds: kinds,
				Links: []string{"s2s"}, Labelling: peering.Labelling{Clearances: clearances(t, guardClear(t, reg))},
			},
			{
				Name: "out", Side: "outside", Domains: []peering.Pattern{"out.example", "*.out.example"}, Floor: floor, Kinds: kinds,
				Links: []string{"s2s"},
				Labelling: peering.Labelling{
					Clearances: clearances(t, partnerClear(t, reg)), LabelPolicy: partner,
					TranslateOut: labels.Outbound, TranslateIn: labels.LocalSPIF,
				},
			},
		},
		Pairs: []peering.Pair{{From: "in", To: "out", Both: true}},
	}
}

// onePolicy is the same boundary where the other side uses GUARD, too, and is cleared for PUBLIC and INTERNAL REL TO GBR.
func onePolicy(t testing.TB, reg *labels.Registry) peering.Definition {
	def := twoPolicies(t, reg)
	def.Peers[1].Labelling = peering.Labelling{Clearances: clearances(t, cleared(t, reg, guardID, []uint32{1, 2}, countries(826)...))}
	return def
}

// wire writes a label as a neighbour would.
func wire(t testing.TB, l *labels.Label) string {
	t.Helper()
	e, err := xep0258.Element(l, l.Policy(), xep0258.ESS, noon)
	if err != nil {
		t.Fatal(err)
	}
	return canonical(t, e)
}

func sealed(inside string) string {
	return "<securitylabel xmlns='urn:xmpp:sec-label:0'>" + inside + "</securitylabel>"
}

func essIn(element, base64 string) string {
	return "<" + element + "><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>" + base64 + "</esssecuritylabel></" + element + ">"
}

func outward(inside string) string {
	return `<message` + toOut + `type='chat' id='m1'><body>art thou</body>` + inside + `</message>`
}

func inward(inside string) string {
	return `<message` + toIn + `type='chat' id='m1'><body>art thou</body>` + inside + `</message>`
}

// ruled compiles rules.
func ruled(t testing.TB, specs ...rules.RuleSpec) *rules.Set {
	t.Helper()
	set, problems := rules.CompileRules(specs)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return set
}

func lineTable(ls ...*labels.Label) *textmark.Table {
	var entries []textmark.Entry
	for _, l := range ls {
		entries = append(entries, textmark.Entry{Text: l.String(), Label: l})
	}
	return textmark.NewTable(entries)
}

// releasedLabel reads the label of something released, and what is equivalent to it.
func releasedLabel(t testing.TB, reg *labels.Registry, e *xmlstream.Element) xep0258.Found {
	t.Helper()
	return xep0258.NewReaderWith(reg, xep0258.Options{TrustEquivalents: []string{guardID, partnerID}}).Read(e)
}
