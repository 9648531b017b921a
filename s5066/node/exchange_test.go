package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/modem"
)

// sixty is a U_PDU of 60 bytes, told apart by its number.
func sixty(n int) []byte {
	s := fmt.Sprintf("%04d", n)
	return []byte(s + strings.Repeat("x", 60-len(s)))
}

func TestOneMessageAtEachRate(t *testing.T) {
	t.Parallel()
	for _, wave := range []string{"110a-75-short", "110a-300-short", "110a-1200-short", "110a-2400-short", "4539-9600-veryshort", "110a-75-long", "110a-2400-long"} {
		t.Run(wave, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldConfig{stations: 2, wave: wave})
			a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
			for i := range 2 {
				began := w.now
				a.unidata(1, s5066.ConfirmNode, sixty(i))
				w.run(time.Hour, func() bool { return len(b.heard()) == i+1 })
				if len(b.heard()) != i+1 {
					t.Fatalf("not delivered after an hour: %v\n%v", a.rejected(), w.stuck())
				}
				heard := w.now.Sub(began)
				w.run(time.Hour, func() bool { return len(a.confirmed()) == i+1 })
				least := modem.Timing{Waveform: w.wave, Radio: w.radio}.Arrival(85) // of one frame of 86 bytes
				if i == 1 && heard > least+time.Second {
					t.Errorf("over a link that is there it took %v, and the modem needs %v", heard, least)
				}
				t.Logf("message %d: delivered after %v, confirmed after %v", i+1, heard, w.now.Sub(began))
			}
			if got := b.heard(); !slices.Equal(got, []string{string(sixty(0)), string(sixty(1))}) {
				t.Errorf("heard %q", got)
			}
			w.run(time.Hour, nil)
			for i := range 2 {
				if s := w.status(i); len(s.Links) != 0 || len(s.Sessions) != 0 {
					t.Errorf("node %d has links an hour later: %+v", i, s.Links)
				}
				t.Logf("node %d keyed %+v in %d trains", i, w.status(i).Stats.Keyed, w.status(i).Stats.Trains)
			}
		})
	}
}
