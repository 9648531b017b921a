package timeline

import (
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/s5066/channel"
)

// Limits of a picture.
const (
	maxStrips  = 500
	maxMarks   = 4096 // per transmission
	maxLabel   = 24   // characters of a label that are shown
	maxWidth   = 20_000
	stripLimit = 7 * 24 * time.Hour
)

// ErrOptions is in the chain of errors about pictures that cannot be drawn.
var ErrOptions = errors.New("timeline options")

// Options say what is drawn, and how wide.
type Options struct {
	Title    string
	Names    []string      // of the stations by number, all that have a row; at least one
	From, To time.Time     // zero: the log's begin and end
	Strip    time.Duration // time in one strip; 0: a minute
	Width    int           // of the strips in pixels; 0: 1200
	Marks    func(channel.Transmission) []Mark
	Windows  []channel.Window // outages and jamming, shaded
}

// Mark is a part of a transmission that means something.
type Mark struct {
	From, To int // bytes, To not included
	Label    string
	Kind     Kind
}

// Kind is how a mark is coloured.
type Kind uint8

// The kinds there are.
const (
	Plain   Kind = iota
	First        // data sent for the first time
	Again        // data sent before
	Control      // acknowledgements and the like
)

// Draw writes the log as SVG. Transmissions of stations without a name are left out. Errors are those of w, or wrap ErrOptions.
func Draw(w io.Writer, log []channel.Transmission, o Options) error {
	if err := o.complete(log); err != nil {
		return err
	}
	p := &picture{Options: o, log: log, out: &svg{w: w}}
	p.draw()
	return p.out.err
}

func (o *Options) complete(log []channel.Transmission) error {
	if o.Strip == 0 {
		o.Strip = time.Minute
	}
	if o.Width == 0 {
		o.Width = 1200
	}
	if o.From.IsZero() && len(log) > 0 {
		o.From = log[0].Key.Truncate(time.Second)
	}
	if o.To.IsZero() {
		for _, tx := range log {
			if tx.Sent.After(o.To) {
				o.To = tx.Sent
			}
		}
	}
	switch {
	case len(o.Names) == 0:
		return fmt.Errorf("%w: no stations", ErrOptions)
	case o.Strip < time.Second || o.Strip > stripLimit || o.Width < 200 || o.Width > maxWidth:
		return fmt.Errorf("%w: strips of %v in %d pixels", ErrOptions, o.Strip, o.Width)
	case !o.From.Before(o.To):
		return fmt.Errorf("%w: nothing from %v to %v", ErrOptions, o.From, o.To)
	case o.To.Sub(o.From) > maxStrips*o.Strip:
		return fmt.Errorf("%w: %v in strips of %v, at most %d strips", ErrOptions, o.To.Sub(o.From), o.Strip, maxStrips)
	}
	return nil
}
