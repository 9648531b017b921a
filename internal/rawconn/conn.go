// Package rawconn reads and writes TCP connections without telling Go's scheduler.
//
// A read or write of a socket that does not block takes microseconds, mostly less than what the runtime spends on getting ready for one
// that might: it gives up its processor for the time of the call, and wakes the watch that looks for calls that last. Waiting is another
// thing; that is still done by the runtime's poller, and deadlines work as they do on any net.Conn.
//
// Inside: [Conn] and [New], which wraps what is a TCP connection and leaves alone what is not. Not inside: buffers, TLS.
package rawconn

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// atOnce is how many bytes one call moves at most: the longest time for which nobody can take the processor away.
const atOnce = 64 << 10

// Conn is a TCP connection. Like any net.Conn it may be used by many goroutines at once; reads wait for reads, and writes for writes.
type Conn struct {
	*net.TCPConn
	raw     syscall.RawConn
	in, out transfer
}

// transfer is one direction.
type transfer struct {
	mu   sync.Mutex
	call call                  // of the system
	step func(fd uintptr) bool // of go, made once
	all  bool                  // not only what there is
	rest []byte                // to be moved
	done int                   // bytes moved
	no   unix.Errno            // why no more
}

// New wraps a TCP connection; anything else it returns as it is.
func New(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	k := &Conn{TCPConn: tcp, raw: raw}
	k.in.call, k.in.step = read, k.in.move
	k.out.call, k.out.step, k.out.all = write, k.out.move, true
	return k
}

// move is called by the poller until it returns true.
func (t *transfer) move(fd uintptr) bool {
	for {
		p := t.rest[:min(len(t.rest), atOnce)]
		n, no := t.call.do(fd, p)
		switch no {
		case 0:
			t.done += n
			t.rest = t.rest[n:]
			if !t.all || len(t.rest) == 0 || n == 0 {
				return true
			}
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			t.no = no
			return true
		}
	}
}

// run moves p, and says how much of it was moved before what error.
func (t *transfer) run(p []byte, poll func(func(fd uintptr) bool) error, name string) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest, t.done, t.no = p, 0, 0
	err := poll(t.step)
	t.rest = nil
	if err == nil && t.no != 0 {
		err = os.NewSyscallError(name, t.no)
	}
	return t.done, err
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.in.run(p, c.raw.Read, "read")
	switch {
	case err != nil:
		return 0, c.failed("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.out.run(p, c.raw.Write, "write")
	if err == nil && n < len(p) { // as it must not be
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		err = c.failed("write", err)
	}
	return n, err
}

// failed words an error as the net package does.
func (c *Conn) failed(op string, err error) error {
	if below := (*net.OpError)(nil); errors.As(err, &below) {
		err = below.Err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
