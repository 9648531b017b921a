package rules_test

import (
	"strings"
	"testing"

	"sallyport/rules"
)

// TestUnicode has the texts of bad-inputs B11 to B16 under a strict and a wide profile. An empty want is unicode-policy.
func TestUnicode(t *testing.T) {
	mark := "\u0301"
	tests := []struct{ name, body, strict, wide string }{
		{"plain", "hello", "hello", "hello"},
		{"line ends and tab", "a\tb\nc", "a\tb\nc", "a\tb\nc"},
		{"languages", "Grüße, привет, שלום, مرحبا, 你好, नमस्ते", "Grüße, привет, שלום, مرحبا, 你好, नमस्ते", "Grüße, привет, שלום, مرحبا, 你好, नमस्ते"},
		{"emoji", "😀", "😀", "😀"},
		{"emoji with selector", "❤\ufe0f", "", "❤\ufe0f"},
		{"emoji family", "👨\u200d👩\u200d👧", "", "👨\u200d👩\u200d👧"},
		{"B11 non-character plane 1", "a\U0001FFFEb", "", ""},
		{"B11 non-character FDD0", "a\ufdd0b", "", ""},
		{"B12 override", "a\u202etxt.exe\u202c", "", ""},
		{"B12 isolate", "a\u2066b", "", ""},
		{"B12 balanced isolate", "a\u2066b\u2069", "", ""},
		{"B12 mark", "a\u200eb", "", ""},
		{"B12 Arabic letter mark", "a\u061cb", "", ""},
		{"B13 zero-width", strings.Repeat("a\u200b", 200), "", ""},
		{"B13 non-joiners", strings.Repeat("a\u200c", 200), "", ""},
		{"B13 joiners", strings.Repeat("a\u200d", 200), "", ""},
		{"B13 word joiners", strings.Repeat("a\u2060", 200), "", ""},
		{"B13 byte order mark", "a\ufeffb", "", ""},
		{"B14 tags", "\U000e0053\U000e0045", "", ""},
		{"B14 selectors", strings.Repeat("a\ufe0f", 256), "", ""},
		{"B14 rare selectors", strings.Repeat("a\U000e0100", 256), "", ""},
		{"B15 decomposed", "cafe" + mark, "café", "café"},
		{"B15 ligature", "ﬁn", "ﬁn", "ﬁn"},
		{"B16 pile", "a" + strings.Repeat(mark, 10000), "", ""},
		{"B16 five marks", "a" + strings.Repeat(mark, 5), "", ""},
		{"B16 four marks", "a" + strings.Repeat(mark, 4), "\u00e1" + strings.Repeat(mark, 3), "\u00e1" + strings.Repeat(mark, 3)},
		{"B16 pile over joiners", "a" + strings.Repeat(mark+mark+mark+"\u200d", 3), "", ""},
		{"soft hyphen", "SEC\u00adRET", "", ""},
		{"grapheme joiner", "a\u034fb", "", ""},
		{"Hangul filler", "a\u3164b", "", ""},
		{"Braille blank", "a\u2800b", "", ""},
		{"delete", "a\x7fb", "", ""},
		{"C1 control", "a\u0085b", "", ""},
		{"line separator", "a\u2028b", "", ""},
		{"private use", "a\ue000b", "", ""},
		{"unassigned", "a\u0378b", "", ""},
	}
	strict, wide := builtin(t, rules.Strict), builtin(t, rules.Federation)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := read(t, message("<body>"+tt.body+"</body>"))
			checkBody(t, strict.Check(in), tt.strict)
			checkBody(t, wide.Check(in), tt.wide)
		})
	}
}

func checkBody(t *testing.T, r rules.ProfileResult, want string) {
	t.Helper()
	if want == "" {
		if r.Verdict != rules.Deny || r.Reason != rules.UnicodePolicy || r.Path != "message/body" {
			t.Errorf("%v %v at %s, want it refused as unicode-policy", r.Verdict, r.Reason, r.Path)
		}
		return
	}
	if r.Verdict == rules.Deny {
		t.Errorf("refused as %v at %s", r.Reason, r.Path)
	} else if got := r.Stanza.Element().Child("jabber:server", "body").Text(); got != want {
		t.Errorf("got %+q, want %+q", got, want)
	}
}

// TestUnicodeEverywhere: the policy holds for attributes and for text of every listed element.
func TestUnicodeEverywhere(t *testing.T) {
	p := builtin(t, rules.Federation)
	for _, in := range []string{
		"<message id='\u202e'" + addrs + "><body>x</body></message>",
		message("<subject>\u202e</subject>"),
		message("<body xml:lang='en'>\u200b</body>"),
		presence("<status>\u202e</status>"),
		presence("<c xmlns='http://jabber.org/protocol/caps' node='\u200b' ver='x' hash='y'/>"),
		iq("result", "<vCard xmlns='vcard-temp'><FN>\u202e</FN></vCard>"),
		iq("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='a\U000e0041'/>"),
		message("<body>x</body>" + strings.Replace(label, "UNCLASSIFIED", "UN\u00adCLASSIFIED", 1)),
	} {
		if r := p.Check(read(t, in)); r.Verdict != rules.Deny || r.Reason != rules.UnicodePolicy {
			t.Errorf("%s: %v %v", in, r.Verdict, r.Reason)
		}
	}
}

func TestTextOptions(t *testing.T) {
	tests := []struct {
		name string
		text rules.TextSpec
		body string
		ok   bool
	}{
		{"B15 compatibility refused", rules.TextSpec{NoCompatibility: true}, "ﬁn", false},
		{"B15 full-width refused", rules.TextSpec{NoCompatibility: true}, "Ａ", false},
		{"B15 decomposed is no compatibility form", rules.TextSpec{NoCompatibility: true}, "cafe\u0301", true},
		{"private use allowed", rules.TextSpec{PrivateUse: true}, "\ue000", true},
		{"scripts", rules.TextSpec{Scripts: []string{"Latin"}}, "naïve 1,5 €!", true},
		{"other script", rules.TextSpec{Scripts: []string{"Latin"}}, "SЕCRET", false},
		{"one joiner", rules.TextSpec{Joiners: 1}, "a\u200db", true},
		{"two joiners", rules.TextSpec{Joiners: 1}, "a\u200db\u200cc", false},
		{"more marks", rules.TextSpec{CombiningMarks: 8}, "a" + strings.Repeat("\u0323", 8), true},
	}
	for _, tt := range tests {
		spec := rules.DefaultProfile(rules.Strict)
		spec.Text = tt.text
		r := compile(t, spec).Check(read(t, message("<body>"+tt.body+"</body>")))
		if (r.Verdict != rules.Deny) != tt.ok {
			t.Errorf("%s: %v %v", tt.name, r.Verdict, r.Reason)
		}
	}
}

// TestSizes: the limits count after normalisation (bad-inputs B15) and name where they were passed.
func TestSizes(t *testing.T) {
	spec := rules.DefaultProfile(rules.Strict)
	spec.Limits = rules.LimitSpec{BodyBytes: 10, TextBytes: 5, IDBytes: 3, Total: 200, Elements: 4, Depth: 6}
	p := compile(t, spec)
	tests := []struct{ name, in, path string }{
		{"body at the limit", message("<body>0123456789</body>"), ""},
		{"body over it", message("<body>0123456789a</body>"), "message/body"},
		{"body over it before normalisation only", message("<body>" + strings.Repeat("e\u0301", 5) + "</body>"), ""},
		{"body over it after normalisation", message("<body>" + strings.Repeat("e\u0301", 6) + "</body>"), "message/body"},
		{"subject over it", message("<subject>012345</subject>"), "message/subject"},
		{"id over it", "<message id='1234'" + addrs + "/>", "message@id"},
	}
	for _, tt := range tests {
		r := p.Check(read(t, strings.Replace(tt.in, "from='a@a.example/r'", "from='a'", 1)))
		switch {
		case tt.path == "" && r.Verdict == rules.Deny:
			t.Errorf("%s: %v at %s", tt.name, r.Reason, r.Path)
		case tt.path != "" && (r.Reason != rules.TooLarge || r.Path != tt.path):
			t.Errorf("%s: %v at %s, want size at %s", tt.name, r.Reason, r.Path, tt.path)
		}
	}
}
