package catalogue_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/nato4774"
	"sallyport/labels/textmark"
)

// codeList writes a label catalogue in Genericode.
func codeList(t testing.TB, rows ...nato4774.CodeListEntry) []byte {
	t.Helper()
	e, err := nato4774.BuildGenericode(nato4774.CodeListID{Name: "labels", Version: "1", URI: "urn:example:labels"}, rows)
	if err != nil {
		t.Fatal(err)
	}
	return octets(t, e)
}

func entry(t testing.TB, marking string, l *labels.Label) nato4774.CodeListEntry {
	t.Helper()
	e, err := nato4774.BuildLabel(l, now)
	if err != nil {
		t.Fatal(err)
	}
	return nato4774.CodeListEntry{Marking: marking, Label: e}
}

func TestGenericode(t *testing.T) {
	reg := registry(t, guardSPIF)
	pub, gb := label(t, reg, public), label(t, reg, internal, gbr)
	for _, row := range []struct {
		name string
		rows []nato4774.CodeListEntry
		want []catalogue.Item
	}{
		{"no rows", nil, nil},
		{
			"no default",
			[]nato4774.CodeListEntry{entry(t, "GUARD PUBLIC", pub)},
			[]catalogue.Item{{Selector: "GUARD PUBLIC", Label: pub}},
		},
		{
			"default is one of the others",
			[]nato4774.CodeListEntry{entry(t, "default", gb), entry(t, "GUARD PUBLIC", pub), entry(t, "GB only", gb)},
			[]catalogue.Item{{Selector: "GUARD PUBLIC", Label: pub}, {Selector: "GB only", Label: gb, Default: true}},
		},
		{
			"default is one of its own",
			[]nato4774.CodeListEntry{entry(t, "GUARD PUBLIC", pub), entry(t, "DEFAULT", gb)},
			[]catalogue.Item{{Selector: "GUARD PUBLIC", Label: pub}, {Selector: "INTERNAL|REL TO GBR", Label: gb, Default: true}},
		},
		{
			"a bar is no menu",
			[]nato4774.CodeListEntry{entry(t, "A|B", pub)},
			[]catalogue.Item{{Selector: "A/B", Label: pub}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := catalogue.Parse(codeList(t, row.rows...), reg)
			if err != nil {
				t.Fatal(err)
			}
			if want := (&catalogue.Catalogue{Items: row.want}); !c.Equal(want) {
				t.Errorf("got %+v, want %+v", c.Items, row.want)
			}
		})
	}
}

func TestGenericodeRefuses(t *testing.T) {
	reg := registry(t, guardSPIF, partnerSPIF)
	alone := registry(t, guardSPIF)
	good := entry(t, "GUARD PUBLIC", label(t, reg, public))
	for _, row := range []struct {
		name       string
		text       []byte
		reg        *labels.Registry
		line, item int
		code       labels.Code
	}{
		{"policy not loaded", lines(codeList(t, good, entry(t, "OPEN", labelUnder(t, reg, partnerID, 1)))), alone, 3, 2, labels.CodePolicy},
		{"marking that says more", lines(codeList(t, entry(t, "GUARD SECRET", label(t, reg, public)))), reg, 2, 1, labels.CodeMismatch},
		{"row without label", lines([]byte(strings.ReplaceAll(string(codeList(t, good)), "ComplexValue", "SimpleValue"))), reg, 2, 1, labels.CodeSyntax},
		{"no columns", []byte(`<c:CodeList xmlns:c="` + nato4774.NSGenericode + `"/>`), reg, 1, 0, labels.CodeSyntax},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := catalogue.Parse(row.text, row.reg)
			var e *catalogue.Error
			if c != nil || !errors.As(err, &e) || e.Line != row.line || e.Item != row.item || e.Code != row.code {
				t.Errorf("got %+v and %v (%+v)", c, err, e)
			}
		})
	}
}

// lines puts each row on a line of its own.
func lines(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "<Row", "\n<Row")) }

func TestParseMarkings(t *testing.T) {
	reg := registry(t, guardSPIF)
	pub, gb := label(t, reg, public), label(t, reg, internal, gbr)
	entries, err := catalogue.ParseMarkings(codeList(t, entry(t, "GUARD PUBLIC", pub), entry(t, "GB only", gb), entry(t, "default", pub)), reg)
	if err != nil || len(entries) != 2 {
		t.Fatalf("got %v and %v", entries, err)
	}
	table := textmark.NewTable(entries)
	if l, ok := table.Lookup("gb  ONLY"); !ok || !l.Equal(gb) {
		t.Errorf("found %v", l)
	}
	if l, ok := table.Lookup("default"); ok {
		t.Errorf("the word default stands for %v", l)
	}
	var e *catalogue.Error
	if _, err := catalogue.ParseMarkings([]byte(catalog("", "")), reg); !errors.As(err, &e) || e.Line != 1 {
		t.Errorf("a catalog has markings: %v", err)
	}
}

// The markings of a catalogue lead back to its labels.
func TestMarkings(t *testing.T) {
	reg := registry(t, guardSPIF)
	c, err := catalogue.FromPolicy(reg.Policies()[0], catalogue.Generate{At: now, Unlabelled: true})
	if err != nil {
		t.Fatal(err)
	}
	entries := c.Markings(labels.FirstLineOfText, "")
	table := textmark.NewTable(entries)
	if len(entries) != len(c.Labels()) || len(table.Ambiguous()) > 0 {
		t.Fatalf("%d entries for %d labels, ambiguous %v", len(entries), len(c.Labels()), table.Ambiguous())
	}
	for _, l := range c.Labels() {
		if back, ok := table.Lookup(l.Policy().MarkingAt(l, labels.FirstLineOfText, "").Text); !ok || !back.Equal(l) {
			t.Errorf("%s leads to %s", l, back)
		}
	}
}
