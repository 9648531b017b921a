package xmlstream_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

// A transcript is everything a decoder did with some bytes: one line for each event, the last line is its end. Two
// transcripts are equal only if every tree, size, condition, offset and sentence is.
type transcript []string

// end is the condition of the error, "short", or "EOF".
func (tr transcript) end() string {
	word, _, _ := strings.Cut(tr[len(tr)-1], " ")
	return word
}

// elements are the canonical forms of the elements read.
func (tr transcript) elements() (out []string) {
	for _, line := range tr {
		if form, ok := strings.CutPrefix(line, "element "); ok {
			_, form, _ = strings.Cut(form, " ")
			out = append(out, form)
		}
	}
	return out
}

func (tr transcript) count(kind string) (n int) {
	for _, line := range tr {
		if strings.HasPrefix(line, kind) {
			n++
		}
	}
	return n
}

// play gives in to a new decoder in pieces; next returns the size of the next piece.
func play(o xmlstream.Options, in []byte, next func() int) transcript {
	d := xmlstream.NewDecoder(o)
	var tr transcript
	for {
		ev, err := d.Next()
		switch {
		case err == nil:
			tr = append(tr, describe(ev, o.ContentNS))
			continue
		case !errors.Is(err, xmlstream.ErrShort):
			return append(tr, describeError(err))
		case len(in) == 0:
			return append(tr, fmt.Sprintf("short %d", d.Buffered()))
		}
		n := min(max(next(), 1), len(in))
		d.Write(in[:n])
		in = in[n:]
	}
}

func describe(ev xmlstream.Event, ns string) string {
	switch ev.Kind {
	case xmlstream.HeaderEvent:
		return fmt.Sprintf("header %d %+v", ev.Bytes, ev.Header)
	case xmlstream.EndEvent:
		return fmt.Sprintf("end %d", ev.Bytes)
	}
	return fmt.Sprintf("%v %d %s", ev.Kind, ev.Bytes, canonical(ev.Element, ns))
}

func canonical(e *xmlstream.Element, ns string) string {
	b, err := xmlstream.AppendElement(nil, e, ns)
	if err != nil {
		return "unwritable " + err.Error()
	}
	return string(b)
}

func describeError(err error) string {
	if e := (*xmlstream.Error)(nil); errors.As(err, &e) {
		return fmt.Sprintf("%s %d %s (%d)", e.Condition, e.Offset, e.Detail, e.Bytes)
	}
	if errors.Is(err, io.EOF) {
		return "EOF"
	}
	return "other " + err.Error()
}

func pieces(n int) func() int { return func() int { return n } }

func cutAt(n int) func() int {
	first := true
	return func() int {
		if first {
			first = false
			return n
		}
		return 1 << 30
	}
}

// playAll plays in under every split that is affordable and fails unless all transcripts are the same.
func playAll(t *testing.T, o xmlstream.Options, in []byte) transcript {
	t.Helper()
	whole := play(o, in, pieces(1<<30))
	check := func(name string, next func() int) {
		t.Helper()
		got := play(o, in, next)
		if strings.Join(got, "\n") != strings.Join(whole, "\n") {
			t.Fatalf("split %s changes the outcome\ngot  %.2000q\nwant %.2000q\ninput %.400q", name, got, whole, in)
		}
	}
	check("bytes", pieces(1))
	for _, n := range []int{2, 3, 7, 1460} {
		check(fmt.Sprint("by ", n), pieces(n))
	}
	if len(in) <= 300 || len(in) <= 1200 && !raceEnabled {
		for n := 1; n < len(in); n++ {
			check(fmt.Sprint("at ", n), cutAt(n))
		}
	}
	rnd := rand.New(rand.NewPCG(1, uint64(len(in))))
	for i := range 4 {
		check(fmt.Sprint("random ", i), func() int { return 1 + rnd.IntN(1+len(in)/4) })
	}
	return whole
}

// surface is a kind of link, as the list of hostile inputs names them.
type surface struct {
	name   string
	opts   xmlstream.Options
	header string
}

func surfaces() map[byte]surface {
	return map[byte]surface{
		'S': {"S", xmlstream.Options{ContentNS: xmlstream.NSServer, Limits: xmlstream.ServerLimits()}, benchHeader},
		'X': {"X", xmlstream.Options{ContentNS: xmlstream.NSServer, NoHeader: true, Limits: xmlstream.ServerLimits()}, ""},
		'C': {
			"C",
			xmlstream.Options{ContentNS: xmlstream.NSClient, Limits: xmlstream.ClientLimits()},
			"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='a.example' version='1.0'>",
		},
	}
}

var guardOptions = xmlstream.Options{Limits: xmlstream.GuardLimits(), CanonicalOnly: true}

// message is M(…) of the list: the fragment as child of a valid message.
func message(fragment string) string {
	return "<message to='b@b.example' type='chat'>" + fragment + "</message>"
}

const (
	before = "<message to='b@b.example'><body>before</body></message>"
	after  = "<message to='b@b.example'><body>after</body></message>"
)

// verdict is what became of one fragment on one surface: a condition, "accepted" or "oversize".
type verdict struct {
	word string
	form string // canonical form, if accepted
}

// onStream sends fragment on an open stream between two good messages. What stood before the bad bytes must have
// arrived once, what follows them never.
func onStream(t *testing.T, s surface, fragment string) verdict {
	t.Helper()
	tr := playAll(t, s.opts, []byte(s.header+before+fragment+after))
	got := tr.elements()
	if len(got) == 0 || got[0] != before {
		t.Fatalf("the message before the bad bytes was lost: %.300q", tr)
	}
	switch tr.end() {
	case "short":
		if tr.count("oversize") == 1 && len(got) == 2 && got[1] == after {
			return verdict{word: "oversize"}
		}
		if len(got) != 3 || got[2] != after {
			t.Fatalf("want the fragment and the message after it, got %.600q", tr)
		}
		return verdict{"accepted", got[1]}
	default:
		if len(got) != 1 {
			t.Fatalf("something after the bad bytes was read: %.600q", tr)
		}
		return verdict{word: tr.end()}
	}
}

// onGuard sends the same fragment as one frame.
func onGuard(t *testing.T, fragment string) verdict {
	t.Helper()
	frame := strings.Replace(fragment, "<message ", "<message xmlns='jabber:server' ", 1)
	e, err := xmlstream.ParseDocument([]byte(frame), guardOptions)
	if err != nil {
		return verdict{word: strings.Fields(describeError(err))[0]}
	}
	return verdict{"accepted", canonical(e, "")}
}
