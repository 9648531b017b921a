package catalogue

import (
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/nato4774"
	"sallyport/labels/textmark"
	"sallyport/labels/xep0258"
)

// defaultRow is the marking of the row that is the default (ADatP-4774.1 chapter 7).
const defaultRow = "default"

// row is one row of a code list, read.
type row struct {
	marking string
	label   *labels.Label
}

func (r row) isDefault() bool { return strings.EqualFold(r.marking, defaultRow) }

// rows reads a label catalogue in Genericode.
func (f file) rows(e *xmlstream.Element) ([]row, error) {
	entries, err := nato4774.ParseGenericode(e)
	if err != nil {
		return nil, because(rowOf(err), err)
	}
	if len(entries) > MaxItems {
		return nil, errorf(MaxItems+1, "%d rows, at most %d", len(entries), MaxItems)
	}
	out := make([]row, len(entries))
	for n, entry := range entries {
		alone := xmlstream.NewElement(xmlstream.Name{Space: xep0258.NS, Local: "label"}, nil, xmlstream.ElementNode(original(entry.Label)))
		l, err := f.label(n+1, xmlstream.NewElement(xmlstream.Name{Space: xep0258.NS, Local: "securitylabel"}, nil, xmlstream.ElementNode(alone)))
		if err != nil {
			return nil, err
		}
		if l.Policy().Contradicts(l, entry.Marking) {
			return nil, &Error{Item: n + 1, Code: labels.CodeMismatch, Text: fmt.Sprintf(
				"the marking %s names a higher classification than the label %s", labels.Quote(entry.Marking), l)}
		}
		out[n] = row{marking: entry.Marking, label: l}
	}
	return out, nil
}

// rowOf returns the number of the row that the error of a code list names, 0 for none.
func rowOf(err error) int {
	n := 0
	var le *labels.Error
	if errors.As(err, &le) {
		if _, err := fmt.Sscanf(le.Detail, "row %d:", &n); err != nil {
			return 0
		}
	}
	return n
}

// codeList makes items of the rows: the marking is the selector. The row "default" marks the item with its label, or is
// one of its own where no other row has that label.
func (f file) codeList(e *xmlstream.Element) (*Catalogue, error) {
	rows, err := f.rows(e)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{}
	var preset *labels.Label
	for _, r := range rows {
		if r.isDefault() {
			preset = r.label
			continue
		}
		c.Items = append(c.Items, Item{Selector: part(r.marking), Label: r.label})
	}
	if preset == nil {
		return c, nil
	}
	for n := range c.Items {
		if c.Items[n].Label.Equal(preset) {
			c.Items[n].Default = true
			return c, nil
		}
	}
	c.Items = append(c.Items, Item{Default: true, Label: preset})
	return c.WithSelectors(""), nil
}

// ParseMarkings reads the markings of a label catalogue in Genericode as they stand there, for the table that reads
// the first line of text. Labels are read as Parse reads them.
func ParseMarkings(b []byte, reg *labels.Registry) ([]textmark.Entry, error) {
	f, e, err := openFile(b, reg)
	if err != nil {
		return nil, err
	}
	if !nato4774.IsCodeList(e) {
		return nil, f.place(errorf(0, "the root is %s, not a CodeList", quoted(e.Name())))
	}
	rows, err := f.rows(e)
	if err != nil {
		return nil, f.place(err)
	}
	var out []textmark.Entry
	for _, r := range rows {
		if !r.isDefault() {
			out = append(out, textmark.Entry{Text: r.marking, Label: r.label})
		}
	}
	return out, nil
}
