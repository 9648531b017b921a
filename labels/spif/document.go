package spif

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Limits of a file. The counts of characters bound elements and attributes before anything is built from them.
const (
	MaxBytes      = 16 << 20
	maxDepth      = 32
	maxTags       = 500_000 // "<"
	maxEquals     = 1_000_000
	maxAttributes = 64 // of one element
)

// namespace is the only one of Open XML SPIF. Files with the typo, and files with none, exist.
const (
	namespace     = "http://www.xmlspif.org/spif"
	namespaceTypo = "http://www.xmslpif.org/spif"
)

// document is a parsed file and where its elements begin.
type document struct {
	root  *etree.Element
	lines map[*etree.Element]int
}

// defect is why a file is no document that can be read.
type defect struct {
	line int
	rule string
	text string
}

func (d *defect) Error() string { return d.text }

func unreadable(line int, rule, format string, args ...any) *defect {
	return &defect{line, rule, fmt.Sprintf(format, args...)}
}

// parseDocument reads well-formed XML in UTF-8 without a document type declaration.
func parseDocument(b []byte) (*document, *defect) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) // COMPAT(editors on Windows): a byte order mark says UTF-8
	if d := scan(b); d != nil {
		return nil, d
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{PreserveDuplicateAttrs: true, MaxDepth: maxDepth, CharsetReader: onlyUTF8}
	if err := doc.ReadFromBytes(b); err != nil {
		return nil, explain(doc, b, err)
	}
	d := &document{lines: map[*etree.Element]int{}}
	end := 1 + bytes.Count(bytes.TrimSpace(b), []byte("\n"))
	roots := 0
	for _, t := range doc.Child {
		switch t := t.(type) {
		case *etree.Directive:
			at := max(bytes.Index(b, []byte("<!"+t.Data[:min(len(t.Data), len("DOCTYPE"))])), 0)
			return nil, unreadable(1+bytes.Count(b[:at], []byte("\n")), "document-type",
				"a document type declaration is not allowed: remove it, and write out what its entities stand for")
		case *etree.Element:
			if roots++; roots == 1 {
				d.root = t
			}
		case *etree.CharData:
			if strings.TrimSpace(t.Data) != "" {
				return nil, unreadable(end, "xml", "text outside the root element")
			}
		}
	}
	if roots == 0 {
		return nil, unreadable(end, "xml", "no root element")
	}
	starts, _ := startLines(b)
	if bad := d.number(d.root, &starts); bad != nil {
		return nil, bad
	}
	if roots > 1 {
		return nil, unreadable(starts[0], "xml", "more than one root element")
	}
	return d, nil
}

// scan refuses what would be costly or pointless to parse.
func scan(b []byte) *defect {
	switch {
	case len(b) == 0:
		return unreadable(1, "xml", "the file is empty")
	case len(b) > MaxBytes:
		return unreadable(1, "size", "more than %d bytes", MaxBytes)
	case bytes.Count(b, []byte("<")) > maxTags:
		return unreadable(1, "size", "more than %d tags", maxTags)
	case bytes.Count(b, []byte("=")) > maxEquals:
		return unreadable(1, "size", "more than %d attributes", maxEquals)
	}
	if !utf8.Valid(b) {
		n := 0
		for r, size := rune(0), 0; n < len(b); n += size {
			if r, size = utf8.DecodeRune(b[n:]); r == utf8.RuneError && size == 1 {
				break
			}
		}
		return unreadable(1+bytes.Count(b[:n], []byte("\n")), "encoding", "not UTF-8: convert the file")
	}
	return nil
}

// onlyUTF8 is asked for any other encoding that a file declares.
func onlyUTF8(charset string, r io.Reader) (io.Reader, error) {
	if strings.EqualFold(charset, "us-ascii") {
		return r, nil
	}
	return nil, encodingError(charset)
}

// encodingError is a declared encoding that is not read.
type encodingError string

func (e encodingError) Error() string {
	return fmt.Sprintf("encoding %s is not supported: convert the file to UTF-8", strconv.QuoteToASCII(string(e)))
}

var onLine = regexp.MustCompile(`(?:XML syntax error )?on line (\d+)(?:: )?`)

// explain turns the parser's error into one with a line.
func explain(doc *etree.Document, b []byte, err error) *defect {
	if errors.Is(err, etree.ErrMaxDepth) {
		_, line := startLines(b)
		return unreadable(line, "depth", "elements are nested more than %d deep", maxDepth)
	}
	if e := encodingError(""); errors.As(err, &e) {
		return unreadable(1, "encoding", "%s", e.Error())
	}
	doc.ReadSettings.ValidateInput = true // reads again; its message has the line
	if better := doc.ReadFromBytes(b); better != nil {
		err = better
	}
	text, line := err.Error(), 0
	if m := onLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	return unreadable(line, "xml", "not well-formed: %s", text)
}

// number gives each element its line, in document order, and refuses what etree lets through.
func (d *document) number(e *etree.Element, starts *[]int) *defect {
	if len(*starts) > 0 {
		d.lines[e], *starts = (*starts)[0], (*starts)[1:]
	}
	line := d.lines[e]
	if len(e.Attr) > maxAttributes {
		return unreadable(line, "size", "element %q has %d attributes, at most %d", e.FullTag(), len(e.Attr), maxAttributes)
	}
	seen := make(map[string]bool, len(e.Attr))
	for _, a := range e.Attr {
		if seen[a.FullKey()] {
			return unreadable(line, "xml", "attribute %q given twice", a.FullKey())
		}
		seen[a.FullKey()] = true
		if a.Space != "" && a.Space != "xml" && a.Space != "xmlns" && a.NamespaceURI() == "" {
			return unreadable(line, "xml", "prefix of attribute %q is not declared", a.FullKey())
		}
	}
	if e.Space != "" && e.NamespaceURI() == "" {
		return unreadable(line, "xml", "prefix of element %q is not declared", e.FullTag())
	}
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.Directive:
			return unreadable(line, "document-type", "a declaration inside the document is not allowed")
		case *etree.Element:
			if bad := d.number(t, starts); bad != nil {
				return bad
			}
		}
	}
	return nil
}

// startLines returns the line of each start tag of a well-formed document, in order, and the line of the first one that
// is too deep. etree does not keep positions.
func startLines(b []byte) (starts []int, tooDeep int) {
	line, depth := 1, 0
	for i := 0; i < len(b); i++ {
		if b[i] == '\n' {
			line++
		}
		if b[i] != '<' {
			continue
		}
		rest := b[i:]
		n := 0 // length of what is skipped
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			n = bytes.Index(rest, []byte("-->"))
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			n = bytes.Index(rest, []byte("]]>"))
		case bytes.HasPrefix(rest, []byte("<?")):
			n = bytes.Index(rest, []byte("?>"))
		case bytes.HasPrefix(rest, []byte("</")):
			depth--
		default:
			starts = append(starts, line)
			if depth++; depth > maxDepth && tooDeep == 0 {
				tooDeep = line
			}
			if n = tagEnd(rest); n > 0 && rest[n-1] == '/' {
				depth--
			}
		}
		if n > 0 {
			line += bytes.Count(rest[:n], []byte("\n"))
			i += n
		}
	}
	return starts, tooDeep
}

// tagEnd returns where the tag that b begins with ends.
func tagEnd(b []byte) int {
	quote := byte(0)
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return 0
}
