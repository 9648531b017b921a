package hostileclient_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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
		{name: "A04_nothing_is_opened", n: 2, run: nothingOpened},
		inStream("A05_undefined_entities", variants(restricted, bodies("&nbsp;", "&lol;")...)),
		inStream("A06_broken_references", variants(ill, bodies("a & b", "&amp b", "&;", "&#;", "&#x;", "&# 65;", "&#X41;")...)),
		inStream("A07_references_to_no_character", variants(ill, bodies("&#0;", "&#x1;", "&#x1F;", "&#xFFFE;", "&#x110000;")...)),
		inStream("A08_references_to_surrogates", variants(ill, bodies("&#xD800;", "&#xDFFF;")...)),
		inStream("A09_references_that_wrap", variants(ill, bodies("&#x100000041;", "&#4294967361;")...)),
		inStream("A10_reference_of_100000_zeros", variants(limit, bodies("&#"+strings.Repeat("0", 100_000)+"65;")...)),
		decided("A10_at_the_11th_character", limit, begun("<body>&#"+strings.Repeat("0", 11))),
		inStream("A11_cdata", variants(accept("<body>&lt;b&gt;&amp;amp;</body>"),
			fineMessage("<body><![CDATA[<b>&amp;]]></body>"), fineMessage("<body>&lt;b>&amp;amp;</body>"))),
		inStream("A13_end_of_cdata_in_text", variants(ill, bodies("a]]>b")...)),
		inStream("A14_marked_sections", variants(ill, messages("<![cdata[x]]>", "<![INCLUDE[x]]>")...)),
		inStream("A15_cdata_without_end", variants(limit, message("<body><![CDATA["+strings.Repeat("x", 300<<10)))),
		decided("A15_at_the_limit_of_a_stanza", limit, begun("<body><![CDATA["+strings.Repeat("x", 256<<10))),
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
		inStream("A28_depth_of_64", variants(accept("</message>"), fineMessage(strings.Repeat("<a>", 63)+strings.Repeat("</a>", 63)))),
		decided("A28_at_depth_65", limit, begun(strings.Repeat("<a>", 64))),
		inStream("A29_100000_attributes", variants(limit, message("<b"+attributes(100_000, "a%d=''")+"/>"))),
		inStream("A29_64_attributes", variants(accept("</message>"), fineMessage("<b"+attributes(64, "a%d=''")+"/>"))),
		decided("A29_at_attribute_65", limit, begun("<b"+attributes(65, "a%d=''"))),
		inStream("A30_names_of_256_bytes", variants(accept("</message>"), fineMessage("<"+strings.Repeat("n", 256)+"/>"), fineMessage("<b "+strings.Repeat("n", 256)+"=''/>"))),
		decided("A30_at_257_bytes", limit, begun("<"+strings.Repeat("n", 257)), begun("<b "+strings.Repeat("n", 257))),
		inStream("A30_long_names", variants(limit, message("<"+strings.Repeat("n", 64<<10)+"/>"), message("<b "+strings.Repeat("n", 64<<10)+"=''/>"))),
		inStream("A31_long_values", variants(limit, message("<b a='"+strings.Repeat("v", 1<<20)+"'/>"), message("<body>"+strings.Repeat("x", 10<<20)+"</body>"))),
		inStream("A32_65000_siblings", variants(limit, message(strings.Repeat("<a/>", 65_000)))),
		inStream("A32_4096_children", variants(accept("</message>"), fineMessage(strings.Repeat("<a/>", 4_096)))),
		decided("A32_at_the_4097th_child", limit, begun("<x>"+strings.Repeat("<a/>", 4_097))),
		inStream("A33_20000_attribute_names", variants(accept("</message>"), fineMessage(elements(10_000)))),
		inStream("A34_one_byte_per_segment", variants(accept("<body>fine é – 漢字 😀</body>"), fineMessage("<body>fine é – 漢字 😀</body>"))),
		{name: "A35_begun_and_never_ended", n: 1, run: unfinished, program: true},
		{name: "A31_what_heavy_inputs_cost", n: len(heavyInputs()), run: weighed, program: true},
		{name: "A36_white_space_without_end", n: 1, run: whiteSpace},
		inStream("A37_text_between_stanzas", variants(streamError("bad-format"), "hello<message to='a@im.example' id='$ID'/>")),
		{name: "A38_truncated_and_gone", n: 4, run: truncated},
		{name: "A38_truncated_and_resumed", n: 1, run: truncatedAndResumed},
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

// nothingOpened: A04. Neither the file nor the address that an entity names.
func nothingOpened(t *testing.T, b *bed) {
	file := filepath.Join(t.TempDir(), "entity")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(watch) }()
	if _, err := unix.InotifyAddWatch(watch, file, unix.IN_OPEN|unix.IN_ACCESS); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for i, where := range []string{"file://" + file, "http://" + ln.Addr().String() + "/"} {
		b.play(t, variant{fmt.Sprint(i), message("<!DOCTYPE d [<!ENTITY x SYSTEM '" + where + "'>]><body>&x;</body>"), streamError("restricted-xml")}, whole)
	}
	if n, err := unix.Read(watch, make([]byte, 4096)); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("the file was opened: %d bytes of events, %v", n, err)
	}
	own, err := net.Dial("tcp", ln.Addr().String()) // behind any that came before
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	first, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if first.RemoteAddr().String() != own.LocalAddr().String() {
		t.Errorf("%s has connected", first.RemoteAddr())
	}
}

// whiteSpace: A36. A MiB of it may come between stanzas, and no more.
func whiteSpace(t *testing.T, b *bed) {
	c, id := b.login(t), b.id("after")
	c.say(strings.Repeat(" ", 1<<20-1) + good(id))
	c.until("id='" + id + "'")
	c.until("</message>")
	go c.sayIn(whole, strings.Repeat(" ", 1<<20+1))
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

// truncatedAndResumed: A38. What was said of a stanza before the connection was lost is nothing: the session goes on, and has it once, whole.
func truncatedAndResumed(t *testing.T, b *bed) {
	before, bad := b.id("before"), b.id("bad")
	c := b.login(t)
	id := c.managed()
	full := good(bad)
	c.say(good(before) + full[:len(full)-5])
	c.until("</message>")
	_ = c.conn.Close()
	back := b.authenticated(t)
	back.say(header)
	back.until("</stream:features>")
	back.say("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='1'/>")
	if said := back.until("/>"); !strings.Contains(said, "<resumed xmlns='urn:xmpp:sm:3'") || !strings.Contains(said, " h='1'") {
		t.Fatalf("said %s", said)
	}
	if b.house.times(bad) != 0 {
		t.Error("half a message came")
	}
	back.say(full)
	back.until("id='" + bad + "'")
	if b.house.times(bad) != 1 || b.house.times(before) != 1 {
		t.Errorf("it came %d times, the one before %d", b.house.times(bad), b.house.times(before))
	}
}

// managed enables stream management that can be resumed: its id.
func (c *client) managed() (id string) {
	c.t.Helper()
	c.say(enable)
	_, rest, _ := strings.Cut(c.until("/>"), " id='")
	id, _, _ = strings.Cut(rest, "'")
	return id
}
