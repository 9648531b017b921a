package catalogue_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
	"sallyport/labels/xep0258"
)

const data = "../testdata"

var now = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func policyFile(t testing.TB, file string) *labels.Policy {
	t.Helper()
	p, problems := spif.LoadWith(spif.Options{AnyNamespace: true}, filepath.Join(data, file))
	if p == nil {
		t.Fatalf("%s: %v", file, problems)
	}
	return p
}

func registry(t testing.TB, files ...string) *labels.Registry {
	t.Helper()
	var ps []*labels.Policy
	for _, f := range files {
		ps = append(ps, policyFile(t, f))
	}
	reg, err := labels.NewRegistry(ps...)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

const (
	guardSPIF   = "guard/guard.spif.xml"
	partnerSPIF = "guard/partner.spif.xml"
	guardID     = "2.999.258.1"
	partnerID   = "2.999.258.2"
)

// Values of the guard policy.
var (
	alpha   = labels.Value{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 0}
	bravo   = labels.Value{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 1}
	delta   = labels.Value{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 16} // obsolete
	echo    = labels.Value{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 17} // SECRET only
	foxtrot = labels.Value{TagSet: "2.999.258.1.1", Kind: labels.Restrictive, LACV: 18} // ended 2020
	north   = labels.Value{TagSet: "2.999.258.1.2", Kind: labels.Permissive, LACV: 0}
	five    = labels.Value{TagSet: "2.999.258.1.3", Kind: labels.Permissive, LACV: 0} // not PUBLIC
	fra     = labels.Value{TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: 250}
	gbr     = labels.Value{TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: 826}
	usa     = labels.Value{TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: 840}
)

// Classifications of the guard policy.
const (
	public, internal, secret, confidential, ancient = 1, 2, 5, 6, 9
)

func label(t testing.TB, reg *labels.Registry, class uint32, values ...labels.Value) *labels.Label {
	t.Helper()
	return labelUnder(t, reg, guardID, class, values...)
}

func labelUnder(t testing.TB, reg *labels.Registry, policy string, class uint32, values ...labels.Value) *labels.Label {
	t.Helper()
	l, err := reg.Label(labels.LabelForm{Policy: policy, Class: class, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func clearance(t testing.TB, reg *labels.Registry, policy string, classes []uint32, values ...labels.Value) *labels.Clearance {
	t.Helper()
	c, err := reg.Clearance(labels.ClearanceForm{Policy: policy, Classes: classes, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func judged(t testing.TB, cs ...*labels.Clearance) catalogue.Subject {
	t.Helper()
	set, err := labels.NewClearanceSet(cs...)
	if err != nil {
		t.Fatal(err)
	}
	return catalogue.Subject{Clearances: set}
}

var (
	unknown      = catalogue.Subject{Standing: catalogue.Unknown}
	notConcerned = catalogue.Subject{Standing: catalogue.NotConcerned}
)

var writing = catalogue.Writing{To: jid.MustParse("romeo@low.example"), Syntax: xep0258.ESS, At: now}

func element(t testing.TB, c *catalogue.Catalogue, w catalogue.Writing) *xmlstream.Element {
	t.Helper()
	e, err := c.Element(w)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// octets writes an element; t is a test, or a check of rapid.
func octets(t interface{ Fatal(...any) }, e *xmlstream.Element) []byte {
	b, err := xmlstream.AppendElement(nil, e, "")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readData(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// labelFile reads a label of the test data.
func labelFile(t testing.TB, reg *labels.Registry, file string) *labels.Label {
	t.Helper()
	l, err := labelfile.LoadLabel(filepath.Join(data, file), reg, labelfile.Options{Lenient: true, Debug: true})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
