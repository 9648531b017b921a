package cases

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxRows bounds a table.
const MaxRows = 1 << 20

// none is how a table writes that there is nothing.
const none = "-"

// Row is one case: the question in the first eight columns, the answer in the others.
type Row struct {
	ID, Kind, Group, Policy, Label, Clearance, Lang, Target               string
	Status, Valid, ACDF, Decision, Marking, ClearanceMarking, Basis, Note string
}

// Columns are the names in the header line, in order. The first Questions of them are needed to read a table.
var columns = []string{
	"id", "kind", "group", "policy", "label", "clearance", "lang", "target",
	"status", "valid", "acdf", "decision", "marking", "clearance_marking", "basis", "note",
}

const questions = 8

// Columns returns the names of the columns in order.
func Columns() []string { return slices.Clone(columns) }

// Fields returns the columns in order.
func (r *Row) Fields() []string {
	out := make([]string, len(columns))
	for i, f := range r.fields() {
		out[i] = *f
	}
	return out
}

func (r *Row) fields() []*string {
	return []*string{
		&r.ID, &r.Kind, &r.Group, &r.Policy, &r.Label, &r.Clearance, &r.Lang, &r.Target,
		&r.Status, &r.Valid, &r.ACDF, &r.Decision, &r.Marking, &r.ClearanceMarking, &r.Basis, &r.Note,
	}
}

// Parse reads a table. Columns are known by the header line and may stand in any order; those that are not known are
// passed over.
func Parse(b []byte) ([]Row, error) {
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n"), "\n")
	at := make([]int, len(columns)) // where each column stands
	header := strings.Split(lines[0], "\t")
	for i, name := range columns {
		if at[i] = slices.Index(header, name); at[i] < 0 && i < questions {
			return nil, fmt.Errorf("line 1: there is no column %q; the header line names them, separated by tabs", name)
		}
	}
	if len(lines)-1 > MaxRows {
		return nil, fmt.Errorf("%d rows, at most %d", len(lines)-1, MaxRows)
	}
	if len(lines) == 1 {
		return nil, errors.New("there is no row below the header line")
	}
	rows := make([]Row, 0, len(lines)-1)
	for n, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		var r Row
		for i, f := range r.fields() {
			switch {
			case at[i] >= 0 && at[i] < len(cells):
				*f = cells[at[i]]
			case i < questions:
				return nil, fmt.Errorf("line %d: it ends before the column %q", n+2, columns[i])
			}
		}
		if r.Kind != kindPair && r.Kind != kindMark && r.Kind != kindTranslate {
			return nil, fmt.Errorf("line %d: kind %q is none of pair, mark, translate", n+2, r.Kind)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// AppendHeader appends the header line.
func AppendHeader(dst []byte) []byte { return append(dst, strings.Join(columns, "\t")+"\n"...) }

// Append appends a row as a line.
func Append(dst []byte, r *Row) []byte {
	for i, f := range r.fields() {
		if i > 0 {
			dst = append(dst, '\t')
		}
		dst = append(dst, cell(*f)...)
	}
	return append(dst, '\n')
}

// cell makes text fit one cell.
func cell(s string) string {
	if s == "" {
		return none
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
