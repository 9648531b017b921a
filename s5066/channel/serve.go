package channel

import (
	"context"
	"fmt"
	"math"
	"net"
	"slices"
	"sync"
	"time"

	"sallyport/s5066/modem"
)

// ServeConfig is a channel in real time.
type ServeConfig struct {
	Config
	Names []string // of the stations, by number; only these are let in. Nothing proves who they are: listen where only they can come from
	Speed float64  // how much faster than the wall clock it runs, 0.001 to 4,000,000; 0: 1
}

// Sky is a Sim driven by the wall clock, for stations that come and go. Its methods may be called from any goroutine.
type Sky struct {
	cfg   ServeConfig
	begin time.Time
	wake  chan struct{} // the plan has changed

	mu    sync.Mutex // guards what follows
	sim   *Sim
	units []*modem.Unit // by station, nil where nobody is connected
}

// NewSky makes a channel whose time begins now; Serve lets it run. Errors wrap ErrConfig.
func NewSky(cfg ServeConfig) (*Sky, error) {
	if cfg.Speed == 0 {
		cfg.Speed = 1
	}
	if !(cfg.Speed >= 0.001 && cfg.Speed <= math.MaxUint32/1000) {
		return nil, fmt.Errorf("%w: speed %v", ErrConfig, cfg.Speed)
	}
	for i, n := range cfg.Names {
		if n == "" || slices.Contains(cfg.Names[:i], n) {
			return nil, fmt.Errorf("%w: station name %q is empty or there twice", ErrConfig, n)
		}
	}
	cfg.Stations = len(cfg.Names)
	begin := time.Now()
	sim, err := New(cfg.Config, begin)
	if err != nil {
		return nil, err
	}
	return &Sky{cfg: cfg, begin: begin, wake: make(chan struct{}, 1), sim: sim, units: make([]*modem.Unit, cfg.Stations)}, nil
}

// Serve lets stations in until ctx ends, and then waits for all of them.
func Serve(ctx context.Context, ln net.Listener, cfg ServeConfig) error {
	sky, err := NewSky(cfg)
	if err != nil {
		return err
	}
	return sky.Serve(ctx, ln)
}

// Serve is the package's Serve for a Sky that is there. It is called once.
func (s *Sky) Serve(ctx context.Context, ln net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	var clock sync.WaitGroup
	defer clock.Wait()
	defer stop()
	clock.Go(func() { s.Run(ctx) })
	return modem.Serve(ctx, ln, s.Hello(), s.Attend)
}

// Hello is what each station's modem says of itself.
func (s *Sky) Hello() modem.Hello {
	return modem.Hello{Name: "channel", Radio: s.cfg.Radio, Speed: s.cfg.Speed}
}

// Now is the channel's own time.
func (s *Sky) Now() time.Time {
	return s.begin.Add(time.Duration(float64(time.Since(s.begin)) * s.cfg.Speed))
}

// Names are the stations' names by number.
func (s *Sky) Names() []string { return slices.Clone(s.cfg.Names) }

// Log returns what happened until now, as Sim.Log does.
func (s *Sky) Log() []Transmission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sim.Log()
}

// Stats returns the counts.
func (s *Sky) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sim.Stats()
}

// Attend plays the modem of one connected station until it leaves. A station that connects again takes the place of its old connection.
// A transmission ends with the connection that ordered it.
func (s *Sky) Attend(_ context.Context, u *modem.Unit) {
	number := slices.Index(s.cfg.Names, u.Station())
	if number < 0 {
		return
	}
	s.join(number, u)
	defer s.leave(number, u)
	for o := range u.Orders() {
		s.mu.Lock()
		if s.units[number] == u {
			_ = s.sim.Order(s.Now(), number, o) // only a station that is not there is an error
			s.deliver()
		}
		s.mu.Unlock()
		s.replan()
	}
}

func (s *Sky) join(number int, u *modem.Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.units[number]; old != nil {
		old.Close()
		s.sim.Drop(s.Now(), number)
	}
	s.deliver()
	s.units[number] = u
	if c := s.sim.Carrier(number); c.On {
		u.Emit(c)
	}
}

func (s *Sky) leave(number int, u *modem.Unit) {
	s.mu.Lock()
	if s.units[number] == u {
		s.units[number] = nil
		s.sim.Drop(s.Now(), number)
	}
	s.mu.Unlock()
	s.replan()
}

// Run lets time pass until ctx ends. Serve calls it.
func (s *Sky) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		s.mu.Lock()
		s.deliver()
		at, ok := s.sim.Deadline()
		s.mu.Unlock()
		if !ok {
			timer.Stop()
			continue
		}
		// rounded up, so that it is not woken just before
		timer.Reset(time.Duration(float64(at.Sub(s.Now()))/s.cfg.Speed) + time.Microsecond)
	}
}

func (s *Sky) replan() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// deliver hands out what is due. The caller holds the lock; Emit does not wait.
func (s *Sky) deliver() {
	for _, d := range s.sim.Tick(s.Now()) {
		if u := s.units[d.Station]; u != nil {
			u.Emit(d.Event)
		}
	}
}
