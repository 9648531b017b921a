package node_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"sallyport/s5066/modem"
	"sallyport/s5066/node"
)

// wire is a line between two modems of which nodes see nothing but bytes. After a cut there is another one.
type wire struct {
	mu   sync.Mutex
	ends [2]net.Conn // that nobody has taken yet
	last net.Conn
}

func (w *wire) dial(i int) func(context.Context) (*modem.Port, modem.Hello, error) {
	return func(context.Context) (*modem.Port, modem.Hello, error) {
		wave, err := modem.ParseWaveform(wave)
		if err != nil {
			return nil, modem.Hello{}, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ends[i] == nil {
			w.ends[0], w.ends[1] = net.Pipe()
		}
		plain := modem.Plain{Waveform: wave, Radio: modem.DefaultRadio()}
		w.last, w.ends[i] = w.ends[i], nil
		p, err := modem.Raw(w.last, plain)
		return p, modem.Hello{Radio: plain.Figures(), Speed: 1}, err
	}
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.last.Close()
}

// Running nodes on a plain line, which is cut and comes again.
func TestRunningNodesOnAPlainLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		h, line := &harbour{t: t, ctx: ctx}, &wire{}
		ship, atShip := h.start(0, line.dial(0))
		shore, atShore := h.start(1, line.dial(1))
		a, b := h.client(atShip), h.client(atShore)
		exchange(t, a, b, 1, "one")
		exchange(t, b, a, 0, "two")
		for _, r := range []*node.Runner{ship, shore} {
			if s := r.Status(); !s.Modem || s.Stats.Confirmed != 1 || s.Stats.Indications != 1 || s.Stats.LostTrains != 0 {
				t.Errorf("status %+v", s)
			}
		}
		line.cut()
		synctest.Wait()
		if ship.Status().Modem || shore.Status().Modem {
			t.Error("the line is cut, and a node does not know")
		}
		exchange(t, a, b, 1, "three")
		_ = a.Close()
		_ = b.Close()
		stop()
		h.wg.Wait()
	})
}
