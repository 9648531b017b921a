package textmark_test

import (
	"strings"
	"testing"

	"sallyport/labels/textmark"
)

// What a client leaves out of a text that it shows is never the line that was put before it (XEP-0428).
func TestWhatIsLeftOutOfBodies(t *testing.T) {
	t.Parallel()
	markings := func(lang string) string { return map[string]string{"": "é SECRET", "fr": "SECRET"}[lang] }
	const line = 11 // code points
	part := func(attrs string) string {
		return "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body" + attrs + "/><subject end='1' start='0'/></fallback>"
	}
	for _, tt := range []struct {
		name, inside, want string
		back               bool // taking the line off again gives what there was
	}{
		{"a quotation", "<body>&gt; x\ny</body>" + part(" end='4' start='0'"), part(" end='15' start='11'"), true},
		{"as long as the line", "<body>0123456789ab</body>" + part(" end='11' start='0'"), part(" end='22' start='11'"), true},
		{"two parts", "<body>xyz</body>" + part(" end='1' start='0'") + part(" end='3' start='2'"), part(" end='12' start='11'") + part(" end='14' start='13'"), true},
		{"all of it", "<body>x</body>" + part(""), part(""), true},
		{"of nothing", "<subject>s</subject>" + part(" end='4' start='0'"), "", false},
		{"negative", "<body>x</body>" + part(" end='1' start='-11'"), "", false},
		{"no number", "<body>x</body>" + part(" end='1' start='a'"), "", false},
		{"one end", "<body>x</body>" + part(" end='11'"), "", false},
		{"huge", "<body>x</body>" + part(" end='9999999999999999999' start='0'"), "", false},
		{"lines of different length", "<body>x</body><body xml:lang='fr'>y</body>" + part(" end='1' start='0'"), "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := parse(t, message(tt.inside))
			marked := textmark.Add(m, markings)
			var parts []string
			for c := range marked.Children() {
				if c.Local() == "fallback" {
					parts = append(parts, text(t, c))
				}
			}
			if got := strings.Join(parts, ""); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if back := textmark.Strip(marked); tt.back && !back.Equal(m) {
				t.Errorf("taken off again: %s", text(t, back))
			}
		})
	}
	if got := len([]rune("[" + markings("") + "]\n")); got != line {
		t.Fatalf("the line has %d code points", got)
	}
	into := parse(t, message("<body>[a]\nxyz</body>"+part(" end='6' start='2'")))
	if got := text(t, textmark.Strip(into)); !strings.Contains(got, "end='2' start='0'") {
		t.Errorf("a part that begins in the line: %s", got)
	}
}

// What clients show in place of a body goes, whether or not there is one: the line would not be before it.
func TestWhatIsShownInPlaceOfBodies(t *testing.T) {
	t.Parallel()
	const typed = "<rtt xmlns='urn:xmpp:rtt:0' seq='1'><t>x</t></rtt>"
	lines := func(string) string { return "SECRET" }
	for _, body := range []string{"", "<body>x</body>"} {
		m := parse(t, message(body+html+typed))
		marked := textmark.Add(m, lines)
		if marked.NumNodes() != strings.Count(body, "<body>") || strings.Contains(text(t, marked), "rtt") {
			t.Errorf("got %s", text(t, marked))
		}
		if got := textmark.Add(m, func(string) string { return "" }); got != m {
			t.Errorf("without a marking: %s", text(t, got))
		}
	}
	if got := parse(t, message("")); textmark.Add(got, lines) != got {
		t.Error("what has nothing to mark was changed")
	}
}
