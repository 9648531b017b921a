package gateway_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// wires are connections in memory, inside a synctest bubble, that a test can cut.
type wires struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*wireListener
	down      map[netip.AddrPort]bool
	open      map[netip.AddrPort][]*wire
	port      uint16
	delay     time.Duration
}

func newWires() *wires {
	return &wires{
		listeners: map[netip.AddrPort]*wireListener{}, down: map[netip.AddrPort]bool{}, open: map[netip.AddrPort][]*wire{},
	}
}

type wireListener struct {
	w      *wires
	addr   netip.AddrPort
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Accept implements net.Listener.
func (l *wireListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *wireListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.w.mu.Lock()
		if l.w.listeners[l.addr] == l {
			delete(l.w.listeners, l.addr)
		}
		l.w.mu.Unlock()
	})
	return nil
}

// Addr implements net.Listener.
func (l *wireListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

func (w *wires) listen(_ context.Context, _, address string) (net.Listener, error) {
	at := netip.MustParseAddrPort(address)
	l := &wireListener{w: w, addr: at, conns: make(chan net.Conn), closed: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listeners[at] != nil {
		return nil, syscall.EADDRINUSE
	}
	w.listeners[at] = l
	return l, nil
}

func (w *wires) dial(ctx context.Context, _, address string) (net.Conn, error) {
	at := netip.MustParseAddrPort(address)
	w.mu.Lock()
	l, down := w.listeners[at], w.down[at]
	w.port++
	from := netip.AddrPortFrom(at.Addr(), 40000+w.port)
	w.mu.Unlock()
	if l == nil || down {
		return nil, syscall.ECONNREFUSED
	}
	to, back := newPipe(w.delay), newPipe(w.delay)
	a := &wire{in: back, out: to, local: from, remote: at}
	b := &wire{in: to, out: back, local: at, remote: from}
	select {
	case l.conns <- b:
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w.mu.Lock()
	w.open[at] = append(w.open[at], a, b)
	w.mu.Unlock()
	return a, nil
}

// cut breaks a link: what is on the way is lost, and nothing gets through until mend.
func (w *wires) cut(at netip.AddrPort) {
	w.mu.Lock()
	w.down[at] = true
	all := w.open[at]
	delete(w.open, at)
	w.mu.Unlock()
	for _, c := range all {
		c.in.fail(syscall.ECONNRESET)
		c.out.fail(syscall.ECONNRESET)
	}
}

func (w *wires) mend(at netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.down, at)
}

// wire is one end of a connection.
type wire struct {
	in, out       *pipe
	local, remote netip.AddrPort
}

// Read implements net.Conn.
func (c *wire) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements net.Conn.
func (c *wire) Write(p []byte) (int, error) { return c.out.write(p) }

// Close implements net.Conn.
func (c *wire) Close() error {
	c.in.fail(net.ErrClosed)
	c.out.end()
	return nil
}

func (c *wire) LocalAddr() net.Addr                { return net.TCPAddrFromAddrPort(c.local) }
func (c *wire) RemoteAddr() net.Addr               { return net.TCPAddrFromAddrPort(c.remote) }
func (c *wire) SetDeadline(t time.Time) error      { c.in.by(t); return nil }
func (c *wire) SetReadDeadline(t time.Time) error  { c.in.by(t); return nil }
func (c *wire) SetWriteDeadline(_ time.Time) error { return nil }

// pipe is one direction, without a bound.
type pipe struct {
	mu     sync.Mutex
	delay  time.Duration
	chunks []parcel
	err    error
	ended  bool
	until  time.Time
	change chan struct{}
}

// parcel is what was written at once, and when it arrives.
type parcel struct {
	b  []byte
	at time.Time
}

func newPipe(delay time.Duration) *pipe { return &pipe{delay: delay, change: make(chan struct{})} }

func (p *pipe) changed() {
	close(p.change)
	p.change = make(chan struct{})
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	for {
		switch {
		case p.err != nil:
			defer p.mu.Unlock()
			return 0, p.err
		case len(p.chunks) > 0 && !time.Now().Before(p.chunks[0].at):
			defer p.mu.Unlock()
			n := copy(b, p.chunks[0].b)
			if p.chunks[0].b = p.chunks[0].b[n:]; len(p.chunks[0].b) == 0 {
				p.chunks = p.chunks[1:]
			}
			return n, nil
		case p.ended && len(p.chunks) == 0:
			defer p.mu.Unlock()
			return 0, io.EOF
		case !p.until.IsZero() && !time.Now().Before(p.until):
			defer p.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		change, until := p.change, p.until
		if len(p.chunks) > 0 && (until.IsZero() || p.chunks[0].at.Before(until)) {
			until = p.chunks[0].at
		}
		p.mu.Unlock()
		if until.IsZero() {
			<-change
		} else {
			t := time.NewTimer(time.Until(until))
			select {
			case <-change:
			case <-t.C:
			}
			t.Stop()
		}
		p.mu.Lock()
	}
}

func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil || p.ended {
		return 0, net.ErrClosed
	}
	p.chunks = append(p.chunks, parcel{slices.Clone(b), time.Now().Add(p.delay)})
	p.changed()
	return len(b), nil
}

func (p *pipe) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		p.changed()
	}
}

func (p *pipe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		p.changed()
	}
}

func (p *pipe) by(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = t
	p.changed()
}
