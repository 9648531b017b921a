package modem

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"
)

// Dial connects to a modem that speaks our framing, for example one that s5066/channel serves, as the station of that name.
// ctx bounds the connecting only.
func Dial(ctx context.Context, addr, station string) (*Port, Hello, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, Hello{}, fmt.Errorf("dial modem: %w", err)
	}
	return Attach(ctx, conn, station)
}

// Attach is Dial over a connection that is there; it belongs to the port from now on, and is closed on error. The Hello is the modem's.
func Attach(ctx context.Context, conn net.Conn, station string) (*Port, Hello, error) {
	s, first, err := NewSession(time.Now(), station)
	if err != nil {
		_ = conn.Close()
		return nil, Hello{}, err
	}
	p := Start(conn, s, first)
	select {
	case <-p.ready:
		h, _ := s.Hello() // written once, before ready was closed
		return p, h, nil
	case <-p.down:
		_ = p.Close()
		return nil, Hello{}, fmt.Errorf("greet modem: %w", p.err)
	case <-ctx.Done():
		_ = p.Close()
		return nil, Hello{}, fmt.Errorf("greet modem: %w", ctx.Err())
	}
}

// Raw runs a plain byte stream as a modem. The stream belongs to the port from now on. Errors wrap ErrWaveform.
func Raw(stream io.ReadWriteCloser, cfg Plain) (*Port, error) {
	m, err := NewImplied(cfg)
	if err != nil {
		return nil, err
	}
	return Start(stream, m, nil), nil
}
