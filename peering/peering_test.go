package peering_test

import (
	"crypto/tls"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
	"sallyport/labels/xep0258"
	"sallyport/peering"
	"sallyport/rules"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// label writes a securitylabel of the test policy as a neighbour would.
func label(class string, extra string) string {
	return `<securitylabel xmlns='urn:xmpp:sec-label:0'><label>` +
		`<originatorConfidentialityLabel xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0'><ConfidentialityInformation>` +
		`<PolicyIdentifier URI='urn:oid:2.999.1066.1'>EXAMPLE</PolicyIdentifier><Classification>` + class + `</Classification>` + extra +
		`</ConfidentialityInformation><CreationDateTime>2026-11-21T00:00:00Z</CreationDateTime></originatorConfidentialityLabel></label></securitylabel>`
}

// ours is a label of the test policy in canonical form with its display marking: what
// leaves is the same as what came.
func ours(t testing.TB, class string) string {
	t.Helper()
	reg := registry(t)
	e, err := xmlstream.ParseDocument([]byte(`<message xmlns='jabber:server' from='a@in.example' to='b@out.example'>`+
		label(class, "")+`</message>`), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	found := xep0258.NewReader(reg).Read(e)
	if found.State != xep0258.Labelled {
		t.Fatalf("label: %+v", found)
	}
	sl, err := xep0258.Element(found.Label, found.Policy, xep0258.ESS, noon)
	if err != nil {
		t.Fatal(err)
	}
	return canonical(t, sl)
}

func registry(t testing.TB) *labels.Registry {
	t.Helper()
	p, problems := spif.Load("testdata/policy/example.spif.xml")
	if p == nil {
		t.Fatalf("load policy: %v", problems)
	}
	reg, err := labels.NewRegistry(p)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func clearance(t testing.TB, reg *labels.Registry, name string) labels.ClearanceSet {
	t.Helper()
	c, err := labelfile.LoadClearance("testdata/policy/"+name, reg, labelfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return clearances(t, c)
}

func clearances(t testing.TB, cs ...*labels.Clearance) labels.ClearanceSet {
	t.Helper()
	set, err := labels.NewClearanceSet(cs...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// definition is two peers on two sides, one pair, the federation profile and no rules.
func definition(t testing.TB, specs ...rules.RuleSpec) peering.Definition {
	t.Helper()
	reg := registry(t)
	profile, problems := rules.CompileProfile(rules.DefaultProfile("federation"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	set, problems := rules.CompileRules(specs)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	floor := peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12}
	kinds := peering.Kinds{Message: true, Presence: true, MUC: true, PubSub: true, IQ: []string{"*"}}
	def, err := labelfile.LoadLabel("testdata/policy/unclassified.label.xml", reg, labelfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return peering.Definition{
		Labels: reg, Profile: profile, Rules: set,
		Peers: []peering.Peer{
			{
				Name: "in", Side: "inside", Domains: []peering.Pattern{"in.example", "*.in.example"}, Floor: floor, Kinds: kinds,
				Links: []string{"s2s"}, Labelling: peering.Labelling{Clearances: clearance(t, reg, "inside.clearance.xml")},
			},
			{
				Name: "out", Side: "outside", Domains: []peering.Pattern{"out.example", "*.out.example"}, Floor: floor, Kinds: kinds,
				Links: []string{"s2s"},
				Labelling: peering.Labelling{
					Clearances:   clearance(t, reg, "outside.clearance.xml"),
					DefaultLabel: def, Unlabelled: peering.UnlabelledDefault, SendLabels: peering.SendAlways,
				},
			},
		},
		Pairs: []peering.Pair{{From: "in", To: "out", Both: true}},
	}
}

func policy(t testing.TB, def peering.Definition) *peering.Policy {
	t.Helper()
	p, problems := peering.Compile(def)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func parse(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatalf("stanza %s: %v", text, err)
	}
	return s
}

func arrival(t testing.TB, peer, text string) peering.Arrival {
	t.Helper()
	s := parse(t, text)
	return peering.Arrival{
		Stanza: s, Link: "s2s", Peer: peer, Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: noon,
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Node: "gate", Serial: 7, Bytes: len(text),
	}
}

func domain(s string) jid.JID { return jid.MustParse(s) }

func canonical(t testing.TB, e *xmlstream.Element) string {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
