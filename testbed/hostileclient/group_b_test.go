package hostileclient_test

import (
	"strings"
	"testing"
)

// groupB is UTF-8 and characters.
func groupB() []row {
	ill := streamError("not-well-formed")
	return []row{
		inStream("B01_overlong", variants(ill, bodies("a\xC0\xBCb", "\xE0\x80\xBC", "\xC0\x80")...)),
		inStream("B02_stanza_smuggling", variants(ill,
			message("<body>\xEB<\xAB/><presence from='admin@im.example' id='$ID'/></body>"),
			message("<body>\xEB</body></message><presence from='admin@im.example' id='$ID'/>"))),
		inStream("B03_lead_byte_before_end_tag", variants(ill, bodies("x\xE2\x82", "\xF0\x9F")...)),
		inStream("B04_surrogates", variants(ill, bodies("\xED\xA0\x80", "\xED\xA0\xBD\xED\xB8\x80")...)),
		inStream("B05_beyond_unicode", variants(ill,
			bodies("\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80", "\xFE", "\xFF", "\x80")...)),
		inStream("B06_invalid_byte_anywhere", variants(ill, message("<b a='\xFF'/>"), message("<b a\xFF=''/>"), message("<b\xFF/>"),
			message("<b xmlns='urn:\xFF'/>"), "\xFF")),
		inStream("B07_forbidden_characters", variants(ill, bodies("\x00", "\x0B", "\x1F", "\uFFFE", "\uFFFF")...)),
		atHeader("B08_byte_order_mark", ill, "\uFEFF"+header),
		atHeader("B09_utf16", ill, "\xFF\xFE"+utf16(header, true), utf16(header, false)),
		atHeader("B10_other_encodings", streamError("unsupported-encoding"),
			"<?xml version='1.0' encoding='ISO-8859-1'?>\xE9", "<?xml version='1.0' encoding='UTF-16'?>"+bareHeader,
			"<?xml version='1.0' encoding='UTF-7'?>"+bareHeader, "<?xml version='1.0' encoding='utf8'?>"+bareHeader,
			"<?xml version='1.0' encoding='UTF-8 '?>"+bareHeader),
		{name: "B10_UTF-8_however_written", n: 3, run: utf8s},
		inStream("B11_non_characters", []variant{
			{"plane 1", fineMessage("<body>\U0001FFFE</body>"), accept("<body>\U0001FFFE</body>")},
			{"FDD0", fineMessage("<body>\uFDD0</body>"), accept("<body>\uFDD0</body>")},
		}),
		inStream("B16_10000_combining_marks", variants(accept(strings.Repeat("\u0301", 10_000)), fineMessage("<body>e"+strings.Repeat("\u0301", 10_000)+"</body>"))),
	}
}

// utf16 writes ASCII in two bytes each.
func utf16(text string, little bool) string {
	var b strings.Builder
	for i := range len(text) {
		if little {
			b.Write([]byte{text[i], 0})
		} else {
			b.Write([]byte{0, text[i]})
		}
	}
	return b.String()
}

// utf8s: B10. The only encoding passes in any letter case.
func utf8s(t *testing.T, b *bed) {
	for _, name := range []string{"UTF-8", "utf-8", "Utf-8"} {
		c := b.dial(t)
		c.say("<?xml version='1.0' encoding='" + name + "'?>" + bareHeader)
		c.until("</stream:features>")
	}
}
