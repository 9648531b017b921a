package gateway_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
	hfnode "sallyport/s5066/node"
)

// ether is two STANAG 5066 nodes of our own on a channel that loses frames; their clients come by wire.
type ether struct {
	t   *testing.T
	sky *channel.Sky
	ctx context.Context
	wg  sync.WaitGroup
}

func newEther(t *testing.T, w *wires) (stop func()) {
	t.Helper()
	sky, err := channel.NewSky(channel.ServeConfig{
		Config: channel.Config{Radio: modem.DefaultRadio(), Paths: channel.Everybody(channel.Path{Profile: channel.FrameLoss(0.1, 200)}), Seed: 1},
		Names:  []string{"shore", "ship"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	e := &ether{t: t, sky: sky, ctx: ctx}
	e.wg.Go(func() { sky.Run(ctx) })
	for i, name := range sky.Names() {
		e.node(w, name, i)
	}
	return func() {
		cancel()
		e.wg.Wait()
	}
}

// radioNode is where the node of an end takes clients, radioAddress its address on the air.
func radioNode(i int) string { return fmt.Sprintf("127.0.0.1:%d", 5066+i) }

func radioAddress(i int) s5066.Address { return s5066.Unicast(0x1020304 + uint32(i)) } //nolint:gosec // small

func (e *ether) node(w *wires, name string, i int) {
	e.t.Helper()
	wave, err := modem.ParseWaveform("110a-1200-short")
	if err != nil {
		e.t.Fatal(err)
	}
	cfg := hfnode.Default(radioAddress(i), wave)
	cfg.PermitAll = true
	r, err := hfnode.NewRunner(cfg, hfnode.Edge{Dial: func(ctx context.Context) (*modem.Port, modem.Hello, error) {
		near, far := net.Pipe()
		e.wg.Go(func() { _ = modem.Handle(e.ctx, far, e.sky.Hello(), e.sky.Attend) })
		return modem.Attach(ctx, near, name)
	}})
	if err != nil {
		e.t.Fatal(err)
	}
	l, err := w.listen(e.ctx, "tcp", radioNode(i))
	if err != nil {
		e.t.Fatal(err)
	}
	e.wg.Go(func() { _ = r.Run(e.ctx, l) })
}

// TestOverRadio: from the configuration to the other gateway's disk, in each mode, with everything in the books of both.
func TestOverRadio(t *testing.T) {
	for mode, more := range map[string]string{
		"compact": "",
		"stream":  "compression = \"fresh\"\n",
		"rcop":    "framing = \"plain\"\n",
	} {
		t.Run(mode, func(t *testing.T) {
			shore, ship := endSite(t, "shore", "a", "b", "connect"), endSite(t, "ship", "b", "a", "listen")
			for i, s := range []*site{shore, ship} {
				s.more = fmt.Sprintf("\n[link.hf]\nkind = \"hf\"\npeer = %q\nconnect = [%q]\nbits-per-second = 1200\nround-trip = \"8s\"\nhalf-duplex = true\n%s\n[link.hf.hf]\nmode = %q\nremote = %q\n",
					[]string{"b", "a"}[i], radioNode(i), more, mode, radioAddress(1-i))
			}
			synctest.Test(t, func(t *testing.T) {
				w := newWires()
				defer newEther(t, w)()
				e := &ends{t: t, wires: w}
				e.ship = newEnd(t, "ship", ship, w)
				e.shore = newEnd(t, "shore", shore, w)
				defer e.stop()
				e.settle(time.Minute)
				sent := e.send(20)
				e.settle(10 * time.Minute)
				wantSame(t, e.ship.got("b.example"), sent)
				if c := e.counts(e.shore); c.Delivered != 20 {
					t.Errorf("shore %+v", c)
				}
				if c := e.counts(e.ship); c.Delivered != 20 {
					t.Errorf("ship %+v", c)
				}
			})
		})
	}
}
