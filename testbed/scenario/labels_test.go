package scenario_test

import (
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
	"sallyport/labels/xep0258"
	"sallyport/testbed/scenario"
)

// The policy, the clearances and the labels mean what the scenarios take them for.
func TestLabelData(t *testing.T) {
	t.Parallel()
	policy, problems := spif.Load("testdata/guard.spif.xml")
	if policy == nil {
		t.Fatal(problems)
	}
	reg, err := labels.NewRegistry(policy)
	if err != nil {
		t.Fatal(err)
	}
	public, err := labelfile.LoadLabel("testdata/label-public.xml", reg, labelfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	internal := onTheWire(t, reg, scenario.LabelXML("INTERNAL", "GBR", "GUARD PUBLIC"))
	for _, c := range []struct {
		name, clearance string
		label           *labels.Label
		granted         bool
	}{
		{"public for the inside", "testdata/clearance-internal.xml", public, true},
		{"public for the outside", "testdata/clearance-public.xml", public, true},
		{"public on the wire for the outside", "testdata/clearance-public.xml", onTheWire(t, reg, scenario.LabelXML("PUBLIC", "", "")), true},
		{"internal for the inside", "testdata/clearance-internal.xml", internal, true},
		{"internal for the outside", "testdata/clearance-public.xml", internal, false},
	} {
		clearance, err := labelfile.LoadClearance(c.clearance, reg, labelfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		valid, d := policy.Validate(c.label, time.Now()), policy.Decide(c.label, clearance)
		if !valid.Granted || d.Granted != c.granted {
			t.Errorf("%s: granted is %v, want %v: %s %s", c.name, d.Granted, c.granted, valid.Explain(), d.Explain())
		}
	}
}

func onTheWire(t *testing.T, reg *labels.Registry, label string) *labels.Label {
	t.Helper()
	message, err := xmlstream.ParseDocument(
		[]byte("<message xmlns='jabber:server'><body>x</body>"+label+"</message>"),
		xmlstream.Options{ContentNS: xmlstream.NSServer},
	)
	if err != nil {
		t.Fatal(err)
	}
	found := xep0258.NewReader(reg).Read(message)
	if found.State != xep0258.Labelled {
		t.Fatalf("%v %v %s", found.State, found.Refusal, found.Detail)
	}
	return found.Label
}
