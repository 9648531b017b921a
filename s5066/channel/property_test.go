package channel_test

import (
	"fmt"
	"testing"
	"time"

	"sallyport/s5066/channel"
	"sallyport/s5066/modem"

	"pgregory.net/rapid"
)

// witness checks what stations get, one event at a time.
type witness struct {
	t        *rapid.T
	now      time.Time
	carrier  []bool
	keyed    []uint32 // the transmission of each station that has no answer yet; 0: none
	onAir    []bool
	answered map[uint32]bool
	bytes    int
}

func newWitness(t *rapid.T, stations int) *witness {
	return &witness{t: t, now: start, carrier: make([]bool, stations), keyed: make([]uint32, stations), onAir: make([]bool, stations), answered: make(map[uint32]bool)}
}

func (w *witness) see(d channel.Delivery) {
	if d.At.Before(w.now) {
		w.t.Fatalf("time goes back from %v to %v", w.now, d.At)
	}
	w.now = d.At
	switch e := d.Event.(type) {
	case modem.Keyed:
		if w.keyed[d.Station] != e.ID || w.onAir[d.Station] {
			w.t.Fatalf("station %d: keyed %d, outstanding is %d", d.Station, e.ID, w.keyed[d.Station])
		}
		w.onAir[d.Station] = true
	case modem.Sent:
		if !w.onAir[d.Station] {
			w.t.Fatalf("station %d: sent %d without having been on the air", d.Station, e.ID)
		}
		w.answer(d.Station, e.ID)
	case modem.Lost:
		w.answer(d.Station, e.ID)
	case modem.Carrier:
		if w.carrier[d.Station] && !e.On || !w.carrier[d.Station] && e.On || e.On && e.Waveform.Valid() {
			w.carrier[d.Station] = e.On
			break
		}
		w.t.Fatalf("station %d: carrier %+v is no news", d.Station, e)
	case modem.Data:
		if !w.carrier[d.Station] || w.keyed[d.Station] != 0 || len(e.Bytes) == 0 {
			w.t.Fatalf("station %d: %d bytes, carrier %v, keyed %d", d.Station, len(e.Bytes), w.carrier[d.Station], w.keyed[d.Station])
		}
		w.bytes += len(e.Bytes)
	}
	if e, ok := d.Event.(modem.Carrier); ok && e.On && w.keyed[d.Station] != 0 {
		w.t.Fatalf("station %d hears a carrier while it is keyed", d.Station)
	}
}

func (w *witness) answer(station int, id uint32) {
	if w.answered[id] {
		w.t.Fatalf("station %d: a second answer for %d", station, id)
	}
	w.answered[id] = true
	if w.keyed[station] == id {
		w.keyed[station], w.onAir[station] = 0, false
	}
}

// Whatever is ordered when: each order has one answer, nobody hears anything while keyed, data come under a carrier, carriers end, and the log
// tells of every byte that came out.
func TestLawsOfTheMedium(t *testing.T) {
	t.Parallel()
	waveforms := modem.Waveforms()
	presets := channel.Presets()
	rapid.Check(t, func(t *rapid.T) {
		stations := rapid.IntRange(1, 5).Draw(t, "stations")
		cfg := channel.Config{
			Stations: stations, Radio: modem.DefaultRadio(), Seed: rapid.Uint64().Draw(t, "seed"), Capture: rapid.SampledFrom([]float64{0, 3, 10}).Draw(t, "capture"),
			Paths: func(from, to int) channel.Path {
				if rapid.IntRange(0, 4).Draw(t, "heard") == 0 {
					return channel.Path{}
				}
				return channel.Path{Profile: rapid.SampledFrom(presets).Draw(t, "profile"), SNR: rapid.Float64Range(0, 40).Draw(t, "snr")}
			},
		}
		for range rapid.IntRange(0, 3).Draw(t, "windows") {
			from := start.Add(time.Duration(rapid.IntRange(-10, 100).Draw(t, "from")) * time.Second)
			cfg.Windows = append(cfg.Windows, channel.Window{
				From: from, To: from.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "for")) * time.Second),
				Kind: rapid.SampledFrom([]channel.WindowKind{channel.Outage, channel.Jam}).Draw(t, "kind"), Stations: []int{rapid.IntRange(0, stations-1).Draw(t, "whose")},
			})
		}
		sim, err := channel.New(cfg, start)
		if err != nil {
			t.Fatal(err)
		}
		w := newWitness(t, stations)
		orders := rapid.IntRange(1, 20).Draw(t, "orders")
		now := start
		for i := range orders {
			now = now.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "pause")) * time.Millisecond)
			for _, d := range sim.Tick(now) {
				w.see(d)
			}
			station, id := rapid.IntRange(0, stations-1).Draw(t, "station"), uint32(i+1)
			if rapid.IntRange(0, 9).Draw(t, "abort") == 0 {
				sim.Drop(now, station)
			}
			if err := sim.Key(now, station, rapid.SampledFrom(waveforms).Draw(t, "waveform"), bytesOf(rapid.IntRange(0, 600).Draw(t, "bytes")), id); err != nil {
				t.Fatal(err)
			}
			if w.keyed[station] == 0 && sim.Keyed(station) {
				w.keyed[station] = id
			}
		}
		for at, ok := sim.Deadline(); ok; at, ok = sim.Deadline() {
			for _, d := range sim.Tick(at) {
				w.see(d)
			}
		}
		w.rest(sim, orders)
	})
}

// rest is what has to hold once everything is over.
func (w *witness) rest(sim *channel.Sim, orders int) {
	if len(w.answered) != orders {
		w.t.Fatalf("%d answers to %d orders", len(w.answered), orders)
	}
	if s := fmt.Sprint(w.carrier); s != fmt.Sprint(make([]bool, len(w.carrier))) {
		w.t.Fatalf("carriers that never ended: %s", s)
	}
	logged := 0
	for _, tx := range sim.Log() {
		for _, r := range tx.Heard {
			logged += r.Bytes
			if r.Outcome == channel.Pending || r.Outcome == channel.Received && (r.Bytes != tx.Bytes || len(r.Damaged) > 0) {
				w.t.Fatalf("transmission %d of %d bytes: %+v", tx.Number, tx.Bytes, r)
			}
		}
	}
	if logged != w.bytes {
		w.t.Fatalf("%d bytes came out, the log has %d", w.bytes, logged)
	}
}
