package channel

import (
	"errors"
	"fmt"
	"math"
	"time"

	"sallyport/s5066/modem"
)

// Limits of a simulation.
const (
	maxStations       = 64
	maxWindows        = 1024
	defaultLogEntries = 4096
)

// ErrConfig is in the chain of every error about a configuration that makes no sense.
var ErrConfig = errors.New("channel configuration")

// Config describes stations and what is between them. It is not changed while a Sim uses it.
type Config struct {
	Stations int                     // how many; they are numbered from 0
	Radio    modem.Radio             // of all stations
	Paths    func(from, to int) Path // asked once for each ordered pair; see Everybody
	Windows  []Window
	Capture  float64 // dB by which a transmission survives another; 0: never
	Seed     uint64
	Log      LogConfig
}

// LogConfig bounds the log.
type LogConfig struct {
	Entries int  // transmissions that are kept, the oldest go first; 0: 4096
	Data    bool // whether their bytes are kept, for marks in a picture
}

// Path is how one station hears another. The zero value is not at all.
type Path struct {
	Profile Profile
	SNR     float64 // dB in the waveform's bandwidth; 0: more than any waveform needs (40 is reported)
}

// There reports whether anything is heard over it.
func (p Path) There() bool { return p.Profile.Name != "" }

// Everybody hears everybody over the same kind of path.
func Everybody(p Path) func(from, to int) Path {
	return func(int, int) Path { return p }
}

// Window is a span of time in which a channel does not work as it should, for some of the receivers.
type Window struct {
	From, To time.Time
	Kind     WindowKind
	Stations []int // whose receivers; empty: all
}

// WindowKind is what happens in a Window.
type WindowKind uint8

// The zero value is refused.
const (
	_      WindowKind = iota
	Outage            // nothing is heard, not even energy
	Jam               // energy all the time, and everything is lost
)

func (c Config) validate() error {
	switch {
	case c.Stations < 1 || c.Stations > maxStations:
		return fmt.Errorf("%w: %d stations, 1 to %d", ErrConfig, c.Stations, maxStations)
	case c.Paths == nil:
		return fmt.Errorf("%w: nobody hears anybody, Paths is missing", ErrConfig)
	case c.Radio.KeyUp < 0 || c.Radio.KeyDown < 0 || c.Radio.Decode < 0:
		return fmt.Errorf("%w: negative radio figure in %+v", ErrConfig, c.Radio)
	case c.Capture < 0 || math.IsNaN(c.Capture):
		return fmt.Errorf("%w: capture %v dB", ErrConfig, c.Capture)
	case len(c.Windows) > maxWindows:
		return fmt.Errorf("%w: %d windows, at most %d", ErrConfig, len(c.Windows), maxWindows)
	case c.Log.Entries < 0:
		return fmt.Errorf("%w: log of %d entries", ErrConfig, c.Log.Entries)
	}
	for i, w := range c.Windows {
		if !w.From.Before(w.To) || w.Kind != Outage && w.Kind != Jam {
			return fmt.Errorf("%w: window %d from %v to %v of kind %d", ErrConfig, i, w.From, w.To, w.Kind)
		}
		for _, s := range w.Stations {
			if s < 0 || s >= c.Stations {
				return fmt.Errorf("%w: window %d names station %d of %d", ErrConfig, i, s, c.Stations)
			}
		}
	}
	return nil
}
