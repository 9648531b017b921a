package node

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"sallyport/s5066/modem"
	"sallyport/s5066/sis"
)

// Limits of a running node.
const (
	redialFirst = time.Second
	redialMost  = 30 * time.Second
	orderWithin = 30 * time.Second // the modem has to take an order
)

// Edge is how a running node reaches its modem, and whom it tells.
type Edge struct {
	// Dial connects to the modem; it is called again whenever the modem is gone. See DialModem.
	Dial func(context.Context) (*modem.Port, modem.Hello, error)
	// Tell takes events; nil for nobody. It is called from several goroutines, must not wait, and must not call the Runner.
	Tell func(Event)
}

// DialModem is a Dial for a modem that speaks our framing over TCP, as the station of that name.
func DialModem(addr, station string) func(context.Context) (*modem.Port, modem.Hello, error) {
	return func(ctx context.Context) (*modem.Port, modem.Hello, error) { return modem.Dial(ctx, addr, station) }
}

// Runner is a running node: a Node behind a lock, with sockets around it. Its methods may be called from any goroutine.
type Runner struct {
	edge   Edge
	listen *sis.Listener
	wake   chan struct{} // the deadline may have changed

	mu     sync.Mutex // guards what follows
	node   *Node
	clock  clock
	orders chan modem.Order // for the goroutine that has the port; nil without one
}

// NewRunner makes a node that does nothing before Run. Errors are those of New.
func NewRunner(cfg Config, edge Edge) (*Runner, error) {
	now := time.Now()
	n, err := New(cfg, now)
	if err != nil {
		return nil, err
	}
	r := &Runner{edge: edge, wake: make(chan struct{}, 1), node: n, clock: newClock(now)}
	r.listen = sis.NewListener((*clientPort)(r))
	return r, nil
}

// Run is NewRunner and Runner.Run.
func Run(ctx context.Context, ln net.Listener, cfg Config, edge Edge) error {
	r, err := NewRunner(cfg, edge)
	if err != nil {
		_ = ln.Close()
		return err
	}
	return r.Run(ctx, ln)
}

// Run serves clients on ln and keeps the modem until ctx ends; then it closes both and waits for all goroutines. The error is that of the
// listener, nil if ctx ended first. It is called once.
func (r *Runner) Run(ctx context.Context, ln net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { r.ticks(ctx) })
	if r.edge.Dial != nil {
		wg.Go(func() { r.modems(ctx) })
	}
	if err := r.listen.Serve(ctx, ln); err != nil {
		return fmt.Errorf("serve clients: %w", err)
	}
	return nil
}

// Do calls f with the node and its time, as the only one that has it. f must not wait.
func (r *Runner) Do(f func(n *Node, now time.Time)) {
	events := func() []Event {
		r.mu.Lock()
		defer r.mu.Unlock()
		f(r.node, r.clock.at(time.Now()))
		r.order()
		return r.node.Events()
	}()
	if r.edge.Tell != nil {
		for _, e := range events {
			r.edge.Tell(e)
		}
	}
	r.listen.Wake()
	select {
	case r.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Status is that of the node.
func (r *Runner) Status() (s Status) {
	r.Do(func(n *Node, now time.Time) { s = n.Status(now) })
	return s
}

// SetEMCON is that of the node, SetBroadcast and SetWaveform too.
func (r *Runner) SetEMCON(on bool) { r.Do(func(n *Node, now time.Time) { n.SetEMCON(now, on) }) }

// SetBroadcast switches broadcast-only operation.
func (r *Runner) SetBroadcast(on bool) {
	r.Do(func(n *Node, now time.Time) { n.SetBroadcast(now, on) })
}

// SetWaveform changes what the node transmits.
func (r *Runner) SetWaveform(w modem.Waveform) (err error) {
	r.Do(func(n *Node, now time.Time) { err = n.SetWaveform(now, w) })
	return err
}

// order passes the node's orders to the goroutine of the modem. The caller holds the lock. There is never more than one order at a time: the
// node waits for its end.
func (r *Runner) order() {
	for _, o := range r.node.Orders() {
		select {
		case r.orders <- o:
		default: // no modem: ModemGone is on its way
		}
	}
}

// ticks lets the node know the time.
func (r *Runner) ticks(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
			r.Do(func(n *Node, now time.Time) {
				if at, ok := n.Deadline(); ok && !at.After(now) {
					n.Tick(now)
				}
			})
		}
		if wait, ok := r.next(); ok {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

func (r *Runner) next() (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.node.Deadline()
	if !ok {
		return 0, false
	}
	return max(r.clock.until(time.Now(), at), time.Millisecond), true // a deadline that does not go away must not take the machine
}

// modems keeps a modem until ctx ends.
func (r *Runner) modems(ctx context.Context) {
	for pause := redialFirst; ; pause = min(2*pause, redialMost) {
		port, hello, err := r.edge.Dial(ctx)
		if err == nil {
			pause = redialFirst
			err = r.attend(ctx, port, hello)
			_ = port.Close()
		}
		if ctx.Err() != nil {
			return
		}
		r.Do(func(n *Node, now time.Time) { n.ModemGone(now, err) })
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// attend is the life of one modem.
func (r *Runner) attend(ctx context.Context, port *modem.Port, hello modem.Hello) error {
	orders := make(chan modem.Order, 4)
	speed := hello.Speed
	if !(speed > 0) {
		speed = 1
	}
	r.mu.Lock()
	r.orders = orders
	r.clock.setSpeed(time.Now(), speed)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.orders = nil
		r.mu.Unlock()
	}()
	r.Do(func(n *Node, now time.Time) { n.ModemUp(now, hello.Radio, speed) })
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case o := <-orders:
			if err := give(ctx, port, o); err != nil {
				return err
			}
		case e, ok := <-port.Events():
			if !ok {
				return port.Err()
			}
			r.Do(func(n *Node, now time.Time) { n.Modem(now, e) })
		}
	}
}

// give orders within a time: a modem that takes nothing is gone.
func give(ctx context.Context, port *modem.Port, o modem.Order) error {
	ctx, stop := context.WithTimeout(ctx, orderWithin)
	defer stop()
	return port.Order(ctx, o)
}

// clientPort is the Runner as sis.Listener sees it.
type clientPort Runner

func (c *clientPort) do(f func(n *Node, now time.Time)) { (*Runner)(c).Do(f) }

// Attach implements sis.Port, as the other methods do.
func (c *clientPort) Attach() (id sis.ClientID, err error) {
	c.do(func(n *Node, now time.Time) { id, err = n.Attach(now) })
	return id, err
}

func (c *clientPort) Bytes(id sis.ClientID, b []byte) {
	c.do(func(n *Node, now time.Time) { n.Bytes(now, id, b) })
}

func (c *clientPort) Closed(id sis.ClientID) {
	c.do(func(n *Node, now time.Time) { n.Closed(now, id) })
}

func (c *clientPort) Output(id sis.ClientID) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.node.Output(id)
}
