package hostileclient_test

import "strings"

// groupC is namespaces.
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
		inStream("C07_content_of_servers", variants(streamError("invalid-namespace"), " <message xmlns='jabber:server' to='a@im.example' id='$ID'/>")),
		inStream("C08_no_stanzas", variants(streamError("unsupported-stanza-type"),
			" <message xmlns='urn:evil' to='b@im.example'/>", "<Message/>", "<evil xmlns='jabber:client'/>")),
		inStream("C09_prefixed_but_correct", variants(accept("<body>x</body>"),
			"<c:message xmlns:c='jabber:client' to='nurse@im.example' id='$ID'><c:body>x</c:body></c:message>")),
		inStream("C10_foreign_attribute", variants(accept("from='nurse@im.example"),
			"<message to='nurse@im.example' x:to='evil@im.example' xmlns:x='urn:x' id='$ID'><body>b</body></message>",
			"<message x:to='evil@im.example' to='nurse@im.example' xmlns:x='urn:x' id='$ID'><body>b</body></message>")),
		inStream("C11_foreign_body", variants(accept("<body>ok</body><body xmlns='urn:x'>other</body>"),
			fineMessage("<body>ok</body><body xmlns='urn:x'>other</body>"))),
		inStream("C12_many_declarations", variants(limit, message("<b"+attributes(5_000, "xmlns:p%d='urn:u'")+"/>"),
			message("<b xmlns='urn:"+strings.Repeat("u", 60<<10)+"'>"+strings.Repeat("<c/>", 4_000)+"</b>"))),
		inStream("C12_just_allowed", variants(accept("</message>"), fineMessage("<b xmlns='urn:"+strings.Repeat("u", 508)+"'/>"),
			fineMessage("<b"+attributes(64, "xmlns:p%d='urn:u'")+"/>"))),
		decided("C12_at_the_limit", limit, begun("<b xmlns='urn:"+strings.Repeat("u", 509)), begun("<b"+attributes(65, "xmlns:p%d='urn:u'"))),
		inStream("C14_stream_elements_inside", []variant{
			{"prefix bound again", fineMessage("<stream:error xmlns:stream='urn:x'/>"), accept("<error xmlns='urn:x'/>")},
			{"real", message("<stream:error/>"), stanzaError("bad-request", "modify").notInWeb()}, // where the prefix is bound by the header
			{"real, declared", message("<error xmlns='http://etherx.jabber.org/streams'/>"), stanzaError("bad-request", "modify")},
		}),
	}
}
