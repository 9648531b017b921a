package x2x_test

import (
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
	"sallyport/links/x2x"
)

// recorded are two ends of a stream that compresses.
func recorded(t *testing.T, mode x2x.Mode) (a, b *x2x.Stream) {
	t.Helper()
	dict, err := deflate.NewDictionary([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	with := func(c *x2x.StreamConfig) { c.Compression = &deflate.Config{Dictionary: dict} }
	return streamFor(mode, with, func(c *x2x.StreamConfig) {
		c.Epoch, c.Remote, c.Local = 0xA, only("b.example"), only("a.example")
	}), streamFor(mode, with)
}

// TestRecordsKeepAll: identifiers that stand beside the frame, and numbers and expiries that are said as differences, come back as they were.
func TestRecordsKeepAll(t *testing.T) {
	a, b := recorded(t, x2x.Custody)
	frames := []links.Frame{
		{Lane: 0, Number: 1, Expires: epoch0},
		{Lane: 3, Number: 2},
		{Lane: 0, Number: 900, Expires: epoch0.Add(-time.Hour)},
		{Lane: 3, Number: 901, Expires: epoch0.Add(24 * time.Hour)},
		{Lane: 2, Number: 1 << 60, Expires: epoch0.Add(24 * time.Hour)},
		{Lane: 1, Number: 3},
	}
	ids := []string{"eba2de39-c8bc-4015-ae46-8eb0bafe3a7e", "deadbeef-7", "", "deadbeef", "purple42", "DEADBEEF"}
	var sent []*xmlstream.Element
	for i, f := range frames {
		f.Epoch = 0xA
		e := element(t, good).WithoutAttr(xmlstream.Name{Local: "id"})
		if ids[i] != "" {
			e = e.WithAttr(xmlstream.Name{Local: "id"}, ids[i])
		}
		sent = append(sent, e)
		if v, err := a.Send(epoch0, x2x.Item{Element: e, Token: uint64(i), Frame: f}); v != custody.Transmit {
			t.Fatal(v, err)
		}
		b.Feed(epoch0, a.Output(nil))
	}
	n := 0
	for _, e := range events(b, epoch0) {
		if e.Kind != x2x.Arrived {
			continue
		}
		want := frames[n]
		want.Epoch = 0xA
		if e.Malformed != nil || !e.Stanza.Element().Equal(sent[n]) || e.Frame.Mark() != want.Mark() || !e.Frame.Expires.Equal(want.Expires) {
			t.Errorf("%+v, want %+v", e, want)
		}
		n++
	}
	if n != len(frames) {
		t.Errorf("%d of %d arrived", n, len(frames))
	}
}

// TestRecordsOfManagement: questions and answers of XEP-0198 are a few bytes, and confirm.
func TestRecordsOfManagement(t *testing.T) {
	a, b := recorded(t, x2x.Managed)
	if v, err := a.Send(epoch0, x2x.Item{Element: element(t, good), Token: 5}); v != custody.Transmit {
		t.Fatal(v, err)
	}
	a.Output(nil)
	a.Tick(a.Deadline())
	asks := a.Output(nil)
	if string(asks) != "\x05\x00" {
		t.Fatalf("asks with % x", asks)
	}
	b.Feed(epoch0, asks)
	events(b, epoch0)
	answers := b.Output(nil)
	if string(answers) != "\x05\x01\x00" {
		t.Fatalf("answers with % x", answers)
	}
	a.Feed(epoch0, []byte("\x05\x01\x01"))
	if got := say(events(a, epoch0)); got != "confirmed:[5]" {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"\x05\x02\x81\x00", "\x05\x05\xff\xff\xff\xff\x1f", "\x05\x02\x01\x01", "\x0d\x00", "\x42\x01\x01", "\x82\x01\x01", "\x05\x01\x09"} {
		a, _ := recorded(t, x2x.Managed)
		a.Feed(epoch0, []byte(bad))
		if all := events(a, epoch0); len(all) == 0 || all[len(all)-1].Kind != x2x.Ended {
			t.Errorf("% x is taken: %q", bad, say(all))
		}
	}
}

// TestRecordsRefused: identifiers out of shape, or said twice, end the stream.
func TestRecordsRefused(t *testing.T) {
	frame, err := deflate.NewWriter(deflate.Config{}).Append(nil, []byte("<message from='x@b.example' to='y@a.example' id='aaaaaa'><body>aaaaaaaaaaaaaaaaaaaaaa</body></message>"))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"out of shape": append([]byte{5}, frame...), "twice": append([]byte("\x06abc"), frame...),
	} {
		s := streamFor(x2x.Plain, func(c *x2x.StreamConfig) { c.Compression = &deflate.Config{} })
		s.Feed(epoch0, append([]byte{0x0A, byte(len(body))}, body...))
		if got := say(events(s, epoch0)); got != "ended:bad-format:false:[]" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
