package textmark

import (
	"slices"
	"strconv"

	"sallyport/internal/xmpp/xmlstream"
)

const nsFallback = "urn:xmpp:fallback:0"

// moved moves what says which part of the bodies is there for older clients alone (XEP-0428), by what was put in front of each of them or
// taken off. Newer clients do not show that part, and at its old place it would be the line. What cannot be moved goes: then they show all.
func moved(message *xmlstream.Element, by []int) *xmlstream.Element {
	same := len(by) > 0 && !slices.ContainsFunc(by, func(n int) bool { return n != by[0] })
	return message.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if !c.Is(nsFallback, "fallback") {
			return c
		}
		whole := true
		out := c.MapChildren(func(part *xmlstream.Element) *xmlstream.Element {
			if !part.Is(nsFallback, "body") {
				return part
			}
			part, ok := movedPart(part, by, same)
			whole = whole && ok
			return part
		})
		if !whole {
			return nil
		}
		return out
	})
}

// movedPart moves one part, in code points (XEP-0426). One without ends is all of the body, line or not.
func movedPart(part *xmlstream.Element, by []int, same bool) (*xmlstream.Element, bool) {
	start, begins := part.Attr("start")
	end, ends := part.Attr("end")
	if !begins && !ends {
		return part, true
	}
	from, err1 := strconv.ParseUint(start, 10, 31)
	to, err2 := strconv.ParseUint(end, 10, 31)
	if err1 != nil || err2 != nil || !same {
		return part, false
	}
	at := func(n uint64) string { return strconv.Itoa(max(0, int(n)+by[0])) }
	return part.WithAttr(xmlstream.Name{Local: "start"}, at(from)).WithAttr(xmlstream.Name{Local: "end"}, at(to)), true
}
