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
			// The loss is that of a segment of the size that the sender settles on, 200 bytes and its header.
			p := channel.FrameLoss(c.loss, 222)
			w := newWorld(t, worldConfig{stations: 2, wave: c.wave, profile: &p, seed: 3, change: func(_ int, n *node.Config) {
				n.MaxTransmit, n.DTS.AdaptSize = c.train, c.loss == 0
			}})
			a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
			for i := range 25 {
				a.unidata(1, s5066.ConfirmNode, []byte(say(0, 1, i, 2000)))
			}
			w.run(12*time.Hour, func() bool { return len(b.heard()) == 25 })
			took := w.now.Sub(epoch)
			share := 50000 * 8 / took.Seconds() / (c.rate * (1 - c.loss))
			s := w.status(0).Stats
			t.Logf("50 kB in %v: %.1f %% of the loss-adjusted line; %d trains, %d bytes of data keyed, %d frames again", took.Round(time.Second), share*100,
				s.Trains, s.Keyed[dpdu.DataOnly].Bytes+s.Keyed[dpdu.DataAck].Bytes, again(w.status(0)))
			if len(b.heard()) != 25 || share < c.floor {
				t.Errorf("%d heard, %.2f of the line, want %.2f", len(b.heard()), share, c.floor)
			}
		})
	}
}

func again(s node.Status) (n uint64) {
	for _, r := range s.Transfer.Remotes {
		n += r.Figures.FramesAgain
	}
	return n
}
