package compact_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/compact"
)

// TestRefused has one coded stanza for each reason.
func TestRefused(t *testing.T) {
	c := codec(t, models.trained())
	good := roundTrip(t, c, measured()[0])
	stored := "\xff\xff\x00"
	for name, row := range map[string]struct {
		b    string
		want error
	}{
		"a byte behind the end":            {string(good) + "\x00", compact.ErrCoded},
		"bytes behind the end":             {string(good) + "more", compact.ErrCoded},
		"nothing":                          {"", compact.ErrCoded},
		"the end of what can be coded":     {"\xff\xfe\xff\xff\xff\xff\xff\xff\xff", compact.ErrCoded},
		"XML that would be coded":          {stored + string(plain(measured()[0])), compact.ErrNotCanonical},
		"XML that is none":                 {stored + "<message", compact.ErrCoded},
		"XML with an entity":               {stored + "<message>&a;</message>", compact.ErrCoded},
		"XML with a comment":               {stored + "<message><!-- --></message>", compact.ErrCoded},
		"XML with another stanza behind":   {stored + "<message/><message/>", compact.ErrCoded},
		"a list of too many":               {"\xff\xff\x81\x08" + strings.Repeat("\x01a", 1025), compact.ErrCoded},
		"a list cut short":                 {"\xff\xff\x02\x03a@b", compact.ErrCoded},
		"a list with no address":           {"\xff\xff\x01\x02a@<a/>", compact.ErrCoded},
		"a list with another form":         {"\xff\xff\x01\x03A@b<a/>", compact.ErrCoded},
		"a list with a length beyond":      {"\xff\xff\x01\xff\xff\xff\xff\x0fa", compact.ErrCoded},
		"XML so large that nobody reads":   {stored + "<a>" + strings.Repeat("x", 600<<10) + "</a>", compact.ErrCoded},
		"XML that would be smaller, large": {stored + "<a>" + strings.Repeat("x", 12<<10) + "</a>", compact.ErrNotCanonical},
	} {
		if e, _, err := c.Decode([]byte(row.b)); !errors.Is(err, row.want) || !errors.Is(err, compact.ErrCoded) || e != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExpansion: no bytes stand for more than the bound, whoever made them. What shrinks beyond it was never coded by us, so it is made
// here by taking pieces of what was.
func TestExpansion(t *testing.T) {
	c := codec(t, models.trained())
	r := rand.New(rand.NewPCG(1, 1))
	dense := roundTrip(t, c, element("<message from='a@b.example' to='c@d.example'><body>"+strings.Repeat("ab", 8000)+"</body></message>"))
	rounds := 60
	if testing.Short() {
		rounds = 12
	}
	for range rounds {
		b := slices.Clone(dense[:1+r.IntN(len(dense))])
		for range r.IntN(3) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		check(t, c, append(b, make([]byte, r.IntN(3)*100)...))
	}
}

// check decodes bytes of anybody: what is taken is a sound element within the bounds, and has no other coding.
func check(t *testing.T, c *compact.Codec, b []byte) {
	t.Helper()
	e, also, err := c.Decode(b)
	if err != nil {
		if !errors.Is(err, compact.ErrCoded) || e != nil || also != nil {
			t.Fatalf("% x: %v, %v", b, e, err)
		}
		return
	}
	text, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil || len(text) > max(compact.RatioFrom, compact.MaxRatio*len(b)) || len(text) > max(compact.MaxPlain, len(b)) {
		t.Fatalf("% x: %d bytes, %v", b, len(text), err)
	}
	if again, err := c.Encode(nil, e, also...); err != nil || !slices.Equal(again, b) {
		t.Fatalf("% x, coded again % x, %v", b, again, err)
	}
}

// FuzzDecode: bytes of anybody.
func FuzzDecode(f *testing.F) {
	c, empty := codec(f, models.trained()), codec(f, models.empty())
	for _, e := range measured()[:8] {
		b, _ := c.Encode(nil, e)
		f.Add(b)
		b, _ = empty.Encode(nil, e)
		f.Add(b)
	}
	f.Add([]byte{})
	f.Add([]byte(strings.Repeat("\x00", 64)))
	f.Add([]byte("\xff\xff\x00<message to='a@b' from='c@d'/>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		check(t, c, b)
		check(t, empty, b)
	})
}

// FuzzEncode: elements of anybody come back.
func FuzzEncode(f *testing.F) {
	c := codec(f, models.trained())
	for _, e := range slices.Concat(measured()[:4], training(8)) {
		f.Add(plain(e))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := xmlstream.ParseDocument(b, xmlstream.Options{ContentNS: xmlstream.NSServer})
		if err != nil {
			return
		}
		if _, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer); err == nil {
			roundTrip(t, c, e)
		}
	})
}

// FuzzUnit: records of anybody. What is read is written in the same way, whole units at a time.
func FuzzUnit(f *testing.F) {
	f.Add([]byte("\x81\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x05\x03abc\x41\x07\x0d\x09x"))
	f.Add([]byte("\x43\x01\x02\xd0\x07\xe0\x07\xc0\x01x\xc1y"))
	f.Add([]byte("\x0f\x01\x80\x00\x80\x80\x80\x80\x01x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var in compact.Incoming
		in.Greeted(1)
		for n := 0; len(b) > 0; n++ {
			r, rest, err := in.Next(b, noon, 7)
			if err != nil {
				if !errors.Is(err, compact.ErrUnit) || r.Kind != compact.NoRecord {
					t.Fatalf("%+v, %v", r, err)
				}
				return
			}
			if len(rest) >= len(b) || r.Kind == compact.NoRecord {
				t.Fatalf("%+v of nothing", r)
			}
			again, same := rewritten(t, r)
			if same && string(again) != string(b[:len(b)-len(rest)]) {
				t.Fatalf("%+v was % x, and is % x", r, b[:len(b)-len(rest)], again)
			}
			b = rest
		}
	})
}

// rewritten writes a record again. A consignment can be written in several ways, since numbers are cut by what was told before.
func rewritten(t *testing.T, r compact.Record) (b []byte, same bool) {
	switch r.Kind {
	case compact.ConsignmentRecord:
		var out compact.Outgoing
		b, err := out.AppendLast(nil, noon, r.Consignment)
		if err != nil {
			t.Fatal(err)
		}
		var in compact.Incoming
		in.Greeted(r.Consignment.Frame.Epoch)
		again, _, err := in.Next(b, noon, 7)
		if err != nil || again.Consignment.Frame != r.Consignment.Frame {
			t.Fatalf("%+v, %v; want %+v", again, err, r)
		}
	case compact.MarksRecord:
		return compact.AppendMarks(nil, r.Marks), true
	case compact.GreetingRecord:
		return compact.AppendGreeting(nil, r.Greeting), true
	case compact.ProbeRecord:
		return compact.AppendProbe(nil, r.Number), true
	case compact.EchoRecord:
		return compact.AppendEcho(nil, r.Number), true
	case compact.LooseRecord, compact.NoRecord:
	}
	return nil, false
}
