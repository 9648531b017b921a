package textmark

import (
	"strings"
	"unicode/utf8"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

const nsXHTML = "http://jabber.org/protocol/xhtml-im"

// maxBodies bounds the bodies of one message, one for each language.
const maxBodies = 64

// TypedLine returns the marking in the first line of a text, if the line has the form of one. The line may be the
// whole text.
func TypedLine(text string) (marking string, ok bool) {
	marking, _, ok = cut(text)
	return marking, ok
}

// cut takes the first line off a text.
func cut(text string) (marking, rest string, ok bool) {
	line, rest, _ := strings.Cut(text, "\n")
	if len(line) < 3 || line[0] != '[' || line[len(line)-1] != ']' {
		return "", "", false
	}
	marking = line[1 : len(line)-1]
	if !utf8.ValidString(marking) || tooLong(marking) || strings.TrimSpace(marking) == "" {
		return "", "", false
	}
	return marking, rest, true
}

// isBody says whether c is a body of the message (RFC 6121 §5.2.3).
func isBody(message, c *xmlstream.Element) bool { return c != nil && c.Is(message.Space(), "body") }

// firstText returns the text that a body begins with.
func firstText(body *xmlstream.Element) string {
	if body.NumNodes() == 0 {
		return ""
	}
	return body.NodeAt(0).Text
}

// lineOf returns the marking that a body begins with. A line that an element interrupts is none.
func lineOf(body *xmlstream.Element) (string, bool) {
	text := firstText(body)
	if body.NumNodes() > 1 && !strings.Contains(text, "\n") {
		return "", false
	}
	return TypedLine(text)
}

// Lines returns the markings of the bodies of a message in order; one body without leaves an empty string.
func Lines(message *xmlstream.Element) ([]string, error) {
	var out []string
	for i := range message.NumNodes() {
		c := message.NodeAt(i).Element
		if !isBody(message, c) {
			continue
		}
		if len(out) == maxBodies {
			return nil, labels.Errorf(labels.CodeSyntax, "more than %d bodies", maxBodies)
		}
		line, _ := lineOf(c)
		out = append(out, line)
	}
	return out, nil
}

// Read returns the marking in the first line of a message. All bodies must begin with the same one, compared as Lookup
// does; if some have a marking and others none or another one, the message is ambiguous and the error is a
// *labels.Error. For a message in several languages see Table.Read.
func Read(message *xmlstream.Element) (line string, found bool, err error) {
	lines, err := Lines(message)
	if err != nil || len(lines) == 0 {
		return "", false, err
	}
	for _, l := range lines[1:] {
		if Fold(l) != Fold(lines[0]) {
			return "", false, disagree()
		}
	}
	return lines[0], lines[0] != "", nil
}

func disagree() error {
	return labels.Errorf(labels.CodeMismatch, "the bodies do not agree in their first line")
}

// Read returns the label that the first line of a message stands for: nil when no line stands for one. All bodies must
// then stand for the same label, each in its own language. The line returned is that of the first body that has one,
// also when it stands for nothing.
func (t *Table) Read(message *xmlstream.Element) (l *labels.Label, line string, err error) {
	lines, err := Lines(message)
	if err != nil {
		return nil, "", err
	}
	missing := false
	for _, s := range lines {
		if line == "" {
			line = s
		}
		switch named, ok := t.Lookup(s); {
		case !ok:
			missing = true
		case l == nil:
			l = named
		case !l.Equal(named):
			return nil, line, disagree()
		}
	}
	if l != nil && missing {
		return nil, line, disagree()
	}
	return l, line, nil
}
