package links_test

import (
	"testing"
	"time"

	"sallyport/links"
)

// TestProfileTimers: what follows from a profile stays within its bounds and follows rate and round trip.
func TestProfileTimers(t *testing.T) {
	satellite := links.Profile{BitsPerSecond: 64_000, RoundTrip: 600 * time.Millisecond}
	thin := links.Profile{BitsPerSecond: 2400, RoundTrip: 8 * time.Second, HalfDuplex: true, Patience: 3}
	rows := []struct {
		name      string
		profile   links.Profile
		window    int
		handshake time.Duration
		answer    time.Duration // after 10 kB
		gather    time.Duration
	}{
		{"fast network", links.Profile{}, 4 << 20, 10 * time.Second, 30 * time.Second, 0},
		{"satellite", satellite, 64 << 10, 13936 * time.Millisecond, 33700 * time.Millisecond, 60 * time.Millisecond},
		{"thin and half duplex", thin, 64 << 10, 102960 * time.Millisecond, 391120 * time.Millisecond, 2 * time.Second},
	}
	near := func(a, b time.Duration) bool { return (a - b).Abs() < 10*time.Millisecond }
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := row.profile
			if got := p.WindowBytes(); got != row.window {
				t.Errorf("window %d, want %d", got, row.window)
			}
			if got := p.HandshakeTimeout(); !near(got, row.handshake) {
				t.Errorf("handshake %v, want %v", got, row.handshake)
			}
			if got := p.AnswerTimeout(10_000); !near(got, row.answer) {
				t.Errorf("answer %v, want %v", got, row.answer)
			}
			if got := p.Gather(); got != row.gather {
				t.Errorf("gather %v, want %v", got, row.gather)
			}
			if p.RetryFirst() >= p.RetryMost() {
				t.Errorf("retries from %v to %v", p.RetryFirst(), p.RetryMost())
			}
		})
	}
}

// TestWindows: when a link is open, and when to look again.
func TestWindows(t *testing.T) {
	rows := []struct {
		name, windows, at string
		open              bool
		again             string
	}{
		{"in the window", "08:00-10:30", "09:00", true, "10:30"},
		{"at its begin", "08:00-10:30", "08:00", true, "10:30"},
		{"at its end", "08:00-10:30", "10:30", false, "08:00"},
		{"before it", "08:00-10:30", "06:00", false, "08:00"},
		{"over midnight, evening", "22:00-06:30", "23:00", true, "06:30"},
		{"over midnight, morning", "22:00-06:30", "01:00", true, "06:30"},
		{"over midnight, day", "22:00-06:30", "12:00", false, "22:00"},
		{"the whole day", "00:00-00:00", "12:00", true, "00:00"},
	}
	clock := func(text string) time.Time {
		at, err := time.Parse("2006-01-02 15:04", "2026-03-01 "+text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w, err := links.ParseWindow(row.windows)
			if err != nil || w.String() != row.windows {
				t.Fatalf("%v, %v", w, err)
			}
			open, again := links.Profile{Windows: []links.Window{w}}.Open(clock(row.at))
			if open != row.open || again.Format("15:04") != row.again {
				t.Errorf("%v until %v, want %v until %s", open, again, row.open, row.again)
			}
		})
	}
	for _, bad := range []string{"", "8:00-10:00", "08:00-24:00", "08:60-09:00", "08:00 10:00", "-1:00-02:00", "08:00-10:00x"} {
		if w, err := links.ParseWindow(bad); err == nil {
			t.Errorf("%q was read as %v", bad, w)
		}
	}
}

func TestStateWords(t *testing.T) {
	takes := 0
	for s := links.Down; s <= links.Up; s++ {
		if again, err := links.ParseState(s.String()); err != nil || again != s {
			t.Errorf("%v read again: %v, %v", s, again, err)
		}
		if s.Takes() {
			takes++
		}
	}
	if _, err := links.ParseState("fine"); err == nil || takes != 2 || links.State(0).Takes() {
		t.Error("a state of nobody, or one that takes too much")
	}
}

// TestStory: bounded in attempts, steps and words, and copies cannot change it.
func TestStory(t *testing.T) {
	var s links.Story
	now := time.Unix(0, 0)
	for range 50 {
		a := &links.Attempt{At: now}
		s.Begin(a)
		for range 100 {
			a.Say(now.Add(time.Second), "connected\n\x1b[2J"+string(make([]byte, 1000)))
		}
		a.Fail(now, "refused", "start the other end")
	}
	tale := s.Tell()
	if len(tale) != 12 || len(tale[0].Steps) != 24 || len(tale[0].Steps[0].Words) > 300 || tale[0].Steps[0].Words[:10] != "connected?" {
		t.Fatalf("%d attempts, %d steps: %+v", len(tale), len(tale[0].Steps), tale[0].Steps[0])
	}
	tale[0].Steps[0].Words = "changed"
	if s.Tell()[0].Steps[0].Words == "changed" || tale[0].Advice == "" {
		t.Error("the story was changed through a copy")
	}
}

func TestFrameValid(t *testing.T) {
	rows := []struct {
		name  string
		frame links.Frame
		valid bool
	}{
		{"zero", links.Frame{}, false},
		{"no number", links.Frame{Epoch: 1}, false},
		{"no epoch", links.Frame{Number: 1}, false},
		{"lane beyond", links.Frame{Epoch: 1, Number: 1, Lane: links.Lanes}, false},
		{"good", links.Frame{Epoch: 1, Number: 1, Lane: links.Lanes - 1}, true},
	}
	for _, row := range rows {
		if row.frame.Valid() != row.valid || row.frame.IsZero() != (row.name == "zero") {
			t.Errorf("%s: valid %v", row.name, row.frame.Valid())
		}
	}
}

// TestAckDelay: how long an acknowledgement waits for company, and that the peer's window outlasts it.
func TestAckDelay(t *testing.T) {
	for name, row := range map[string]struct {
		p    links.Profile
		want time.Duration
	}{
		"local":                   {links.Profile{}, 0},
		"satellite":               {links.Profile{BitsPerSecond: 512_000, RoundTrip: 600 * time.Millisecond}, 150 * time.Millisecond},
		"slow satellite":          {links.Profile{BitsPerSecond: 16_000, RoundTrip: 600 * time.Millisecond}, 500 * time.Millisecond},
		"radio, half duplex":      {links.Profile{BitsPerSecond: 9600, RoundTrip: 3 * time.Second, HalfDuplex: true}, 1500 * time.Millisecond},
		"slow radio, half duplex": {links.Profile{BitsPerSecond: 75, RoundTrip: 20 * time.Second, HalfDuplex: true}, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			got := row.p.AckDelay()
			if got != row.want {
				t.Errorf("%v, want %v", got, row.want)
			}
			if line := row.p.Transmit(row.p.WindowBytes()); line > 0 && row.p.RoundTrip+got > line {
				t.Errorf("the window is sent in %v, and its acknowledgement takes %v", line, row.p.RoundTrip+got)
			}
			if got > row.p.AnswerTimeout(0)/4 {
				t.Errorf("%v is near to what makes the peer give up", got)
			}
		})
	}
}
