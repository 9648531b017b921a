package modem

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of the modem's end.
const (
	maxUnits       = 64
	maxQueued      = 4096    // frames
	maxQueuedBytes = 8 << 20 // a station that does not read is let go
)

// Unit is the modem's end of one connection.
type Unit struct {
	conn    net.Conn
	station string
	orders  chan Order
	out     chan Frame
	queued  atomic.Int64
	gone    chan struct{}
	once    sync.Once
}

// Station is the name the other end gave; nothing proves it.
func (u *Unit) Station() string { return u.station }

// Orders is closed when the station is gone.
func (u *Unit) Orders() <-chan Order { return u.orders }

// Emit sends an event without waiting. A station that does not read in time is let go; false once it is gone.
func (u *Unit) Emit(e Event) bool { return u.send(e) }

// Close lets the station go.
func (u *Unit) Close() {
	u.once.Do(func() {
		close(u.gone)
		_ = u.conn.Close()
	})
}

func (u *Unit) send(f Frame) bool {
	size := int64(weight(f))
	if u.queued.Add(size) > maxQueuedBytes {
		u.Close()
		return false
	}
	select {
	case <-u.gone:
		return false
	case u.out <- f:
		return true
	default:
		u.Close()
		return false
	}
}

func weight(f Frame) int {
	if d, ok := f.(Data); ok {
		return len(d.Bytes)
	}
	return 1
}

// Serve accepts stations on ln and has each attended in a goroutine of its own, until ctx ends; then it closes everything and waits. attend gets
// a station that has introduced itself; when it returns the station is let go. Errors of ln are returned, nil after ctx.
func Serve(ctx context.Context, ln net.Listener, hello Hello, attend func(context.Context, *Unit)) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	slots := make(chan struct{}, maxUnits)
	for {
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept station: %w", err)
		}
		select {
		case slots <- struct{}{}:
			all.Go(func() {
				defer func() { <-slots }()
				_ = Handle(ctx, conn, hello, attend)
			})
		default:
			_ = conn.Close()
		}
	}
}

// Handle is what Serve does with one connection, which it closes. It returns when attend has and the connection's goroutines have ended;
// the error says why a station was not attended.
func Handle(ctx context.Context, conn net.Conn, hello Hello, attend func(context.Context, *Unit)) error {
	u := &Unit{conn: conn, orders: make(chan Order), out: make(chan Frame, maxQueued), gone: make(chan struct{})}
	defer u.Close()
	defer context.AfterFunc(ctx, u.Close)()
	first, err := AppendFrame(nil, hello)
	if err == nil && hello.Speed < 0.001 {
		err = fmt.Errorf("speed %v: %w", hello.Speed, ErrFrame)
	}
	if err != nil {
		return err
	}
	if err := u.write(first); err != nil {
		return err
	}
	var dec Decoder
	f, err := u.next(&dec, helloWithin)
	if err != nil {
		return err
	}
	h, ok := f.(Hello)
	if !ok {
		return fmt.Errorf("%T before hello: %w", f, ErrFrame)
	}
	u.station = h.Name
	var both sync.WaitGroup
	both.Go(func() { u.receive(&dec) })
	both.Go(u.transmit)
	attend(ctx, u)
	u.Close()
	both.Wait()
	return nil
}

// receive reads orders until the station is gone.
func (u *Unit) receive(dec *Decoder) {
	defer close(u.orders)
	defer u.Close()
	for {
		f, err := u.next(dec, deadAfter)
		if err != nil {
			return
		}
		switch f := f.(type) {
		case Order:
			select {
			case u.orders <- f:
			case <-u.gone:
				return
			}
		case Ping:
			u.send(Pong(f))
		case Pong:
		default:
			return // a frame of the other direction
		}
	}
}

func (u *Unit) next(dec *Decoder, within time.Duration) (Frame, error) {
	b := make([]byte, readBytes)
	for {
		if f, err := dec.Next(); f != nil || err != nil {
			return f, err
		}
		if err := u.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
			return nil, fmt.Errorf("read from station: %w", err)
		}
		n, err := u.conn.Read(b)
		if _, bad := dec.Write(b[:n]); bad != nil {
			return nil, bad
		}
		if n == 0 && err != nil {
			return nil, fmt.Errorf("read from station: %w", err)
		}
	}
}

// transmit writes what is queued until the station is gone.
func (u *Unit) transmit() {
	defer u.Close()
	for {
		select {
		case <-u.gone:
			return
		case f := <-u.out:
			b, err := AppendFrame(nil, f)
			u.queued.Add(-int64(weight(f)))
			if err = errors.Join(err, u.write(b)); err != nil {
				return
			}
		}
	}
}

func (u *Unit) write(b []byte) error {
	if err := u.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return fmt.Errorf("write to station: %w", err)
	}
	if _, err := u.conn.Write(b); err != nil {
		return fmt.Errorf("write to station: %w", err)
	}
	return nil
}
