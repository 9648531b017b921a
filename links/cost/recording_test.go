package cost_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/cost"
)

func read(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

const (
	ok   = "2026-11-20T06:00:00.25Z out <message from='u@a.example/r' to='v@b.example' type='chat'><body>x</body></message>"
	next = "2026-11-20T06:00:01Z in <presence from='v@b.example/r' to='u@a.example'/>"
)

func TestReader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		entries    int
		err        string // part of it; empty for none
	}{
		{"two lines", cost.Head + "\n" + ok + "\n" + next + "\n", 2, ""},
		{"no end of the last line", cost.Head + "\n" + ok, 1, ""},
		{"comments and empty lines", cost.Head + "\n\n# x\n" + ok + "\n", 1, ""},
		{"nothing recorded", cost.Head + "\n", 0, ""},
		{"empty", "", 0, "it is empty"},
		{"another file", "<xml/>\n", 0, "the first line is not"},
		{"another version", "# sallyport recording 2\n" + ok, 0, "the first line is not"},
		{"time goes back", cost.Head + "\n" + next + "\n" + ok, 1, "line 3: recording: its time is before"},
		{"no time", cost.Head + "\nyesterday out <presence/>", 0, `line 2: recording: "yesterday" is no time`},
		{"no direction", cost.Head + "\n2026-11-20T06:00:00Z <presence/>", 0, "not a time, a direction"},
		{"another direction", cost.Head + "\n2026-11-20T06:00:00Z up <presence/>", 0, `"up" is neither`},
		{"no XML", cost.Head + "\n2026-11-20T06:00:00Z out presence", 0, "line 2: recording: stanza"},
		{"no stanza", cost.Head + "\n2026-11-20T06:00:00Z out <p/>", 0, "line 2: recording: stanza"},
		{"two stanzas", cost.Head + "\n2026-11-20T06:00:00Z out <presence from='a.example' to='b.example'/><presence from='a.example' to='b.example'/>", 0, "stanza"},
		{"an entity", cost.Head + "\n2026-11-20T06:00:00Z out <message from='a.example' to='b.example'><body>&x;</body></message>", 0, "stanza"},
		{"a line without end", cost.Head + "\n" + strings.Repeat("x", cost.MaxLine+1), 0, "line 2"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := cost.NewReader(strings.NewReader(tc.file))
			n := 0
			var err error
			for {
				if _, err = r.Next(); err != nil {
					break
				}
				n++
			}
			switch {
			case n != tc.entries:
				t.Errorf("%d entries, want %d", n, tc.entries)
			case tc.err == "" && !errors.Is(err, io.EOF):
				t.Errorf("ended with %v", err)
			case tc.err != "" && (!errors.Is(err, cost.ErrRecording) || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("ended with %v, want %q", err, tc.err)
			}
		})
	}
}

// FuzzParse: a line that is read is written and read again as the same.
func FuzzParse(f *testing.F) {
	for _, in := range []string{ok, next, "x y z", "2026-11-20T06:00:00Z out <message from='a.example' to='b.example'><body>a&#xA;b&#xD;</body></message>"} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := cost.Parse(in)
		if err != nil {
			return
		}
		line, err := cost.Append(nil, e)
		if err != nil {
			return // an element that grows beyond the limit of what may be written
		}
		if strings.Count(string(line), "\n") != 1 {
			t.Fatalf("%q has several lines", line)
		}
		again, err := cost.Parse(line[:len(line)-1])
		if err != nil || !again.Time.Equal(e.Time) || again.Direction != e.Direction || !again.Stanza.Element().Equal(e.Stanza.Element()) {
			t.Fatalf("%q is read back as %v, %v", line, again, err)
		}
	})
}

func TestAnonymiser(t *testing.T) {
	t.Parallel()
	text := "<message from='alice.m@office.example/Phone-7' to='bob@ships.example' type='chat' id='ab12-9'>" +
		"<body>Attack at dawn, ATTACK AT DAWN 0630 Größe Ελλάδα 攻撃 😀</body><thread>ab12</thread><active xmlns='http://jabber.org/protocol/chatstates'/></message>"
	in := cost.Entry{Time: time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC), Stanza: read(t, text)}
	a := cost.NewAnonymiser([]byte("key"))
	out, err := a.Entry(in)
	if err != nil {
		t.Fatal(err)
	}
	before, after := line(t, in), line(t, out)
	if len(before) != len(after) {
		t.Errorf("%d bytes became %d: %s", len(before), len(after), after)
	}
	for _, word := range []string{"alice", "office", "Phone", "bob", "ships", "Attack", "dawn", "0630", "Größe", "Ελλάδα", "攻撃", "😀", "ab12"} {
		if strings.Contains(after, word) {
			t.Errorf("%q is still there: %s", word, after)
		}
	}
	for _, word := range []string{"type='chat'", "http://jabber.org/protocol/chatstates", "<body>", " at ", "2026-11-20T06:00:00Z out "} {
		if strings.Contains(after, word) != (word != " at ") {
			t.Errorf("%q: %v, in %s", word, strings.Contains(after, word), after)
		}
	}
	if again, err := a.Entry(in); err != nil || line(t, again) != after {
		t.Error("the same becomes something else the second time")
	}
	other, err := cost.NewAnonymiser([]byte("other")).Entry(in)
	if err != nil || line(t, other) == after {
		t.Error("another key makes the same")
	}
}

func line(t testing.TB, e cost.Entry) string {
	t.Helper()
	b, err := cost.Append(nil, e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAnonymiserKeepsShape: as long in bytes, equal words equal, different words different, addresses that are addresses.
func TestAnonymiserKeepsShape(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := cost.NewAnonymiser([]byte(rapid.String().Draw(t, "key")))
		word := rapid.StringMatching(`[a-zA-Z]{3,9}|[0-9]{4,6}|[äöüß]{3}|[一-丐]{2}`)
		texts := rapid.SliceOfN(word, 1, 30).Draw(t, "words")
		became, from := map[string]string{}, map[string]string{}
		for _, w := range texts {
			out := a.Text(w)
			if len(out) != len(w) || out == "" {
				t.Fatalf("%q became %q", w, out)
			}
			if was, ok := became[w]; ok && was != out {
				t.Fatalf("%q became %q and %q", w, was, out)
			}
			if was, ok := from[out]; ok && was != w {
				t.Fatalf("%q and %q both became %q", was, w, out)
			}
			became[w], from[out] = out, w
		}
		local := rapid.StringMatching(`[a-z]{1,5}[.0-9]?[a-zäöü]{1,4}`).Draw(t, "local")
		domain := rapid.StringMatching(`[a-z]{1,8}(-[a-z]{2,4})?\.(example|org)`).Draw(t, "domain")
		text := fmt.Sprintf("<message from='%s@%s/%s' to='%s'><body>x</body></message>", local, domain, rapid.StringMatching(`[A-Za-z0-9 ]{1,8}[a-z]`).Draw(t, "resource"), domain)
		e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
		if err != nil {
			t.Fatal(err)
		}
		s, err := stanza.From(e)
		if err != nil {
			return // not an address in the first place
		}
		out, err := a.Entry(cost.Entry{Stanza: s})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if out.Stanza.From().Domain() != out.Stanza.To().Domain() || len(out.Stanza.From().String()) != len(s.From().String()) {
			t.Fatalf("%v became %v to %v", s.From(), out.Stanza.From(), out.Stanza.To())
		}
	})
}
