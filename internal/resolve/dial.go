package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Stagger is the wait between two attempts to different addresses of one target (RFC 8305 §5).
const Stagger = 250 * time.Millisecond

// Dialer connects to the first address that answers.
type Dialer struct {
	// Attempt bounds one connection attempt; zero is 10 s.
	Attempt time.Duration
	// Dial opens a connection; nil is the operating system's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

type dialled struct {
	conn net.Conn
	addr netip.AddrPort
	err  error
}

// Connect starts an attempt for each address, Stagger apart or as soon as the one before has failed, and returns the first connection.
// No attempt is left running when it returns: the losers are cancelled, closed and waited for.
func (d Dialer) Connect(ctx context.Context, addrs []netip.AddrPort) (net.Conn, netip.AddrPort, error) {
	if len(addrs) == 0 {
		return nil, netip.AddrPort{}, errors.New("dial: no address")
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan dialled)
	started, finished := 0, 0
	start := func() {
		addr := addrs[started]
		started++
		go func() { results <- d.attempt(ctx, addr) }()
	}
	defer func() {
		cancel()
		for ; finished < started; finished++ {
			if r := <-results; r.conn != nil {
				_ = r.conn.Close()
			}
		}
	}()
	timer := time.NewTimer(Stagger)
	defer timer.Stop()
	var problems []error
	start()
	for {
		select {
		case r := <-results:
			finished++
			if r.err == nil {
				return r.conn, r.addr, nil
			}
			problems = append(problems, fmt.Errorf("%v: %w", r.addr, r.err))
			if started == len(addrs) && finished == started {
				return nil, netip.AddrPort{}, errors.Join(problems...)
			}
			if started < len(addrs) {
				start()
				timer.Reset(Stagger)
			}
		case <-timer.C:
			if started < len(addrs) {
				start()
				timer.Reset(Stagger)
			}
		}
	}
}

func (d Dialer) attempt(ctx context.Context, addr netip.AddrPort) dialled {
	limit := d.Attempt
	if limit <= 0 {
		limit = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dial := d.Dial
	if dial == nil {
		dial = dialer
	}
	conn, err := dial(ctx, "tcp", addr.String())
	if err != nil {
		return dialled{err: err, addr: addr}
	}
	return dialled{conn: conn, addr: addr}
}
