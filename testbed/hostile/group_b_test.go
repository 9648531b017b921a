package hostile_test

import (
	"strings"
)

// groupB is UTF-8 and characters. What XML forbids ends the stream; what it allows and the Unicode policy of the guard does
// not is refused by the guard and costs nothing else.
func groupB() []row {
	ill, unicode := streamError("not-well-formed"), deny("unicode-policy")
	return []row{
		inStream("B01_overlong", variants(ill, bodies("a\xC0\xBCb", "\xE0\x80\xBC", "\xC0\x80")...)),
		inStream("B02_stanza_smuggling", variants(ill,
			message("<body>\xEB<\xAB/><presence from='admin@b.example' to='v@b.example' id='$MARK'/></body>"),
			message("<body>\xEB</body></message><presence from='admin@b.example' to='v@b.example' id='$MARK'/>"))),
		inStream("B03_lead_byte_before_end_tag", variants(ill, bodies("x\xE2\x82", "\xF0\x9F")...)),
		inStream("B04_surrogates", variants(ill, bodies("\xED\xA0\x80", "\xED\xA0\xBD\xED\xB8\x80")...)),
		inStream("B05_beyond_unicode", variants(ill,
			bodies("\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80", "\xFE", "\xFF", "\x80")...)),
		inStream("B06_invalid_byte_anywhere", variants(ill, message("<b a='\xFF'/>"), message("<b a\xFF=''/>"), message("<b\xFF/>"),
			message("<b xmlns='urn:\xFF'/>"), fineMessage("<body>fine</body>")[:0]+"\xFF")),
		inStream("B07_forbidden_characters", variants(ill, bodies("\x00", "\x0B", "\x1F", "\uFFFE", "\uFFFF")...)),
		atHeader("B08_byte_order_mark", variants(ill, "\uFEFF"+declaration+bareHeader)),
		atHeader("B09_utf16", variants(ill, "\xFF\xFE"+string(utf16(declaration+bareHeader, true)), string(utf16(declaration+bareHeader, false)))),
		atHeader("B10_other_encodings", variants(streamError("unsupported-encoding"),
			"<?xml version='1.0' encoding='ISO-8859-1'?>\xE9", "<?xml version='1.0' encoding='UTF-16'?>"+bareHeader,
			"<?xml version='1.0' encoding='UTF-7'?>"+bareHeader, "<?xml version='1.0' encoding='utf8'?>"+bareHeader,
			"<?xml version='1.0' encoding='UTF-8 '?>"+bareHeader)),
		{"B10_utf8_in_any_case", anyCase},
		// The stream takes these, as the list says of surfaces C and S: it is kept. The guard does not let them cross.
		inStream("B11_non_characters", variants(unicode, bodies("\U0001FFFE", "\uFDD0")...)),
		inStream("B12_bidi_controls", variants(unicode, bodies("a\u202Eb\u202Cc", "a\u2066b", "a\u2069b", "\u2067\u2068x\u2069")...)),
		inStream("B13_zero_width", variants(unicode, bodies(zeroWidth(200))...)),
		inStream("B14_tags_and_selectors", variants(unicode, bodies(tags("SECRET"), "x"+strings.Repeat("\uFE00\uFE0F", 128))...)),
		inStream("B15_normal_form", []variant{
			{"NFD", fineMessage("<body>fine e\u0301 a\u030A</body>"), accept(body("fine \u00E9 \u00E5"))},
			// The built-in profiles let compatibility characters be: what they look like is what they are.
			{"compatibility", fineMessage("<body>fine \uFB01 \uFF21</body>"), accept(body("fine \uFB01 \uFF21"))},
			// 8,192 bytes are the limit of the profile: over it as sent, within it in normal form, and over it in both.
			{"limit_after_normalising", fineMessage("<body>" + strings.Repeat("e\u0301", 3_000) + "</body>"), accept(body(strings.Repeat("\u00E9", 3_000)))},
			{"over_the_limit", message("<body>" + strings.Repeat("e\u0301", 4_100) + "</body>"), deny("size")},
		}),
		inStream("B16_10000_combining_marks", variants(unicode, bodies("e"+strings.Repeat("\u0301", 10_000))...),
			[]variant{{"four", fineMessage("<body>fine q\u0301\u0302\u0303\u0304</body>"), accept(body("fine q\u0301\u0302\u0303\u0304"))}},
			variants(unicode, bodies("q\u0301\u0302\u0303\u0304\u0305")...)),
	}
}

// zeroWidth hides n code points between letters.
func zeroWidth(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("x" + string([]rune{0x200B, 0x200C, 0x200D, 0x2060}[i%4]))
	}
	return b.String()
}

// tags spells a word in tag characters.
func tags(word string) string {
	var b strings.Builder
	for _, c := range word {
		b.WriteRune(0xE0000 + c)
	}
	return "x" + b.String()
}
