package sis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Network is how Dial reaches the node. The zero value is TCP with the defaults.
type Network struct {
	// Dial opens a connection; the default is TCP.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// RetryMin and RetryMax are the pauses before a lost connection is made again: the first,
	// and the longest after doubling. 1 s and 60 s by default.
	RetryMin, RetryMax time.Duration
}

func (n Network) withDefaults() Network {
	if n.Dial == nil {
		n.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		}
	}
	if n.RetryMin <= 0 {
		n.RetryMin = time.Second
	}
	if n.RetryMax < n.RetryMin {
		n.RetryMax = max(n.RetryMin, time.Minute)
	}
	return n
}

// Limits of what waits for Receive. A Conn that is not read from stops reading from the node,
// which may cut it off.
const (
	inboxEvents = 4096
	inboxBytes  = 8 << 20
)

// ErrClosed is returned by the methods of a Conn that has been closed.
var ErrClosed = errors.New("connection with the node was closed")

// Conn is a bound client of a node, connected again whenever the connection is lost. Its
// methods may be called from several goroutines.
type Conn struct {
	addr   string
	opts   BindOptions
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	done   chan struct{} // closed when no goroutine is left

	mu      sync.Mutex
	client  *Client       // of the present connection, nil between two
	changed chan struct{} // closed and made anew when anything below or in client has changed
	inbox   []ClientEvent
	size    int  // bytes of data in inbox
	closed  bool // Close was called
}

// Dial connects to a node and binds. It returns when the bind is accepted; a *BindError if it
// is refused. Afterwards the Conn reconnects by itself until Close; every end and every new
// beginning is told by Receive (Ended, Accepted).
func Dial(ctx context.Context, addr string, opts BindOptions) (*Conn, error) {
	c := &Conn{addr: addr, opts: opts.withDefaults(), done: make(chan struct{}), changed: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	raw, err := c.opts.Network.Dial(ctx, addr)
	if err != nil {
		c.cancel()
		return nil, fmt.Errorf("dial node: %w", err)
	}
	first, err := NewClient(time.Now(), c.opts)
	if err != nil {
		c.cancel()
		_ = raw.Close()
		return nil, fmt.Errorf("bind: %w", err)
	}
	c.client = first
	go c.run(raw, first)
	for {
		e, err := c.next(ctx)
		switch e := e.(type) {
		case Accepted:
			c.mu.Lock()
			c.inbox = append([]ClientEvent{e}, c.inbox...)
			c.mu.Unlock()
			return c, nil
		case Ended:
			err = e.Err
		}
		if err != nil {
			_ = c.Close()
			return nil, fmt.Errorf("bind to node: %w", err)
		}
	}
}

// Receive waits for the next event. The first is Accepted. It returns ErrClosed once the Conn
// is closed and all events have been received.
func (c *Conn) Receive(ctx context.Context) (ClientEvent, error) { return c.next(ctx) }

func (c *Conn) next(ctx context.Context) (ClientEvent, error) {
	var e ClientEvent
	err := c.wait(ctx, func() error {
		switch {
		case len(c.inbox) > 0:
			e = c.inbox[0]
			c.inbox = c.inbox[1:]
			c.size -= weight(e)
			c.tellChanged()
			return nil
		case c.closed:
			return ErrClosed
		}
		return errWait
	})
	return e, err
}

// Send submits a U_PDU as Client.Send does. While there is no connection, or the node takes no
// data, it waits until ctx ends.
func (c *Conn) Send(ctx context.Context, id uint64, p UnidataRequest) error {
	return c.do(ctx, func(now time.Time, client *Client) error { return client.Send(now, id, p) })
}

// HardLink submits a hard link primitive as Client.HardLink does.
func (c *Conn) HardLink(ctx context.Context, p Primitive) error {
	return c.do(ctx, func(now time.Time, client *Client) error { return client.HardLink(now, p) })
}

// Manage submits a management message.
func (c *Conn) Manage(ctx context.Context, message uint8, body []byte) error {
	return c.do(ctx, func(now time.Time, client *Client) error { return client.Manage(now, message, body) })
}

// MTU is the node's largest U_PDU in bytes, 0 between two connections.
func (c *Conn) MTU() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client == nil {
		return 0
	}
	return c.client.MTU()
}

// do runs a step of the client as soon as it does not have to wait.
func (c *Conn) do(ctx context.Context, step func(time.Time, *Client) error) error {
	return c.wait(ctx, func() error {
		switch {
		case c.closed:
			return ErrClosed
		case c.client == nil:
			return errWait
		}
		err := step(time.Now(), c.client)
		if errors.Is(err, ErrNotBound) || errors.Is(err, ErrFlowOff) || errors.Is(err, ErrBusy) {
			return errWait
		}
		if err == nil {
			c.tellChanged()
		}
		return err
	})
}

// errWait is what a step says that has to be tried again after a change.
var errWait = errors.New("wait")

// wait tries a step, under the lock, until it says something else than errWait.
func (c *Conn) wait(ctx context.Context, step func() error) error {
	for {
		c.mu.Lock()
		err := step()
		changed := c.changed
		c.mu.Unlock()
		if !errors.Is(err, errWait) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tellChanged wakes all that wait. The lock is held.
func (c *Conn) tellChanged() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// weight is what an event counts in the inbox.
func weight(e ClientEvent) int {
	switch e := e.(type) {
	case Received:
		return len(e.Data)
	case ManagementNews:
		return len(e.Message.Body)
	}
	return 0
}

// Close unbinds, closes the connection and waits for the goroutines, a few seconds at most
// where the node does not read.
func (c *Conn) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		if c.client != nil {
			c.client.Unbind(time.Now())
			c.collect(c.client)
		}
		c.tellChanged()
	}
	c.mu.Unlock()
	select {
	case <-c.done:
	case <-time.After(closeWait):
	}
	c.cancel()
	<-c.done
	return nil
}
