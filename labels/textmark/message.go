package textmark

import (
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Add puts a line in front of every body of a message and removes its XHTML-IM alternative. The marking of a body is
// that of its language, or where there is none that of the language "". Without a marking a body stays as it is: the
// caller should not send a message that it meant to mark. A message without body has nothing to mark.
func Add(message *xmlstream.Element, lines func(lang string) string) *xmlstream.Element {
	lang, _ := message.AttrNS(xmlstream.NSXML, "lang")
	marked := false
	out := message.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if !isBody(message, c) {
			return c
		}
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
		marked = true
		return c.WithNodes(append([]xmlstream.Node{xmlstream.TextNode("[" + line + "]\n")}, nodes(c)...)...)
	})
	if !marked {
		return message
	}
	return withoutHTML(out)
}

// oneLine makes a marking fit in one line that Read takes.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if tooLong(s) {
		s = strings.TrimSpace(string([]rune(s)[:labels.MaxMarking]))
	}
	return s
}

// Strip takes the line off every body that begins with one, and with it the XHTML-IM alternative. Without such a body
// the message is returned as it is.
func Strip(message *xmlstream.Element) *xmlstream.Element {
	out := message.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if !isBody(message, c) {
			return c
		}
		if _, ok := lineOf(c); !ok {
			return c
		}
		_, rest, _ := cut(firstText(c))
		return c.WithNodes(append([]xmlstream.Node{xmlstream.TextNode(rest)}, nodes(c)[1:]...)...)
	})
	if out == message {
		return message
	}
	return withoutHTML(out)
}

func nodes(e *xmlstream.Element) []xmlstream.Node {
	out := make([]xmlstream.Node, e.NumNodes())
	for i := range out {
		out[i] = e.NodeAt(i)
	}
	return out
}

func withoutHTML(e *xmlstream.Element) *xmlstream.Element {
	return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if c.Is(nsXHTML, "html") {
			return nil
		}
		return c
	})
}
