package hostile_test

import (
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// groupC is namespaces, on a node with the strict profile; what a profile that strips makes of the same is in strip_test.go.
func groupC() []row {
	ill, limit := streamError("not-well-formed"), streamError("policy-violation")
	return []row{
		inStream("C01_unbound_prefix", variants(ill, messages("<p:b/>", "<b p:a='1'/>")...)),
		inStream("C02_reserved_prefixes", variants(ill, messages("<b xmlns:p=''/>", "<b xmlns:xml='urn:x'/>", "<b xmlns:xmlns='urn:x'/>",
			"<b xmlns:p='http://www.w3.org/2000/xmlns/'/>", "<b xmlns='http://www.w3.org/XML/1998/namespace'/>")...)),
		inStream("C03_colons", variants(ill, messages("<:b/>", "<b:/>", "<p:q:r xmlns:p='u'/>", "<b :a='1'/>")...)),
		inStream("C04_same_expanded_name", variants(ill, messages("<b xmlns:p='u' xmlns:q='u' p:a='1' q:a='2'/>")...)),
		inStream("C05_declared_twice", variants(ill, messages("<b xmlns='u' xmlns='v'/>", "<b xmlns:p='u' xmlns:p='v'/>")...)),
		inStream("C06_separator_in_namespace", variants(ill, messages("<stream xmlns='http://etherx.jabber.org/streams&#10;stream'/>",
			"<stream xmlns='http://etherx.jabber.org/streams\nstream'/>", "<b xmlns='urn:&#1;x'/>")...)),
		inStream("C07_content_of_clients", variants(streamError("invalid-namespace"),
			"<message xmlns='jabber:client' to='v@b.example' from='$FROM' id='$ID'>$LABEL<body>$MARK</body></message>")),
		inStream("C09_prefixed_but_correct", []variant{{
			"1", "<c:message xmlns:c='jabber:server' to='$TO' from='$FROM' type='chat' id='$ID'>$LABEL<c:body>fine</c:body></c:message>",
			accept(body("fine")),
		}}),
		inStream("C10_foreign_attribute_strict", variants(deny("profile"),
			"<message to='$TO' x:to='w@d.example' xmlns:x='urn:x' from='$FROM' type='chat' id='$ID'>$LABEL<body>$MARK</body></message>",
			"<message x:to='w@d.example' to='$TO' xmlns:x='urn:x' from='$FROM' type='chat' id='$ID'>$LABEL<body>$MARK</body></message>")),
		inStream("C11_foreign_body_strict", variants(deny("profile"),
			fineMessage("<body>ok</body><body xmlns='urn:x'>$MARK</body>"), fineMessage("<body xmlns='urn:x'>$MARK</body><body>ok</body>"))),
		inStream("C12_many_declarations", variants(limit, message("<b"+manyAttributes(5_000, "xmlns:p%d='urn:u'")+"/>"),
			message("<b xmlns='urn:"+strings.Repeat("u", 60<<10)+"'>"+strings.Repeat("<c/>", 4_000)+"</b>"))),
		inStream("C13_near_miss_of_a_label", variants(deny("no-label"), nearLabels("urn:xmpp:sec-label:0/", "URN:xmpp:sec-label:0",
			"urn:xmpp:sec-label:00", "urn:xmpp:sec-label:0 ")...)),
		inStream("C14_stream_elements_inside",
			[]variant{
				{"prefix_bound_again", message("<stream:error xmlns:stream='urn:x'/>"), deny("profile")},
				{"real", message("<stream:error/>"), stanzaError("bad-request", "modify")},
			}),
	}
}

// nearLabels are messages with the label in other namespaces.
func nearLabels(spaces ...string) []string {
	var out []string
	for _, ns := range spaces {
		label := strings.Replace(publicLabel, "urn:xmpp:sec-label:0'", ns+"'", 1)
		out = append(out, strings.Replace(message("<body>$MARK</body>"), "$LABEL", label, 1))
	}
	return out
}

// attribute wants an attribute without namespace to have that value.
func attribute(name, value string) func(*xmlstream.Element) string {
	return func(e *xmlstream.Element) string {
		if got, _ := e.Attr(name); got != value {
			return name + " is " + got + ", want " + value
		}
		return ""
	}
}
