package x2x_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// network is pipes with a delay inside one synctest bubble: no system calls, and time costs nothing.
type network struct {
	delay time.Duration // one way
	down  atomic.Bool
	dials atomic.Int64
	bytes atomic.Int64 // written by anybody

	mu        sync.Mutex
	listeners map[string]*listener
	conns     []*conn
	from      map[string]string // address dialled: source address of who dials
	port      uint16
}

func newNetwork() *network {
	return &network{listeners: map[string]*listener{}, from: map[string]string{}}
}

type listener struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

func (n *network) listen(_ context.Context, _, address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &listener{addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address)), conns: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

// dialAs returns the Dial of somebody with that address.
func (n *network) dialAs(source string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		n.dials.Add(1)
		n.mu.Lock()
		l := n.listeners[address]
		n.port++
		own := netip.AddrPortFrom(netip.MustParseAddr(source), 40000+n.port)
		n.mu.Unlock()
		if n.down.Load() || l == nil {
			return nil, syscall.ECONNREFUSED
		}
		if !pause(ctx, 2*n.delay) { // SYN and SYN-ACK
			return nil, ctx.Err()
		}
		a, b := n.pipe(own, netip.MustParseAddrPort(address))
		select {
		case l.conns <- b:
			return a, nil
		case <-l.closed:
			_, _ = a.Close(), b.Close()
			return nil, syscall.ECONNREFUSED
		case <-ctx.Done():
			_, _ = a.Close(), b.Close()
			return nil, ctx.Err()
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (n *network) pipe(client, server netip.AddrPort) (a, b *conn) {
	up, down := newHalf(n), newHalf(n)
	c, s := net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(server)
	a, b = &conn{in: down, out: up, local: c, remote: s}, &conn{in: up, out: down, local: s, remote: c}
	n.mu.Lock()
	n.conns = append(n.conns, a, b)
	n.mu.Unlock()
	return a, b
}

// cut breaks every connection of now; what is on the way is lost.
func (n *network) cut() {
	n.mu.Lock()
	all := n.conns
	n.conns = nil
	n.mu.Unlock()
	for _, c := range all {
		c.in.fail(syscall.ECONNRESET)
	}
}

// hole makes every connection of now swallow what is written, without a word.
func (n *network) hole() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.hole.Store(true)
	}
}

func (n *network) open() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	open := 0
	for _, c := range n.conns {
		if !c.in.over() {
			open++
		}
	}
	return open / 2
}

type conn struct {
	in, out       *half
	local, remote net.Addr
	hole          atomic.Bool
}

func (c *conn) Read(p []byte) (int, error) { return c.in.read(p) }

func (c *conn) Write(p []byte) (int, error) {
	if c.hole.Load() {
		return len(p), nil
	}
	return c.out.write(p)
}

func (c *conn) Close() error {
	c.in.fail(net.ErrClosed)
	if !c.hole.Load() {
		c.out.end()
	}
	return nil
}

func (c *conn) LocalAddr() net.Addr                { return c.local }
func (c *conn) RemoteAddr() net.Addr               { return c.remote }
func (c *conn) SetDeadline(t time.Time) error      { c.in.until(t, true); c.out.until(t, false); return nil }
func (c *conn) SetReadDeadline(t time.Time) error  { c.in.until(t, true); return nil }
func (c *conn) SetWriteDeadline(t time.Time) error { c.out.until(t, false); return nil }

// half is one direction: 256 KiB, like a socket's.
type half struct {
	net    *network
	mu     sync.Mutex
	chunks []chunk
	size   int
	err    error
	ended  bool
	change chan struct{}
	readBy time.Time
	wrtBy  time.Time
}

type chunk struct {
	b  []byte
	at time.Time
}

func newHalf(n *network) *half { return &half{net: n, change: make(chan struct{})} }

func (h *half) changed() {
	close(h.change)
	h.change = make(chan struct{})
}

// wait waits for a change, or until by (zero: for ever). Caller holds mu.
func (h *half) wait(by time.Time) {
	change := h.change
	h.mu.Unlock()
	defer h.mu.Lock()
	if by.IsZero() {
		<-change
		return
	}
	t := time.NewTimer(time.Until(by))
	defer t.Stop()
	select {
	case <-change:
	case <-t.C:
	}
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		now := time.Now()
		by := h.readBy
		switch {
		case h.err != nil:
			return 0, h.err
		case len(h.chunks) > 0 && !now.Before(h.chunks[0].at):
			n := copy(p, h.chunks[0].b)
			if h.chunks[0].b = h.chunks[0].b[n:]; len(h.chunks[0].b) == 0 {
				h.chunks = h.chunks[1:]
			}
			h.size -= n
			h.changed()
			return n, nil
		case len(h.chunks) == 0 && h.ended:
			return 0, io.EOF
		case !by.IsZero() && !now.Before(by):
			return 0, os.ErrDeadlineExceeded
		case len(h.chunks) > 0 && (by.IsZero() || h.chunks[0].at.Before(by)):
			by = h.chunks[0].at
		}
		h.wait(by)
	}
}

func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	done := 0
	for len(p) > 0 {
		if h.err != nil || h.ended {
			return done, errors.New("broken pipe")
		}
		if room := 256<<10 - h.size; room > 0 {
			n := min(room, len(p))
			h.chunks = append(h.chunks, chunk{append([]byte(nil), p[:n]...), time.Now().Add(h.net.delay)})
			h.size += n
			p, done = p[n:], done+n
			h.net.bytes.Add(int64(n))
			h.changed()
			continue
		}
		if !h.wrtBy.IsZero() && !time.Now().Before(h.wrtBy) {
			return done, os.ErrDeadlineExceeded
		}
		h.wait(h.wrtBy)
	}
	return done, nil
}

func (h *half) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
	}
	h.ended = true
	h.changed()
}

func (h *half) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.changed()
}

func (h *half) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

func (h *half) until(t time.Time, read bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if read {
		h.readBy = t
	} else {
		h.wrtBy = t
	}
	h.changed()
}
