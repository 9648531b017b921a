package hostileclient_test

import (
	"fmt"
	"strings"
	"testing"
)

// groupA is XML tokens and structure.
func groupA() []row {
	ill, restricted, limit := streamError("not-well-formed"), streamError("restricted-xml"), streamError("policy-violation")
	doctype, laughing := "<!DOCTYPE x>", "<!DOCTYPE l ["+laughs()+"]>"
	return []row{
		atHeader("A01_doctype_before_header", restricted, doctype+bareHeader, "<!D", "<?xml version='1.0'?>"+doctype+bareHeader),
		atHeader("A02_billion_laughs_before_header", restricted, laughing+bareHeader),
		inStream("A02_billion_laughs", variants(restricted, message(laughing+"<body>&j;</body>"))),
		inStream("A03_markup_declarations", variants(restricted, messages("<!DOCTYPE x>", "<!ELEMENT x>", "<!x<!-->-->y>")...)),
		inStream("A04_external_entities", variants(restricted,
			messages("<!ENTITY x SYSTEM 'file:///etc/hostname'>", "<!DOCTYPE d [<!ENTITY x SYSTEM 'http://127.0.0.1:1/'>]>&x;")...)),
		inStream("A05_undefined_entities", variants(restricted, bodies("&nbsp;", "&lol;")...)),
		inStream("A06_broken_references", variants(ill, bodies("a & b", "&amp b", "&;", "&#;", "&#x;", "&# 65;", "&#X41;")...)),
		inStream("A07_references_to_no_character", variants(ill, bodies("&#0;", "&#x1;", "&#x1F;", "&#xFFFE;", "&#x110000;")...)),
		inStream("A08_references_to_surrogates", variants(ill, bodies("&#xD800;", "&#xDFFF;")...)),
		inStream("A09_references_that_wrap", variants(ill, bodies("&#x100000041;", "&#4294967361;")...)),
		inStream("A10_reference_of_100000_zeros", variants(limit, bodies("&#"+strings.Repeat("0", 100_000)+"65;")...)),
		inStream("A11_cdata", variants(accept("<body>&lt;b&gt;&amp;amp;</body>"),
			fineMessage("<body><![CDATA[<b>&amp;]]></body>"), fineMessage("<body>&lt;b>&amp;amp;</body>"))),
		inStream("A13_end_of_cdata_in_text", variants(ill, bodies("a]]>b")...)),
		inStream("A14_marked_sections", variants(ill, messages("<![cdata[x]]>", "<![INCLUDE[x]]>")...)),
		inStream("A15_cdata_without_end", variants(limit, message("<body><![CDATA["+strings.Repeat("x", 300<<10)))),
		inStream("A16_comment_in_a_word", variants(restricted, bodies("SEC<!-- -->RET")...)),
		inStream("A17_processing_instructions", variants(restricted, message("<?php x ?>"), "<?xml-stylesheet href='x'?>")),
		inStream("A18_second_declaration", variants(restricted, "<?xml version='1.0'?>", message("<?xml version='1.0'?>"), "<?XmL x?>", message("<?XmL x?>"))),
		atHeader("A19_other_versions_of_xml", streamError("bad-format"),
			"<?xml version='1.1'?>"+bareHeader, "<?xml version='2.0'?>"+bareHeader, "<?xml version=''?>"+bareHeader),
		inStream("A20_wrong_end_tags", variants(ill, message("<body>x</bod>"), message("<body></message></body>")), variants(ill, "</message>")),
		inStream("A21_end_tag_of_another_prefix", variants(ill, message("<p:b xmlns:p='urn:u' xmlns:q='urn:u'>x</q:b>"))),
		inStream("A22_broken_tags", variants(ill, messages("<b></b a='1'>", "<b / >", "<b a/>", "<b a=1/>", "<b a='1'b='2'/>")...)),
		inStream("A23_attribute_twice", variants(ill, "<message to='a@im.example' to='b@im.example' id='$ID'><body>x</body></message>")),
		inStream("A24_in_attribute_values", variants(ill, messages("<b a='<'/>", "<b a='\x00'/>")...)),
		inStream("A25_impossible_names", variants(ill, "< message to='a@im.example'/>", message("<1m/>"), message("<-m/>"), message("<.m/>"),
			message("<>x</>"), message("<m\x00/>"))),
		inStream("A26_line_ends", []variant{
			{"greater than", fineMessage("<body>a>b</body>"), accept("<body>a&gt;b</body>")},
			{"crlf", fineMessage("<body>a\r\nb</body>"), accept("<body>a\nb</body>")},
			{"cr", fineMessage("<body>a\rb</body>"), accept("<body>a\nb</body>")},
			{"reference", fineMessage("<body>a&#13;b</body>"), accept("<body>a&#xD;b</body>")},
		}),
		inStream("A27_newline_in_address", variants(stanzaError("jid-malformed", "modify"),
			"<message to='b@im.exa\nmple' id='$ID'><body>x</body></message>", "<message to='b@im.exa\tmple' id='$ID'><body>x</body></message>")),
		inStream("A28_depth_of_10000", variants(limit, message(strings.Repeat("<a>", 10_000)))),
		inStream("A29_100000_attributes", variants(limit, message("<b"+attributes(100_000, "a%d=''")+"/>"))),
		inStream("A30_long_names", variants(limit, message("<"+strings.Repeat("n", 64<<10)+"/>"), message("<b "+strings.Repeat("n", 64<<10)+"=''/>"))),
		inStream("A31_long_values", variants(limit, message("<b a='"+strings.Repeat("v", 1<<20)+"'/>"), message("<body>"+strings.Repeat("x", 10<<20)+"</body>"))),
		inStream("A32_65000_siblings", variants(limit, message(strings.Repeat("<a/>", 65_000)))),
		inStream("A33_20000_attribute_names", variants(accept("</message>"), fineMessage(elements(10_000)))),
		inStream("A34_one_byte_per_segment", variants(accept("<body>fine é – 漢字 😀</body>"), fineMessage("<body>fine é – 漢字 😀</body>"))),
		{name: "A36_white_space_without_end", n: 1, run: whiteSpace},
		inStream("A37_text_between_stanzas", variants(streamError("bad-format"), "hello<message to='a@im.example' id='$ID'/>")),
		{name: "A38_truncated_and_gone", n: 4, run: truncated},
	}
}

// laughs is ten levels of ten entities each.
func laughs() string {
	var b strings.Builder
	b.WriteString("<!ENTITY a 'ha'>")
	for c := byte('b'); c <= 'j'; c++ {
		fmt.Fprintf(&b, "<!ENTITY %c '%s'>", c, strings.Repeat(fmt.Sprintf("&%c;", c-1), 10))
	}
	return b.String()
}

func attributes(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " "+format, i)
	}
	return b.String()
}

// elements are elements of 64 attributes.
func elements(n int) string {
	var b strings.Builder
	for i := 0; i < n; i += 64 {
		fmt.Fprintf(&b, "<a xmlns='urn:a'%s/>", attributes(min(64, n-i)-1, fmt.Sprintf("n%d-%%d=''", i)))
	}
	return b.String()
}

// whiteSpace: A36.
func whiteSpace(t *testing.T, b *bed) {
	c := b.login(t)
	go c.sayIn(whole, strings.Repeat(" ", 2<<20))
	if said := c.end(closeLimit); !strings.Contains(said, "<policy-violation xmlns='"+nsStreams+"'/>") {
		t.Errorf("said %.1000s", said)
	}
}

// truncated: A38. A stanza that stops, and the end of the connection: nothing is delivered.
func truncated(t *testing.T, b *bed) {
	full := fineMessage("<body>x</body>")
	for name, at := range map[string]int{"in a tag": 10, "in an attribute": 20, "in text": len(full) - 20, "before the last byte": len(full) - 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, bad := b.id("before"), b.id("bad")
			c := b.login(t)
			c.say(good(before) + strings.Replace(full[:at], "$ID", bad, 1))
			c.until("</message>")
			if err := c.conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if said := c.end(closeLimit); strings.Contains(said, bad) || b.house.times(bad) != 0 {
				t.Errorf("said %.1000s", said)
			}
		})
	}
}
