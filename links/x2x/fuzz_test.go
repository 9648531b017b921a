package x2x_test

import (
	"bytes"
	"testing"
	"time"

	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
	"sallyport/links/x2x"
)

// FuzzStream: any bytes in any mode, whole and in pieces: no panic, the same events, every arrival settled, every token back once, and
// nothing from a foreign domain.
func FuzzStream(f *testing.F) {
	f.Add([]byte(good+good+"</stream:stream>"), uint8(0), uint8(3))
	f.Add([]byte(good+"<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='1'/>"), uint8(1), uint8(5))
	f.Add([]byte(hello+framed(1)+framed(2)+"<a xmlns='urn:sallyport:custody:0' l='0' n='1'/><p xmlns='urn:sallyport:custody:0' n='1'/>"), uint8(2), uint8(1))
	f.Add([]byte("\x01\x05"+hello[:5]+"\x01\x3a"+hello[5:]+"\x04\x02\x01\x03\x04\x01\x09"), uint8(18), uint8(3))
	f.Add([]byte("\x05\x00\x05\x01\x01\x0a\x08\x86abc\x01dee"), uint8(16), uint8(3))
	f.Add([]byte("\x01\x03abc\x02\x05hello\x03\x07\x01\x02\x00abcd"), uint8(5), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, kind, piece uint8) {
		var says [2]string
		for i, step := range []int{max(len(in), 1), int(piece%16) + 1} {
			s := streamFor(x2x.Mode(kind%3), func(c *x2x.StreamConfig) {
				if kind&4 != 0 {
					c.Compression = &deflate.Config{Context: deflate.Context(kind >> 3 & 1)}
				}
				c.Records = kind&16 != 0
			})
			tokens := map[uint64]bool{}
			for n := uint64(1); n <= 3; n++ {
				v, _ := s.Send(epoch0, x2x.Item{Element: element(t, good), Token: n, Frame: links.Frame{Epoch: 0xB, Number: n}})
				tokens[n] = v == custody.Transmit
			}
			now := epoch0
			var all []x2x.Event
			for at := 0; at < len(in); at += step {
				s.Feed(now, in[at:min(at+step, len(in))])
				all = append(all, events(s, now)...)
			}
			says[i] = say(all)
			for _, e := range all {
				if e.Kind == x2x.Arrived {
					if e.Malformed == nil && e.Stanza.From().Domain() != "a.example" && e.Stanza.From().Domain() != "rooms.a.example" {
						t.Fatalf("a stanza from %s", e.Stanza.From())
					}
					s.Settled(now, e.Seq)
				}
			}
			for range 20 {
				d := s.Deadline()
				if d.IsZero() {
					break
				}
				if d.After(now) {
					now = d
				}
				s.Tick(now)
				all = append(all, events(s, now)...)
			}
			s.Lost("end")
			all = append(all, events(s, now)...)
			for _, e := range all {
				for _, token := range append(e.Tokens, e.Left...) {
					if !tokens[token] {
						t.Fatalf("token %d came back twice: %s", token, say(all))
					}
					tokens[token] = false
				}
			}
			for token, out := range tokens {
				if out {
					t.Fatalf("token %d never came back: %s", token, say(all))
				}
			}
			if s.Unsettled() != 0 {
				t.Fatalf("%d unsettled", s.Unsettled())
			}
		}
		if says[0] != says[1] {
			t.Fatalf("whole %q, in pieces %q", says[0], says[1])
		}
	})
}

// FuzzTwoStreams: what one writes the other reads, in every mode, with any cut of the bytes, and time passing anyhow.
func FuzzTwoStreams(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 200, 100}, uint8(2))
	f.Add([]byte{0, 0, 9, 9, 0, 17, 33}, uint8(6))
	f.Add([]byte{0, 0, 9, 9, 0, 17, 33}, uint8(18))
	f.Fuzz(func(t *testing.T, script []byte, kind uint8) {
		mode := x2x.Mode(kind % 3)
		compress := func(c *x2x.StreamConfig) {
			if kind&4 != 0 {
				c.Compression = &deflate.Config{Context: deflate.Context(kind >> 3 & 1)}
			}
			c.Records = kind&16 != 0
		}
		a := streamFor(mode, compress, func(c *x2x.StreamConfig) { c.Epoch, c.Remote, c.Local = 0xA, only("b.example"), only("a.example") })
		b := streamFor(mode, compress)
		now := epoch0
		var up, down []byte
		sent, got, confirmed := uint64(0), 0, 0
		move := func(s *x2x.Stream, wire *[]byte, n int) []x2x.Event {
			n = min(n, len(*wire))
			s.Feed(now, (*wire)[:n])
			*wire = (*wire)[n:]
			return events(s, now)
		}
		for _, k := range append(script, bytes.Repeat([]byte{0xFE}, 8)...) {
			switch {
			case k%5 == 0:
				sent++
				if v, err := a.Send(now, x2x.Item{Element: element(t, good), Token: sent, Frame: links.Frame{Epoch: 0xA, Number: sent}}); v != custody.Transmit {
					t.Fatal(v, err)
				}
			case k%5 == 1:
				now = now.Add(time.Duration(k) * time.Millisecond)
				a.Tick(now)
				b.Tick(now)
			}
			up, down = append(up, a.Output(nil)...), append(down, b.Output(nil)...)
			n := int(k)
			if k == 0xFE {
				n = 1 << 20
				now = now.Add(time.Second)
				a.Tick(now)
				b.Tick(now)
				up, down = append(up, a.Output(nil)...), append(down, b.Output(nil)...)
			}
			for _, e := range move(b, &up, n) {
				switch e.Kind {
				case x2x.Arrived:
					got++
					if e.Malformed != nil || mode == x2x.Custody && e.Frame.Number != uint64(got) { //nolint:gosec // small
						t.Fatalf("%+v", e)
					}
					b.Settled(now, e.Seq)
				case x2x.Ended, x2x.Noticed:
					t.Fatalf("%+v", e)
				case x2x.None, x2x.Greeted, x2x.Confirmed:
				}
			}
			for _, e := range move(a, &down, n) {
				if e.Kind == x2x.Ended || e.Kind == x2x.Noticed {
					t.Fatalf("%+v", e)
				}
				confirmed += len(e.Tokens)
			}
		}
		if uint64(got) != sent || mode != x2x.Plain && uint64(confirmed) != sent { //nolint:gosec // small
			t.Fatalf("%d sent, %d arrived, %d confirmed", sent, got, confirmed)
		}
	})
}
