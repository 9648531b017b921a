package spif

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Limits of a file.
const (
	MaxBytes = 16 << 20
	maxDepth = 32
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

// parseDocument reads well-formed XML without a document type declaration.
func parseDocument(b []byte) (*document, error) {
	switch {
	case len(b) == 0:
		return nil, errors.New("the file is empty")
	case len(b) > MaxBytes:
		return nil, fmt.Errorf("%d bytes, at most %d", len(b), MaxBytes)
	case !utf8.Valid(b):
		return nil, errors.New("not UTF-8")
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{PreserveDuplicateAttrs: true, MaxDepth: maxDepth}
	if err := doc.ReadFromBytes(b); err != nil {
		doc.ReadSettings.ValidateInput = true // reads again; its message has the line
		if better := doc.ReadFromBytes(b); better != nil {
			err = better
		}
		return nil, fmt.Errorf("not well-formed: %w", err)
	}
	d := &document{lines: map[*etree.Element]int{}}
	for _, t := range doc.Child {
		switch t := t.(type) {
		case *etree.Directive:
			return nil, errors.New("a document type declaration is not allowed")
		case *etree.Element:
			if d.root != nil {
				return nil, errors.New("more than one root element")
			}
			d.root = t
		case *etree.CharData:
			if strings.TrimSpace(t.Data) != "" {
				return nil, errors.New("text outside the root element")
			}
		}
	}
	if d.root == nil {
		return nil, errors.New("no root element")
	}
	starts := startLines(b)
	return d, d.number(d.root, &starts)
}

// number gives each element its line, in document order, and refuses what etree lets through.
func (d *document) number(e *etree.Element, starts *[]int) error {
	if len(*starts) > 0 {
		d.lines[e], *starts = (*starts)[0], (*starts)[1:]
	}
	seen := map[string]bool{}
	for _, a := range e.Attr {
		if seen[a.FullKey()] {
			return fmt.Errorf("line %d: attribute %q given twice", d.lines[e], a.FullKey())
		}
		seen[a.FullKey()] = true
		if a.Space != "" && a.Space != "xml" && a.Space != "xmlns" && a.NamespaceURI() == "" {
			return fmt.Errorf("line %d: prefix of attribute %q is not declared", d.lines[e], a.FullKey())
		}
	}
	if e.Space != "" && e.NamespaceURI() == "" {
		return fmt.Errorf("line %d: prefix of element %q is not declared", d.lines[e], e.FullTag())
	}
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.Directive:
			return errors.New("a declaration inside the document is not allowed")
		case *etree.Element:
			if err := d.number(t, starts); err != nil {
				return err
			}
		}
	}
	return nil
}

// startLines returns the line of each start tag of a well-formed document, in order. etree does not keep positions.
func startLines(b []byte) []int {
	var out []int
	line := 1
	for i := 0; i < len(b); i++ {
		if b[i] == '\n' {
			line++
		}
		if b[i] != '<' {
			continue
		}
		rest := string(b[i:min(len(b), i+9)])
		end := ""
		switch {
		case strings.HasPrefix(rest, "<!--"):
			end = "-->"
		case strings.HasPrefix(rest, "<![CDATA["):
			end = "]]>"
		case strings.HasPrefix(rest, "<?"):
			end = "?>"
		case !strings.HasPrefix(rest, "</"):
			out = append(out, line)
		}
		if n := bytes.Index(b[i:], []byte(end)); end != "" && n > 0 {
			line += bytes.Count(b[i:i+n], []byte("\n"))
			i += n
		}
	}
	return out
}
