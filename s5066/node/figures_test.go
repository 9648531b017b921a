package node_test

import (
	"fmt"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/node"
)

// A floor under what bulk traffic gets of the line: 50 kB in U_PDUs of 2,000 bytes, by frames lost.
func TestGoodput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wave  string
		rate  float64
		loss  float64
		train time.Duration
		floor float64 // share of the line, less what is lost
	}{
		{"110a-2400-short", 2400, 0, 30 * time.Second, 0.75},
		{"110a-2400-short", 2400, 0.1, 30 * time.Second, 0.65},
		{"110a-2400-short", 2400, 0.3, 30 * time.Second, 0.45},
		{"110a-2400-short", 2400, 0, 127 * time.Second, 0.8},
		{"110a-2400-long", 2400, 0, 127 * time.Second, 0.65},
		{"4539-9600-veryshort", 9600, 0, 30 * time.Second, 0.75},
		{"4539-9600-veryshort", 9600, 0.1, 30 * time.Second, 0.65},
		{"4539-9600-veryshort", 9600, 0.3, 30 * time.Second, 0.45},
	} {
		t.Run(fmt.Sprintf("%s loss %.1f train %v", c.wave, c.loss, c.train), func(t *testing.T) {
			t.Parallel()
			share, heard := bulk(t, c.wave, c.rate, c.loss, c.train)
			if heard != 25 || share < c.floor {
				t.Errorf("%d heard, %.2f of the line, want %.2f", heard, share, c.floor)
			}
		})
	}
}

// bulk sends 50 kB at once. share is of the line, less what is lost; heard is how many of 25 U_PDUs arrived.
func bulk(t testing.TB, wave string, rate, loss float64, train time.Duration) (share float64, heard int) {
	t.Helper()
	// The loss is that of a segment of the size that the sender settles on, 200 bytes and its header.
	p := channel.FrameLoss(loss, 222)
	w := newWorld(t, worldConfig{stations: 2, wave: wave, profile: &p, seed: 3, change: func(_ int, n *node.Config) {
		n.MaxTransmit, n.DTS.AdaptSize = train, loss == 0
	}})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	for i := range 25 {
		a.unidata(1, s5066.ConfirmNode, []byte(say(0, 1, i, 2000)))
	}
	w.run(12*time.Hour, func() bool { return len(b.heard()) == 25 })
	took := w.now.Sub(epoch)
	share = 50000 * 8 / took.Seconds() / (rate * (1 - loss))
	s := w.status(0).Stats
	t.Logf("50 kB in %v: %.1f %% of the loss-adjusted line; %d trains, %d bytes of data keyed, %d frames again", took.Round(time.Second), share*100,
		s.Trains, s.Keyed[dpdu.DataOnly].Bytes+s.Keyed[dpdu.DataAck].Bytes, again(w.status(0)))
	return share, len(b.heard())
}

// BenchmarkGoodput is printed by `make bench ONLY=hf`. All times are virtual: -benchtime 1x.
func BenchmarkGoodput(b *testing.B) {
	for _, c := range []struct {
		wave string
		rate float64
	}{{"110a-2400-short", 2400}, {"4539-9600-veryshort", 9600}} {
		for _, loss := range []float64{0, 0.1} {
			for _, train := range []time.Duration{30 * time.Second, 127 * time.Second} {
				b.Run(fmt.Sprintf("%s/loss-%.0f/%v", c.wave, loss*100, train), func(b *testing.B) {
					for b.Loop() {
						share, heard := bulk(b, c.wave, c.rate, loss, train)
						if heard != 25 {
							b.Fatalf("%d of 25 U_PDUs arrived", heard)
						}
						b.ReportMetric(share*100, "percent")
					}
				})
			}
		}
	}
}

func again(s node.Status) (n uint64) {
	for _, r := range s.Transfer.Remotes {
		n += r.Figures.FramesAgain
	}
	return n
}
