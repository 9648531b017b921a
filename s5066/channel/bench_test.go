package channel_test

import (
	"testing"

	"sallyport/s5066/channel"
)

// One transmission of 2,000 bytes between two stations, 23 blocks of 90 bytes.
func BenchmarkTransmission(b *testing.B) {
	sim, err := channel.New(channel.Config{Stations: 2, Paths: channel.Everybody(channel.Path{Profile: profile(b, "sky-moderate")}), Log: channel.LogConfig{Entries: 1}}, start)
	if err != nil {
		b.Fatal(err)
	}
	w, data, now := waveform(b, "110a-1200-short"), bytesOf(2000), start
	b.ReportAllocs()
	for b.Loop() {
		if err := sim.Key(now, 0, w, data, 1); err != nil {
			b.Fatal(err)
		}
		for at, ok := sim.Deadline(); ok; at, ok = sim.Deadline() {
			sim.Tick(at)
			now = at
		}
	}
}
