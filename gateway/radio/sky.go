package radio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"sallyport/s5066/channel"
	"sallyport/s5066/channel/timeline"
)

// lookEvery is how often a running channel is looked at for transmissions that have ended.
const lookEvery = 100 * time.Millisecond

// maxStrips is how many strips a picture has at most; a longer time makes longer strips.
const maxStrips = 60

// ChannelRun says what a running channel tells, and where.
type ChannelRun struct {
	Ready func(net.Addr) // called when stations may connect; nil for nobody
	Lines io.Writer      // a line for each transmission, under a heading; nil for none
	Log   io.Writer      // a JSON object a line for each transmission; nil for none
	// Air is called ten times a second with what is being keyed or still heard, in the order of keying; nil for nobody.
	Air func([]Told)
}

// RunChannel lets stations in until ctx ends, and then gives the picture of what happened: SVG, empty if nobody keyed.
func RunChannel(ctx context.Context, c Channel, run ChannelRun) (picture []byte, err error) {
	cfg, err := c.serve(time.Now())
	if err != nil {
		return nil, err
	}
	sky, err := channel.NewSky(cfg)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", c.Listen.String())
	if err != nil {
		return nil, fmt.Errorf("listen for stations: %w", err)
	}
	if run.Ready != nil {
		run.Ready(ln.Addr())
	}
	teller := NewTeller(sky.Names())
	watch := &watcher{sky: sky, teller: teller, run: run}
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { watch.until(ctx) })
	err = sky.Serve(ctx, ln)
	stop()
	wg.Wait()
	watch.look(true)
	if len(watch.log) == 0 {
		return nil, errors.Join(err, watch.err)
	}
	var svg bytes.Buffer
	drawn := timeline.Draw(&svg, watch.log, timeline.Options{
		Title: "Who keyed when, and what was heard", Names: sky.Names(), Strip: stripOf(watch.log), Marks: teller.Marks, Windows: cfg.Windows,
	})
	return svg.Bytes(), errors.Join(err, watch.err, drawn)
}

func stripOf(log []channel.Transmission) time.Duration {
	span := log[len(log)-1].Sent.Sub(log[0].Key)
	strip := time.Minute
	for span > maxStrips*strip {
		strip *= 2
	}
	return strip
}

// watcher tells each transmission once, when it has ended everywhere.
type watcher struct {
	sky    *channel.Sky
	teller *Teller
	run    ChannelRun
	told   int // number of the last
	log    []channel.Transmission
	err    error // the first of a writer
}

func (w *watcher) until(ctx context.Context) {
	if w.run.Lines != nil {
		w.line(w.run.Lines, w.teller.Heading())
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(false)
		}
	}
}

// look tells what has ended; at the last look, everything.
func (w *watcher) look(last bool) {
	log := w.sky.Log()
	if last {
		w.log = log
	}
	for _, tx := range log {
		if tx.Number <= w.told {
			continue
		}
		if !last && !ended(tx, w.sky.Now()) {
			w.air(log)
			return // in order
		}
		w.told = tx.Number
		told := w.teller.Tell(tx)
		if w.run.Lines != nil {
			w.line(w.run.Lines, w.teller.Line(told))
		}
		if w.run.Log != nil {
			b, err := json.Marshal(told)
			if err != nil {
				w.err = errors.Join(w.err, err)
				return
			}
			w.line(w.run.Log, string(b))
		}
	}
	w.air(nil)
}

// air tells what has begun and has not been told.
func (w *watcher) air(log []channel.Transmission) {
	if w.run.Air == nil {
		return
	}
	var all []Told
	for _, tx := range log {
		if tx.Number > w.told {
			all = append(all, w.teller.Begun(tx, w.sky.Now()))
		}
	}
	w.run.Air(all)
}

func (w *watcher) line(to io.Writer, s string) {
	if w.err == nil {
		_, w.err = io.WriteString(to, s+"\n")
	}
}

func ended(tx channel.Transmission, now time.Time) bool {
	for _, r := range tx.Heard {
		if r.Outcome == channel.Pending {
			return false
		}
	}
	return !tx.Sent.IsZero() && !tx.Sent.After(now)
}
