package audit

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"
)

// showTime has fixed width, so that columns and files of rows sort by it.
const showTime = "2006-01-02T15:04:05.000000Z"

// column is one column of the table; width 0 ends the row as long as it is, up to maxCell.
type column struct {
	title string
	width int
	cell  func(dst []byte, e *Entry) []byte
}

// maxCell bounds the last cell of a row, in characters.
const maxCell = 200

var columns = [...]column{
	{"SEQ", 9, func(d []byte, e *Entry) []byte { return strconv.AppendUint(d, e.Seq, 10) }},
	{"TIME", len(showTime), func(d []byte, e *Entry) []byte { return e.Time.UTC().AppendFormat(d, showTime) }},
	{"KIND", 15, func(d []byte, e *Entry) []byte { return append(d, e.Kind.String()...) }},
	{"OUTCOME", 9, func(d []byte, e *Entry) []byte { return appendEscaped(d, e.Outcome) }},
	{"PEERS", 25, func(d []byte, e *Entry) []byte { return appendPair(d, e.FromPeer, e.ToPeer) }},
	{"FROM", 28, func(d []byte, e *Entry) []byte { return appendEscaped(d, e.From) }},
	{"TO", 28, func(d []byte, e *Entry) []byte { return appendEscaped(d, e.To) }},
	{"STANZA", 14, appendStanza},
	{"STAGE", 8, func(d []byte, e *Entry) []byte { return appendEscaped(d, e.Stage) }},
	{"REF", 12, func(d []byte, e *Entry) []byte { return appendEscaped(d, e.Ref) }},
	{"WHY", 0, appendWhy},
}

// AppendTableHeader appends the line of titles.
func AppendTableHeader(dst []byte) []byte {
	for _, c := range columns {
		dst = appendCell(dst, c.title, c.width)
	}
	return append(dst, '\n')
}

// AppendTableRow appends the record as one line. Cells that do not fit end with "…"; nothing in a record can begin a new
// line or a new cell, or steer a terminal.
func AppendTableRow(dst []byte, e *Entry) []byte {
	var cell []byte
	for _, c := range columns {
		cell = c.cell(cell[:0], e)
		dst = appendCell(dst, string(cell), c.width)
	}
	return append(dst, '\n')
}

func appendCell(dst []byte, s string, width int) []byte {
	if s == "" {
		s = "-"
	}
	limit := width
	if limit == 0 {
		limit = maxCell
	}
	n := utf8.RuneCountInString(s)
	if n > limit {
		s, n = string([]rune(s)[:limit-1])+"…", limit
	}
	dst = append(dst, s...)
	if width == 0 {
		return dst
	}
	for ; n < width+1; n++ {
		dst = append(dst, ' ')
	}
	return dst
}

func appendPair(dst []byte, from, to string) []byte {
	if from == "" && to == "" {
		return dst
	}
	dst = appendEscaped(dst, from)
	dst = append(dst, " > "...)
	return appendEscaped(dst, to)
}

func appendStanza(dst []byte, e *Entry) []byte {
	dst = appendEscaped(dst, e.StanzaKind)
	if e.StanzaType != "" {
		dst = append(dst, '/')
		dst = appendEscaped(dst, e.StanzaType)
	}
	return dst
}

func appendWhy(dst []byte, e *Entry) []byte {
	if e.Of != 0 {
		dst = append(dst, "of "...)
		dst = strconv.AppendUint(dst, e.Of, 10)
		dst = append(dst, "; "...)
	}
	for _, p := range [...]struct{ name, value string }{{"rule", e.Rule}, {"condition", e.Condition}, {"label", e.LabelIn}} {
		if p.value != "" {
			dst = append(dst, p.name...)
			dst = append(dst, '=')
			dst = append(appendEscaped(dst, p.value), ' ')
		}
	}
	return appendEscaped(dst, e.Reason)
}

// AppendJSON appends the record as one line of JSON. Empty fields are left out. Bytes that are not UTF-8 are shown as
// \ufffd; Facts and Content are base64.
func AppendJSON(dst []byte, e *Entry) []byte {
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendUint(dst, e.Seq, 10)
	dst = append(dst, `,"time":"`...)
	dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","kind":"`...)
	dst = append(append(dst, e.Kind.String()...), '"')
	for _, n := range [...]struct {
		name  string
		value uint64
	}{{"serial", e.Serial}, {"of", e.Of}, {"count", uint64(e.Count)}, {"size", e.Size}} {
		if n.value != 0 {
			dst = strconv.AppendUint(appendKey(dst, n.name), n.value, 10)
		}
	}
	if e.Digest != (Hash{}) {
		dst = appendJSONString(appendKey(dst, "digest"), hex.EncodeToString(e.Digest[:]))
	}
	for i, p := range e.texts() {
		if *p != "" {
			dst = appendJSONString(appendKey(dst, textFields[i].name), *p)
		}
	}
	dst = appendJSONList(dst, "changed", e.Changed)
	if len(e.Facts) > 0 {
		dst = appendJSONString(appendKey(dst, "facts"), base64.StdEncoding.EncodeToString(e.Facts))
	}
	if len(e.Content) > 0 {
		dst = appendJSONString(appendKey(dst, "content"), base64.StdEncoding.EncodeToString(e.Content))
	}
	dst = appendJSONList(dst, "cut", e.Cut.Names())
	dst = appendJSONString(appendKey(dst, "hash"), hex.EncodeToString(e.Hash[:]))
	return append(dst, "}\n"...)
}

func appendKey(dst []byte, name string) []byte {
	return append(append(append(dst, `,"`...), name...), `":`...)
}

func appendJSONList(dst []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(appendKey(dst, name), '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONString(dst, s)
	}
	return append(dst, ']')
}
