package resolve_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/resolve"
)

// network is a dialler whose addresses answer after a while, or never, or with a refusal.
type network struct {
	mu     sync.Mutex
	after  map[string]time.Duration // negative: refused after that long
	dialed []string
	closed int
}

type countedConn struct {
	net.Conn
	n *network
}

func (c countedConn) Close() error {
	c.n.mu.Lock()
	c.n.closed++
	c.n.mu.Unlock()
	return c.Conn.Close()
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, address)
	n.mu.Unlock()
	wait, answers := n.after[address]
	if !answers {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	select {
	case <-time.After(max(wait, -wait)):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if wait < 0 {
		return nil, errors.New("refused")
	}
	a, b := net.Pipe()
	_ = b.Close()
	return countedConn{a, n}, nil
}

// TestConnect is RFC 8305 §5 with a clock of its own.
func TestConnect(t *testing.T) {
	addrs := []netip.AddrPort{netip.MustParseAddrPort("[2001:db8::1]:1"), netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:1")}
	a, b, c := addrs[0].String(), addrs[1].String(), addrs[2].String()
	rows := []struct {
		name   string
		after  map[string]time.Duration
		won    string
		took   time.Duration
		dialed int
	}{
		{"first at once", map[string]time.Duration{a: time.Millisecond}, a, time.Millisecond, 1},
		{"first silent", map[string]time.Duration{b: time.Millisecond}, b, 251 * time.Millisecond, 2},
		{"first refuses", map[string]time.Duration{a: -time.Millisecond, b: time.Millisecond}, b, 2 * time.Millisecond, 2},
		{"first slow, still first", map[string]time.Duration{a: 300 * time.Millisecond, b: time.Second}, a, 300 * time.Millisecond, 2},
		{"only the last", map[string]time.Duration{c: time.Millisecond}, c, 501 * time.Millisecond, 3},
		{"all refuse", map[string]time.Duration{a: -1, b: -1, c: -1}, "", 3, 3},
		{"all silent", nil, "", 5*time.Second + 500*time.Millisecond, 3},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{after: row.after}
				start := time.Now()
				conn, addr, err := resolve.Dialer{Attempt: 5 * time.Second, Dial: n.dial}.Connect(t.Context(), addrs)
				if took := time.Since(start); took != row.took {
					t.Errorf("took %v, want %v", took, row.took)
				}
				if len(n.dialed) != row.dialed {
					t.Errorf("dialled %v, want %d", n.dialed, row.dialed)
				}
				if (err == nil) != (row.won != "") || err == nil && addr.String() != row.won {
					t.Errorf("won %v (%v), want %q", addr, err, row.won)
				}
				if conn != nil {
					_ = conn.Close()
				}
			})
		})
	}
}
