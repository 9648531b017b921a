package node_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
)

// plain gives a station a modem that is a plain stream of bytes: the node knows of nothing else.
func (s *station) plain() {
	s.w.t.Helper()
	m, err := modem.NewImplied(s.stream())
	if err != nil {
		s.w.t.Fatal(err)
	}
	s.raw = m
}

func (s *station) stream() modem.Plain { return modem.Plain{Waveform: s.w.wave, Radio: s.w.radio} }

// figures is what the node is told of its radio.
func (s *station) figures() modem.Radio {
	if s.raw != nil {
		return s.stream().Figures()
	}
	return s.w.radio
}

// step does what the plain stream's machine says: bytes that are written key the modem at the other end of the line.
func (s *station) step(t modem.Step) {
	s.w.t.Helper()
	if len(t.Write) > 0 {
		s.w.lives++
		if err := s.w.sim.Key(s.w.now, s.i, s.w.wave, t.Write, uint32(s.w.lives)); err != nil {
			s.w.t.Fatal(err)
		}
	}
	for _, e := range t.Events {
		if s.n != nil {
			s.n.Modem(s.w.now, e)
		}
	}
	s.w.drain(s)
}

// bytes passes on what the modem gives out; that it heard a carrier, or has sent all, it keeps to itself.
func (s *station) bytes(e modem.Event) {
	switch e := e.(type) {
	case modem.Data:
		s.step(s.raw.Receive(s.w.now, e.Bytes))
	case modem.Lost:
		if e.Reason == modem.Aborted {
			return // by the test
		}
		s.w.t.Fatalf("station %d wrote while it transmitted: %s", s.i, e.Reason)
	}
}

func (s *station) rawTick() {
	if s.raw == nil {
		return
	}
	if at, ok := s.raw.Deadline(); ok && !at.After(s.w.now) {
		s.step(s.raw.Tick(s.w.now))
	}
}

// Nodes whose modems are plain streams of bytes: everything arrives once and in order, with frames lost, and both speaking when they like.
func TestRawModems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wave string
		loss float64
	}{
		{"110a-75-short", 0.05}, {"110a-300-short", 0.1}, {"110a-1200-short", 0.2}, {"110a-2400-long", 0.1}, {"4285-600-short", 0.1}, {"4539-9600-veryshort", 0.3},
	} {
		t.Run(c.wave, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seeds(5, 40)) {
				w := newWorld(t, worldConfig{stations: 2, wave: c.wave, loss: c.loss, seed: seed, raw: true})
				a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
				var toA, toB []string
				for i := range 8 {
					toB, toA = append(toB, say(0, 1, i, 40+i*60)), append(toA, say(1, 0, i, 40+i*20))
					a.unidata(1, s5066.ConfirmNode, []byte(toB[i]))
					if i%2 == 0 {
						w.run(time.Duration(seed*7+uint64(i))*time.Second, nil)
					}
					b.unidata(0, s5066.ConfirmClient, []byte(toA[i]))
				}
				w.run(12*time.Hour, nil)
				if !slices.Equal(a.heard(), toA) || !slices.Equal(b.heard(), toB) || len(a.confirmed()) != 8 || len(b.confirmed()) != 8 {
					t.Errorf("seed %d: %d and %d heard, %d and %d confirmed, rejected %v %v", seed, len(a.heard()), len(b.heard()),
						len(a.confirmed()), len(b.confirmed()), a.rejected(), b.rejected())
				}
				for i := range 2 {
					if s := w.status(i); len(s.Links) != 0 || s.Under != 0 {
						t.Errorf("seed %d: node %d has not come to rest: %+v", seed, i, s)
					}
				}
			}
		})
	}
}

// The three kinds of traffic over plain streams: to all without an answer, expedited, and a large transfer.
func TestRawModemsKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 3, wave: "110a-2400-short", seed: 3, raw: true, change: func(i int, c *node.Config) { c.EMCON = i == 2 }})
	a, b, silent := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq), w.nodes[2].bind(6, arq)
	for i := range 10 {
		a.unidata(1, s5066.ConfirmNode, []byte(say(0, 1, i, 2000)))
	}
	a.send(sis.UnidataRequest{
		SAP: 6, Destination: s5066.AllStations(), Data: []byte("to all"), Delivery: s5066.DeliveryMode{Mode: s5066.TxNonARQ},
	})
	w.run(30*time.Second, nil)
	b.send(sis.UnidataRequest{Expedited: true, SAP: 6, Destination: address(0), Data: []byte("flash"), Delivery: arq})
	w.run(time.Hour, nil)
	if len(b.heard()) != 11 || len(a.confirmed()) != 10 || fmt.Sprint(a.heard()) != "[flash]" || fmt.Sprint(silent.heard()) != "[to all]" {
		t.Errorf("%d heard, %d confirmed; %v; %v", len(b.heard()), len(a.confirmed()), a.heard(), silent.heard())
	}
	if n := w.status(2).Stats.Trains; n != 0 {
		t.Errorf("the silent node keyed %d times", n)
	}
}

// Two that write at once: what a plain stream tells is enough to notice that nothing came of it, and the next time one of them waits.
func TestTwoRawModemsAtOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seeds(20, 100)) {
		w := newWorld(t, worldConfig{stations: 2, wave: "110a-1200-short", seed: seed, raw: true})
		a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
		a.unidata(1, s5066.ConfirmNode, sixty(1))
		w.drain(w.nodes[0])
		sense := modem.Timing{Waveform: w.wave, Radio: w.nodes[0].figures()}.Sense()
		w.run(time.Duration(seed)*sense/100, nil)
		b.unidata(0, s5066.ConfirmNode, sixty(2))
		w.run(time.Hour, func() bool { return len(a.heard())+len(b.heard()) == 2 })
		if n, took := clashes(w.sim.Log()), w.now.Sub(epoch); n > 1 || took > 40*time.Second {
			t.Errorf("seed %d: %d collisions one after the other, both there after %v", seed, n, took)
		}
	}
}

// A stream that ends in the middle of everything, and comes again.
func TestRawModemComesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: "110a-1200-short", seed: 1, raw: true})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	for i := range 6 {
		a.unidata(1, s5066.ConfirmNode, []byte(say(0, 1, i, 500)))
	}
	for range 3 {
		w.run(17*time.Second, nil)
		s := w.nodes[0]
		w.sim.Drop(w.now, 0)
		for _, e := range s.raw.End() {
			s.n.Modem(w.now, e)
		}
		s.n.ModemGone(w.now, fmt.Errorf("the line is cut"))
		w.run(5*time.Second, nil)
		s.plain()
		s.n.ModemUp(w.now, s.figures(), 1)
	}
	w.run(time.Hour, nil)
	if got := b.heard(); len(got) != 6 || !slices.IsSorted(got) || len(a.confirmed()) != 6 {
		t.Errorf("%d heard, %d confirmed, rejected %v", len(got), len(a.confirmed()), a.rejected())
	}
}
