package labels_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/nato4774"
	"sallyport/labels/spif"
)

// policyFile loads a policy of the test data. One of them is in no namespace.
func policyFile(t testing.TB, file string) *labels.Policy {
	t.Helper()
	p, problems := spif.LoadWith(spif.Options{AnyNamespace: true}, filepath.Join("testdata", file))
	if p == nil {
		t.Fatalf("%s: %v", file, problems)
	}
	return p
}

// debugForm is the debug format of the reference library: one element a value, by number.
type debugForm struct {
	XMLName xml.Name
	Policy  struct {
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

const nsDebug = "http://surevine.com/xmlns/spiffy"

// values turns the tags into values. The format has one word for both informative kinds; the policy has one of them.
func (d *debugForm) values(p *labels.Policy) ([]labels.Value, error) {
	kinds := map[string]labels.Kind{
		"restrictive": labels.Restrictive, "enumeratedRestrictive": labels.EnumRestrictive,
		"permissive": labels.Permissive, "enumeratedPermissive": labels.EnumPermissive, "informative": labels.InformativeBits,
	}
	var out []labels.Value
	for _, tag := range d.Tags {
		v := labels.Value{TagSet: tag.ID, Kind: kinds[tag.Type], LACV: tag.LACV}
		if v.Kind == labels.NoKind {
			return nil, fmt.Errorf("type %q", tag.Type)
		}
		if v.Kind == labels.InformativeBits {
			enum := v
			enum.Kind = labels.InformativeEnum
			if _, err := p.Clearance(labels.ClearanceForm{Policy: p.ID(), Values: []labels.Value{enum}}); err == nil {
				v = enum
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func readData(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func registry(t testing.TB, ps ...*labels.Policy) *labels.Registry {
	t.Helper()
	reg, err := labels.NewRegistry(ps...)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func document(b []byte) (*xmlstream.Element, error) {
	return xmlstream.ParseDocument([]byte(strings.TrimSpace(string(b))),
		xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
}

// labelFile reads a label of the test data in any of its formats.
func labelFile(t testing.TB, p *labels.Policy, file string) (*labels.Label, error) {
	t.Helper()
	b := readData(t, file)
	if strings.HasSuffix(file, ".ber") {
		f, err := ess.ParseLabel(b)
		if err != nil {
			return nil, err
		}
		return p.Label(f)
	}
	if strings.Contains(string(b), nsDebug) {
		var d debugForm
		if err := xml.Unmarshal(b, &d); err != nil {
			return nil, err
		}
		if len(d.Classes) != 1 {
			return nil, errors.New("not one classification")
		}
		vs, err := d.values(p)
		if err != nil {
			return nil, err
		}
		return p.Label(labels.LabelForm{Policy: d.Policy.ID, Class: d.Classes[0].LACV, Values: vs})
	}
	e, err := document(b)
	if err != nil {
		return nil, err
	}
	f, err := nato4774.ParseLabelWith(nato4774.Options{Lenient: true}, e, registry(t, p))
	if err != nil {
		return nil, err
	}
	return p.Label(f)
}

// clearanceFile reads a clearance of the test data in any of its formats.
func clearanceFile(t testing.TB, p *labels.Policy, file string) (*labels.Clearance, error) {
	t.Helper()
	b := readData(t, file)
	if strings.HasSuffix(file, ".ber") {
		f, err := ess.ParseClearance(b)
		if err != nil {
			return nil, err
		}
		return p.Clearance(f)
	}
	if strings.Contains(string(b), nsDebug) {
		var d debugForm
		if err := xml.Unmarshal(b, &d); err != nil {
			return nil, err
		}
		f := labels.ClearanceForm{Policy: d.Policy.ID}
		for _, c := range d.Classes {
			f.Classes = append(f.Classes, c.LACV)
		}
		var err error
		if f.Values, err = d.values(p); err != nil {
			return nil, err
		}
		return p.Clearance(f)
	}
	e, err := document(b)
	if err != nil {
		return nil, err
	}
	f, err := nato4774.ParseClearanceWith(nato4774.Options{Lenient: true}, e, registry(t, p))
	if err != nil {
		return nil, err
	}
	return p.Clearance(f)
}

func mustLabel(t testing.TB, p *labels.Policy, file string) *labels.Label {
	t.Helper()
	l, err := labelFile(t, p, file)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return l
}

func mustClearance(t testing.TB, p *labels.Policy, file string) *labels.Clearance {
	t.Helper()
	c, err := clearanceFile(t, p, file)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c
}

func parsePolicy(t testing.TB, text string) *labels.Policy {
	t.Helper()
	p, problems := spif.Parse("test", []byte(text))
	if p == nil {
		t.Fatal(problems)
	}
	return p
}
