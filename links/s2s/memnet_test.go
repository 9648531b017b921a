package s2s_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/links/s2s"
)

// memnet is a network inside one synctest bubble: pipes, addresses and no system calls.
type memnet struct {
	mu        sync.Mutex
	listeners map[string]*memListener
	port      uint16
	conns     []*memConn
	down      atomic.Bool
	dials     atomic.Int64
}

func newMemnet() *memnet { return &memnet{listeners: map[string]*memListener{}, port: 1000} }

func (m *memnet) env(e *s2s.Env) { e.Dial, e.Listen = m.dial, m.listen }

type memListener struct {
	net    *memnet
	addr   netip.AddrPort
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

func (m *memnet) listen(_ context.Context, _, _ string) (net.Listener, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.port++
	l := &memListener{
		net: m, addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), m.port),
		conns: make(chan net.Conn), closed: make(chan struct{}),
	}
	m.listeners[l.addr.String()] = l
	return l, nil
}

func (m *memnet) dial(ctx context.Context, _, address string) (net.Conn, error) {
	m.dials.Add(1)
	m.mu.Lock()
	l := m.listeners[address]
	m.mu.Unlock()
	if l == nil || m.down.Load() {
		return nil, errors.New("connection refused")
	}
	a, b := memPipe(l.addr)
	select {
	case l.conns <- b:
		m.mu.Lock()
		m.conns = append(m.conns, a, b)
		m.mu.Unlock()
		return a, nil
	case <-l.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hole makes every connection of now swallow what is written, without a word to either end.
func (m *memnet) hole() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		c.hole.Store(true)
	}
}

// deafen makes every end of now read nothing more, and keep the connection.
func (m *memnet) deafen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		c.in.deafen()
	}
}

// memConn is one end of a pipe with a buffer, so that a writer is not held up by a reader who is busy writing.
type memConn struct {
	in, out       *buffer
	local, remote net.Addr
	hole          atomic.Bool
}

func memPipe(server netip.AddrPort) (client, srv *memConn) {
	up, down := newBuffer(), newBuffer()
	s, c := net.TCPAddrFromAddrPort(server), net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:40000"))
	return &memConn{in: down, out: up, local: c, remote: s}, &memConn{in: up, out: down, local: s, remote: c}
}

// Read implements net.Conn.
func (c *memConn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements net.Conn.
func (c *memConn) Write(p []byte) (int, error) {
	if c.hole.Load() {
		return len(p), nil
	}
	return c.out.write(p)
}

// Close implements net.Conn.
func (c *memConn) Close() error {
	c.in.close(net.ErrClosed)
	if !c.hole.Load() {
		c.out.close(nil)
	}
	return nil
}

func (c *memConn) LocalAddr() net.Addr                { return c.local }
func (c *memConn) RemoteAddr() net.Addr               { return c.remote }
func (c *memConn) SetDeadline(t time.Time) error      { c.in.until(t); return c.SetWriteDeadline(t) }
func (c *memConn) SetReadDeadline(t time.Time) error  { c.in.until(t); return nil }
func (c *memConn) SetWriteDeadline(t time.Time) error { c.out.untilWrite(t); return nil }

// buffer is one direction: 256 KiB, like a socket's.
type buffer struct {
	mu     sync.Mutex
	data   []byte
	err    error
	ended  bool
	deaf   bool // the reader reads no more
	change chan struct{}
	readBy time.Time
	wrtBy  time.Time
}

func newBuffer() *buffer { return &buffer{change: make(chan struct{})} }

func (b *buffer) changed() {
	close(b.change)
	b.change = make(chan struct{})
}

func (b *buffer) wait(by time.Time) error {
	change := b.change
	b.mu.Unlock()
	defer b.mu.Lock()
	if by.IsZero() {
		<-change
		return nil
	}
	t := time.NewTimer(time.Until(by))
	defer t.Stop()
	select {
	case <-change:
		return nil
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}

func (b *buffer) read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.err != nil:
			return 0, b.err
		case b.deaf:
		case len(b.data) > 0:
			n := copy(p, b.data)
			b.data = b.data[n:]
			b.changed()
			return n, nil
		case b.ended:
			return 0, errors.New("connection reset by peer")
		}
		if err := b.wait(b.readBy); err != nil {
			return 0, err
		}
	}
}

func (b *buffer) write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	done := 0
	for len(p) > 0 {
		if b.err != nil || b.ended {
			return done, errors.New("broken pipe")
		}
		if room := 256<<10 - len(b.data); room > 0 {
			n := min(room, len(p))
			b.data = append(b.data, p[:n]...)
			p, done = p[n:], done+n
			b.changed()
			continue
		}
		if err := b.wait(b.wrtBy); err != nil {
			return done, err
		}
	}
	return done, nil
}

func (b *buffer) close(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.err = err
	}
	b.ended = true
	b.changed()
}

func (b *buffer) deafen() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deaf = true
}

func (b *buffer) until(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readBy = t
	b.changed()
}

func (b *buffer) untilWrite(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrtBy = t
	b.changed()
}
