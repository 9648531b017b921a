package textmark

import (
	"strings"
	"unicode/utf8"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Add puts a line in front of every body of a message and removes what clients show in place of one. The marking of a body is
// that of its language, or where there is none that of the language "". Without a marking a body stays as it is: the
// caller should not send a message that it meant to mark.
func Add(message *xmlstream.Element, lines func(lang string) string) *xmlstream.Element {
	lang, _ := message.AttrNS(xmlstream.NSXML, "lang")
	marked := oneLine(lines("")) != ""
	var by []int
	out := message.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if !isBody(message, c) {
			return c
		}
		by = append(by, 0)
		own, ok := c.AttrNS(xmlstream.NSXML, "lang")
		if !ok {
			own = lang
		}
		line := oneLine(lines(own))
		if line == "" {
			line = oneLine(lines(""))
		}
		if line == "" {
			return c
		}
		marked, line = true, "["+line+"]\n"
		by[len(by)-1] = utf8.RuneCountInString(line)
		return c.WithNodes(append([]xmlstream.Node{xmlstream.TextNode(line)}, nodes(c)...)...)
	})
	if !marked {
		return message
	}
	return withoutOther(moved(out, by))
}

// oneLine makes a marking fit in one line that Read takes.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if tooLong(s) {
		s = strings.TrimSpace(string([]rune(s)[:labels.MaxMarking]))
	}
	return s
}

// Strip takes the line off every body that begins with one, and with it what clients show in place of a body. Without such a
// body the message is returned as it is.
func Strip(message *xmlstream.Element) *xmlstream.Element {
	var by []int
	out := message.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if !isBody(message, c) {
			return c
		}
		by = append(by, 0)
		if _, ok := lineOf(c); !ok {
			return c
		}
		text := firstText(c)
		_, rest, _ := cut(text)
		by[len(by)-1] = utf8.RuneCountInString(rest) - utf8.RuneCountInString(text)
		return c.WithNodes(append([]xmlstream.Node{xmlstream.TextNode(rest)}, nodes(c)[1:]...)...)
	})
	if out == message {
		return message
	}
	return withoutOther(moved(out, by))
}

func nodes(e *xmlstream.Element) []xmlstream.Node {
	out := make([]xmlstream.Node, e.NumNodes())
	for i := range out {
		out[i] = e.NodeAt(i)
	}
	return out
}

// withoutOther leaves out what clients show in place of a body, where the line is not: formatted text (XEP-0071), and text as it is typed
// (XEP-0301).
func withoutOther(e *xmlstream.Element) *xmlstream.Element {
	return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if c.Is(nsXHTML, "html") || c.Is("urn:xmpp:rtt:0", "rtt") {
			return nil
		}
		return c
	})
}
