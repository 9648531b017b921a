package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/gateway/delivery"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/peering"
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

const addrs = " from='u@a.example/r' to='v@b.example'"

var kinds = map[string]string{
	"chat":        "<message type='chat' id='1'" + addrs + "><body>x</body></message>",
	"room":        "<message type='groupchat' id='1'" + addrs + "><body>x</body></message>",
	"state":       "<message type='chat'" + addrs + "><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
	"receipt":     "<message" + addrs + "><received id='1' xmlns='urn:xmpp:receipts'/></message>",
	"error":       "<message type='error'" + addrs + "><error/></message>",
	"request":     "<iq type='get' id='1'" + addrs + "><q xmlns='urn:q'/></iq>",
	"result":      "<iq type='result' id='1'" + addrs + "/>",
	"available":   "<presence" + addrs + "/>",
	"unavailable": "<presence type='unavailable'" + addrs + "/>",
	"probe":       "<presence type='probe'" + addrs + "/>",
	"subscribe":   "<presence type='subscribe'" + addrs + "/>",
}

func TestTo(t *testing.T) {
	t.Parallel()
	const nothing = "nothing"
	tests := []struct {
		state delivery.State
		want  map[string]string // by kind; what is not named is told nothing
	}{
		{delivery.Sent, nil},
		{delivery.Relayed, nil},
		{delivery.Delivered, nil},
		{delivery.Superseded, nil},
		{delivery.Expired, map[string]string{"chat": "expired", "room": "overloaded", "request": "expired", "subscribe": "expired"}},
		{delivery.LinkDown, map[string]string{"chat": "expired", "room": "expired", "request": "expired", "subscribe": "expired"}},
		{delivery.TakenOut, map[string]string{"chat": "undelivered", "room": "too-big", "request": "undelivered", "subscribe": "undelivered"}},
		{delivery.TooBig, map[string]string{"chat": "too-big", "room": "too-big", "request": "too-big", "subscribe": "too-big"}},
		{delivery.NoRoom, map[string]string{"chat": "overloaded", "room": "overloaded", "request": "overloaded", "subscribe": "overloaded"}},
		{delivery.Uncertain, map[string]string{"chat": "in-doubt", "room": "overloaded", "request": "in-doubt"}},
		{delivery.NoAnswer, map[string]string{"request": "undelivered"}},
	}
	for _, tc := range tests {
		for kind, text := range kinds {
			t.Run(fmt.Sprintf("%s/%s", tc.state, kind), func(t *testing.T) {
				t.Parallel()
				a := delivery.To(read(t, text), tc.state)
				got, want := nothing, tc.want[kind]
				if !a.IsNothing() {
					got = a.Cause.String()
				}
				if want == "" {
					want = nothing
				}
				if got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if !a.IsNothing() && a.Told.String() == "" {
					t.Error("an error without a sentence")
				}
			})
		}
	}
	if a := delivery.To(stanza.Stanza{}, delivery.Expired); !a.IsNothing() {
		t.Errorf("no stanza is answered %v", a)
	}
}

// TestRoomsKeepWhoIsThere: only a link that is down may cost an occupant his place.
func TestRoomsKeepWhoIsThere(t *testing.T) {
	t.Parallel()
	for s := delivery.Sent; s <= delivery.Superseded; s++ {
		if a := delivery.To(read(t, kinds["room"]), s); a.Cause.RemovesOccupant() != (s == delivery.LinkDown) {
			t.Errorf("%v: %v", s, a.Cause)
		}
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	at := func(h float64) time.Time { return noon.Add(time.Duration(h * float64(time.Hour))) }
	tests := []struct {
		name string
		down time.Time
		want delivery.State
	}{
		{"a link works", time.Time{}, delivery.Expired},
		{"down before it came", at(-5), delivery.LinkDown},
		{"down just after it came", at(0.1), delivery.LinkDown},
		{"down for the last of ten hours", at(9), delivery.Expired},
		{"a clock that went back", at(11), delivery.Expired},
	}
	for _, tc := range tests {
		if got := delivery.Ended(noon, at(10), tc.down); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestLate(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		kind   string
		after  time.Duration
		waited time.Duration
		want   bool
	}{
		{"at once", "chat", 0, time.Second, false},
		{"half a minute", "chat", 0, 30 * time.Second, true},
		{"as configured", "chat", time.Hour, 59 * time.Minute, false},
		{"never", "chat", -1, time.Hour, false},
		{"room", "room", 0, time.Hour, true},
		{"presence", "available", 0, time.Hour, true},
		{"request", "request", 0, time.Hour, false},
		{"error", "error", 0, time.Hour, false},
		{"subscription", "subscribe", 0, time.Hour, false},
		{"a clock that went back", "chat", 0, -time.Hour, false},
	}
	for _, tc := range tests {
		o := delivery.Options{After: tc.after}
		if got := o.Late(read(t, kinds[tc.kind]), noon, noon.Add(tc.waited)); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if (delivery.Options{}).Late(read(t, kinds["chat"]), time.Time{}, noon) {
		t.Error("what nobody knows the age of is late")
	}
	var none peering.Released
	if got := (delivery.Options{}).Leaving(none, noon, noon.Add(time.Hour)); !got.IsZero() {
		t.Error("a stamp on nothing")
	}
}

func TestAnswerBy(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	night, err := links.ParseWindow("22:00-23:00")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		p        links.Profile
		ahead    int
		from, to time.Duration
	}{
		{"a fast network", links.Profile{}, 0, 2 * time.Minute, 2 * time.Minute},
		{"a satellite", links.Profile{BitsPerSecond: 64000, RoundTrip: 600 * time.Millisecond}, 0, 2 * time.Minute, 3 * time.Minute},
		{"a radio", links.Profile{BitsPerSecond: 1200, RoundTrip: 20 * time.Second, HalfDuplex: true, Patience: 10}, 0, 20 * time.Minute, time.Hour},
		{"a radio with a queue", links.Profile{BitsPerSecond: 1200, RoundTrip: 20 * time.Second}, 90_000, 22 * time.Minute, 25 * time.Minute},
		{"closed until night", links.Profile{Windows: []links.Window{night}}, 0, 10 * time.Hour, 10*time.Hour + 5*time.Minute},
		{"hopeless", links.Profile{BitsPerSecond: 1}, 1 << 30, 24 * time.Hour, 24 * time.Hour},
		{"a negative queue", links.Profile{BitsPerSecond: 1000000}, -1 << 40, 2 * time.Minute, 3 * time.Minute},
	}
	for _, tc := range tests {
		if got := delivery.AnswerBy(tc.p, noon, tc.ahead).Sub(noon); got < tc.from || got > tc.to {
			t.Errorf("%s: %v, want %v to %v", tc.name, got, tc.from, tc.to)
		}
	}
}

// TestSlowerLinksWaitLonger: nothing that makes a link slower makes the wait shorter.
func TestSlowerLinksWaitLonger(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		p := links.Profile{
			BitsPerSecond: rapid.Int64Range(75, 10_000_000).Draw(t, "rate"), Patience: rapid.IntRange(0, 100).Draw(t, "patience"),
			RoundTrip: time.Duration(rapid.IntRange(0, 600).Draw(t, "round trip")) * time.Second, HalfDuplex: rapid.Bool().Draw(t, "half"),
		}
		ahead := rapid.IntRange(0, 1<<20).Draw(t, "ahead")
		base := delivery.AnswerBy(p, noon, ahead)
		slower := p
		slower.BitsPerSecond /= 2
		slower.RoundTrip += time.Second
		slower.Patience++
		if got := delivery.AnswerBy(slower, noon, ahead+1000); got.Before(base) && !p.HalfDuplex {
			t.Fatalf("%v waits until %v, slower until %v", p, base, got)
		}
	})
}

func TestStateWords(t *testing.T) {
	t.Parallel()
	for s := delivery.Sent; s <= delivery.Superseded; s++ {
		if got, err := delivery.ParseState(s.String()); err != nil || got != s {
			t.Errorf("%v: read back as %v, %v", s, got, err)
		}
	}
	if _, err := delivery.ParseState("state(11)"); err == nil {
		t.Error("a number is a state")
	}
}
