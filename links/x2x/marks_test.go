package x2x_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
	"sallyport/links/x2x"
)

func TestMarks(t *testing.T) {
	one := func(lane uint8, n uint64) links.Mark { return links.Mark{Epoch: 7, Lane: lane, Number: n} }
	for name, row := range map[string]struct {
		marks []links.Mark
		want  []byte
	}{
		"one lane":    {[]links.Mark{one(0, 5)}, []byte{1, 5}},
		"the highest": {[]links.Mark{one(3, 300)}, []byte{8, 0xAC, 2}},
		"several":     {[]links.Mark{one(0, 1), one(1, 2), one(3, 1<<63)}, []byte{11, 1, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got := x2x.AppendMarks(nil, row.marks)
			if !bytes.Equal(got, row.want) {
				t.Fatalf("% x, want % x", got, row.want)
			}
			if back, ok := x2x.ParseMarks(got, 7); !ok || !slices.Equal(back, row.marks) {
				t.Errorf("%v %v", back, ok)
			}
		})
	}
	for name, bad := range map[string][]byte{
		"nothing": {}, "no lane": {0}, "no lane, a number": {0, 1}, "lane 4": {0x10, 1}, "number zero": {1, 0}, "no number": {1}, "one of two": {3, 1},
		"one too many": {1, 1, 1}, "longer than needed": {1, 0x81, 0}, "without end": {1, 0xFF}, "over 64 bits": {1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2},
	} {
		if got, ok := x2x.ParseMarks(bad, 7); ok {
			t.Errorf("%s: taken as %v", name, got)
		}
	}
}

// FuzzMarks: there is one way to write a set of marks.
func FuzzMarks(f *testing.F) {
	f.Add([]byte{1, 5})
	f.Add([]byte{15, 1, 0xAC, 2, 3, 4})
	f.Add([]byte{1, 0x81, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		marks, ok := x2x.ParseMarks(b, 9)
		if !ok {
			return
		}
		if again := x2x.AppendMarks(nil, marks); !bytes.Equal(again, b) {
			t.Fatalf("% x came back as % x", b, again)
		}
		for i, m := range marks {
			if m.Epoch != 9 || m.Lane >= links.Lanes || m.Number == 0 || i > 0 && m.Lane <= marks[i-1].Lane {
				t.Fatalf("%v", marks)
			}
		}
	})
}

// pairOf are two streams that have greeted each other: a sends, b receives.
func pairOf(t *testing.T, edit func(*x2x.StreamConfig)) (a, b *x2x.Stream) {
	t.Helper()
	a = streamFor(x2x.Custody, edit, func(c *x2x.StreamConfig) { c.Epoch, c.Remote, c.Local = 0xA, only("b.example"), only("a.example") })
	b = streamFor(x2x.Custody, edit)
	b.Feed(epoch0, a.Output(nil))
	a.Feed(epoch0, b.Output(nil))
	events(a, epoch0)
	events(b, epoch0)
	return a, b
}

// over carries stanza n from a to b, where it is settled.
func over(t *testing.T, now time.Time, a, b *x2x.Stream, lane uint8, n uint64) {
	t.Helper()
	v, err := a.Send(now, x2x.Item{Element: element(t, good), Token: n, Frame: links.Frame{Epoch: 0xA, Lane: lane, Number: n}})
	if v != custody.Transmit {
		t.Fatal(v, err)
	}
	b.Feed(now, a.Output(nil))
	for _, e := range events(b, now) {
		if e.Kind != x2x.Arrived || e.Malformed != nil {
			t.Fatalf("%+v", e)
		}
		b.Settled(now, e.Seq)
	}
}

// TestAcknowledgementsWait: for the delay of the profile, or for company, or until a part of the window is owed.
func TestAcknowledgementsWait(t *testing.T) {
	profile := links.Profile{RoundTrip: 800 * time.Millisecond}
	back := []byte("<message xmlns='jabber:server' from='v@b.example' to='u@a.example'/>")
	for name, edit := range map[string]func(*x2x.StreamConfig){
		"XML":        func(c *x2x.StreamConfig) { c.Profile = profile },
		"records":    func(c *x2x.StreamConfig) { c.Profile, c.Records = profile, true },
		"compressed": func(c *x2x.StreamConfig) { c.Profile, c.Compression = profile, &deflate.Config{} },
	} {
		t.Run(name+", alone after the delay", func(t *testing.T) {
			a, b := pairOf(t, edit)
			over(t, epoch0, a, b, 0, 1)
			over(t, epoch0.Add(50*time.Millisecond), a, b, 2, 2)
			due := epoch0.Add(profile.AckDelay())
			if d := b.Deadline(); !d.Equal(due) {
				t.Fatalf("due %v after, want %v", d.Sub(epoch0), profile.AckDelay())
			}
			b.Tick(due.Add(-time.Millisecond))
			if out := b.Output(nil); len(out) > 0 {
				t.Fatalf("%q before its time", out)
			}
			b.Tick(due)
			out := b.Output(nil)
			if name != "XML" && !bytes.Equal(out, []byte{4, 3, 5, 1, 2}) {
				t.Errorf("% x: both lanes in one record", out)
			}
			a.Feed(due, out)
			if got := say(events(a, due)); name != "XML" && got != "confirmed:[1 2]" || name == "XML" && got != "confirmed:[1] confirmed:[2]" {
				t.Error(got)
			}
		})
		t.Run(name+", with company at once", func(t *testing.T) {
			a, b := pairOf(t, edit)
			over(t, epoch0, a, b, 0, 1)
			v, err := b.Send(epoch0, x2x.Item{Element: element(t, string(back)), Token: 9, Frame: links.Frame{Epoch: 0xB, Number: 1}})
			if v != custody.Transmit {
				t.Fatal(v, err)
			}
			a.Feed(epoch0, b.Output(nil))
			if got := say(events(a, epoch0)); got != "stanza@0/1 confirmed:[1]" {
				t.Error(got)
			}
			b.Tick(epoch0.Add(time.Second))
			if out := b.Output(nil); len(out) > 0 {
				t.Errorf("%q: it was said", out)
			}
		})
	}
	t.Run("not while the window fills", func(t *testing.T) {
		a, b := pairOf(t, func(c *x2x.StreamConfig) {
			c.Profile, c.Records, c.Window = profile, true, custody.Window{Items: 8, Bytes: 1 << 20}
		})
		over(t, epoch0, a, b, 0, 1)
		if b.Deadline().Equal(epoch0) {
			t.Fatal("the first goes at once")
		}
		over(t, epoch0, a, b, 0, 2)
		if d := b.Deadline(); !d.Equal(epoch0) {
			t.Fatalf("due %v after", d.Sub(epoch0))
		}
	})
}

// TestHostileMarks: acknowledgements in a record that say what cannot be end the stream.
func TestHostileMarks(t *testing.T) {
	records := func(c *x2x.StreamConfig) { c.Records = true }
	for name, row := range map[string]struct {
		in   []byte
		want string
	}{
		"what was sent":        {[]byte{4, 2, 1, 1}, "confirmed:[1]"},
		"what was never sent":  {[]byte{4, 2, 1, 2}, "noticed:bogus-acknowledge ended:undefined-condition:false:[1]"},
		"one true, one not":    {[]byte{4, 3, 3, 1, 1}, "confirmed:[1] noticed:bogus-acknowledge ended:undefined-condition:false:[]"},
		"out of shape":         {[]byte{4, 1, 0}, "ended:bad-format:false:[1]"},
		"compressed, none was": {[]byte{3, 4, 0, 1, 0, 0}, "ended:bad-format:false:[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pairOf(t, records)
			over(t, epoch0, a, b, 0, 1)
			a.Feed(epoch0, row.in)
			if got := say(events(a, epoch0)); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
	t.Run("without custody", func(t *testing.T) {
		s := streamFor(x2x.Plain, records)
		s.Feed(epoch0, []byte{4, 2, 1, 1})
		if got := say(events(s, epoch0)); got != "ended:bad-format:false:[]" {
			t.Error(got)
		}
	})
	t.Run("before the greeting", func(t *testing.T) {
		s := streamFor(x2x.Custody, records)
		s.Feed(epoch0, []byte{4, 2, 1, 1})
		if got := say(events(s, epoch0)); got != "ended:bad-format:false:[]" {
			t.Error(got)
		}
	})
}
