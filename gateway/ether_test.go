package gateway_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
	hfnode "sallyport/s5066/node"
)

// ether is two STANAG 5066 nodes of our own on a channel; their clients come by wire.
type ether struct {
	t      *testing.T
	cfg    etherConfig
	sky    *channel.Sky
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	nodes  []*hfnode.Runner
}

// etherConfig says what is between the nodes. The zero value is the usual: 1200 bit/s, a tenth of the frames lost.
type etherConfig struct {
	wave    string
	profile *channel.Profile
	windows []channel.Window
	seed    uint64
	edit    func(*hfnode.Config) // of both nodes; nil leaves them as they are
}

func newEther(t *testing.T, w *wires) (stop func()) {
	t.Helper()
	return newEtherOf(t, w, etherConfig{}).stop
}

func newEtherOf(t *testing.T, w *wires, cfg etherConfig) *ether {
	t.Helper()
	p := channel.FrameLoss(0.1, 200)
	if cfg.profile != nil {
		p = *cfg.profile
	}
	if cfg.wave == "" {
		cfg.wave = "110a-1200-short"
	}
	sky, err := channel.NewSky(channel.ServeConfig{
		Config: channel.Config{
			Radio: modem.DefaultRadio(), Paths: channel.Everybody(channel.Path{Profile: p}), Seed: cfg.seed + 1, Windows: cfg.windows,
		},
		Names: []string{"shore", "ship"},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := &ether{t: t, cfg: cfg, sky: sky}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.wg.Go(func() { sky.Run(e.ctx) })
	for i, name := range sky.Names() {
		e.node(w, name, i)
	}
	return e
}

func (e *ether) stop() {
	e.cancel()
	e.wg.Wait()
}

// radioNode is where the node of an end takes clients, radioAddress its address on the air.
func radioNode(i int) string { return fmt.Sprintf("127.0.0.1:%d", 5066+i) }

func radioAddress(i int) s5066.Address { return s5066.Unicast(0x1020304 + uint32(i)) } //nolint:gosec // small

func (e *ether) node(w *wires, name string, i int) {
	e.t.Helper()
	wave, err := modem.ParseWaveform(e.cfg.wave)
	if err != nil {
		e.t.Fatal(err)
	}
	cfg := hfnode.Default(radioAddress(i), wave)
	cfg.PermitAll, cfg.Seed = true, e.cfg.seed*2+uint64(i) //nolint:gosec // small
	if e.cfg.edit != nil {
		e.cfg.edit(&cfg)
	}
	r, err := hfnode.NewRunner(cfg, hfnode.Edge{Dial: func(ctx context.Context) (*modem.Port, modem.Hello, error) {
		near, far := net.Pipe()
		e.wg.Go(func() { _ = modem.Handle(e.ctx, far, e.sky.Hello(), e.sky.Attend) })
		return modem.Attach(ctx, near, name)
	}})
	if err != nil {
		e.t.Fatal(err)
	}
	e.nodes = append(e.nodes, r)
	l, err := w.listen(e.ctx, "tcp", radioNode(i))
	if err != nil {
		e.t.Fatal(err)
	}
	e.wg.Go(func() { _ = r.Run(e.ctx, l) })
}
