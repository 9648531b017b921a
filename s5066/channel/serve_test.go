package channel_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/s5066/channel"
	"sallyport/s5066/modem"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func said(e modem.Event) string {
	switch e := e.(type) {
	case modem.Lost:
		return fmt.Sprintf("lost %d %s", e.ID, e.Reason)
	case modem.Data:
		return fmt.Sprintf("data %d", len(e.Bytes))
	case modem.Carrier:
		return fmt.Sprintf("carrier %v", e.On)
	case modem.Keyed:
		return fmt.Sprintf("keyed %d", e.ID)
	case modem.Sent:
		return fmt.Sprintf("sent %d", e.ID)
	}
	return fmt.Sprintf("%#v", e)
}

// dock runs a Sky whose stations are connected by pipes, in a bubble.
type dock struct {
	t       *testing.T
	sky     *channel.Sky
	ctx     context.Context
	stop    context.CancelFunc
	running int
	ended   chan error
}

func newDock(t *testing.T, speed float64) *dock {
	t.Helper()
	sky, err := channel.NewSky(channel.ServeConfig{
		Config: channel.Config{Radio: modem.DefaultRadio(), Paths: channel.Everybody(clean(t))}, Names: []string{"ship", "shore"}, Speed: speed,
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &dock{t: t, sky: sky, ended: make(chan error, 10)}
	d.ctx, d.stop = context.WithCancel(t.Context())
	d.spawn(func() error { sky.Run(d.ctx); return nil })
	return d
}

func (d *dock) spawn(f func() error) {
	d.running++
	go func() { d.ended <- f() }()
}

func (d *dock) connect(name string) *modem.Port {
	d.t.Helper()
	station, unit := net.Pipe()
	d.spawn(func() error { return modem.Handle(d.ctx, unit, d.sky.Hello(), d.sky.Attend) })
	p, _, err := modem.Attach(d.ctx, station, name)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

func (d *dock) finish(ports ...*modem.Port) {
	d.t.Helper()
	d.stop()
	for _, p := range ports {
		_ = p.Close()
	}
	for range d.running {
		if err := <-d.ended; err != nil {
			d.t.Error(err)
		}
	}
}

// take collects what a port says within that time.
func take(p *modem.Port, within time.Duration) []string {
	begin, enough := time.Now(), time.After(within)
	var all []string
	for {
		select {
		case e, ok := <-p.Events():
			if !ok {
				return append(all, "gone")
			}
			all = append(all, fmt.Sprintf("%v %s", time.Since(begin).Round(time.Millisecond), said(e)))
		case <-enough:
			return all
		}
	}
}

func TestTwoStationsByTheWallClock(t *testing.T) {
	t.Parallel()
	for speed, want := range map[float64][]string{
		1:  {"800ms carrier true", "2.05s data 90", "2.65s data 90", "3.25s data 20", "3.25s carrier false"},
		10: {"80ms carrier true", "205ms data 90", "265ms data 90", "325ms data 20", "325ms carrier false"},
	} {
		t.Run(fmt.Sprint("speed ", speed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDock(t, speed)
				ship, shore := d.connect("ship"), d.connect("shore")
				if err := ship.Order(t.Context(), modem.Key{ID: 1, Waveform: waveform(t, "110a-1200-short"), Data: bytesOf(200)}); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(want, take(shore, time.Minute)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if got := take(ship, time.Millisecond); len(got) != 2 {
					t.Errorf("the sender got %v", got)
				}
				if s := d.sky.Stats(); s.Transmissions != 1 || s.Receptions[channel.Received] != 1 || len(d.sky.Log()) != 1 {
					t.Errorf("%+v", s)
				}
				d.finish(ship, shore)
			})
		})
	}
}

func TestAStationThatLeavesWhileItTransmits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDock(t, 1)
		ship, shore := d.connect("ship"), d.connect("shore")
		if err := ship.Order(t.Context(), modem.Key{ID: 1, Waveform: waveform(t, "110a-1200-short"), Data: bytesOf(200)}); err != nil {
			t.Error(err)
		}
		time.Sleep(1600 * time.Millisecond) // the first block is through, the second is not
		_ = ship.Close()
		back := d.connect("ship")
		want := []string{"0s carrier true", "450ms data 90", "650ms carrier false"}
		if diff := cmp.Diff(want, take(shore, time.Minute)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		again := d.connect("ship") // the old connection has to go
		if got := take(back, time.Second); len(got) != 1 || got[0] != "gone" {
			t.Errorf("the old connection got %v", got)
		}
		d.finish(back, again, shore)
	})
}

func TestOnlyNamedStationsAreLetIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDock(t, 1)
		p := d.connect("pirate")
		if got := take(p, time.Second); len(got) != 1 || got[0] != "gone" {
			t.Errorf("got %v", got)
		}
		d.finish(p)
	})
	for name, cfg := range map[string]channel.ServeConfig{
		"speed":  {Names: []string{"a"}, Speed: -1, Config: channel.Config{Paths: channel.Everybody(clean(t))}},
		"twice":  {Names: []string{"a", "a"}, Config: channel.Config{Paths: channel.Everybody(clean(t))}},
		"nobody": {Config: channel.Config{Paths: channel.Everybody(clean(t))}},
		"paths":  {Names: []string{"a"}},
	} {
		if _, err := channel.NewSky(cfg); !errors.Is(err, channel.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServeOverLoopback(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- channel.Serve(ctx, ln, channel.ServeConfig{
			Config: channel.Config{Radio: modem.DefaultRadio(), Paths: channel.Everybody(clean(t))}, Names: []string{"ship", "shore"}, Speed: 1000,
		})
	}()
	ship, hello, err := modem.Dial(t.Context(), ln.Addr().String(), "ship")
	if err != nil || hello.Speed != 1000 {
		t.Fatal(hello, err)
	}
	shore, _, err := modem.Dial(t.Context(), ln.Addr().String(), "shore")
	if err != nil {
		t.Fatal(err)
	}
	// who has transmitted is attended: from now on it hears everything
	if err := shore.Order(t.Context(), modem.Key{ID: 1, Waveform: waveform(t, "4539-9600-short"), Data: bytesOf(10)}); err != nil {
		t.Fatal(err)
	}
	await(shore)
	for id := range uint32(3) {
		if err := ship.Order(t.Context(), modem.Key{ID: id, Waveform: waveform(t, "4539-9600-short"), Data: bytesOf(5000)}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for on := true; on; {
			switch e := (<-shore.Events()).(type) {
			case modem.Data:
				n += len(e.Bytes)
			case modem.Carrier:
				on = e.On
			}
		}
		if n != 5000 {
			t.Errorf("transmission %d: %d bytes", id, n)
		}
		await(ship)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	_, _ = ship.Close(), shore.Close()
}

// await reads until what was keyed is sent.
func await(p *modem.Port) {
	for e := range p.Events() {
		if _, ok := e.(modem.Sent); ok {
			return
		}
	}
}
