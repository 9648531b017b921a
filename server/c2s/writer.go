package c2s

import (
	"errors"
	"io"
	"net"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/stream"
)

// step gives the machine one input and carries out what follows, or leaves it to the reader.
func (x *Session) step(in stream.Input) {
	x.mu.Lock()
	authenticated := false
	for _, o := range x.m.Step(time.Now(), in) {
		switch o := o.(type) {
		case stream.Write:
			x.out = append(x.out, o.Data...)
		case stream.StartTLS:
			x.startTLS = true
		case stream.RestartDecoder: // only ever for what the reader has just given
			x.dec.Restart(o.Limits)
		case stream.SetLimits:
			x.dec.SetLimits(o.Limits)
		case stream.LookUp, stream.BindWanted, stream.TokenWanted, stream.ResumeWanted:
			x.asks = append(x.asks, o)
		case stream.Deliver:
			x.arrivals = append(x.arrivals, o.Arrival)
		case stream.Authenticated:
			authenticated = true
			x.server.cfg.Sessions.Event(x, o)
		case stream.Fact:
			x.server.cfg.Log.Warn("client", zap.Stringer("fact", o.Kind), zap.String("detail", o.Detail),
				zap.Stringer("account", o.Remote), zap.Stringer("address", x.addr))
		case stream.Closed:
			x.closed = &o
			_ = x.conn.SetReadDeadline(time.Now()) // the reader has nothing to wait for any more
		default: // it is ready, its state, what it acknowledged or never will
			x.server.cfg.Sessions.Event(x, o)
		}
	}
	x.mu.Unlock()
	if authenticated {
		x.free()
	}
	signal(x.wake)
	signal(x.poke)
}

// write is the writer: it flushes when woken, and ticks.
func (x *Session) write() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		x.flush()
		x.mu.Lock()
		at := x.m.Deadline()
		x.mu.Unlock()
		if at.IsZero() {
			at = time.Now().Add(time.Hour)
		}
		timer.Reset(time.Until(at))
		select {
		case <-x.wake:
		case <-timer.C:
			x.step(stream.Tick{})
		case <-x.ended:
			return
		}
	}
}

// flush writes what there is. While a handshake is due nothing is written that was not before it.
func (x *Session) flush() {
	x.wmu.Lock()
	defer x.wmu.Unlock()
	x.mu.Lock()
	data, conn := x.out, x.conn
	x.out = nil
	x.mu.Unlock()
	if len(data) == 0 {
		return
	}
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // a failure shows in the write
	if _, err := conn.Write(data); err != nil {
		x.step(stream.Lost{Cause: cause(err)})
	}
}

// lingering is how long a client may take to read our last words.
const lingering = time.Second

// hangUp flushes and closes. What the client still sends is read for a moment, or the reset would eat our last words.
func (x *Session) hangUp() {
	x.flush()
	if end := x.end(); end != nil && end.Cause == stream.ClosedByPeer { // it has said its last word and waits for ours
		_ = x.conn.Close()
		return
	}
	if half, ok := x.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = x.conn.SetReadDeadline(time.Now().Add(lingering))
		if _, err := io.CopyN(io.Discard, x.conn, 1<<20); err != nil && !errors.Is(err, net.ErrClosed) {
			_ = x.conn.Close()
			return
		}
	}
	_ = x.conn.Close()
}
