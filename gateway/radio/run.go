package radio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/control"
	"sallyport/s5066"
	"sallyport/s5066/capture"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
)

// RunNode runs a node until ctx ends.
func RunNode(ctx context.Context, n Node, log *zap.Logger) error {
	cfg, err := n.node()
	if err != nil {
		return err
	}
	var sw capture.Switch
	cfg.Capture = func(c node.Captured) {
		if c.Frame != nil && c.Out {
			sw.Frame(c.Time, capture.Keyed, c.Bytes)
		}
	}
	cfg.Heard = func(at time.Time, b []byte) {
		if b == nil {
			sw.ModemEnd(at, capture.Heard)
			return
		}
		sw.Modem(at, capture.Heard, b)
	}
	dial, err := n.dial()
	if err != nil {
		return err
	}
	if ordered(string(n.Socket)) {
		cfg.EMCON = true
		log.Warn("radio silence as it was ordered before the node was started; 'sallyport hf emcon off' ends it")
	}
	var past story
	var r *node.Runner
	quiet := newSilenceFile(string(n.Socket), func() bool { return r.Status().EMCON })
	r, err = node.NewRunner(cfg, node.Edge{Dial: told(log, dial), Tell: func(e node.Event) {
		past.add(e)
		logEvent(log, e)
		if e.Kind == node.ModeChanged {
			quiet.changed()
		}
	}})
	if err != nil {
		return err
	}
	asked, err := control.Listen(control.Options{
		Path: string(n.Socket), Group: -1, Recorder: recorder{log},
		Verbs: Verbs(running{r, &past, quiet}, &sw),
	})
	if err != nil {
		return err
	}
	ln, err := sis.Listen(ctx, n.Listen.String())
	if err != nil {
		return errors.Join(fmt.Errorf("listen for clients: %w", err), asked.Close())
	}
	log.Info("node runs", zap.Stringer("address", n.Address), zap.Stringer("clients", ln.Addr()), zap.String("waveform", n.Waveform), zap.String("modem", n.Modem.Address))
	var wg sync.WaitGroup
	var served error
	wg.Go(func() { served = asked.Serve() })
	around, stop := context.WithCancel(ctx)
	wg.Go(func() { quiet.until(around, log) })
	err = r.Run(ctx, sw.Listener(ln))
	closed := asked.Close()
	stop()
	wg.Wait()
	_, captured := sw.Off()
	log.Info("node stopped", zap.Stringer("address", n.Address))
	return errors.Join(err, closed, served, captured)
}

// running is a node as its verbs see it.
type running struct {
	*node.Runner
	story *story
	quiet *silenceFile
}

// Status implements Radio, as the other methods do.
func (r running) Status() Status {
	s := statusOf(r.Runner.Status())
	s.Changes = r.story.tell()
	return s
}

func (r running) SetEMCON(on bool) error {
	r.Runner.SetEMCON(on)
	return r.quiet.match()
}

func (r running) SetRate(rate int) (err error) {
	r.Do(func(n *node.Node, now time.Time) { err = n.SetRate(now, rate) })
	return err
}

func (r running) AskRate(remote s5066.Address, rate int) (id uint64, err error) {
	r.Do(func(n *node.Node, now time.Time) { id, err = n.AskRate(now, remote, rate) })
	return id, err
}

func (r running) SendEOW(remote s5066.Address, eow dpdu.EOW, extended string) (id uint64, err error) {
	r.Do(func(n *node.Node, now time.Time) { id, err = n.SendEOW(now, remote, eow, extended) })
	return id, err
}

type dialer = func(context.Context) (*modem.Port, modem.Hello, error)

// told logs why a modem was not reached: a node that never had one has nothing else to say.
func told(log *zap.Logger, dial dialer) dialer {
	return func(ctx context.Context) (*modem.Port, modem.Hello, error) {
		p, hello, err := dial(ctx)
		if err != nil && ctx.Err() == nil {
			log.Warn("modem not reached, trying again", zap.Error(err))
		}
		return p, hello, err
	}
}

// dial is how the modem is reached.
func (n *Node) dial() (dialer, error) {
	if n.Modem.Kind != "raw" {
		return node.DialModem(n.Modem.Address, n.Modem.Station), nil
	}
	w, err := modem.ParseWaveform(n.Waveform)
	if err != nil {
		return nil, err
	}
	plain := n.plain(w)
	return func(ctx context.Context) (*modem.Port, modem.Hello, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", n.Modem.Address)
		if err != nil {
			return nil, modem.Hello{}, fmt.Errorf("dial modem: %w", err)
		}
		p, err := modem.Raw(conn, plain)
		return p, modem.Hello{Radio: plain.Figures(), Speed: 1}, err
	}, nil
}

// logEvent writes what happened. Nothing of what clients send is in an event.
func logEvent(log *zap.Logger, e node.Event) {
	fields := []zap.Field{zap.String("event", e.Kind.String()), zap.Time("at", e.Time)}
	if e.Remote.Valid() {
		fields = append(fields, zap.Stringer("remote", e.Remote))
	}
	if e.Client != 0 {
		fields = append(fields, zap.Uint64("client", uint64(e.Client)))
	}
	if e.Text != "" {
		fields = append(fields, zap.String("detail", e.Text))
	}
	if e.Err != nil {
		fields = append(fields, zap.Error(e.Err))
	}
	switch e.Kind {
	case node.LinkFailed, node.LinkRefused, node.ClientFault, node.Discarded, node.Warning, node.ModemDown, node.ModemLost:
		log.Warn("hf", fields...)
	default:
		log.Info("hf", fields...)
	}
}

// recorder writes to the log who asked for a change.
type recorder struct{ log *zap.Logger }

// Record implements control.Recorder.
func (r recorder) Record(_ context.Context, e control.Event) error {
	r.log.Info("asked", zap.Stringer("by", e.By), zap.String("verb", e.Verb), zap.Stringer("outcome", e.Outcome), zap.String("error", e.Error))
	return nil
}
