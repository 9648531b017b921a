package nato4774

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// NSGenericode is the namespace of a code list's root; the elements inside have none (Genericode 1.0).
const NSGenericode = "http://docs.oasis-open.org/codelist/ns/genericode/1.0/"

// Limits of a code list.
const (
	maxRows    = 4096
	maxColumns = 16
	maxMarking = 4 * labels.MaxMarking // bytes
)

// The columns of a label catalogue (ADatP-4774.1 chapter 7).
const (
	columnMarking = "marking"
	columnLabel   = "confidentialityLabel"
	defaultRow    = "default"
)

// CodeListEntry is one row of a label catalogue: a marking and the label it stands for, unread.
type CodeListEntry struct {
	Marking string
	Label   *xmlstream.Element
	Default bool // the row whose marking is "default"
}

// IsCodeList says whether the element is a Genericode code list.
func IsCodeList(e *xmlstream.Element) bool { return e != nil && e.Is(NSGenericode, "CodeList") }

// ParseGenericode reads a label catalogue (ADatP-4774.1 chapter 7; Genericode 1.0): a CodeList with the columns marking,
// the key, and confidentialityLabel. Annotations, the identification and other columns are passed over: a catalogue is a
// document of the operator. A row without marking or label, and two rows with one marking, refuse the list.
func ParseGenericode(e *xmlstream.Element) ([]CodeListEntry, error) {
	if !IsCodeList(e) {
		return nil, bad("not a code list")
	}
	columns, err := listColumns(e.Child("", "ColumnSet"))
	if err != nil {
		return nil, err
	}
	list := e.Child("", "SimpleCodeList")
	if list == nil {
		return nil, bad("code list without rows in it")
	}
	var out []CodeListEntry
	seen := make(map[string]bool)
	for row := range list.Children() {
		if row.Is("", "Annotation") {
			continue
		}
		if !row.Is("", "Row") || len(out) == maxRows {
			return nil, bad("%s in a code list, or more than %d rows", labels.Quote(row.Local()), maxRows)
		}
		entry, err := listRow(row, columns)
		if err != nil {
			return nil, labels.Errorf(labels.CodeSyntax, "row %d: %s", len(out)+1, err.Detail)
		}
		if seen[entry.Marking] {
			return nil, bad("row %d: %s for the second time", len(out)+1, labels.Quote(entry.Marking))
		}
		seen[entry.Marking] = true
		out = append(out, entry)
	}
	return out, nil
}

// column is one column of the list: what a ColumnRef calls it, and which one it is for us, "" for none.
type column struct{ id, role string }

// listColumns returns the columns in order. Those we read are found by identifier, or else by short name.
func listColumns(set *xmlstream.Element) ([]column, error) {
	if set == nil {
		return nil, bad("code list without columns")
	}
	var out []column
	var names []string
	for c := range set.Children() {
		if !c.Is("", "Column") {
			continue
		}
		id, _ := c.Attr("Id")
		if len(out) == maxColumns || id == "" || slices.ContainsFunc(out, func(o column) bool { return o.id == id }) {
			return nil, bad("code list with broken or more than %d columns", maxColumns)
		}
		name := ""
		if short := c.Child("", "ShortName"); short != nil {
			name = strings.TrimSpace(short.Text())
		}
		out, names = append(out, column{id: id}), append(names, name)
	}
	for _, role := range []string{columnMarking, columnLabel} {
		i := slices.IndexFunc(out, func(c column) bool { return c.id == role })
		if i < 0 {
			i = slices.Index(names, role)
		}
		if i < 0 || out[i].role != "" {
			return nil, bad("code list without a column %s", role)
		}
		out[i].role = role
	}
	return out, nil
}

// listRow reads the values of a row. One that names no column is in the column after that of the value before it.
func listRow(row *xmlstream.Element, columns []column) (CodeListEntry, *labels.Error) {
	var out CodeListEntry
	next := 0
	for v := range row.Children() {
		if v.Is("", "Annotation") {
			continue
		}
		if !v.Is("", "Value") {
			return out, labels.Errorf(labels.CodeSyntax, "%s is no value", labels.Quote(v.Local()))
		}
		at := next
		if ref, ok := v.Attr("ColumnRef"); ok {
			at = slices.IndexFunc(columns, func(c column) bool { return c.id == ref })
		}
		if at < 0 || at >= len(columns) {
			return out, labels.Errorf(labels.CodeSyntax, "a value in a column that the list does not have")
		}
		next = at + 1
		if err := out.set(columns[at].role, v); err != nil {
			return out, err
		}
	}
	if out.Marking == "" || out.Label == nil {
		return out, labels.Errorf(labels.CodeSyntax, "no marking or no label")
	}
	out.Default = strings.EqualFold(out.Marking, defaultRow)
	return out, nil
}

// set puts a value into the entry, once.
func (c *CodeListEntry) set(role string, v *xmlstream.Element) *labels.Error {
	switch role {
	case columnMarking:
		simple := v.Child("", "SimpleValue")
		if simple == nil || c.Marking != "" {
			return labels.Errorf(labels.CodeSyntax, "a marking that is no simple value, or two")
		}
		c.Marking = strings.Join(strings.Fields(simple.Text()), " ")
		if len(c.Marking) > maxMarking {
			return labels.Errorf(labels.CodeSyntax, "a marking of %d bytes", len(c.Marking))
		}
	case columnLabel:
		complexValue := v.Child("", "ComplexValue")
		if complexValue == nil || c.Label != nil {
			return labels.Errorf(labels.CodeSyntax, "a label that is no complex value, or two")
		}
		inside, err := children(complexValue)
		if err != nil || len(inside) != 1 || !IsLabel(inside[0]) {
			return labels.Errorf(labels.CodeSyntax, "a complex value that is not one confidentiality label")
		}
		c.Label = inside[0]
	}
	return nil
}

// BuildGenericode is the inverse of ParseGenericode: the rows of a catalogue as a code list. The identification that
// the format demands says where the list comes from.
func BuildGenericode(id CodeListID, entries []CodeListEntry) (*xmlstream.Element, error) {
	rows := make([]xmlstream.Node, 0, len(entries))
	for i, e := range entries {
		if e.Marking == "" || e.Label == nil || !IsLabel(e.Label) {
			return nil, bad("row %d without marking or label", i+1)
		}
		rows = append(rows, list("Row", nil,
			list("Value", ref(columnMarking), list("SimpleValue", nil, xmlstream.TextNode(e.Marking))),
			list("Value", ref(columnLabel), list("ComplexValue", nil, xmlstream.ElementNode(e.Label)))))
	}
	text := func(local, s string) xmlstream.Node { return list(local, nil, xmlstream.TextNode(s)) }
	col := func(id, kind string) xmlstream.Node {
		return list("Column", []xmlstream.Attr{attr("Id", id), attr("Use", "required")},
			text("ShortName", id), list("Data", []xmlstream.Attr{attr("Type", kind)}))
	}
	out := el(NSGenericode, "CodeList", nil,
		list("Identification", nil, text("ShortName", id.Name), text("Version", id.Version),
			text("CanonicalUri", id.URI), text("CanonicalVersionUri", id.URI+"-"+id.Version)),
		list("ColumnSet", nil, col(columnMarking, "string"), col(columnLabel, "anyType"),
			list("Key", []xmlstream.Attr{attr("Id", "markingKey")}, text("ShortName", "markingKey"),
				list("ColumnRef", []xmlstream.Attr{attr("Ref", columnMarking)}))),
		list("SimpleCodeList", nil, rows...))
	if _, err := ParseGenericode(out); err != nil {
		return nil, err
	}
	return out, nil
}

// CodeListID identifies a code list.
type CodeListID struct{ Name, Version, URI string }

func list(local string, attrs []xmlstream.Attr, nodes ...xmlstream.Node) xmlstream.Node {
	return xmlstream.ElementNode(el("", local, attrs, nodes...))
}

func ref(id string) []xmlstream.Attr { return []xmlstream.Attr{attr("ColumnRef", id)} }
