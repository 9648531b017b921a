package nato4774_test

import (
	"strconv"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels/nato4774"
)

// codeList has two columns under other identifiers, an annotation, and values with and without a reference.
const codeList = `<gc:CodeList xmlns:gc="http://docs.oasis-open.org/codelist/ns/genericode/1.0/">
<Annotation><Description>labels</Description></Annotation>
<Identification><ShortName>labels</ShortName><Version>1</Version></Identification>
<ColumnSet>
<Column Id="remark" Use="optional"><ShortName>remark</ShortName><Data Type="string"/></Column>
<Column Id="m" Use="required"><ShortName>marking</ShortName><Data Type="string"/></Column>
<Column Id="confidentialityLabel" Use="required"><ShortName>label</ShortName><Data Type="anyType"/></Column>
<Key Id="k"><ShortName>k</ShortName><ColumnRef Ref="m"/></Key>
</ColumnSet>
<SimpleCodeList>
<Row><Value ColumnRef="m"><SimpleValue> GUARD  INTERNAL
USE </SimpleValue></Value><Value><ComplexValue>LABEL</ComplexValue></Value></Row>
<Row><Value><SimpleValue>a remark</SimpleValue></Value><Value><SimpleValue>second</SimpleValue></Value><Value ColumnRef="confidentialityLabel"><ComplexValue>LABEL</ComplexValue></Value></Row>
<Row><Value ColumnRef="confidentialityLabel"><ComplexValue>LABEL</ComplexValue></Value><Value ColumnRef="m"><SimpleValue>default</SimpleValue></Value></Row>
</SimpleCodeList>
</gc:CodeList>`

// alone reads a document that stands in no stream: an element without prefix is in no namespace there.
func alone(t testing.TB, b []byte) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.ServerLimits()})
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return e
}

func goodList() string { return strings.ReplaceAll(codeList, "LABEL", boundLabel) }

func TestGenericode(t *testing.T) {
	entries, err := nato4774.ParseGenericode(alone(t, []byte(goodList())))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"GUARD INTERNAL USE", "second", "default"}
	if len(entries) != len(want) {
		t.Fatalf("%d entries", len(entries))
	}
	for i, e := range entries {
		if e.Marking != want[i] || e.Default != (i == 2) {
			t.Errorf("row %d: %q, default %v", i+1, e.Marking, e.Default)
		}
		if f, err := nato4774.ParseLabel(e.Label, registry(t)); err != nil || f.Class != 2 {
			t.Errorf("row %d: %+v, %v", i+1, f, err)
		}
	}
	id := nato4774.CodeListID{Name: "labels", Version: "1", URI: "urn:x:labels"}
	e, err := nato4774.BuildGenericode(id, entries)
	if err != nil {
		t.Fatal(err)
	}
	b, err := xmlstream.AppendElement(nil, e, "")
	if err != nil {
		t.Fatal(err)
	}
	again, err := nato4774.ParseGenericode(alone(t, b))
	if err != nil || len(again) != len(entries) {
		t.Fatalf("%d of %d rows, %v", len(again), len(entries), err)
	}
	for i := range again {
		if again[i].Marking != entries[i].Marking || !again[i].Label.Equal(entries[i].Label) || again[i].Default != entries[i].Default {
			t.Errorf("row %d: %+v", i+1, again[i])
		}
	}
	for name, rows := range map[string][]nato4774.CodeListEntry{
		"no marking": {{Label: entries[0].Label}}, "no label": {{Marking: "a"}}, "no label but an element": {{Marking: "a", Label: e}},
		"twice": {entries[0], entries[0]},
	} {
		if e, err := nato4774.BuildGenericode(id, rows); err == nil {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestGenericodeRefusals(t *testing.T) {
	tests := []struct{ name, old, new string }{
		{"another root", "gc:CodeList", "gc:ColumnSet"},
		{"root in no namespace", "gc:CodeList", "CodeList"},
		{"no columns", "ColumnSet", "Columns"},
		{"no rows", "SimpleCodeList", "CodeListRef"},
		{"no column for markings", "<ShortName>marking</ShortName>", "<ShortName>mark</ShortName>"},
		{"no column for labels", `Id="confidentialityLabel"`, `Id="c"`},
		{"a column twice", `Id="m"`, `Id="remark"`},
		{"a column without identifier", `Id="m"`, ""},
		{"row without marking", "<SimpleValue>second</SimpleValue>", "<SimpleValue> </SimpleValue>"},
		{"marking as complex value", "<SimpleValue>second</SimpleValue>", "<ComplexValue><a/></ComplexValue>"},
		{"marking twice in a row", "<Value><SimpleValue>a remark</SimpleValue></Value>", `<Value ColumnRef="m"><SimpleValue>one</SimpleValue></Value><Value ColumnRef="remark"/>`},
		{"marking of two rows", "<SimpleValue>second</SimpleValue>", "<SimpleValue>default</SimpleValue>"},
		{"unknown column", `ColumnRef="confidentialityLabel"`, `ColumnRef="c"`},
		{"value after the last column", "</ComplexValue></Value></Row>", "</ComplexValue></Value><Value/></Row>"},
		{"element that is no row", "<SimpleCodeList>", "<SimpleCodeList><Line/>"},
		{"element that is no value", "<Row>", "<Row><Key/>"},
		{"label as simple value", "ComplexValue", "SimpleValue"},
		{"two labels", "<ComplexValue>", "<ComplexValue>" + boundLabel},
		{"no label", boundLabel, ""},
		{"something else for a label", "originatorConfidentialityLabel", "metadataConfidentialityLabel"},
		{"text beside the label", "<ComplexValue>", "<ComplexValue>x"},
		{"marking of 2 KiB", "second", strings.Repeat("x", 2048)},
		{"an empty row", "</SimpleCodeList>", "<Row/></SimpleCodeList>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(goodList(), tt.old, tt.new)
			if text == goodList() {
				t.Fatal("nothing changed")
			}
			if entries, err := nato4774.ParseGenericode(alone(t, []byte(text))); err == nil || entries != nil {
				t.Errorf("%d entries, %v", len(entries), err)
			}
		})
	}
}

// The elements of one parent have a limit of their own on the wire; a list built in memory meets ours.
func TestGenericodeRows(t *testing.T) {
	label := parse(t, boundLabel)
	rows := make([]nato4774.CodeListEntry, 4097)
	for i := range rows {
		rows[i] = nato4774.CodeListEntry{Marking: strconv.Itoa(i), Label: label}
	}
	id := nato4774.CodeListID{Name: "a", Version: "1", URI: "urn:x"}
	if _, err := nato4774.BuildGenericode(id, rows); err == nil {
		t.Error("4097 rows were accepted")
	}
	if _, err := nato4774.BuildGenericode(id, rows[:4096]); err != nil {
		t.Error(err)
	}
}
