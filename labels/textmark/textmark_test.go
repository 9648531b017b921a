package textmark_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/labels/textmark"
)

func policy(t testing.TB) *labels.Policy {
	t.Helper()
	p, problems := spif.Load("../testdata/guard/guard.spif.xml")
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

func label(t testing.TB, p *labels.Policy, class uint32, nations ...uint32) *labels.Label {
	t.Helper()
	f := labels.LabelForm{Policy: p.ID(), Class: class}
	for _, n := range nations {
		f.Values = append(f.Values, labels.Value{TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: n})
	}
	l, err := p.Label(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func parse(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%v\n%.400s", err, text)
	}
	return e
}

func message(inside string) string { return "<message xmlns='jabber:server'>" + inside + "</message>" }

const html = "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>x</body></html>"

// table knows the labels of a small catalogue in two languages.
func table(t testing.TB) *textmark.Table {
	t.Helper()
	p := policy(t)
	var entries []textmark.Entry
	for _, l := range []*labels.Label{label(t, p, 1), label(t, p, 2), label(t, p, 2, 826), label(t, p, 2, 250, 826)} {
		for _, lang := range []string{"", "fr"} {
			text, _, _ := p.Marking(l, lang)
			entries = append(entries, textmark.Entry{Text: text, Label: l})
		}
	}
	return textmark.NewTable(entries)
}

func TestLookup(t *testing.T) {
	p := policy(t)
	pub, internal := label(t, p, 1), label(t, p, 2)
	long := strings.Repeat("é", 256)
	tb := textmark.NewTable([]textmark.Entry{
		{Text: "GUARD  Public", Label: pub},
		{Text: "guard public", Label: label(t, p, 1)}, // the same label again
		{Text: "Caf\u00e9", Label: pub},
		{Text: "Straße", Label: internal},
		{Text: "shared", Label: pub},
		{Text: "SHARED", Label: internal},
		{Text: "Shared", Label: pub}, // stays ambiguous
		{Text: long, Label: pub},
		{Text: long + "x", Label: pub},
		{Text: "", Label: pub},
		{Text: " \t", Label: pub},
		{Text: "nobody", Label: nil},
	}, nil)
	for _, tt := range []struct {
		name, text string
		want       *labels.Label
	}{
		{"as it is", "GUARD  Public", pub},
		{"case", "guard PUBLIC", pub},
		{"white space", " GUARD\t\u00a0PUBLIC ", pub},
		{"no white space", "GUARDPUBLIC", nil},
		{"decomposed", "CAFE\u0301", pub},
		{"without the accent", "CAFE", nil},
		{"sharp s", "STRASSE", internal},
		{"ambiguous", "shared", nil},
		{"256 characters", strings.ToUpper(long), pub},
		{"257 characters", long + "x", nil},
		{"a part", "GUARD", nil},
		{"more", "GUARD PUBLIC SECRET", nil},
		{"in brackets", "[GUARD PUBLIC]", nil},
		{"empty", "", nil},
		{"entry without a label", "nobody", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tb.Lookup(tt.text)
			if !got.Equal(tt.want) || ok != (tt.want != nil) {
				t.Errorf("got %v %v, want %v", got, ok, tt.want)
			}
		})
	}
	if got := tb.Ambiguous(); !slices.Equal(got, []string{"shared"}) || tb.Len() != 4 {
		t.Errorf("ambiguous %q, %d known", got, tb.Len())
	}
	for _, none := range []*textmark.Table{nil, {}} {
		if l, ok := none.Lookup("GUARD PUBLIC"); ok || l != nil || none.Len() != 0 || none.Ambiguous() != nil {
			t.Errorf("a table of nothing knows %v", l)
		}
	}
}

func TestTypedLine(t *testing.T) {
	for text, want := range map[string]string{
		"[GUARD PUBLIC]\nhello":                 "GUARD PUBLIC",
		"[GUARD PUBLIC]":                        "GUARD PUBLIC",
		"[ [FOOD] ]\n":                          " [FOOD] ",
		"[a]":                                   "a",
		"[]\nhello":                             "",
		"[ ]\nhello":                            "",
		"[":                                     "",
		"":                                      "",
		"\n[GUARD PUBLIC]":                      "",
		" [GUARD PUBLIC]\n":                     "",
		"[GUARD PUBLIC] \n":                     "",
		"[GUARD PUBLIC]\r\nhello":               "",
		"[GUARD\nPUBLIC]\n":                     "",
		"(GUARD PUBLIC)\n":                      "",
		"[" + strings.Repeat("é", 256) + "]\nx": strings.Repeat("é", 256),
		"[" + strings.Repeat("é", 257) + "]\nx": "",
		"[GUARD PUBLIC]\u2028hello":             "",
		"\ufeff[GUARD PUBLIC]\nhello":           "",
		"[GUARD PUBLIC][GUARD SECRET]\nboth in it": "GUARD PUBLIC][GUARD SECRET",
	} {
		if got, ok := textmark.TypedLine(text); got != want || ok != (want != "") {
			t.Errorf("%q: got %q %v, want %q", text, got, ok, want)
		}
	}
}

// TestRead: what one message says. The label is what the table makes of it.
func TestRead(t *testing.T) {
	const disagree = "!"
	tests := []struct{ name, inside, line, label string }{
		{"a line", "<body>[GUARD PUBLIC]\nx</body>", "GUARD PUBLIC", "GUARD PUBLIC"},
		{"another case", "<body>[guard  internal use rel to gbr]\nx</body>", "guard  internal use rel to gbr", "GUARD INTERNAL USE REL TO GBR"},
		{"a line alone", "<body>[GUARD PUBLIC]</body>", "GUARD PUBLIC", "GUARD PUBLIC"},
		{"no line", "<body>x</body>", "", ""},
		{"no body", "<subject>[GUARD PUBLIC]\n</subject>", "", ""},
		{"empty body", "<body/>", "", ""},
		{"second line", "<body>x\n[GUARD PUBLIC]\n</body>", "", ""},
		{"a line that names nothing", "<body>[sic]\nx</body>", "sic", ""},
		{"two bodies that agree", "<body>[GUARD PUBLIC]\nx</body><body xml:lang='fr'>[guard public]\ny</body>", "GUARD PUBLIC", "GUARD PUBLIC"},
		{"two bodies with two labels", "<body>[GUARD PUBLIC]\nx</body><body xml:lang='fr'>[GUARD INTERNAL USE]\ny</body>", disagree, disagree},
		{"two bodies, one without", "<body>[GUARD PUBLIC]\nx</body><body xml:lang='fr'>y</body>", disagree, disagree},
		{"two bodies, the other without", "<body>y</body><body xml:lang='fr'>[GUARD PUBLIC]\nx</body>", disagree, disagree},
		{"two bodies, one unknown", "<body>[GUARD PUBLIC]\nx</body><body xml:lang='fr'>[sic]\ny</body>", disagree, disagree},
		{"two bodies, one empty", "<body>[GUARD PUBLIC]\nx</body><body xml:lang='fr'/>", disagree, disagree},
		{"three bodies, the last differs", strings.Repeat("<body>[GUARD PUBLIC]\nx</body>", 2) + "<body>[GUARD INTERNAL USE]\ny</body>", disagree, disagree},
		{"an element in the line", "<body>[GUARD <b/>PUBLIC]\nx</body>", "", ""},
		{"an element before the line", "<body><b/>[GUARD PUBLIC]\nx</body>", "", ""},
		{"an element right after the brackets", "<body>[GUARD PUBLIC]<b/>\nx</body>", "", ""},
		{"an element in the next line", "<body>[GUARD PUBLIC]\nx<b/></body>", "GUARD PUBLIC", "GUARD PUBLIC"},
		{"a body of another namespace", "<body xmlns='urn:x'>[GUARD PUBLIC]\nx</body>", "", ""},
		{"a body inside another element", "<x xmlns='urn:x'><body xmlns='jabber:server'>[GUARD PUBLIC]\nx</body></x>", "", ""},
		{"a wrapped message", "<body>[GUARD PUBLIC]\nx</body><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>y</body></message></forwarded>", "GUARD PUBLIC", "GUARD PUBLIC"},
		{"65 bodies", strings.Repeat("<body>[GUARD PUBLIC]\nx</body>", 65), disagree, disagree},
	}
	tb := table(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, message(tt.inside))
			line, found, err := textmark.Read(m)
			if (err != nil) != (tt.line == disagree) || err == nil && line != tt.line || found != (err == nil && line != "") {
				t.Errorf("got %q %v %v, want %q", line, found, err, tt.line)
			}
			l, again, err := tb.Read(m)
			if (err != nil) != (tt.label == disagree) || err == nil && again != tt.line {
				t.Errorf("the table says %v %q %v, want %q", l, again, err, tt.label)
			}
			if got := strings.TrimPrefix(l.String(), "no label"); got != strings.TrimPrefix(tt.label, disagree) {
				t.Errorf("label %q, want %q", got, tt.label)
			}
			var e *labels.Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("error %T", err)
			}
		})
	}
	// Each language has its own words for the same label.
	m := parse(t, message("<body>[GUARD INTERNAL USE]\nx</body><body xml:lang='fr'>[GUARD USAGE INTERNE]\ny</body>"))
	if _, _, err := textmark.Read(m); err == nil {
		t.Error("two lines that differ as text agree")
	}
	if l, line, err := tb.Read(m); err != nil || l.String() != "GUARD INTERNAL USE" || line != "GUARD INTERNAL USE" {
		t.Errorf("got %v %q %v", l, line, err)
	}
}

func TestAddAndStrip(t *testing.T) {
	markings := func(lang string) string {
		return map[string]string{"": "GUARD INTERNAL\n USE", "fr": "GUARD USAGE INTERNE", "xx": " "}[lang]
	}
	tests := []struct{ name, inside, want string }{
		{"one body", "<body>x</body>", "<body>[GUARD INTERNAL USE]\nx</body>"},
		{"empty body", "<body/>", "<body>[GUARD INTERNAL USE]\n</body>"},
		{"languages", "<body>x</body><body xml:lang='fr'>y</body><body xml:lang='de'>z</body>", "<body>[GUARD INTERNAL USE]\nx</body><body xml:lang='fr'>[GUARD USAGE INTERNE]\ny</body><body xml:lang='de'>[GUARD INTERNAL USE]\nz</body>"},
		{"a language without words", "<body xml:lang='xx'>x</body>", "<body xml:lang='xx'>[GUARD INTERNAL USE]\nx</body>"},
		{"html removed", "<body>x</body>" + html + "<thread>t</thread>", "<body>[GUARD INTERNAL USE]\nx</body><thread>t</thread>"},
		{"a line that somebody typed", "<body>[GUARD PUBLIC]\nx</body>", "<body>[GUARD INTERNAL USE]\n[GUARD PUBLIC]\nx</body>"},
		{"elements in the body", "<body>x<b/>y</body>", "<body>[GUARD INTERNAL USE]\nx<b/>y</body>"},
		{"no body", "<subject>s</subject>", "<subject>s</subject>"},
		{"html alone", html + "<thread>t</thread>", "<thread>t</thread>"},
		{"a wrapped message", "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:server'><body>y</body></message></forwarded>", "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:server'><body>y</body></message></forwarded>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, message(tt.inside))
			got := textmark.Add(m, markings)
			if want := parse(t, message(tt.want)); !got.Equal(want) {
				t.Errorf("got %s", text(t, got))
			}
			plain := parse(t, message(strings.ReplaceAll(tt.inside, html, "")))
			if back := textmark.Strip(got); got != m && !back.Equal(plain) || got == m && back != m {
				t.Errorf("stripped: %s", text(t, back))
			}
		})
	}
	french := parse(t, strings.Replace(message("<body>x</body>"), "<message ", "<message xml:lang='fr' ", 1))
	if got, _, _ := textmark.Read(textmark.Add(french, markings)); got != "GUARD USAGE INTERNE" {
		t.Errorf("language of the message: %q", got)
	}
	m := parse(t, message("<body>x</body>"+html))
	if textmark.Add(m, func(string) string { return "" }) != m {
		t.Error("a marking of nothing changed the message")
	}
	if textmark.Strip(m) != m {
		t.Error("a message without a line was changed")
	}
	long := textmark.Add(m, func(string) string { return strings.Repeat("é", 300) })
	if line, ok, _ := textmark.Read(long); !ok || line != strings.Repeat("é", 256) {
		t.Errorf("a long marking cannot be read: %d bytes", len(line))
	}
}

func text(t *testing.T, e *xmlstream.Element) string {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, e, "")
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// A line added and read gives the label and the original bodies; stripping gives the message without html.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		"<body>x</body>", "<body/>", "<body>[GUARD PUBLIC]\nx</body>" + html, "<body>[a]</body><body xml:lang='fr'>[b]\n</body>",
		"<body>[GUARD <b/>]\n</body>", "<body>[]\n\n</body>", "<subject>s</subject>", "<body>\n</body>" + html + html,
	} {
		f.Add([]byte(message(s)), uint8(0))
		f.Add([]byte(message(s)), uint8(3))
	}
	p, tb := policy(f), table(f)
	all := []*labels.Label{label(f, p, 1), label(f, p, 2), label(f, p, 2, 826), label(f, p, 2, 250, 826)}
	f.Fuzz(func(t *testing.T, b []byte, which uint8) {
		m, err := xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
		if err != nil {
			return
		}
		_, _, _ = tb.Read(m)
		_, _, _ = textmark.Read(textmark.Strip(m))
		l := all[int(which)%len(all)]
		marked := textmark.Add(m, func(lang string) string { s, _, _ := p.Marking(l, lang); return s })
		if marked == m {
			return // no body
		}
		got, _, err := tb.Read(marked)
		if lines, tooMany := textmark.Lines(m); tooMany == nil && len(lines) > 0 && (err != nil || !got.Equal(l)) {
			t.Fatalf("read %v %v, want %v", got, err, l)
		}
		there := true // and back
		plain := m.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
			if c.Is("http://jabber.org/protocol/xhtml-im", "html") || c.Is("urn:xmpp:rtt:0", "rtt") {
				return nil
			}
			there = there && c.Local() != "fallback" // one that cannot be moved, or is not written as we write it
			return c
		})
		if back := textmark.Strip(marked); there && !back.Equal(plain) {
			t.Fatalf("stripped is not the original without html")
		}
	})
}

// Folding is idempotent, and what a table knows it knows in any case and spacing.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"GUARD PUBLIC", "Caf\u00e9", "Straße", "\u0130\u0131iI", "\u03a3\u03c3\u03c2", "a\u0301\u0323", "\u212b", "ǅ", "\u1e9e"} {
		f.Add(s)
	}
	p := policy(f)
	l := label(f, p, 1)
	f.Fuzz(func(t *testing.T, s string) {
		once := textmark.Fold(s)
		if twice := textmark.Fold(once); twice != once {
			t.Fatalf("%q folds to %q and then to %q", s, once, twice)
		}
		tb := textmark.NewTable([]textmark.Entry{{Text: s, Label: l}})
		if tb.Len() == 0 {
			return
		}
		if got, ok := tb.Lookup(s); !ok || got != l {
			t.Fatalf("%q is not found again", s)
		}
	})
}
