package compact_test

import (
	"slices"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/xmlstream"
)

// What random trees are made of: things that the models know, things they do not, and what every form of a value looks like, or nearly.
var (
	someSpaces = []string{
		"", xmlstream.NSServer, xmlstream.NSClient, xmlstream.NSXML, xmlstream.NSStream, xmlstream.NSDialback,
		"urn:xmpp:sec-label:0", "urn:xmpp:ping", "urn:a", "http://jabber.org/protocol/muc", "urn:trailing ",
	}
	someNames  = []string{"message", "body", "presence", "securitylabel", "displaymarking", "a", "x-1", "_y", "é", "Ж.2", "漢", "id", "thread", "lang", "stream"}
	someValues = []string{
		"", "x", "a@b.example", "a@b.example/c", "a@b.example/", "@b.example", "a@", "b.example", "b.example/a@x", "é@b/ä", "watch1@ship.example/desk", "captain@shore.example",
		"eba2de39-c8bc-4015-ae46-8eb0bafe3a7e", "eba2de39-c8bc-4015-7e46-8eb0bafe3a7e", "EBA2DE39-C8BC-4015-AE46-8EB0BAFE3A7E",
		"0123456789abcdef", "deadbeef", "decade", "DEADBEEF", "123", "0123", "12", "123456789012345678", "1234567890123456789",
		"2026-11-20T06:00:02Z", "2026-02-30T06:00:02Z", "2019-11-20T06:00:02Z", "2156-02-07T06:28:15Z", "2156-02-07T06:28:16Z", "2026-11-20T06:00:02.5Z", "2026-11-20t06:00:02Z",
		"RESTRICTED", "chat", "<&>'\"", "\r\n\t ", "]]>", "\U0001F600", "\uFFFD", "Please confirm that the convoy has left.", "jabber:server",
	}
)

func words(from []string) *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(from), rapid.SampledFrom(from), rapid.SampledFrom(from),
		rapid.StringMatching(`[a-zA-Z0-9 .,é漢-]{0,40}`))
}

func anyName(spaces []string) *rapid.Generator[xmlstream.Name] {
	return rapid.Custom(func(t *rapid.T) xmlstream.Name {
		n := xmlstream.Name{Space: rapid.SampledFrom(spaces).Draw(t, "space"), Local: rapid.SampledFrom(someNames).Draw(t, "local")}
		if rapid.IntRange(0, 9).Draw(t, "own") == 0 {
			n.Local = rapid.StringMatching(`[a-z_][a-zA-Z0-9._-]{0,20}`).Draw(t, "name")
		}
		return n
	})
}

// tree draws an element that can be written.
func tree(depth int) *rapid.Generator[*xmlstream.Element] {
	return rapid.Custom(func(t *rapid.T) *xmlstream.Element {
		var attrs []xmlstream.Attr
		for range rapid.IntRange(0, 4).Draw(t, "attrs") {
			n := anyName([]string{"", "", "", "urn:a", xmlstream.NSXML, "urn:xmpp:ping"}).Draw(t, "attr")
			if !slices.ContainsFunc(attrs, func(a xmlstream.Attr) bool { return a.Name == n }) {
				attrs = append(attrs, xmlstream.Attr{Name: n, Value: words(someValues).Draw(t, "value")})
			}
		}
		var nodes []xmlstream.Node
		for range rapid.IntRange(0, 4).Draw(t, "nodes") {
			if depth == 0 || rapid.Bool().Draw(t, "text") {
				nodes = append(nodes, xmlstream.TextNode(words(someValues).Draw(t, "words")))
			} else {
				nodes = append(nodes, xmlstream.ElementNode(tree(depth-1).Draw(t, "child")))
			}
		}
		return xmlstream.NewElement(anyName(someSpaces).Draw(t, "name"), attrs, nodes...)
	})
}
