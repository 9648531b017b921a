package s2s

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/rawconn"
)

// wireBytes is the size of one read from, and one write to, the operating system.
const wireBytes = 64 << 10

// wire is a socket with big reads and, when corked, big writes, below TLS: crypto/tls by itself makes a system call or two for every
// record of 16 KiB. One goroutine reads; several may write, because crypto/tls answers key updates and alerts from the reading side.
type wire struct {
	net.Conn
	timeout time.Duration // of one write

	in   []byte // bytes read and not yet asked for are in[r:w]
	r, w int

	mu     sync.Mutex // of what follows
	out    []byte
	corked bool

	last     atomic.Pointer[time.Time] // when writing is over; nil: not yet known
	received atomic.Int64
	sent     atomic.Int64
}

func newWire(c net.Conn, timeout time.Duration) *wire {
	return &wire{Conn: rawconn.New(c), timeout: timeout}
}

// Read implements net.Conn.
func (c *wire) Read(p []byte) (int, error) {
	if c.r == c.w {
		if c.in == nil {
			c.in = make([]byte, wireBytes)
		}
		n, err := c.Conn.Read(c.in)
		c.r, c.w = 0, n
		c.received.Add(int64(n))
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, c.in[c.r:c.w])
	c.r += n
	return n, nil
}

// buffered is how many bytes the peer has sent that nobody has asked for.
func (c *wire) buffered() int { return c.w - c.r }

// Write implements net.Conn: corked it only collects.
func (c *wire) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.corked {
		return len(p), c.push(p)
	}
	c.out = append(c.out, p...)
	if len(c.out) < wireBytes {
		return len(p), nil
	}
	return len(p), c.drain()
}

// cork collects what is written from now on; uncork writes it and collects no more.
func (c *wire) cork() {
	c.mu.Lock()
	c.corked = true
	c.mu.Unlock()
}

func (c *wire) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = false
	return c.drain()
}

func (c *wire) drain() error {
	if len(c.out) == 0 {
		return nil
	}
	err := c.push(c.out)
	if cap(c.out) > 4*wireBytes { // one huge stanza must not be paid for ever
		c.out = nil
	}
	c.out = c.out[:0]
	return err
}

func (c *wire) push(p []byte) error {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	if last := c.last.Load(); last != nil { // set in between, or before
		if err := c.Conn.SetWriteDeadline(*last); err != nil {
			return err
		}
	}
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return err
}

// endBy lets no write take longer than until then, nor the one that is under way.
func (c *wire) endBy(t time.Time) {
	c.last.Store(&t)
	_ = c.Conn.SetWriteDeadline(t) // a connection that is closed needs none
}
