package channel

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"sallyport/s5066/modem"
)

// MaxAir is the longest transmission a simulated modem makes; longer ones are refused.
const MaxAir = time.Hour

// Sim is the medium and all modems on it, in virtual time. No goroutines, no clock: one owner calls Order, Deadline and Tick with times that
// do not go back; one that does counts as the latest.
type Sim struct {
	cfg      Config
	now      time.Time
	queue    agenda
	stations []station
	paths    [][]*path // from, to; nil where nobody is heard
	air      []*transmission
	out      []Delivery
	log      []*transmission
	stats    Stats
}

// Delivery is an event for the station with this number.
type Delivery struct {
	Station int
	At      time.Time
	Event   modem.Event
}

type station struct {
	keyed    *transmission
	carrier  modem.Carrier
	decoding []*reception
	cut, jam int // how many windows are open
}

// path is one direction between two stations.
type path struct {
	Path
	fading *fading
	noise  *rand.Rand
}

// New returns a silent channel at that time. Errors wrap ErrConfig.
func New(cfg Config, now time.Time) (*Sim, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Log.Entries == 0 {
		cfg.Log.Entries = defaultLogEntries
	}
	s := &Sim{cfg: cfg, now: now, stations: make([]station, cfg.Stations), paths: make([][]*path, cfg.Stations)}
	for from := range cfg.Stations {
		s.stations[from].carrier.SNR = modem.SNRUnknown
		s.paths[from] = make([]*path, cfg.Stations)
		for to := range cfg.Stations {
			p := cfg.Paths(from, to)
			if from == to || !p.There() {
				continue
			}
			if err := p.Profile.validate(); err != nil {
				return nil, fmt.Errorf("path from %d to %d: %w", from, to, err)
			}
			stream := uint64(from)<<32 | uint64(to)<<1
			s.paths[from][to] = &path{p, newFading(p.Profile, cfg.Seed, stream, now), rand.New(rand.NewPCG(cfg.Seed, stream|1))} //nolint:gosec // a simulation is to be repeatable
		}
	}
	for _, w := range cfg.Windows {
		if w.To.After(now) {
			s.at(w.From, func() { s.open(w) })
			s.at(w.To, func() { s.shut(w) })
		}
	}
	return s, nil
}

// Order gives a station's modem an order. The answers come from Tick; only a station that is not there is an error.
func (s *Sim) Order(now time.Time, station int, o modem.Order) error {
	if station < 0 || station >= len(s.stations) {
		return fmt.Errorf("%w: no station %d", ErrConfig, station)
	}
	s.run(now)
	switch o := o.(type) {
	case modem.Key:
		s.key(station, o)
	case modem.Abort:
		if tx := s.stations[station].keyed; tx != nil && tx.ID == o.ID {
			s.Drop(now, station)
		}
	default:
		return fmt.Errorf("order %T to station %d: %w", o, station, ErrConfig)
	}
	return nil
}

// Key is Order with a Key order.
func (s *Sim) Key(now time.Time, station int, w modem.Waveform, data []byte, id uint32) error {
	return s.Order(now, station, modem.Key{ID: id, Waveform: w, Data: data})
}

// Deadline is when Tick has something to do; false while the channel is silent for good.
func (s *Sim) Deadline() (time.Time, bool) {
	if len(s.out) > 0 {
		return s.out[0].At, true
	}
	if len(s.queue.tasks) > 0 {
		return s.queue.tasks[0].at, true
	}
	return time.Time{}, false
}

// Tick lets time pass until now and returns what the stations get, in the order of time.
func (s *Sim) Tick(now time.Time) []Delivery {
	s.run(now)
	out := s.out
	s.out = nil
	return out
}

// Carrier is what the station hears now.
func (s *Sim) Carrier(station int) modem.Carrier { return s.stations[station].carrier }

// Keyed reports whether the station transmits now.
func (s *Sim) Keyed(station int) bool { return s.stations[station].keyed != nil }

// Drop aborts what the station transmits, if anything.
func (s *Sim) Drop(now time.Time, station int) {
	s.run(now)
	if tx := s.stations[station].keyed; tx != nil {
		s.abort(tx)
	}
}

func (s *Sim) run(now time.Time) {
	for len(s.queue.tasks) > 0 && !s.queue.tasks[0].at.After(now) {
		next := heap.Pop(&s.queue).(task) //nolint:errcheck,forcetypeassert // nothing else is in it
		s.now = later(s.now, next.at)
		next.do()
	}
	s.now = later(s.now, now)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *Sim) emit(station int, e modem.Event) {
	s.out = append(s.out, Delivery{station, s.now, e})
}

func (s *Sim) at(t time.Time, do func()) {
	s.queue.seq++
	heap.Push(&s.queue, task{t, s.queue.seq, do})
}
