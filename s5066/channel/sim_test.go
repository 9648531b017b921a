package channel_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
)

var start = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

func waveform(t testing.TB, name string) modem.Waveform {
	t.Helper()
	w, err := modem.ParseWaveform(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func profile(t testing.TB, name string) channel.Profile {
	t.Helper()
	p, err := channel.ParseProfile(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func clean(t testing.TB) channel.Path { return channel.Path{Profile: profile(t, "clean")} }

// bench drives a Sim and writes down what the stations get.
type bench struct {
	t   testing.TB
	sim *channel.Sim
	all []channel.Delivery
}

func newBench(t testing.TB, cfg channel.Config) *bench {
	t.Helper()
	if cfg.Radio == (modem.Radio{}) {
		cfg.Radio = modem.DefaultRadio()
	}
	sim, err := channel.New(cfg, start)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, sim: sim}
}

// key gives the order at this time after the start.
func (b *bench) key(after time.Duration, station int, id uint32, w modem.Waveform, data []byte) {
	b.t.Helper()
	b.until(after)
	if err := b.sim.Key(start.Add(after), station, w, data, id); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) until(after time.Duration) {
	for {
		at, ok := b.sim.Deadline()
		if !ok || at.After(start.Add(after)) {
			return
		}
		b.all = append(b.all, b.sim.Tick(at)...)
	}
}

// heard are all bytes that a station got.
func (b *bench) heard(station int) []byte {
	var all []byte
	for _, d := range b.all {
		if e, ok := d.Event.(modem.Data); ok && d.Station == station {
			all = append(all, e.Bytes...)
		}
	}
	return all
}

// story is one line per event, without the bytes.
func (b *bench) story() []string {
	var lines []string
	for _, d := range b.all {
		what := ""
		switch e := d.Event.(type) {
		case modem.Keyed:
			what = fmt.Sprintf("keyed %d", e.ID)
		case modem.Sent:
			what = fmt.Sprintf("sent %d", e.ID)
		case modem.Lost:
			what = fmt.Sprintf("lost %d, %s", e.ID, e.Reason)
		case modem.Carrier:
			what = "carrier off"
			if e.On {
				what = fmt.Sprintf("carrier %s", e.Waveform)
			}
		case modem.Data:
			what = fmt.Sprintf("data %d", len(e.Bytes))
		}
		lines = append(lines, fmt.Sprintf("%.2f %d %s", d.At.Sub(start).Seconds(), d.Station, what))
	}
	return lines
}

func (b *bench) outcomes(number int) string {
	for _, tx := range b.sim.Log() {
		if tx.Number == number {
			var s strings.Builder
			for _, r := range tx.Heard {
				s.WriteString(fmt.Sprintf("%d %s %d;", r.Station, r.Outcome, r.Bytes))
			}
			return s.String()
		}
	}
	return "not in the log"
}

const forever = 1 << 62

func bytesOf(n int) []byte { return bytes.Repeat([]byte("sallyport "), n/10+1)[:n] }
