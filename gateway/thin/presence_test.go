package thin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/stanza"
)

var start = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// word reads one word of a script: the resource, then what it is: r+ there, r-away, r0 gone.
func word(t testing.TB, w string) stanza.Stanza {
	from := " from='u@a.example/" + w[:1] + "' to='v@b.example'"
	switch what := w[1:]; what {
	case "+":
		return read(t, "<presence"+from+"/>")
	case "0":
		return read(t, "<presence type='unavailable'"+from+"/>")
	case "?":
		return read(t, "<presence type='probe'"+from+"/>")
	case "!":
		return read(t, "<presence type='subscribe'"+from+"/>")
	case "#": // a nickname in a room
		return read(t, "<presence from='u@a.example/"+w[:1]+"' to='room@b.example/nick'/>")
	default:
		return read(t, "<presence"+from+"><show>"+what+"</show></presence>")
	}
}

// said is the inverse, for what came out.
func said(s stanza.Stanza) string {
	r := s.From().Resource()
	switch s.Type() {
	case stanza.PresenceUnavailable:
		return r + "0"
	case stanza.PresenceProbe:
		return r + "?"
	case stanza.PresenceSubscribe:
		return r + "!"
	default:
		if s.To().IsFull() {
			return r + "#"
		}
		if show, _ := s.Show(); show != stanza.Online {
			return r + show.String()
		}
		return r + "+"
	}
}

func TestPresence(t *testing.T) {
	t.Parallel()
	// A script is one step a minute; "." is a minute without anything, ">" something heard from the far side.
	tests := []struct {
		name   string
		mode   thin.Mode
		script string
		want   string // what leaves, with the minute; the interval is 5
		drops  map[thin.Reason]int
	}{
		{"whole", thin.Whole, "a+ a+ aaway a0", "0:a+ 1:a+ 2:aaway 3:a0", nil},
		{"folded, nothing new", thin.Folded, "a+ a+ aaway aaway a0 a0", "0:a+ 2:aaway 4:a0 5:a0", map[thin.Reason]int{thin.PresenceUnchanged: 2}},
		{"folded, two resources", thin.Folded, "a+ b+ a+ b0 a0", "0:a+ 1:b+ 3:b0 4:a0", map[thin.Reason]int{thin.PresenceUnchanged: 1}},
		{"folded, probed", thin.Folded, "a+ > a+", "0:a+ 2:a+", nil},
		{"coarse, the latest wins", thin.Coarse, "a+ aaway adnd axa . . .", "0:a+ 5:axa", map[thin.Reason]int{thin.PresenceSuperseded: 2}},
		{"coarse, back again", thin.Coarse, "a+ aaway a+ . . . . .", "0:a+", map[thin.Reason]int{thin.PresenceSuperseded: 1, thin.PresenceUnchanged: 1}},
		{"coarse, gone is not lost", thin.Coarse, "a+ a0 . . . . . .", "0:a+ 5:a0", nil},
		{"coarse, gone before others", thin.Coarse, "a+ b+ caway a0 . . . . . . . . . . . .", "0:a+ 5:a0 10:b+ 15:caway", nil},
		{"coarse, flapping", thin.Coarse, "a+ a0 a+ a0 a+ a0 a+ a0 a+ a0 . . . . . .", "0:a+ 5:a0", map[thin.Reason]int{thin.PresenceSuperseded: 4, thin.PresenceUnchanged: 4}},
		{"coarse, late", thin.Coarse, "a+ . . . . . . aaway adnd . . . . .", "0:a+ 7:aaway 12:adnd", nil},
		{"coarse, rooms do not wait", thin.Coarse, "a+ a# a# a!", "0:a+ 1:a# 2:a# 3:a!", nil},
		{"coarse, probed", thin.Coarse, "a+ > a+ . . . . . .", "0:a+ 5:a+", nil},
		{"off", thin.Off, "a+ aaway a0 a+ a0 a? a! a#", "2:a0 6:a! 7:a#", map[thin.Reason]int{thin.PresenceOff: 5}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := thin.NewPresence(thin.Options{Presence: tc.mode, Interval: 5 * time.Minute})
			var left []string
			drops := map[thin.Reason]int{}
			for i, w := range strings.Fields(tc.script) {
				now := start.Add(time.Duration(i) * time.Minute)
				outs := p.Due(nil, now)
				switch w {
				case ".":
				case ">":
					p.Heard(read(t, "<presence type='probe' from='v@b.example' to='u@a.example'/>"))
				default:
					outs = p.Put(outs, now, uint64(i), word(t, w))
				}
				for _, o := range outs {
					if o.Fate == thin.Sent {
						left = append(left, fmt.Sprintf("%d:%s", i, said(o.Stanza)))
					} else {
						drops[o.Reason]++
					}
				}
			}
			if got := strings.Join(left, " "); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			for r, n := range tc.drops {
				if drops[r] != n {
					t.Errorf("dropped %v %d times, want %d (%v)", r, drops[r], n, drops)
				}
			}
		})
	}
}

func TestPresenceIsBounded(t *testing.T) {
	t.Parallel()
	for _, mode := range []thin.Mode{thin.Folded, thin.Coarse, thin.Off} {
		p := thin.NewPresence(thin.Options{Presence: mode, MaxContacts: 50})
		var outs []thin.Out
		for i := range 5000 {
			s := read(t, fmt.Sprintf("<presence from='u%d@a.example/r%d' to='v@b.example'/>", i%700, i%3))
			outs = p.Put(outs, start, uint64(2*i), s)
			off := read(t, fmt.Sprintf("<presence type='unavailable' from='u%d@a.example/r%d' to='v@b.example'/>", i%700, i%3))
			outs = p.Put(outs, start, uint64(2*i+1), off)
		}
		if n := p.Waiting(); n > 50 {
			t.Errorf("%v: %d wait, 50 at most", mode, n)
		}
		outs = p.Flush(outs, start)
		if len(outs) != 10000 {
			t.Errorf("%v: %d came out of 10000", mode, len(outs))
		}
	}
}

func TestCaps(t *testing.T) {
	t.Parallel()
	c := thin.NewCaps(100)
	with, other := there(caps), strings.Replace(there(caps), "v1", "v2", 1)
	steps := []struct {
		name, in, out string
	}{
		{"first", with, with},
		{"again", with, there("")},
		{"again, with a change", there("<show>away</show>" + caps), there("<show>away</show>")},
		{"others", other, other},
		{"back", with, with},
		{"to a room", strings.Replace(with, "v@b.example", "v@b.example/n", 1), strings.Replace(with, "v@b.example", "v@b.example/n", 1)},
		{"joining", there(caps + joins), there(caps + joins)},
		{"still known", with, there("")},
		{"gone", "<presence" + addrs + " type='unavailable'/>", "<presence" + addrs + " type='unavailable'/>"},
		{"there again", with, with},
	}
	for _, step := range steps {
		got, saved := c.Leaving(read(t, step.in))
		if want := write(t, read(t, step.out)); write(t, got) != want || (saved > 0) != (step.in != step.out) {
			t.Errorf("%s: got %s, saved %d, want %s", step.name, write(t, got), saved, want)
		}
	}
	c.Heard(read(t, "<presence type='probe' from='v@b.example' to='u@a.example'/>"))
	if got, _ := c.Leaving(read(t, with)); write(t, got) != write(t, read(t, with)) {
		t.Error("who probes is not told capabilities anew")
	}
	c.Lost(read(t, with))
	if got, _ := c.Leaving(read(t, with)); write(t, got) != write(t, read(t, with)) {
		t.Error("what was lost is not told anew")
	}
}
