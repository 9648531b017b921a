package modem

import (
	"context"
	"errors"
	"net"
)

// ErrGone is returned for orders to a modem that is not there any more.
var ErrGone = errors.New("the modem is gone")

// Port is a station's running end of a modem: orders go in, events come out. Order and Close may be called from any goroutine.
type Port struct {
	hello  Hello
	orders chan Order
	events chan Event
	done   chan struct{}
	close  context.CancelFunc
}

// Dial connects to a modem that speaks our framing, for example one that s5066/channel serves, as the station of that name.
// ctx bounds the connecting only.
func Dial(ctx context.Context, addr, station string) (*Port, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return Attach(ctx, conn, station)
}

// Attach is Dial over a connection that is there. The connection is the port's from now on.
func Attach(ctx context.Context, conn net.Conn, station string) (*Port, error) {
	_ = conn.Close()
	return nil, ErrGone
}

// Hello is what the modem said of itself: its name, the radio's figures, its speed.
func (p *Port) Hello() Hello { return p.hello }

// Events is closed when the modem is gone, after a Lost for the transmission that was outstanding and a Carrier that is off if it was on.
func (p *Port) Events() <-chan Event { return p.events }

// Order gives an order. It waits while the modem does not read; ErrGone once the modem is gone.
func (p *Port) Order(ctx context.Context, o Order) error {
	select {
	case p.orders <- o:
		return nil
	case <-p.done:
		return ErrGone
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the connection and waits for the port's goroutines. Events is closed then.
func (p *Port) Close() error {
	p.close()
	<-p.done
	return nil
}
