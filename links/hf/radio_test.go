package hf_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links"
	"sallyport/links/hf"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
	hfnode "sallyport/s5066/node"
)

// radio is two nodes of our own on a simulated channel, in virtual time.
type radio struct {
	t      *testing.T
	sky    *channel.Sky
	wave   modem.Waveform
	cancel context.CancelFunc
	ctx    context.Context
	wg     sync.WaitGroup
}

func newRadio(t *testing.T, wave string, loss float64, seed uint64) *radio {
	t.Helper()
	w, err := modem.ParseWaveform(wave)
	if err != nil {
		t.Fatal(err)
	}
	sky, err := channel.NewSky(channel.ServeConfig{
		Config: channel.Config{
			Radio: modem.DefaultRadio(), Paths: channel.Everybody(channel.Path{Profile: channel.FrameLoss(loss, 200)}), Seed: seed,
		},
		Names: []string{"a.example", "b.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &radio{t: t, sky: sky, wave: w}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.wg.Go(func() { sky.Run(r.ctx) })
	return r
}

func (r *radio) stop() {
	r.cancel()
	r.wg.Wait()
}

// attach gives a gate a node of its own on the channel.
func (r *radio) attach(g *gate) {
	r.t.Helper()
	cfg := hfnode.Default(addresses[g.domain], r.wave)
	cfg.PermitAll = true
	runner, err := hfnode.NewRunner(cfg, hfnode.Edge{Dial: func(ctx context.Context) (*modem.Port, modem.Hello, error) {
		near, far := net.Pipe()
		r.wg.Go(func() { _ = modem.Handle(r.ctx, far, r.sky.Hello(), r.sky.Attend) })
		return modem.Attach(ctx, near, g.domain)
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	clients := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	r.wg.Go(func() { _ = runner.Run(r.ctx, clients) })
	g.dial = func(ctx context.Context, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		select {
		case clients.conns <- far:
			return near, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// TestOverOurNodes: gateways over nodes over a channel that loses frames: everything arrives once and in order, at each rate and in each mode.
func TestOverOurNodes(t *testing.T) {
	rows := []struct {
		wave   string
		bits   int64
		trip   time.Duration
		loss   float64
		within time.Duration
	}{
		{"4539-9600-short", 9600, 5 * time.Second, 0.1, time.Hour},
		{"110a-1200-short", 1200, 10 * time.Second, 0.2, 3 * time.Hour},
		{"110a-75-short", 75, time.Minute, 0.05, 24 * time.Hour},
	}
	for _, row := range rows {
		for _, mode := range modes {
			t.Run(row.wave+" "+mode.String(), func(t *testing.T) {
				releaser()
				synctest.Test(t, func(t *testing.T) {
					r := newRadio(t, row.wave, row.loss, 3)
					edit := func(c *hf.Config) {
						c.Profile = links.Profile{BitsPerSecond: row.bits, RoundTrip: row.trip, HalfDuplex: true}
						c.Age = 24 * time.Hour
					}
					a := newAir(1)
					p := &pair{air: a}
					p.a, p.b = newGate(t, a, "a.example", "b.example", mode, edit), newGate(t, a, "b.example", "a.example", mode, edit)
					r.attach(p.a)
					r.attach(p.b)
					p.stops = [2]func(){p.a.run(), p.b.run()}
					defer r.stop()
					defer p.stop()
					time.Sleep(time.Minute)
					const n = 12
					p.a.offer(0, numbers(1, n)...)
					p.b.offer(0, numbers(1, n/2)...)
					begin := time.Now()
					for p.a.count(links.Delivered) < n || p.b.count(links.Delivered) < n/2 {
						time.Sleep(5 * time.Second)
						if time.Since(begin) > row.within {
							t.Fatalf("after %v: %v %v; %v %v; %+v", time.Since(begin), p.a.reports, p.b.reports, p.b.came(), p.a.came(), p.a.link.Status())
						}
					}
					t.Logf("%v", time.Since(begin))
					if got := p.b.came(); len(got) != n || !slices.Equal(got, words(n)) {
						t.Errorf("b got %v", got)
					}
					if got := p.a.came(); len(got) != n/2 || !slices.Equal(got, words(n/2)) {
						t.Errorf("a got %v", got)
					}
				})
			})
		}
	}
}

func words(n uint64) (all []string) {
	for _, x := range numbers(1, n) {
		all = append(all, "n"+string(rune('0'+x%10)))
	}
	if n >= 10 {
		for i := range all[9:] {
			all[9+i] = "n1" + string(rune('0'+i%10))
		}
	}
	return all
}
