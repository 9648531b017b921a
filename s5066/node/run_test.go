package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
)

// pipes is a listener whose connections are in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	gone  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), gone: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.gone) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

// harbour is a sky with running nodes, all in one bubble of time.
type harbour struct {
	t     *testing.T
	ctx   context.Context
	sky   *channel.Sky
	wg    sync.WaitGroup
	mu    sync.Mutex
	fails int                 // of the next dials
	units map[string]net.Conn // the modems' ends
}

func (h *harbour) run(name string, i int) (*node.Runner, *pipes) {
	h.t.Helper()
	return h.start(i, func(ctx context.Context) (*modem.Port, modem.Hello, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.fails > 0 {
			h.fails--
			return nil, modem.Hello{}, errors.New("no modem there")
		}
		station, unit := net.Pipe()
		h.units[name] = unit
		h.wg.Go(func() { _ = modem.Handle(h.ctx, unit, h.sky.Hello(), h.sky.Attend) })
		return modem.Attach(ctx, station, name)
	})
}

// start runs a node that reaches its modem like this.
func (h *harbour) start(i int, dial func(context.Context) (*modem.Port, modem.Hello, error)) (*node.Runner, *pipes) {
	h.t.Helper()
	w, err := modem.ParseWaveform(wave)
	if err != nil {
		h.t.Fatal(err)
	}
	cfg := node.Default(address(i), w)
	cfg.PermitAll = true
	r, err := node.NewRunner(cfg, node.Edge{Dial: dial})
	if err != nil {
		h.t.Fatal(err)
	}
	ln := newPipes()
	h.wg.Go(func() {
		if err := r.Run(h.ctx, ln); err != nil {
			h.t.Errorf("node %d: %v", i, err)
		}
	})
	return r, ln
}

// client binds one to a node.
func (h *harbour) client(p *pipes) *sis.Conn {
	h.t.Helper()
	c, err := sis.Dial(h.ctx, "", sis.BindOptions{SAP: 6, Rank: 5, Service: arq, Network: sis.Network{Dial: p.dial}})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// exchange sends a U_PDU from one client to the other and waits for it, and for its confirmation.
func exchange(t *testing.T, from, to *sis.Conn, remote int, text string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Minute)
	defer stop()
	err := from.Send(ctx, 1, sis.UnidataRequest{SAP: 6, Destination: address(remote), Data: []byte(text), Delivery: arq})
	if err != nil {
		t.Fatal(err)
	}
	await := func(c *sis.Conn, done func(sis.ClientEvent) bool) {
		for {
			e, err := c.Receive(ctx)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if r, ok := e.(sis.Rejected); ok {
				t.Fatalf("%s: rejected: %v", text, r.Reason)
			}
			if done(e) {
				return
			}
		}
	}
	await(to, func(e sis.ClientEvent) bool {
		r, ok := e.(sis.Received)
		return ok && string(r.Data) == text
	})
	await(from, func(e sis.ClientEvent) bool {
		_, ok := e.(sis.Confirmed)
		return ok
	})
}

func TestRunningNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		sky, err := channel.NewSky(channel.ServeConfig{
			Config: channel.Config{Radio: modem.DefaultRadio(), Paths: channel.Everybody(channel.Path{Profile: channel.FrameLoss(0.05, 200)})},
			Names:  []string{"ship", "shore"},
		})
		if err != nil {
			t.Fatal(err)
		}
		h := &harbour{t: t, ctx: ctx, sky: sky, units: make(map[string]net.Conn)}
		h.wg.Go(func() { sky.Run(ctx) })
		ship, atShip := h.run("ship", 0)
		_, atShore := h.run("shore", 1)
		a, b := h.client(atShip), h.client(atShore)
		exchange(t, a, b, 1, "one")
		exchange(t, b, a, 0, "two")
		if s := ship.Status(); !s.Modem || s.Stats.Confirmed != 1 || s.Stats.Indications != 1 || len(s.Clients) != 1 {
			t.Errorf("status %+v", s)
		}

		h.mu.Lock() // the modem of one node goes, and comes back after some tries
		h.fails = 3
		unit := h.units["ship"]
		h.mu.Unlock()
		_ = unit.Close()
		synctest.Wait()
		if s := ship.Status(); s.Modem {
			t.Error("the modem is gone, and the node does not know")
		}
		exchange(t, a, b, 1, "three")

		ship.SetEMCON(true)
		if s := ship.Status(); !s.EMCON {
			t.Error("EMCON")
		}
		ship.SetEMCON(false)
		if err := ship.SetWaveform(modem.Waveform{}); !errors.Is(err, node.ErrConfig) {
			t.Errorf("no waveform: %v", err)
		}
		faster, err := modem.ParseWaveform("110a-2400-short")
		if err != nil {
			t.Fatal(err)
		}
		if err := ship.SetWaveform(faster); err != nil {
			t.Fatal(err)
		}
		exchange(t, a, b, 1, "four")
		_ = a.Close()
		_ = b.Close()
		stop()
		h.wg.Wait()
	})
}

func TestConfigurations(t *testing.T) {
	t.Parallel()
	w, err := modem.ParseWaveform(wave)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*node.Config){
		"group address":    func(c *node.Config) { c.Own = s5066.AllStations() },
		"no waveform":      func(c *node.Config) { c.Waveform = modem.Waveform{} },
		"one slot":         func(c *node.Config) { c.Slots = 1 },
		"no queue":         func(c *node.Config) { c.QueueCount = 0 },
		"no wait":          func(c *node.Config) { c.ClientWait = 0 },
		"negative":         func(c *node.Config) { c.Turnaround = -1 },
		"too long a train": func(c *node.Config) { c.MaxTransmit = time.Hour },
		"no links":         func(c *node.Config) { c.MaxLinks = 0 },
		"MTU":              func(c *node.Config) { c.SIS.MTU = 0 },
	} {
		c := node.Default(address(0), w)
		change(&c)
		if _, err := node.New(c, epoch); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	var zero node.Config
	if _, err := node.New(zero, epoch); !errors.Is(err, node.ErrConfig) {
		t.Errorf("zero: %v", err)
	}
	if node.Default(address(0), w).Permits(address(1)) {
		t.Error("nobody was permitted")
	}
	for k := node.LinkUp; k <= node.Management; k++ {
		if fmt.Sprint(k) == "unknown" {
			t.Errorf("kind %d has no name", k)
		}
	}
}
