package dtls

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// address is where a datagram came from, in the shape that pion compares.
type address netip.AddrPort

func (address) Network() string  { return "udp" }
func (a address) String() string { return netip.AddrPort(a).String() }

// wire is the net.PacketConn that pion's DTLS sees of one association: datagrams that the front has let through, one at a time, and a way
// out that goes where the front says, whatever address pion has in mind.
type wire struct {
	endpoint *Endpoint
	key      Key
	inbox    chan datagram
	closed   chan struct{}
	once     sync.Once
	// previous is the datagram that pion had last; it has dealt with all of it when it asks for the next. Owned by pion's reader.
	previous netip.AddrPort
	in, out  atomic.Uint64 // bytes of datagrams
	// newest returns the source of the newest authentic record.
	newest func() net.Addr

	mu        sync.Mutex
	overdue   chan struct{} // closed when the read deadline has passed
	timer     *time.Timer
	elsewhere netip.AddrPort // where messages of the length of a challenge go, while one is sent
}

type datagram struct {
	from netip.AddrPort
	data []byte
}

var _ net.PacketConn = (*wire)(nil)

func newWire(e *Endpoint, k Key) *wire {
	return &wire{endpoint: e, key: k, inbox: make(chan datagram, e.cfg.Limits.Queue), closed: make(chan struct{}), overdue: make(chan struct{})}
}

// put hands a datagram over, unless too many wait. It never blocks.
func (w *wire) put(from netip.AddrPort, data []byte) (ok bool) {
	select {
	case w.inbox <- datagram{from, data}:
		return true
	default:
		return false
	}
}

// ReadFrom implements net.PacketConn for pion's one reader.
func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	w.report()
	w.mu.Lock()
	overdue := w.overdue
	w.mu.Unlock()
	select {
	case <-w.closed:
		return 0, nil, net.ErrClosed
	case <-overdue:
		return 0, nil, os.ErrDeadlineExceeded
	default:
	}
	select {
	case d := <-w.inbox:
		w.previous = d.from
		w.in.Add(uint64(len(d.data)))
		return copy(b, d.data), address(d.from), nil
	case <-w.closed:
		return 0, nil, net.ErrClosed
	case <-overdue:
		return 0, nil, os.ErrDeadlineExceeded
	}
}

// report tells the front when the datagram before was under our keys and newer than all others (RFC 9146 §6): pion notes its source then.
func (w *wire) report() {
	from := w.previous
	w.previous = netip.AddrPort{}
	if !from.IsValid() || w.newest == nil || w.newest() != net.Addr(address(from)) {
		return
	}
	w.endpoint.authentic(w.key, from)
}

// WriteTo implements net.PacketConn.
func (w *wire) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-w.closed:
		return 0, net.ErrClosed
	default:
	}
	w.out.Add(uint64(len(b)))
	w.mu.Lock()
	to := w.elsewhere
	w.mu.Unlock()
	if to.IsValid() && len(b) > cidHeader && isControl(len(b)-cidHeader) {
		w.endpoint.send(to, b)
		return len(b), nil
	}
	w.endpoint.sendFor(w.key, b)
	return len(b), nil
}

// towards makes messages of the length of a challenge go to another address, until it is called with none.
func (w *wire) towards(a netip.AddrPort) {
	w.mu.Lock()
	w.elsewhere = a
	w.mu.Unlock()
}

// Close implements net.PacketConn.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.SetReadDeadline(time.Time{})
}

// LocalAddr implements net.PacketConn.
func (w *wire) LocalAddr() net.Addr { return w.endpoint.socket.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (w *wire) SetDeadline(t time.Time) error { return w.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn: writing never waits.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (w *wire) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	select {
	case <-w.overdue:
		w.overdue = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return nil
	}
	overdue := w.overdue
	if wait := time.Until(t); wait > 0 {
		w.timer = time.AfterFunc(wait, func() { w.expire(overdue) })
		return nil
	}
	close(overdue)
	return nil
}

func (w *wire) expire(overdue chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.overdue == overdue {
		select {
		case <-overdue:
		default:
			close(overdue)
		}
	}
}

// Socket is the part of *net.UDPConn that an Endpoint needs.
type Socket interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	io.Closer
}

// socketBuffer is asked of the kernel, in bytes, each way.
const socketBuffer = 4 << 20

// bind opens a real socket.
func bind(ctx context.Context, local netip.AddrPort) (Socket, error) {
	if !local.Addr().IsValid() {
		local = netip.AddrPortFrom(netip.IPv6Unspecified(), local.Port())
	}
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, "udp", local.String())
	if err != nil {
		return nil, err
	}
	u := c.(*net.UDPConn) //nolint:forcetypeassert // that is what "udp" gives
	// What the kernel drops for want of room looks like loss on the path. It gives what it may.
	return u, errors.Join(u.SetReadBuffer(socketBuffer), u.SetWriteBuffer(socketBuffer))
}
