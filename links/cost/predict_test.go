package cost_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/cost"
	"sallyport/links/deflate"
)

var six = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// playing hands out entries.
func playing(entries []cost.Entry) func() (cost.Entry, error) {
	return func() (cost.Entry, error) {
		if len(entries) == 0 {
			return cost.Entry{}, io.EOF
		}
		e := entries[0]
		entries = entries[1:]
		return e, nil
	}
}

// sized is a chat of exactly that many bytes.
func sized(t testing.TB, bytes int, lane int) stanza.Stanza {
	t.Helper()
	text := fmt.Sprintf("<message from='u@a.example' id='%d' to='v@b.example' type='chat'><body></body></message>", lane)
	return read(t, strings.Replace(text, "<body>", "<body>"+strings.Repeat("x", bytes-len(text)), 1))
}

func byID(s stanza.Stanza) uint8 { return s.ID()[0] - '0' }

func predict(t testing.TB, o cost.Options, entries ...cost.Entry) *cost.Report {
	t.Helper()
	r, err := cost.Predict(playing(entries), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPredict(t *testing.T) {
	t.Parallel()
	at := func(seconds int, d cost.Direction, bytes, lane int) cost.Entry {
		return cost.Entry{Time: six.Add(time.Duration(seconds) * time.Second), Direction: d, Stanza: sized(t, bytes, lane)}
	}
	slow := links.Profile{BitsPerSecond: 1000, RoundTrip: 2 * time.Second} // 125 bytes a second
	half := slow
	half.HalfDuplex = true
	night := slow
	w, err := links.ParseWindow("22:00-23:00")
	if err != nil {
		t.Fatal(err)
	}
	night.Windows = []links.Window{w}
	tests := []struct {
		name    string
		profile links.Profile
		in      []cost.Entry
		waits   [links.Lanes]time.Duration // the longest of each lane
		air     [2]time.Duration
		turns   int64
	}{
		{"one", slow, []cost.Entry{at(0, cost.Out, 250, 0)}, [links.Lanes]time.Duration{3 * time.Second}, [2]time.Duration{2 * time.Second, 0}, 0},
		{"rate is no concern", links.Profile{}, []cost.Entry{at(0, cost.Out, 250, 0)}, [links.Lanes]time.Duration{}, [2]time.Duration{}, 0},
		{"two at once wait for one another", slow, []cost.Entry{at(0, cost.Out, 250, 0), at(0, cost.Out, 250, 0)}, [links.Lanes]time.Duration{5 * time.Second}, [2]time.Duration{4 * time.Second, 0}, 0},
		{"the two ways do not", slow, []cost.Entry{at(0, cost.Out, 250, 0), at(0, cost.In, 250, 0)}, [links.Lanes]time.Duration{3 * time.Second}, [2]time.Duration{2 * time.Second, 2 * time.Second}, 0},
		{"on half duplex they do, with a turn", half, []cost.Entry{at(0, cost.Out, 250, 0), at(0, cost.In, 250, 0)}, [links.Lanes]time.Duration{6 * time.Second}, [2]time.Duration{2 * time.Second, 2 * time.Second}, 1},
		{"flash overtakes what has not begun", slow, []cost.Entry{at(0, cost.Out, 250, 0), at(0, cost.Out, 250, 0), at(1, cost.Out, 250, 3)}, [links.Lanes]time.Duration{7 * time.Second, 0, 0, 4 * time.Second}, [2]time.Duration{6 * time.Second, 0}, 0},
		{"the line is quiet in between", slow, []cost.Entry{at(0, cost.Out, 250, 0), at(10, cost.Out, 250, 0)}, [links.Lanes]time.Duration{3 * time.Second}, [2]time.Duration{4 * time.Second, 0}, 0},
		{"closed until night", night, []cost.Entry{at(0, cost.Out, 250, 0)}, [links.Lanes]time.Duration{16*time.Hour + 3*time.Second}, [2]time.Duration{2 * time.Second, 0}, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := predict(t, cost.Options{Profile: tc.profile, Class: byID}, tc.in...)
			for lane, want := range tc.waits {
				if got := r.Classes[lane].Longest; got != want {
					t.Errorf("lane %d waits %v, want %v", lane, got, want)
				}
			}
			if r.Air != tc.air || r.Turns != tc.turns {
				t.Errorf("air %v, %d turns, want %v, %d", r.Air, r.Turns, tc.air, tc.turns)
			}
			if r.Total.Stanzas != int64(len(tc.in)) || r.Total.Line != int64(250*len(tc.in)) {
				t.Errorf("%d stanzas, %d bytes", r.Total.Stanzas, r.Total.Line)
			}
		})
	}
}

func TestPredictFraming(t *testing.T) {
	t.Parallel()
	one := cost.Entry{Time: six, Stanza: sized(t, 400, 0)}
	p := links.Profile{BitsPerSecond: 1000}
	bare := predict(t, cost.Options{Profile: p}, one)
	framed := predict(t, cost.Options{Profile: p, Custody: true}, one)
	packed := predict(t, cost.Options{Profile: p, Compression: &deflate.Config{}}, one)
	both := predict(t, cost.Options{Profile: p, Custody: true, Compression: &deflate.Config{}}, one)
	if bare.Total.Line != 400 || bare.Acks != 0 {
		t.Errorf("bare: %d bytes, %d of acknowledgements", bare.Total.Line, bare.Acks)
	}
	if d := framed.Total.Line - 400; d < 60 || d > 120 || framed.Acks == 0 {
		t.Errorf("custody takes %d bytes, %d of acknowledgements", d, framed.Acks)
	}
	if packed.Total.Line > 150 || both.Total.Line-packed.Total.Line > 10 || both.Total.Line <= packed.Total.Line {
		t.Errorf("compressed %d, with custody %d", packed.Total.Line, both.Total.Line)
	}
	many := make([]cost.Entry, 50)
	for i := range many {
		many[i] = one
	}
	if got := predict(t, cost.Options{Profile: links.Profile{BitsPerSecond: 1000, HalfDuplex: true, RoundTrip: 8 * time.Second}, Custody: true}, many...); got.Acks > 20*framed.Acks {
		t.Errorf("50 stanzas are acknowledged with %d bytes, one with %d", got.Acks, framed.Acks)
	}
}

// holding keeps every second stanza for a minute and drops every third.
type holding struct {
	n    int
	held []stanza.Stanza
	next time.Time
	back int
}

func (h *holding) Put(now time.Time, s stanza.Stanza) []cost.Sent {
	h.n++
	switch {
	case h.n%3 == 0:
		return nil
	case h.n%3 == 2:
		h.held = append(h.held, s)
		if h.next.IsZero() {
			h.next = now.Add(time.Minute)
		}
		return nil
	}
	return []cost.Sent{{Stanza: s}}
}

func (h *holding) Due(time.Time) (out []cost.Sent) {
	for _, s := range h.held {
		out = append(out, cost.Sent{Stanza: s})
	}
	h.held, h.next = nil, time.Time{}
	return out
}

func (h *holding) Next() time.Time                 { return h.next }
func (h *holding) Flush(now time.Time) []cost.Sent { return h.Due(now) }
func (h *holding) Heard(stanza.Stanza)             { h.back++ }

func TestPredictThinned(t *testing.T) {
	t.Parallel()
	var made []*holding
	o := cost.Options{Profile: links.Profile{BitsPerSecond: 8000}, Thin: func() cost.Thinner {
		made = append(made, &holding{})
		return made[len(made)-1]
	}}
	var in []cost.Entry
	for i := range 9 {
		in = append(in, cost.Entry{Time: six.Add(time.Duration(i) * time.Second), Stanza: sized(t, 200, 0)})
	}
	in = append(in, cost.Entry{Time: six.Add(10 * time.Second), Direction: cost.In, Stanza: sized(t, 200, 0)})
	r := predict(t, o, in...)
	if r.Total.Stanzas != 10 || r.Total.Recorded != 2000 || r.Total.Sent != 7 || r.Total.Thinned != 1400 {
		t.Errorf("%+v", r.Total)
	}
	if len(made) != 2 || made[0].back != 1 || made[1].back != 9 {
		t.Errorf("%d thinners; what came from the other side: %+v", len(made), made)
	}
	if !r.Drained.After(six.Add(time.Minute)) {
		t.Errorf("what was held for a minute left at %v", r.Drained)
	}
}

func TestPredictErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := cost.Predict(func() (cost.Entry, error) { return cost.Entry{}, broken }, cost.Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	bad := cost.Options{Thin: func() cost.Thinner { return &wrongList{} }}
	if _, err := cost.Predict(playing([]cost.Entry{{Time: six, Stanza: sized(t, 200, 0)}}), bad); !errors.Is(err, cost.ErrRecording) {
		t.Errorf("a list on a chat: %v", err)
	}
	if r := predict(t, cost.Options{}); r.Total.Stanzas != 0 || r.Use != 0 {
		t.Errorf("nothing costs %+v", r.Total)
	}
}

type wrongList struct{ holding }

func (*wrongList) Put(_ time.Time, s stanza.Stanza) []cost.Sent {
	return []cost.Sent{{Stanza: s, Also: []jid.JID{jid.MustParse("w@b.example")}}}
}
func (*wrongList) Heard(stanza.Stanza) {}
func (*wrongList) Next() time.Time     { return time.Time{} }

// TestPredictAddsUp: whatever the traffic, bytes are in a class or in acknowledgements, everything sent arrives, air time is that of the
// bytes, and more bytes never take less of it.
func TestPredictAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := links.Profile{
			BitsPerSecond: rapid.Int64Range(75, 100_000).Draw(rt, "rate"), HalfDuplex: rapid.Bool().Draw(rt, "half"),
			RoundTrip: time.Duration(rapid.IntRange(0, 20000).Draw(rt, "round trip")) * time.Millisecond,
		}
		var in []cost.Entry
		now := six
		for range rapid.IntRange(1, 40).Draw(rt, "n") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(rt, "later")) * time.Millisecond)
			in = append(in, cost.Entry{
				Time: now, Direction: cost.Direction(rapid.IntRange(0, 1).Draw(rt, "direction")), //nolint:gosec // 0 or 1
				Stanza: sized(t, rapid.IntRange(100, 900).Draw(rt, "bytes"), rapid.IntRange(0, 3).Draw(rt, "lane")),
			})
		}
		r := predict(t, cost.Options{Profile: p, Class: byID, Custody: rapid.Bool().Draw(rt, "custody")}, in...)
		var sent, bytes int64
		var air time.Duration
		for _, c := range r.Classes {
			sent, bytes, air = sent+c.Sent, bytes+c.Line, air+c.Air
			if c.Half > c.Most || c.Most > c.Longest {
				rt.Fatalf("ranks out of order: %+v", c)
			}
			if c.Sent > 0 && c.Longest < p.RoundTrip/2 {
				rt.Fatalf("something arrived before it could: %+v", c)
			}
		}
		if sent != int64(len(in)) || bytes+r.Acks != r.Bytes[0]+r.Bytes[1] || air+r.AckAir != r.Air[0]+r.Air[1] {
			rt.Fatalf("sent %d of %d, %d+%d of %d bytes, %v+%v of %v", sent, len(in), bytes, r.Acks, r.Bytes[0]+r.Bytes[1], air, r.AckAir, r.Air)
		}
		if d := (air - p.Transmit(int(bytes))).Abs(); d > time.Millisecond {
			rt.Fatalf("%v of air for %d bytes", air, bytes)
		}
	})
}

func TestTrain(t *testing.T) {
	t.Parallel()
	var in []cost.Entry
	for i := range 400 {
		text := fmt.Sprintf("<message from='user%d@office.example/phone' to='other%d@ships.example' type='chat' id='m%d'>"+
			"<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking>RESTRICTED</displaymarking></securitylabel><body>Confidential phrase</body></message>", i%40, i%40, i)
		in = append(in, cost.Entry{Time: six, Stanza: read(t, text)})
	}
	dict, r, err := cost.Train(playing(in), cost.TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Samples+r.HeldOut != len(in) || r.HeldOut == 0 || r.Samples == 0 || r.ID != dict.ID() || r.Dictionary != dict.Len() {
		t.Errorf("%+v", r)
	}
	if r.With*2 > r.Without || r.Without >= r.Plain {
		t.Errorf("held out: %d bytes, %d compressed, %d with the dictionary", r.Plain, r.Without, r.With)
	}
	if strings.Contains(string(dict.Bytes()), "Confidential phrase") {
		t.Error("what people wrote is in the dictionary")
	}
	again, _, err := cost.Train(playing(in), cost.TrainOptions{})
	if err != nil || !slices.Equal(again.Bytes(), dict.Bytes()) {
		t.Error("the same recording makes another dictionary")
	}
	texts, rt, err := cost.Train(playing(in), cost.TrainOptions{Texts: true})
	if err != nil || !strings.Contains(string(texts.Bytes()), "Confidential phrase") || rt.With >= r.With {
		t.Errorf("with texts: %+v, %v", rt, err)
	}
	m, err := cost.Measure(playing(in), dict)
	if err != nil || m.HeldOut != len(in) || m.With >= m.Without {
		t.Errorf("measured %+v, %v", m, err)
	}
	if _, _, err := cost.Train(playing(in[:1]), cost.TrainOptions{}); !errors.Is(err, cost.ErrFew) {
		t.Errorf("of one stanza: %v", err)
	}
	small, _, err := cost.Train(playing(in), cost.TrainOptions{Size: 100})
	if err != nil || small.Len() > 100 {
		t.Errorf("of 100 bytes: %d, %v", small.Len(), err)
	}
}
