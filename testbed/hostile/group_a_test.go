package hostile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

const (
	declaration = "<?xml version='1.0'?>"
	bareHeader  = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' " +
		"version='1.0' from='$FROM' to='$TO'>"
)

// groupA is XML tokens and structure.
func groupA() []row {
	ill, restricted, limit := streamError("not-well-formed"), streamError("restricted-xml"), streamError("policy-violation")
	return []row{
		// Decided at the byte after <!: nothing more is sent in the second case, and the answer comes all the same.
		atHeader("A01_doctype_before_header", variants(restricted, "<!DOCTYPE x>"+bareHeader, "<!D", declaration+"<!DOCTYPE x>"+bareHeader)),
		atHeader("A02_billion_laughs_before_header", variants(restricted,
			"<!DOCTYPE l [<!ENTITY a '$MARK'><!ENTITY b '&a;&a;'>]>"+bareHeader+laughs())),
		inStream("A02_billion_laughs", variants(restricted, message("<!DOCTYPE l ["+laughs()+"]><body>&j;</body>"))),
		inStream("A03_markup_declarations", variants(restricted, messages("<!DOCTYPE x>", "<!ELEMENT x>", "<!x<!-->-->y>")...)),
		{"A04_external_entities", externalEntities},
		inStream("A05_undefined_entities", variants(restricted, bodies("&nbsp;", "&lol;")...)),
		inStream("A06_broken_references", variants(ill, bodies("a & b", "&amp b", "&;", "&#;", "&#x;", "&# 65;", "&#X41;")...)),
		inStream("A07_references_to_no_character", variants(ill, bodies("&#0;", "&#x1;", "&#x1F;", "&#xFFFE;", "&#x110000;")...)),
		inStream("A08_references_to_surrogates", variants(ill, bodies("&#xD800;", "&#xDFFF;")...)),
		inStream("A09_references_that_wrap", variants(ill, bodies("&#x100000041;", "&#4294967361;")...)),
		inStream("A10_reference_of_100000_zeros", variants(limit, bodies("&#"+strings.Repeat("0", 100_000)+"65;")...)),
		{"A11_cdata", cdata},
		inStream("A13_end_of_cdata_in_text", variants(ill, bodies("a]]>b")...)),
		inStream("A14_marked_sections", variants(ill, messages("<![cdata[x]]>", "<![INCLUDE[x]]>")...)),
		inStream("A16_comment_in_a_word", variants(restricted, bodies("SEC<!-- -->RET")...)),
		inStream("A17_processing_instructions", variants(restricted, message("<?php x ?>"), "<?xml-stylesheet href='$MARK'?>")),
		inStream("A18_second_declaration", variants(restricted, declaration, message(declaration), "<?XmL x?>", message("<?XmL x?>"))),
		atHeader("A19_other_versions_of_xml", variants(streamError("bad-format"),
			"<?xml version='1.1'?>"+bareHeader, "<?xml version='2.0'?>"+bareHeader, "<?xml version=''?>"+bareHeader)),
		inStream("A20_wrong_end_tags", variants(ill, message("<body>x</bod>"), message("<body></message></body>"), "</message>")),
		inStream("A21_end_tag_of_another_prefix", variants(ill, message("<p:b xmlns:p='urn:u' xmlns:q='urn:u'>x</q:b>"))),
		inStream("A22_broken_tags", variants(ill, messages("<b></b a='1'>", "<b / >", "<b a/>", "<b a=1/>", "<b a='1'b='2'/>")...)),
		inStream("A23_attribute_twice", variants(ill,
			"<message to='v@b.example' to='w@b.example' from='$FROM' id='$ID'>$LABEL<body>$MARK</body></message>",
			"<message from='$FROM' to='v@b.example' from='x@b.example' id='$ID'>$LABEL<body>$MARK</body></message>")),
		inStream("A24_in_attribute_values", variants(ill, messages("<b a='<'/>", "<b a='\x00'/>")...)),
		inStream("A25_impossible_names", variants(ill, "< message to='v@b.example'/>", message("<1m/>"), message("<-m/>"), message("<.m/>"),
			message("<>x</>"), message("<m\x00/>"))),
		{"A26_line_ends", lineEnds},
		inStream("A27_newline_in_address", variants(stanzaError("jid-malformed", "modify"),
			strings.Replace(message("<body>x</body>"), "$TO", "v@b.exa\nmple", 1), strings.Replace(message("<body>x</body>"), "$TO", "v@b.exa\tmple", 1))),
		inStream("A28_depth_of_10000", variants(limit, message(strings.Repeat("<a>", 10_000)))),
		inStream("A29_100000_attributes", variants(limit, message("<b"+manyAttributes(100_000, "a%d=''")+"/>"))),
		inStream("A30_long_names", variants(limit, message("<"+strings.Repeat("n", 64<<10)+"/>"), message("<b "+strings.Repeat("n", 64<<10)+"=''/>"))),
		// The list ends the stream; see startTag of xmlstream for why not. H12 is the other side of it.
		inStream("A32_65000_siblings", variants(tooBig(), message(strings.Repeat("<a/>", 65_000)))),
		// That it costs no more time than other names is a matter of the decoder: TestHostileA33 of xmlstream.
		once("A33_20000_attribute_names", []variant{{"1", message(manyElements(20_000)), deny("")}}),
		{"A36_white_space_without_end", whiteSpace},
		{"A34_one_byte_per_segment", oneByteEach},
		inStream("A37_text_between_stanzas", variants(streamError("bad-format"), "hello$MARK<message to='v@b.example' from='$FROM' id='$ID'/>")),
		{"A38_truncated_and_gone", truncated},
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

func manyAttributes(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " "+format, i)
	}
	return b.String()
}

// manyElements are elements of 64 attributes.
func manyElements(n int) string {
	var b strings.Builder
	for i := 0; i < n; i += 64 {
		fmt.Fprintf(&b, "<a%s/>", manyAttributes(min(64, n-i), fmt.Sprintf("n%d-%%d=''", i)))
	}
	return b.String()
}

// cdata: A11. What is in a section arrives as text, escaped, and is judged as text: the same with a label and without.
func cdata(t *testing.T, w *world) {
	const text = "<b>&amp;"
	forms := []string{"<![CDATA[<b>&amp;]]>", "&lt;b>&amp;amp;", "<![CDATA[<b]]>><![CDATA[&]]>amp;"}
	for i, form := range forms {
		t.Run(fmt.Sprintf("labelled_%d", i+1), func(t *testing.T) {
			t.Parallel()
			for _, s := range allSplits {
				at := w.b.tap.now()
				w.play(t, variant{"", fineMessage("<body>" + form + "</body>"), accept(body(text))}, s)
				if wire := w.b.tap.since(at); bytes.Contains(wire, []byte("CDATA")) || !bytes.Contains(wire, []byte("<body>&lt;b&gt;&amp;amp;</body>")) {
					t.Errorf("not written escaped: %.2000q", wire)
				}
			}
		})
		t.Run(fmt.Sprintf("unlabelled_%d", i+1), func(t *testing.T) {
			t.Parallel()
			w.play(t, variant{"", strings.Replace(fineMessage("<body>"+form+"</body>"), "$LABEL", "", 1), deny("no-label")}, whole)
		})
	}
}

// lineEnds: A26.
func lineEnds(t *testing.T, w *world) {
	for _, form := range []struct{ name, in, out, wire string }{
		{"greater_than", "fine a>b", "fine a>b", "a&gt;b"},
		{"crlf", "fine a\r\nb", "fine a\nb", "a\nb"},
		{"cr", "fine a\rb", "fine a\nb", "a\nb"},
		{"reference", "fine a&#13;b", "fine a\rb", "a&#xD;b"},
	} {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range allSplits {
				at := w.b.tap.now()
				w.play(t, variant{"", fineMessage("<body>" + form.in + "</body>"), accept(body(form.out))}, s)
				if wire := w.b.tap.since(at); !bytes.Contains(wire, []byte(form.wire)) {
					t.Errorf("%q is not on the wire: %.2000q", form.wire, wire)
				}
			}
		})
	}
}

// oneByteEach: A34. The splits of inStream send every byte by itself; here the text has characters of two, three and four.
func oneByteEach(t *testing.T, w *world) {
	const text = "fine é – 漢字 😀"
	for _, s := range allSplits {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			w.play(t, variant{"", fineMessage("<body>" + text + "</body>"), accept(body(text))}, s)
		})
	}
}

// truncated: A38. A stanza that stops, and a FIN: nothing is delivered, nobody else hears of it, the next stream starts afresh.
func truncated(t *testing.T, w *world) {
	full := message("<body>x</body>")
	for name, at := range map[string]int{"in_a_tag": 10, "in_an_attribute": 30, "in_text": len(full) - 20, "before_the_last_byte": len(full) - 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := w.lane(t)
			before, bad := w.id("before"), w.id("bad")
			r := w.login(t, l)
			text := fill(full, l, bad)
			r.say(good(l.domain, "b.example", before) + text[:len(text)-len(full)+at])
			w.b.await(t, before)
			if err := r.conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			r.end(closeLimit)
			w.pass(t, l)
			if n := w.b.times(bad) + w.evil.times(bad); n != 0 {
				t.Errorf("heard of %d times", n)
			}
			w.audit.await(t, 0, "end of the stream", endOf(r.address()))
		})
	}
}

// textOnly reports elements other than a body and a label.
func textOnly(e *xmlstream.Element) string {
	for c := range e.Children() {
		if c.Local() != "body" && c.Local() != "securitylabel" {
			return "crossed: " + c.Local()
		}
	}
	return ""
}
