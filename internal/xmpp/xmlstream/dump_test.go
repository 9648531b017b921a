package xmlstream_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// A dump is a tree as text that depends on nothing but names, attributes and character data. Two parsers agree on a
// document when its dumps are the same.

func dump(e *xmlstream.Element) string {
	var b strings.Builder
	dumpTo(&b, e)
	return b.String()
}

func dumpTo(b *strings.Builder, e *xmlstream.Element) {
	var attrs []string
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		attrs = append(attrs, dumpAttr(a.Name.Space, a.Name.Local, a.Value))
	}
	dumpStart(b, e.Space(), e.Local(), attrs)
	for i := range e.NumNodes() {
		if n := e.NodeAt(i); n.Element != nil {
			dumpTo(b, n.Element)
		} else {
			fmt.Fprintf(b, "%q\n", n.Text)
		}
	}
	b.WriteString("end\n")
}

func dumpStart(b *strings.Builder, space, local string, attrs []string) {
	slices.Sort(attrs)
	fmt.Fprintf(b, "{%s}%s %s\n", space, local, strings.Join(attrs, " "))
}

func dumpAttr(space, local, value string) string {
	return fmt.Sprintf("{%s}%s=%q", space, local, value)
}

// dumpStd reads with encoding/xml, which is trusted with names and text of what others have found well-formed.
func dumpStd(x *xml.Decoder) (string, error) {
	var b, text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			fmt.Fprintf(&b, "%q\n", text.String())
			text.Reset()
		}
	}
	for depth := 0; ; {
		t, err := x.Token()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			flush()
			var attrs []string
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
					attrs = append(attrs, dumpAttr(a.Name.Space, a.Name.Local, a.Value))
				}
			}
			dumpStart(&b, t.Name.Space, t.Name.Local, attrs)
			depth++
		case xml.EndElement:
			flush()
			b.WriteString("end\n")
			depth--
		case xml.CharData:
			if depth > 0 {
				text.Write(t)
			}
		}
	}
}
