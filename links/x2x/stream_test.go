package x2x_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
	"sallyport/links/x2x"
)

var epoch0 = time.Unix(1_790_000_000, 0)

func only(names ...string) func(jid.JID) bool {
	return func(d jid.JID) bool {
		for _, n := range names {
			if d.Domain() == n {
				return true
			}
		}
		return false
	}
}

// streamFor is a stream at b.example, whose peer holds a.example.
func streamFor(mode x2x.Mode, edit ...func(*x2x.StreamConfig)) *x2x.Stream {
	cfg := x2x.StreamConfig{Mode: mode, Remote: only("a.example", "rooms.a.example"), Local: only("b.example"), Epoch: 0xB}
	for _, e := range edit {
		e(&cfg)
	}
	s := x2x.NewStream(cfg)
	s.Start(epoch0)
	return s
}

func element(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func events(s *x2x.Stream, now time.Time) (all []x2x.Event) {
	for {
		e := s.Next(now)
		if e.Kind == x2x.None {
			return all
		}
		all = append(all, e)
	}
}

// say names the events in short.
func say(all []x2x.Event) string {
	var words []string
	for _, e := range all {
		switch e.Kind {
		case x2x.None:
		case x2x.Arrived:
			w := "stanza"
			if e.Malformed != nil {
				w = "refused:" + e.Malformed.Stanza.String()
			}
			if !e.Frame.IsZero() {
				w += fmt.Sprintf("@%d/%d", e.Frame.Lane, e.Frame.Number)
			}
			words = append(words, w)
		case x2x.Greeted:
			words = append(words, fmt.Sprintf("greeted:%d", len(e.Marks)))
		case x2x.Confirmed:
			words = append(words, fmt.Sprintf("confirmed:%v", e.Tokens))
		case x2x.Noticed:
			words = append(words, "noticed:"+e.Word)
		case x2x.Ended:
			words = append(words, fmt.Sprintf("ended:%s:%v:%v", e.Condition, e.Clean, e.Left))
		}
	}
	return strings.Join(words, " ")
}

const (
	good  = "<message from='u@a.example/r' to='v@b.example'><body>hi</body></message>"
	hello = "<h xmlns='urn:sallyport:custody:0' e='000000000000000a' v='1'/>"
)

func framed(n int) string {
	return fmt.Sprintf("<c xmlns='urn:sallyport:custody:0' l='0' n='%d'>%s</c>", n, strings.Replace(good, "<message", "<message xmlns='jabber:server'", 1))
}

// TestStreamInput: what comes of the peer's bytes, in every mode, whole and byte by byte.
func TestStreamInput(t *testing.T) {
	custodyOf := func(more string) string { return hello + more }
	rows := []struct {
		name, in, want, out string
		mode                x2x.Mode
	}{
		{"stanzas at once", good + good, "stanza stanza", "", x2x.Plain},
		{"room domain", strings.Replace(good, "u@a", "room@rooms.a", 1), "stanza", "", x2x.Plain},
		{"end", good + "</stream:stream>", "stanza ended::true:[]", "</stream:stream>", x2x.Plain},
		{"O02 from another domain", strings.Replace(good, "u@a.", "u@c.", 1) + good, "noticed:foreign-domain stanza", "", x2x.Plain},
		{"O02 from our own domain", strings.Replace(good, "u@a.", "u@b.", 1) + good, "noticed:foreign-domain stanza", "", x2x.Plain},
		{"O02 to another domain", strings.Replace(good, "v@b.", "v@c.", 1) + good, "refused:item-not-found stanza", "", x2x.Plain},
		{"O02 to the peer's own domain", strings.Replace(good, "v@b.", "v@a.", 1) + good, "refused:item-not-found stanza", "", x2x.Plain},
		{"O02 without from", strings.Replace(good, "from='u@a.example/r' ", "", 1) + good, "noticed:malformed stanza", "", x2x.Plain},
		{"O02 under custody", custodyOf(strings.Replace(framed(1), "u@a.", "u@c.", 1) + framed(2)), "greeted:0 noticed:foreign-domain stanza@0/2", "n='1'", x2x.Custody},
		{"O03 stream header", "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='b.example' version='1.0'>", "ended:bad-format:false:[]", "<bad-format", x2x.Plain},
		{"O03 XML declaration", "<?xml version='1.0'?>", "ended:bad-format:false:[]", "<bad-format", x2x.Plain},
		{"O03 features", "<stream:features/>", "ended:bad-format:false:[]", "<bad-format", x2x.Plain},
		{"O03 SASL", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", "ended:bad-format:false:[]", "<bad-format", x2x.Plain},
		{"O03 STARTTLS", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "ended:bad-format:false:[]", "<bad-format", x2x.Plain},
		{"O03 dialback", "<db:result xmlns:db='jabber:server:dialback' from='a.example' to='b.example'>k</db:result>", "ended:bad-format:false:[]", "<bad-format", x2x.Plain},
		{"O03 in the middle", good + "<stream:features/>" + good, "stanza ended:bad-format:false:[]", "<bad-format", x2x.Plain},
		{"M01 compression asked for", "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>" + good, "stanza", "<unsupported-method", x2x.Plain},
		{"stream error", "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>", "noticed:peer-error ended:system-shutdown:false:[]", "", x2x.Plain},
		{"TLS where none is spoken", "\x16\x03\x01", "ended:bad-format:false:[]", "", x2x.Plain},
		{"oversized", "<message from='u@a.example' to='v@b.example'><body>" + strings.Repeat("x", 600<<10) + "</body></message>" + good, "refused:policy-violation stanza", "", x2x.Plain},
		{"oversized of another domain", "<message from='u@c.example' to='v@b.example'><body>" + strings.Repeat("x", 600<<10) + "</body></message>" + good, "noticed:malformed stanza", "", x2x.Plain},
		{"oversized under custody", custodyOf(strings.Replace(framed(3), "hi", strings.Repeat("x", 600<<10), 1) + framed(4)), "greeted:0 refused:policy-violation@0/3 stanza@0/4", "", x2x.Custody},
		{"acknowledgements nobody agreed on", "<r xmlns='urn:xmpp:sm:3'/>" + good, "stanza", "<failed", x2x.Plain},
		{"enable", "<enable xmlns='urn:xmpp:sm:3'/>" + good, "stanza", "<failed", x2x.Managed},
		{"question", good + "<r xmlns='urn:xmpp:sm:3'/>", "stanza", "<a xmlns='urn:xmpp:sm:3' h='0'/>", x2x.Managed},
		{"too much acknowledged", "<a xmlns='urn:xmpp:sm:3' h='1'/>", "noticed:bogus-acknowledge ended:undefined-condition:false:[]", "<undefined-condition", x2x.Managed},
		{"acknowledgement without a number", "<a xmlns='urn:xmpp:sm:3'/>", "ended:bad-format:false:[]", "", x2x.Managed},
		{"custody where none is agreed", hello, "ended:bad-format:false:[]", "", x2x.Plain},
		{"custody", custodyOf(framed(1) + framed(9)), "greeted:0 stanza@0/1 stanza@0/9", "", x2x.Custody},
		{"no greeting", framed(1), "ended:bad-format:false:[]", "", x2x.Custody},
		{"two greetings", custodyOf(hello), "greeted:0 ended:bad-format:false:[]", "", x2x.Custody},
		{"no frame", custodyOf(good), "greeted:0 ended:bad-format:false:[]", "", x2x.Custody},
		{"version 2", strings.Replace(hello, "v='1'", "v='2'", 1), "ended:bad-format:false:[]", "", x2x.Custody},
		{"marks", strings.Replace(hello, "/>", "><m e='000000000000000b' l='3' n='7'/></h>", 1), "greeted:1", "", x2x.Custody},
		{"lane 4", custodyOf(strings.Replace(framed(1), "l='0'", "l='4'", 1)), "greeted:0 ended:bad-format:false:[]", "", x2x.Custody},
		{"number 0", custodyOf(framed(0)), "greeted:0 ended:bad-format:false:[]", "", x2x.Custody},
		{"number -1", custodyOf(framed(-1)), "greeted:0 ended:bad-format:false:[]", "", x2x.Custody},
		{"two stanzas in a frame", custodyOf(strings.Replace(framed(1), "</c>", "<presence xmlns='jabber:server'/></c>", 1)), "greeted:0 ended:bad-format:false:[]", "", x2x.Custody},
		{"empty frame", custodyOf("<c xmlns='urn:sallyport:custody:0' l='0' n='1'/>"), "greeted:0 ended:bad-format:false:[]", "", x2x.Custody},
		{"frame of another epoch", custodyOf(strings.Replace(framed(1), "l=", "e='00000000000000ff' l=", 1)), "greeted:0 ended:bad-format:false:[]", "", x2x.Custody},
		{"acknowledgement of what was never sent", custodyOf("<a xmlns='urn:sallyport:custody:0' l='0' n='1'/>"), "greeted:0 noticed:bogus-acknowledge ended:undefined-condition:false:[]", "", x2x.Custody},
		{"probe", custodyOf("<p xmlns='urn:sallyport:custody:0' n='5'/>"), "greeted:0", "<o xmlns='urn:sallyport:custody:0' n='5'/>", x2x.Custody},
		{"word of nobody", custodyOf("<z xmlns='urn:sallyport:custody:0'/>"), "greeted:0 ended:unsupported-stanza-type:false:[]", "", x2x.Custody},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for _, step := range []int{1 << 30, 1, 7} {
				if step < 7 && len(row.in) > 100_000 {
					continue
				}
				s := streamFor(row.mode)
				s.Output(nil)
				var all []x2x.Event
				for i := 0; i < len(row.in); i += step {
					s.Feed(epoch0, []byte(row.in[i:min(i+step, len(row.in))]))
					all = append(all, events(s, epoch0)...)
				}
				s.Tick(epoch0)
				want := row.want
				if strings.HasPrefix(row.name, "TLS") {
					want = say(all) // the condition is the decoder's to choose
					if !strings.HasPrefix(want, "ended:") {
						t.Errorf("%d: %q", step, want)
					}
				}
				if got := say(all); got != want {
					t.Errorf("%d at a time: %q, want %q", step, got, want)
				}
				if out := string(s.Output(nil)); !strings.Contains(out, row.out) {
					t.Errorf("%d at a time: wrote %q, want %q in it", step, out, row.out)
				}
			}
		})
	}
}

// TestStreamCompressed: records, M02 and M03 on the link: the frame is refused and settled, the link stays.
func TestStreamCompressed(t *testing.T) {
	dict, err := deflate.NewDictionary([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	zip := deflate.Config{Dictionary: dict}
	with := func(c *x2x.StreamConfig) { c.Compression = &zip }
	sender := func(mode x2x.Mode) *x2x.Stream {
		return streamFor(mode, with, func(c *x2x.StreamConfig) {
			c.Epoch, c.Remote, c.Local = 0xA, only("b.example"), only("a.example")
		})
	}
	send := func(t *testing.T, s *x2x.Stream, n uint64) {
		t.Helper()
		it := x2x.Item{Element: element(t, good), Token: n, Frame: links.Frame{Epoch: 0xA, Number: n, Expires: epoch0}}
		if v, err := s.Send(epoch0, it); v != custody.Transmit {
			t.Fatal(v, err)
		}
	}
	bomb, _ := deflate.NewWriter(deflate.Config{}).Append(nil, make([]byte, 1000))
	hostile := func(kind byte, body ...byte) []byte { return append([]byte{kind, byte(len(body))}, body...) }
	rows := []struct {
		name string
		mode x2x.Mode
		bad  []byte
		want string
	}{
		{"M03 plain", x2x.Plain, hostile(2, 7, 7, 7), "stanza noticed:bad-frame refused:policy-violation stanza"},
		{"M03 custody", x2x.Custody, hostile(0x13, 9, 0, 7, 7), "greeted:0 stanza@0/1 noticed:bad-frame refused:policy-violation@1/9 stanza@0/2"},
		{"not XML inside", x2x.Plain, hostile(2, bomb...), "stanza ended:not-well-formed:false:[]"},
		{"type of nobody", x2x.Plain, hostile(9, 1), "stanza ended:bad-format:false:[]"},
		{"another mode's record", x2x.Plain, hostile(3, 1, 1, 0, 1), "stanza ended:bad-format:false:[]"},
		{"lane of nobody", x2x.Custody, hostile(0x43, 1, 0, 1), "greeted:0 stanza@0/1 ended:bad-format:false:[]"},
		{"too long", x2x.Plain, []byte{2, 0xFF, 0xFF, 0x7F}, "stanza ended:bad-format:false:[]"},
		{"length without end", x2x.Plain, []byte{2, 0xFF, 0xFF, 0xFF, 0xFF}, "stanza ended:bad-format:false:[]"},
		{"plain XML", x2x.Plain, []byte(good), "stanza ended:bad-format:false:[]"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a, b := sender(row.mode), streamFor(row.mode, with)
			send(t, a, 1)
			in := append(a.Output(nil), row.bad...)
			send(t, a, 2)
			in = append(in, a.Output(nil)...)
			var all []x2x.Event
			for i := range in {
				b.Feed(epoch0, in[i:i+1])
				all = append(all, events(b, epoch0)...)
			}
			if got := say(all); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
			for _, e := range all {
				if e.Kind == x2x.Arrived && e.Malformed == nil && !e.Stanza.Element().Equal(element(t, good)) {
					t.Error("another stanza came out")
				}
				if e.Kind == x2x.Arrived && e.Malformed == nil && row.mode == x2x.Custody && !e.Frame.Expires.Equal(epoch0) {
					t.Errorf("expires %v", e.Frame.Expires)
				}
			}
		})
	}
	t.Run("different dictionaries", func(t *testing.T) {
		a, b := sender(x2x.Custody), streamFor(x2x.Custody, func(c *x2x.StreamConfig) { c.Compression = &deflate.Config{} })
		b.Feed(epoch0, a.Output(nil))
		if all := events(b, epoch0); len(all) != 1 || !strings.Contains(all[0].Detail, "dictionaries") {
			t.Errorf("%q %+v", say(all), all)
		}
	})
}

// TestStreamConfirms: what becomes of what was sent, in every mode.
func TestStreamConfirms(t *testing.T) {
	send := func(t *testing.T, s *x2x.Stream, n uint64, want custody.Verdict) {
		t.Helper()
		it := x2x.Item{Element: element(t, strings.Replace(strings.Replace(good, "u@a", "v@b", 1), "v@b.example'><b", "u@a.example'><b", 1)), Token: n, Frame: links.Frame{Epoch: 0xB, Number: n}}
		if v, err := s.Send(epoch0, it); v != want {
			t.Fatalf("%d: %v %v, want %v", n, v, err, want)
		}
	}
	small := func(c *x2x.StreamConfig) { c.Window = custody.Window{Items: 2, Bytes: 1 << 20} }
	later := epoch0.Add(time.Hour)
	rows := []struct {
		name string
		mode x2x.Mode
		in   string
		tick bool
		end  bool
		want string
		how  links.Disposition
	}{
		{"plain, lost", x2x.Plain, "", false, true, "ended::false:[1 2]", links.InDoubt},
		{"plain, lived on", x2x.Plain, "", true, true, "confirmed:[1 2] ended::false:[]", links.InDoubt},
		{"managed, one acknowledged", x2x.Managed, "<a xmlns='urn:xmpp:sm:3' h='1'/>", false, true, "confirmed:[1] ended::false:[2]", links.InDoubt},
		{"custody, one acknowledged", x2x.Custody, hello + "<a xmlns='urn:sallyport:custody:0' l='0' n='1'/>", false, true, "greeted:0 confirmed:[1] ended::false:[2]", links.Returned},
		{"custody, greeting covers", x2x.Custody, strings.Replace(hello, "/>", "><m e='000000000000000b' l='0' n='1'/></h>", 1), false, true, "greeted:1 confirmed:[1] ended::false:[2]", links.Returned},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := streamFor(row.mode, small)
			send(t, s, 1, custody.Transmit)
			send(t, s, 2, custody.Transmit)
			send(t, s, 3, custody.Full)
			s.Feed(epoch0, []byte(row.in))
			all := events(s, epoch0)
			if row.tick {
				s.Tick(later)
				all = append(all, events(s, later)...)
			}
			s.Lost("cut")
			all = append(all, events(s, epoch0)...)
			if got := say(all); got != row.want || all[len(all)-1].Disposition != row.how {
				t.Errorf("%q %v, want %q %v", got, all[len(all)-1].Disposition, row.want, row.how)
			}
			send(t, s, 4, custody.Refused)
		})
	}
}

// TestStreamTimers: keep-alive, silence, idle, back-pressure and the end, in virtual time.
func TestStreamTimers(t *testing.T) {
	profile := links.Profile{KeepAlive: time.Minute, IdleClose: 10 * time.Minute}
	with := func(c *x2x.StreamConfig) { c.Profile, c.Opener = profile, true }
	run := func(s *x2x.Stream, until time.Duration, each func(now time.Time, out string)) (string, time.Duration) {
		for now := epoch0; ; {
			d := s.Deadline()
			if d.IsZero() || d.Sub(epoch0) > until {
				return "", until
			}
			if d.After(now) {
				now = d
			}
			s.Tick(now)
			out := string(s.Output(nil))
			each(now, out)
			if all := events(s, now); len(all) > 0 {
				return say(all) + " " + all[0].Detail, now.Sub(epoch0)
			}
		}
	}
	t.Run("silent peer", func(t *testing.T) {
		s := streamFor(x2x.Custody, with)
		s.Feed(epoch0, []byte(hello))
		events(s, epoch0)
		got, at := run(s, time.Hour, func(time.Time, string) {})
		if !strings.Contains(got, "silent") || at != 90*time.Second {
			t.Errorf("%q after %v", got, at)
		}
	})
	t.Run("answering peer, then idle", func(t *testing.T) {
		s := streamFor(x2x.Custody, with)
		s.Feed(epoch0, []byte(hello))
		events(s, epoch0)
		probes := 0
		got, at := run(s, time.Hour, func(now time.Time, out string) {
			if _, after, ok := strings.Cut(out, "<p xmlns='urn:sallyport:custody:0'"); ok {
				probes++
				s.Feed(now.Add(time.Second), []byte("<o xmlns='urn:sallyport:custody:0'"+after))
				for _, e := range events(s, now.Add(time.Second)) {
					t.Errorf("%+v", e)
				}
			}
			if strings.Contains(out, "</stream:stream>") {
				s.Feed(now, []byte("</stream:stream>"))
			}
		})
		if !strings.HasPrefix(got, "ended::true") || at != 10*time.Minute || probes != 9 || s.Quality().RoundTrip != time.Second {
			t.Errorf("%q after %v, %d probes, %v", got, at, probes, s.Quality())
		}
	})
	t.Run("plain says blanks", func(t *testing.T) {
		s := streamFor(x2x.Plain, with)
		blanks := 0
		_, _ = run(s, 9*time.Minute, func(_ time.Time, out string) { blanks += strings.Count(out, " ") })
		if blanks != 9 {
			t.Errorf("%d blanks", blanks)
		}
	})
	t.Run("peer does not end its side", func(t *testing.T) {
		s := streamFor(x2x.Plain, with)
		s.Close(epoch0)
		got, at := run(s, time.Hour, func(time.Time, string) {})
		if !strings.HasPrefix(got, "ended::false") || at != 10*time.Second {
			t.Errorf("%q after %v", got, at)
		}
	})
	t.Run("held up by our own side", func(t *testing.T) {
		s := streamFor(x2x.Custody, func(c *x2x.StreamConfig) { c.Profile = links.Profile{} })
		s.Feed(epoch0, []byte(hello))
		events(s, epoch0)
		_, _ = s.Send(epoch0, x2x.Item{Element: element(t, "<presence from='b.example' to='a.example'/>"), Token: 1, Frame: links.Frame{Epoch: 0xB, Number: 1}})
		s.Output(nil)
		s.Busy(epoch0)
		blanks := 0
		got, _ := run(s, 5*time.Minute, func(_ time.Time, out string) { blanks += strings.Count(out, " ") })
		if got != "" || blanks != 30 {
			t.Errorf("%q, %d blanks", got, blanks)
		}
	})
	t.Run("too much unsettled", func(t *testing.T) {
		s := streamFor(x2x.Managed)
		var seqs []uint64
		for range 5000 {
			s.Feed(epoch0, []byte(good))
			for _, e := range events(s, epoch0) {
				seqs = append(seqs, e.Seq)
			}
		}
		if !s.Paused() || s.Unsettled() != 5000 {
			t.Fatalf("%d unsettled, paused %v", s.Unsettled(), s.Paused())
		}
		for _, q := range seqs {
			s.Settled(epoch0, q)
		}
		s.Tick(epoch0)
		if out := string(s.Output(nil)); s.Paused() || out != "<a xmlns='urn:xmpp:sm:3' h='5000'/>" {
			t.Errorf("paused %v, wrote %q", s.Paused(), out)
		}
	})
}

// TestZeroStream: nothing configured is nothing accepted.
func TestZeroStream(t *testing.T) {
	s := x2x.NewStream(x2x.StreamConfig{})
	s.Feed(epoch0, []byte(good))
	if e := s.Next(epoch0); e.Kind != x2x.None {
		t.Errorf("before Start: %+v", e)
	}
	s.Start(epoch0)
	s.Feed(epoch0, []byte(good))
	if got := say(events(s, epoch0)); got != "noticed:foreign-domain" {
		t.Errorf("%q", got)
	}
	c := x2x.NewStream(x2x.StreamConfig{Mode: x2x.Custody})
	c.Start(epoch0)
	if v, _ := c.Send(epoch0, x2x.Item{Element: element(t, good), Frame: links.Frame{}}); v != custody.Refused {
		t.Errorf("custody without a frame: %v", v)
	}
}

func TestModeWords(t *testing.T) {
	for m := x2x.Plain; m <= x2x.Custody; m++ {
		if again, err := x2x.ParseMode(m.String()); err != nil || again != m {
			t.Errorf("%v: %v %v", m, again, err)
		}
	}
	if _, err := x2x.ParseMode("fast"); err == nil {
		t.Error("a mode of nobody")
	}
}
