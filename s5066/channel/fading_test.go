package channel_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
)

// measured is what many transmissions over one path came to.
type measured struct {
	frames, lost    int // of frameBytes each
	bytes, damaged  int
	missed, keyings int
}

const frameBytes = 200

func (m measured) frameLoss() float64 { return float64(m.lost) / float64(m.frames) }
func (m measured) byteLoss() float64  { return float64(m.damaged) / float64(m.bytes) }
func (m measured) missLoss() float64  { return float64(m.missed) / float64(m.keyings) }

// measure keys n transmissions of about half a minute, one after the other.
func measure(t testing.TB, path channel.Path, w modem.Waveform, seed uint64, n int) measured {
	t.Helper()
	sim, err := channel.New(channel.Config{
		Stations: 2, Radio: modem.DefaultRadio(), Paths: channel.Everybody(path), Seed: seed, Log: channel.LogConfig{Entries: n},
	}, start)
	if err != nil {
		t.Fatal(err)
	}
	size := max(1, w.Bytes(30*time.Second)/frameBytes) * frameBytes
	now := start
	for range n {
		if err := sim.Key(now, 0, w, bytesOf(size), 1); err != nil {
			t.Fatal(err)
		}
		for at, ok := sim.Deadline(); ok; at, ok = sim.Deadline() {
			sim.Tick(at)
			now = at
		}
	}
	var m measured
	for _, tx := range sim.Log() {
		m.count(tx)
	}
	return m
}

func (m *measured) count(tx channel.Transmission) {
	r := tx.Heard[0]
	m.keyings++
	if r.Outcome == channel.Missed {
		m.missed++
		return
	}
	m.bytes += tx.Bytes
	for _, s := range r.Damaged {
		m.damaged += s.To - s.From
	}
	for from := 0; from < tx.Bytes; from += frameBytes {
		m.frames++
		for _, s := range r.Damaged {
			if s.From < from+frameBytes && from < s.To {
				m.lost++
				break
			}
		}
	}
}

// What 1200 bit/s with the short interleaver lose of frames of 200 bytes: the share of the bad state, and what the good one adds.
func TestPresetsLoseWhatTheySay(t *testing.T) {
	t.Parallel()
	w := waveform(t, "110a-1200-short")
	for name, want := range map[string]struct{ least, most float64 }{
		"clean":        {0, 0},
		"surface":      {0.001, 0.012},
		"sky-good":     {0.03, 0.08},
		"sky-moderate": {0.12, 0.21},
		"sky-poor":     {0.42, 0.60},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := measure(t, channel.Path{Profile: profile(t, name)}, w, 7, 300)
			if got := m.frameLoss(); got < want.least || got > want.most {
				t.Errorf("%.3f of frames lost, want %v to %v", got, want.least, want.most)
			}
			t.Logf("frames %.3f, bytes %.4f, preambles %.3f", m.frameLoss(), m.byteLoss(), m.missLoss())
		})
	}
}

func TestWantedFrameLoss(t *testing.T) {
	t.Parallel()
	wanted := []float64{0.05, 0.1, 0.2, 0.3}
	if testing.Short() {
		wanted = wanted[2:3]
	}
	for _, want := range wanted {
		for _, name := range []string{"110a-75-short", "110a-300-long", "110a-2400-short", "4539-9600-medium"} {
			w := waveform(t, name)
			t.Run(fmt.Sprint(name, " ", want), func(t *testing.T) {
				t.Parallel()
				n := 1 + 4000*frameBytes/max(frameBytes, w.Bytes(30*time.Second))
				if got := measure(t, channel.Path{Profile: channel.FrameLoss(want, frameBytes)}, w, 3, n).frameLoss(); math.Abs(got-want) > 0.02 {
					t.Errorf("independent errors: %.3f", got)
				}
			})
		}
		bursts := channel.Bursts(want, 20*time.Second)
		m := measure(t, channel.Path{Profile: bursts}, waveform(t, "4539-3200-veryshort"), 5, 400)
		if got := m.missLoss(); math.Abs(got-want) > 0.06 {
			t.Errorf("bursts of %v take %.3f of preambles", want, got)
		}
		bursts.MissBad = 0
		m = measure(t, channel.Path{Profile: bursts}, waveform(t, "4539-3200-veryshort"), 5, 400)
		if got := m.frameLoss(); math.Abs(got-want) > 0.03 {
			t.Errorf("bursts of %v: %.3f", want, got)
		}
		m = measure(t, channel.Path{Profile: channel.Profile{Name: "blocks", BlockLoss: want}}, waveform(t, "110a-1200-short"), 5, 60)
		if got := m.byteLoss(); math.Abs(got-want) > 0.02 {
			t.Errorf("blocks lost with %v: %.3f", want, got)
		}
	}
}

// A deep interleaver repairs what the short one passes on, or loses the whole block.
func TestDeepInterleaverAllOrNothing(t *testing.T) {
	t.Parallel()
	even := func(ber float64) channel.Path {
		return channel.Path{Profile: channel.Profile{Name: "even", BERGood: ber}}
	}
	for _, c := range []struct {
		name        string
		ber         float64
		least, most float64 // share of damaged bytes
	}{
		{"110a-1200-short", 5e-3, 0.035, 0.045},
		{"110a-1200-long", 5e-3, 0, 0.0005},
		{"110a-1200-long", 2e-2, 0.99, 1},
		{"4539-9600-long", 5e-3, 0, 0.0005},
		{"4539-3200-medium", 5e-3, 0.035, 0.045},
	} {
		if got := measure(t, even(c.ber), waveform(t, c.name), 11, 20).byteLoss(); got < c.least || got > c.most {
			t.Errorf("%s at %v: %.4f of bytes, want %v to %v", c.name, c.ber, got, c.least, c.most)
		}
	}
}

func TestTooLittleSignalForTheRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		snr    float64
		missed bool
		loss   string
	}{
		{"110a-75-long", 1, false, "none"},
		{"110a-2400-short", 20, false, "none"},
		{"110a-2400-short", 18, false, "some"}, // 1e-3
		{"110a-2400-short", 16, false, "all"},
		{"110a-2400-short", 14, true, ""},
		{"110a-1200-short", 14, false, "none"},
		{"4539-9600-short", 31, false, "some"},
		{"4539-9600-short", 29, false, "all"},
		{"wb24-9600-short", 14, false, "none"},
		{"wb24-120000-short", 20, true, ""},
	} {
		m := measure(t, channel.Path{Profile: profile(t, "clean"), SNR: c.snr}, waveform(t, c.name), 1, 3)
		if got := m.missed > 0; got != c.missed {
			t.Errorf("%s at %v dB: missed %v", c.name, c.snr, got)
			continue
		}
		if got := m.frameLoss(); c.loss == "none" && got > 0 || c.loss == "some" && (got == 0 || got > 0.99) || c.loss == "all" && got < 0.99 {
			t.Errorf("%s at %v dB: %.3f of frames lost, wanted %s", c.name, c.snr, got, c.loss)
		}
	}
}

// The share of time that a path is bad, and how long it stays so, are those of the preset: seen through blocks that a bad state kills.
func TestStatesLastAsLongAsTheySay(t *testing.T) {
	t.Parallel()
	presets, keyings := channel.Presets()[1:], 16
	if testing.Short() {
		presets, keyings = presets[2:], 4 // what is bad often takes less time to measure
	}
	for _, p := range presets {
		p.BERGood, p.BERBad, p.MissGood, p.MissBad = 0, 0.5, 0, 0
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			sim, err := channel.New(channel.Config{Stations: 2, Paths: channel.Everybody(channel.Path{Profile: p}), Seed: 2}, start)
			if err != nil {
				t.Fatal(err)
			}
			w := waveform(t, "110a-600-zero") // 15 bytes each 0.2 s
			now, bad, spells, time := start, 0.0, 0, 0.0
			for range keyings {
				size := 15 * 5 * 3000 // 50 minutes of zeros
				if err := sim.Key(now, 0, w, make([]byte, size), 1); err != nil {
					t.Fatal(err)
				}
				was := false
				for at, ok := sim.Deadline(); ok; at, ok = sim.Deadline() {
					for _, d := range sim.Tick(at) {
						e, ok := d.Event.(modem.Data)
						if !ok {
							continue
						}
						is := 2*bytes.Count(e.Bytes, []byte{0}) < len(e.Bytes)
						if is {
							bad += 0.2
						}
						if is && !was {
							spells++
						}
						was = is
					}
					now = at
				}
				time += 3000
			}
			if got, want := bad/time, p.BadShare(); math.Abs(got-want) > 0.2*want+0.002 {
				t.Errorf("bad for %.4f of the time, want %.4f", got, want)
			}
			if got, want := bad/float64(spells), 1/p.ToGood; math.Abs(got-want) > 0.25*want {
				t.Errorf("bad for %.2f s on the average, want %.2f", got, want)
			}
		})
	}
}

func TestTheSameSeedGivesTheSameDay(t *testing.T) {
	t.Parallel()
	day := func(seed uint64) ([]channel.Delivery, []channel.Transmission) {
		b := newBench(t, channel.Config{Stations: 3, Paths: channel.Everybody(channel.Path{Profile: profile(t, "sky-poor"), SNR: 12}), Seed: seed, Capture: 6})
		for i := range 40 {
			b.key(time.Duration(i)*7*time.Second, i%3, uint32(i), waveform(t, "110a-1200-short"), bytesOf(400+i))
		}
		b.until(forever)
		return b.all, b.sim.Log()
	}
	one, oneLog := day(1)
	again, againLog := day(1)
	if !reflect.DeepEqual(one, again) {
		t.Error("the same seed gave other events")
	}
	if !reflect.DeepEqual(oneLog, againLog) {
		t.Error("the same seed gave another log")
	}
	if other, _ := day(2); reflect.DeepEqual(one, other) {
		t.Error("another seed gave the same day")
	}
}

// The fading of a path is the same whatever is on the air elsewhere.
func TestFadingDoesNotDependOnOthers(t *testing.T) {
	t.Parallel()
	w := waveform(t, "110a-1200-short")
	pairs := func(from, to int) channel.Path { // 0 to 1 and 2 to 3, far apart
		if from+1 != to || from == 1 {
			return channel.Path{}
		}
		return channel.Path{Profile: profile(t, "sky-poor")}
	}
	quiet := newBench(t, channel.Config{Stations: 4, Paths: pairs, Seed: 9})
	busy := newBench(t, channel.Config{Stations: 4, Paths: pairs, Seed: 9})
	for i := range 50 {
		at := time.Duration(i) * 20 * time.Second
		quiet.key(at, 0, uint32(i), w, bytesOf(2000))
		busy.key(at, 0, uint32(i), w, bytesOf(2000))
		busy.key(at+time.Second, 2, uint32(i), w, bytesOf(1000))
	}
	quiet.until(forever)
	busy.until(forever)
	if len(busy.heard(3)) == 0 || !bytes.Equal(quiet.heard(1), busy.heard(1)) {
		t.Error("station 1 hears something else when 2 talks to 3")
	}
}

func TestTwelveHoursOfSilence(t *testing.T) {
	t.Parallel()
	w := waveform(t, "110a-1200-short")
	b := newBench(t, channel.Config{
		Stations: 2, Paths: channel.Everybody(clean(t)),
		Windows: []channel.Window{{From: start.Add(time.Minute), To: start.Add(time.Minute + 12*time.Hour), Kind: channel.Outage}},
	})
	for i := range 13 {
		b.key(time.Duration(i)*time.Hour+2*time.Minute, 0, 1, w, bytesOf(20))
	}
	b.until(forever)
	for i := range 13 {
		want := "1 cut 0;"
		if i == 12 {
			want = "1 received 20;"
		}
		if got := b.outcomes(i + 1); got != want {
			t.Errorf("hour %d: %s, want %s", i, got, want)
		}
	}
}

func TestConfigurationsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	good := func() channel.Config { return channel.Config{Stations: 2, Paths: channel.Everybody(clean(t))} }
	for name, spoil := range map[string]func(*channel.Config){
		"nobody":       func(c *channel.Config) { c.Stations = 0 },
		"a crowd":      func(c *channel.Config) { c.Stations = 65 },
		"no paths":     func(c *channel.Config) { c.Paths = nil },
		"back in time": func(c *channel.Config) { c.Radio.KeyUp = -1 },
		"capture":      func(c *channel.Config) { c.Capture = math.NaN() },
		"log":          func(c *channel.Config) { c.Log.Entries = -1 },
		"window":       func(c *channel.Config) { c.Windows = []channel.Window{{From: start, To: start, Kind: channel.Jam}} },
		"kind":         func(c *channel.Config) { c.Windows = []channel.Window{{From: start, To: start.Add(1)}} },
		"whose window": func(c *channel.Config) {
			c.Windows = []channel.Window{{From: start, To: start.Add(1), Kind: channel.Jam, Stations: []int{2}}}
		},
		"chance": func(c *channel.Config) {
			c.Paths = channel.Everybody(channel.Path{Profile: channel.Profile{Name: "x", MissBad: 1.1}})
		},
		"not a number": func(c *channel.Config) {
			c.Paths = channel.Everybody(channel.Path{Profile: channel.Profile{Name: "x", ToBad: math.NaN()}})
		},
		"always at war": func(c *channel.Config) { c.Windows = make([]channel.Window, 2000) },
	} {
		c := good()
		spoil(&c)
		if _, err := channel.New(c, start); !errors.Is(err, channel.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := channel.ParseProfile("dreadful"); !errors.Is(err, channel.ErrConfig) {
		t.Error(err)
	}
	if _, err := channel.New(good(), start); err != nil {
		t.Error(err)
	}
}

// Damage is told byte by byte until there is too much of it, and then never less than there is.
func TestDamageIsToldInBoundedSpace(t *testing.T) {
	t.Parallel()
	sim, err := channel.New(channel.Config{Stations: 2, Paths: channel.Everybody(channel.Path{Profile: channel.Profile{Name: "even", BERGood: 5e-3}})}, start)
	if err != nil {
		t.Fatal(err)
	}
	sent, heard := bytesOf(100_000), []byte(nil)
	if err := sim.Key(start, 0, waveform(t, "4539-9600-short"), bytes.Clone(sent), 1); err != nil {
		t.Fatal(err)
	}
	for at, ok := sim.Deadline(); ok; at, ok = sim.Deadline() {
		for _, d := range sim.Tick(at) {
			if e, ok := d.Event.(modem.Data); ok {
				heard = append(heard, e.Bytes...)
			}
		}
	}
	r := sim.Log()[0].Heard[0]
	if len(heard) != len(sent) || r.Outcome != channel.Damaged || len(r.Damaged) > 1024 || len(r.Damaged) < 256 {
		t.Fatalf("%d bytes, %s, %d spans", len(heard), r.Outcome, len(r.Damaged))
	}
	told := make([]bool, len(sent))
	for _, s := range r.Damaged {
		for i := s.From; i < s.To; i++ {
			told[i] = true
		}
	}
	for i := range sent {
		if sent[i] != heard[i] && !told[i] {
			t.Fatalf("byte %d is damaged, and the log does not say so", i)
		}
	}
}
