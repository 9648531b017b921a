package xmlstream_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

// charactersB is group B as far as an input has one expected condition on a stream.
func charactersB() []hostile {
	overlong := []string{"a\xC0\xBCb", "\xE0\x80\xBC", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF"}
	beyond := []string{"\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80", "\xFE", "\xFF", "\x80", "\xBF", "\xF5\x80\x80\x80"}
	return []hostile{
		{"B01", "SXCG", bodies(overlong...), "not-well-formed"},
		{"B02", "SXCG", bodies("\xEB<\xAB/><presence from='admin@b.example'/>"), "not-well-formed"},
		{"B03", "SXCG", bodies("x\xE2\x82", "\xF0\x9F", "\xC3"), "not-well-formed"},
		{"B04", "SXCG", bodies("\xED\xA0\x80", "\xED\xA0\xBD\xED\xB8\x80", "\xED\xBF\xBF"), "not-well-formed"},
		{"B05", "SXCG", bodies(beyond...), "not-well-formed"},
		{"B06", "SXCG", append(messages("<b a='\xFF'/>", "<b a\xFF=''/>", "<b\xFF/>", "<b xmlns='urn:\xFF'/>", "<b></b\xFF>", "<![CDATA[\xFF]]>", "&a\xFF;"),
			"\xFF", "\xC3("), "not-well-formed"},
		{"B07", "SXCG", append(bodies("\x00", "\x0B", "\x1F", "\uFFFE", "\uFFFF", "\x08", "\x0C"), "\x00", "\x0B",
			message("<![CDATA[\x00]]>"), message("<![CDATA[\uFFFE]]>")), "not-well-formed"},
	}
}

// namespacesC is group C as far as an input has one expected condition on a stream.
func namespacesC() []hostile {
	return []hostile{
		{"C01", "SXCG", append(messages("<p:b/>", "<b p:a='1'/>", "<a xmlns:p='urn:u'/><p:b/>", "<xmlns:b/>"), "<p:message to='b'/>"), "not-well-formed"},
		{"C02", "SXCG", messages(
			"<b xmlns:p=''/>", "<b xmlns:xml='urn:x'/>", "<b xmlns:xmlns='urn:x'/>", "<b xmlns:p='http://www.w3.org/2000/xmlns/'/>",
			"<b xmlns='http://www.w3.org/XML/1998/namespace'/>", "<b xmlns='http://www.w3.org/2000/xmlns/'/>",
			"<b xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "<b xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>", "<b xmlns:xml=''/>",
		), "not-well-formed"},
		{"C03", "SXCG", messages("<:b/>", "<b:/>", "<p:q:r xmlns:p='urn:u'/>", "<b :a='1'/>", "<b a:='1'/>", "<:/>", "<b xmlns:='urn:u'/>", "<b xmlns:a:b='u'/>", "<p:1 xmlns:p='urn:u'/>"), "not-well-formed"},
		{"C04", "SXCG", messages("<b xmlns:p='urn:u' xmlns:q='urn:u' p:a='1' q:a='2'/>", "<b p:a='1' q:a='2' xmlns:p='urn:xmpp:ping' xmlns:q='urn:xmpp:ping'/>"), "not-well-formed"},
		{"C05", "SXCG", messages("<b xmlns='urn:u' xmlns='urn:v'/>", "<b xmlns:p='urn:u' xmlns:p='urn:v'/>", "<b xmlns='urn:u' xmlns='urn:u'/>"), "not-well-formed"},
		{"C06", "SXCG", messages(
			"<stream xmlns='http://etherx.jabber.org/streams&#10;stream'/>", "<stream xmlns='http://etherx.jabber.org/streams\nstream'/>",
			"<b xmlns='urn:\x01'/>", "<b xmlns='urn:&#1;'/>", "<b xmlns='urn: x'/>", "<b xmlns=' urn:x'/>", "<b xmlns:p='urn:\tx'/>", "<b xmlns='urn:x\r'/>",
			"<b xmlns='urn:x&#13;'/>", "<b xmlns='urn:\u0085x'/>", "<b xmlns='urn:\u00a0x'/>", "<b xmlns='urn:\u2028x'/>", "<b xmlns='urn:x\x7f'/>", "<b xmlns='urn:x&#9;'/>", "<b xmlns='urn:x\u3000y'/>",
		), "not-well-formed"},
		{"C07", "SX", []string{"<message xmlns='jabber:client' to='b@b.example'/>", "<c:iq xmlns:c='jabber:client'/>"}, "invalid-namespace"},
		{"C07", "C", []string{"<message xmlns='jabber:server' to='b@b.example'/>"}, "invalid-namespace"},
		{"C12", "SXC", messages(
			"<b"+manyAttributes(5000, "xmlns:p%d='urn:u'")+"/>",
			"<b xmlns='urn:"+strings.Repeat("u", 60<<10)+"'>"+strings.Repeat("<c/>", 4000)+"</b>",
			"<b xmlns='"+strings.Repeat("u", 513)+"'/>",
		), "policy-violation"},
		{"C12", "SXC", messages(nestedDeclarations(10)), "policy-violation"},
		{"D06", "SC", []string{
			"<stream:stream to='x'>", "<stream:stream/>", "<s:stream xmlns:s='http://etherx.jabber.org/streams'/>",
			"<stream xmlns='http://etherx.jabber.org/streams'/>",
		}, "bad-format"},
		{"O03", "X", []string{"<stream:stream to='x' version='1.0'>"}, "bad-format"},
	}
}

// nestedDeclarations declares 60 prefixes on each of n elements inside each other.
func nestedDeclarations(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString("<b" + manyAttributes(60, "xmlns:p%d='urn:u'") + ">")
	}
	return b.String() + strings.Repeat("</b>", n)
}

func TestHostileC09Prefixed(t *testing.T) {
	for on, ns := range map[byte]string{'S': "jabber:server", 'X': "jabber:server", 'C': "jabber:client"} {
		got := onStream(t, surfaces()[on], "<c:message xmlns:c='"+ns+"' to='b@b.example'><c:body>x</c:body></c:message>")
		if want := "<message to='b@b.example'><body>x</body></message>"; got.form != want {
			t.Errorf("%c: got %+v, want %q", on, got, want)
		}
	}
}

func TestHostileB10EncodingAccepted(t *testing.T) {
	for _, declaration := range []string{
		"<?xml version='1.0' encoding='UTF-8'?>", "<?xml version='1.0' encoding='utf-8'?>", "<?xml version=\"1.0\" encoding=\"Utf-8\" standalone='yes' ?>",
		"<?xml version='1.0'?>", "<?xml\r\n\tversion = '1.0' ?>\n ", "", " \n", "<?xml version='1.0' standalone='no'?>",
	} {
		tr := playAll(t, surfaces()['S'].opts, []byte(strings.Replace(benchHeader, "<?xml version='1.0'?>", declaration, 1)+before))
		if tr.end() != "short" || len(tr.elements()) != 1 {
			t.Errorf("%q: got %q", declaration, tr)
		}
	}
}

// TestHostileD09 ends a stream and sends more.
func TestHostileD09(t *testing.T) {
	for _, end := range []string{"</stream:stream>", "</stream:stream \r\n>", " </stream:stream>"} {
		for _, on := range []byte("SXC") {
			s := surfaces()[on]
			tr := playAll(t, s.opts, []byte(s.header+before+end+after+"<!DOCTYPE \xff"))
			if tr.end() != "EOF" || tr.count("end") != 1 || len(tr.elements()) != 1 {
				t.Errorf("%c %q: got %q, want one element, the end, and silence", on, end, tr)
			}
		}
	}
	for _, end := range []string{"</stream>", "</stream:streams>", "</stream:stream x=''>", "</stream:strea>", "</s:stream>", "</message>"} {
		tr := playAll(t, surfaces()['S'].opts, []byte(benchHeader+end))
		if tr.end() != "not-well-formed" {
			t.Errorf("%q: got %q, want not-well-formed", end, tr)
		}
	}
}

// TestHostileD12 sends stream features without end before authentication.
func TestHostileD12(t *testing.T) {
	o := xmlstream.Options{ContentNS: xmlstream.NSServer, Limits: xmlstream.PreAuthLimits()}
	in := benchHeader + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
		strings.Repeat("<mechanism>X-SOMETHING</mechanism>", 10_000)
	tr := play(o, []byte(in), pieces(1460))
	if want := int64(len(benchHeader) + 10_000); !strings.HasPrefix(tr[len(tr)-1], "policy-violation "+itoa(want)+" ") {
		t.Errorf("got %q, want policy-violation at byte %d", tr, want)
	}
}

func TestHostileO03DeclarationOnX(t *testing.T) {
	x := surfaces()['X']
	if tr := playAll(t, x.opts, []byte(benchHeader)); tr.end() != "bad-format" {
		t.Errorf("header on a stream without headers: got %q, want bad-format", tr)
	}
	if tr := playAll(t, x.opts, []byte("\n"+before+"</stream:stream>")); tr.end() != "EOF" {
		t.Errorf("got %q", tr)
	}
}
