package channel_test

import (
	"bytes"
	"testing"
	"time"

	"sallyport/s5066/channel"
	"sallyport/s5066/modem"

	"github.com/google/go-cmp/cmp"
)

func TestOneTransmissionIsHeardBlockByBlock(t *testing.T) {
	t.Parallel()
	b := newBench(t, channel.Config{Stations: 2, Paths: channel.Everybody(clean(t))})
	data := bytesOf(200)
	b.key(0, 0, 7, waveform(t, "110a-1200-short"), data)
	b.until(forever)
	want := []string{
		"0.20 0 keyed 7",
		"0.80 1 carrier 110a-1200-short",
		"2.05 1 data 90",
		"2.65 1 data 90",
		"2.65 0 sent 7", // 0.2 + 0.6 + 3 × 0.6 s, and 0.05 s of key-down
		"3.25 1 data 20",
		"3.25 1 carrier off",
	}
	if d := cmp.Diff(want, b.story()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := b.heard(1); !bytes.Equal(got, data) {
		t.Errorf("heard %q", got)
	}
	if _, more := b.sim.Deadline(); more {
		t.Error("something is still planned on a silent channel")
	}
}

func TestWhatMeetsOnTheAir(t *testing.T) {
	t.Parallel()
	short := waveform(t, "110a-1200-short")
	chain := func(from, to int) channel.Path { // 0 and 2 do not hear each other
		if from-to == 2 || to-from == 2 {
			return channel.Path{}
		}
		return clean(t)
	}
	near := func(from, _ int) channel.Path { // 2 is much stronger than 0
		return channel.Path{Profile: profile(t, "clean"), SNR: map[int]float64{0: 20, 1: 20, 2: 35}[from]}
	}
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	type keying struct {
		at      time.Duration
		station int
	}
	for name, c := range map[string]struct {
		cfg  channel.Config
		keys []keying
		want []string // outcomes by transmission
	}{
		"both at once, neither hears": {
			channel.Config{Stations: 2, Paths: channel.Everybody(clean(t))},
			[]keying{{0, 0}, {100 * time.Millisecond, 1}},
			[]string{"1 deaf 0;", "0 deaf 0;"},
		},
		"both at once, the third hears neither": {
			channel.Config{Stations: 3, Paths: channel.Everybody(clean(t))},
			[]keying{{0, 0}, {time.Second, 1}},
			[]string{"1 deaf 0;2 collided 0;", "0 deaf 0;2 collided 0;"},
		},
		"one after the other": {
			channel.Config{Stations: 3, Paths: channel.Everybody(clean(t))},
			[]keying{{0, 0}, {4 * time.Second, 1}},
			[]string{"1 received 200;2 received 200;", "0 received 200;2 received 200;"},
		},
		"a hidden station keys into it": {
			channel.Config{Stations: 3, Paths: chain},
			[]keying{{0, 0}, {1200 * time.Millisecond, 2}},
			[]string{"1 collided 90;", "1 collided 0;"}, // at 1.4 s the first block is through
		},
		"the stronger one lives": {
			channel.Config{Stations: 3, Paths: near, Capture: 10},
			[]keying{{0, 0}, {1200 * time.Millisecond, 2}},
			[]string{"1 collided 90;2 deaf 0;", "0 deaf 0;1 received 200;"},
		},
		"the stronger one is not disturbed": {
			channel.Config{Stations: 3, Paths: near, Capture: 10},
			[]keying{{0, 2}, {1200 * time.Millisecond, 0}},
			[]string{"0 deaf 0;1 received 200;", "1 collided 0;2 deaf 0;"},
		},
		"keyed before the decoder was empty": {
			channel.Config{Stations: 2, Paths: channel.Everybody(clean(t))},
			[]keying{{0, 0}, {2700 * time.Millisecond, 1}},
			[]string{"1 deaf 180;", "0 received 200;"},
		},
		"an outage in the middle": {
			channel.Config{Stations: 2, Paths: channel.Everybody(clean(t)), Windows: []channel.Window{{From: at(2.1), To: at(60), Kind: channel.Outage}}},
			[]keying{{0, 0}, {10 * time.Second, 0}, {61 * time.Second, 0}},
			[]string{"1 cut 180;", "1 cut 0;", "1 received 200;"},
		},
		"one station is jammed": {
			channel.Config{Stations: 3, Paths: channel.Everybody(clean(t)), Windows: []channel.Window{{From: at(1.5), To: at(60), Kind: channel.Jam, Stations: []int{2}}}},
			[]keying{{0, 0}, {10 * time.Second, 0}},
			[]string{"1 received 200;2 collided 90;", "1 received 200;2 collided 0;"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.cfg)
			for i, k := range c.keys {
				b.key(k.at, k.station, uint32(i), short, bytesOf(200))
			}
			b.until(forever)
			for i, want := range c.want {
				if got := b.outcomes(i + 1); got != want {
					t.Errorf("transmission %d: got %q, want %q\n%v", i+1, got, want, b.story())
				}
			}
			if got := b.sim.Stats().Receptions[channel.Pending]; got != 0 {
				t.Errorf("%d receptions never ended", got)
			}
			for i := range c.cfg.Stations {
				if b.sim.Carrier(i).On || b.sim.Keyed(i) {
					t.Errorf("station %d busy %v keyed %v after all", i, b.sim.Carrier(i).On, b.sim.Keyed(i))
				}
			}
		})
	}
}

func TestOrdersThatCannotBe(t *testing.T) {
	t.Parallel()
	w := waveform(t, "110a-75-long")
	b := newBench(t, channel.Config{Stations: 2, Paths: channel.Everybody(clean(t))})
	b.key(0, 0, 1, modem.Waveform{}, bytesOf(1))
	b.key(0, 0, 2, w, nil)
	b.key(0, 0, 3, w, bytesOf(100_000)) // three hours
	b.key(0, 0, 4, w, bytesOf(10))
	b.key(0, 0, 5, w, bytesOf(10))
	b.until(6 * time.Second)
	if err := b.sim.Order(start.Add(6*time.Second), 0, modem.Abort{ID: 4}); err != nil {
		t.Fatal(err)
	}
	b.until(forever)
	want := []string{
		"0.00 0 lost 1, refused", "0.00 0 lost 2, refused", "0.00 0 lost 3, refused", "0.00 0 lost 5, busy",
		"0.20 0 keyed 4", "0.80 1 carrier 110a-75-long", "6.05 0 lost 4, aborted", "10.85 1 carrier off",
	}
	if d := cmp.Diff(want, b.story()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if err := b.sim.Key(start, 2, w, bytesOf(1), 9); err == nil {
		t.Error("a station that is not there keyed")
	}
}
