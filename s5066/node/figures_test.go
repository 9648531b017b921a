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

// bulk is one large transfer, in U_PDUs of 2,000 bytes that are all given to the node at once.
type bulk struct {
	wave  string
	rate  float64
	loss  float64 // of frames of 222 bytes: segments of 200 with their header
	train time.Duration
	kB    int
}

func (c bulk) String() string {
	return fmt.Sprintf("%s/loss-%.0f/%d-kB/%v", c.wave, c.loss*100, c.kB, c.train)
}

// A floor under what bulk traffic gets of the line, the making of the link included.
func TestGoodput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bulk
		floor float64
	}{
		{bulk{"110a-2400-short", 2400, 0, 30 * time.Second, 50}, 0.83},
		{bulk{"110a-2400-short", 2400, 0.1, 30 * time.Second, 50}, 0.7},
		{bulk{"110a-2400-short", 2400, 0.3, 30 * time.Second, 50}, 0.45},
		{bulk{"110a-2400-short", 2400, 0, 127 * time.Second, 50}, 0.9},
		{bulk{"110a-2400-short", 2400, 0, 127 * time.Second, 500}, 0.94},
		{bulk{"110a-2400-long", 2400, 0, 127 * time.Second, 500}, 0.8},
		{bulk{"4539-9600-veryshort", 9600, 0, 30 * time.Second, 50}, 0.83},
		{bulk{"4539-9600-veryshort", 9600, 0, 30 * time.Second, 500}, 0.9},
		{bulk{"4539-9600-veryshort", 9600, 0, 127 * time.Second, 500}, 0.94},
		{bulk{"4539-9600-veryshort", 9600, 0.1, 30 * time.Second, 50}, 0.68},
		{bulk{"4539-9600-veryshort", 9600, 0.3, 30 * time.Second, 50}, 0.45},
	} {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			if share := c.share(t); share < c.floor {
				t.Errorf("%.3f of the line, want %.3f", share, c.floor)
			}
		})
	}
}

// share is how much of the line it gets, less what is lost: the mean of some channels, one if nothing is.
func (c bulk) share(t testing.TB) (share float64) {
	t.Helper()
	channels := 5
	if c.loss == 0 {
		channels = 1
	}
	for seed := range channels {
		share += c.over(t, uint64(seed)) / float64(channels)
	}
	return share
}

func (c bulk) over(t testing.TB, seed uint64) float64 {
	t.Helper()
	p := channel.FrameLoss(c.loss, 222)
	w := newWorld(t, worldConfig{stations: 2, wave: c.wave, profile: &p, seed: seed, change: func(_ int, n *node.Config) {
		n.MaxTransmit = c.train
	}})
	const size = 2000
	units := c.kB * 1000 / size
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	for i := range units {
		a.unidata(1, s5066.ConfirmNode, []byte(say(0, 1, i, size)))
	}
	w.run(24*time.Hour, func() bool { return len(b.got) >= units && len(b.heard()) == units })
	if n := len(b.heard()); n != units {
		t.Fatalf("seed %d: %d of %d U_PDUs heard", seed, n, units)
	}
	took := w.now.Sub(epoch)
	share := float64(c.kB) * 8000 / took.Seconds() / (c.rate * (1 - c.loss))
	s := w.status(0).Stats
	t.Logf("%s in %v: %.1f %% of the loss-adjusted line; %d trains, %d bytes of data keyed, %d frames again", c, took.Round(time.Second), share*100,
		s.Trains, s.Keyed[dpdu.DataOnly].Bytes+s.Keyed[dpdu.DataAck].Bytes, again(w.status(0)))
	return share
}

// BenchmarkGoodput is printed by `make bench ONLY=hf`. All times are virtual: -benchtime 1x.
func BenchmarkGoodput(b *testing.B) {
	for _, c := range []bulk{{wave: "110a-2400-short", rate: 2400}, {wave: "4539-9600-veryshort", rate: 9600}} {
		for _, c.loss = range []float64{0, 0.1} {
			for _, c.kB = range []int{50, 500} {
				for _, c.train = range []time.Duration{30 * time.Second, 127 * time.Second} {
					b.Run(c.String(), func(b *testing.B) {
						for b.Loop() {
							b.ReportMetric(c.share(b)*100, "percent")
						}
					})
				}
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
