package cable

import (
	"net"
	"sync"
	"time"
)

// connectTime is for reaching the other end, on loopback.
const connectTime = 30 * time.Second

// wire is TCP.
type wire struct {
	listener net.Listener

	mu   sync.Mutex
	open map[net.Conn]bool
}

func (c *Cable) listenTCP() error {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(c.Addr))
	if err != nil {
		return err
	}
	w := &wire{listener: l, open: map[net.Conn]bool{}}
	c.carrier = w
	c.running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			w.note(near)
			c.running.Go(func() { c.connection(w, near) })
		}
	})
	return nil
}

func (w *wire) note(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[c] = true
}

// forget ends a connection.
func (w *wire) forget(c net.Conn) {
	w.mu.Lock()
	delete(w.open, c)
	w.mu.Unlock()
	_ = c.Close() // it may be gone
}

// breakAll ends all connections with a reset, as whoever asks after a loss of power gets one.
func (w *wire) breakAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // it may be gone
		}
		_ = c.Close()
	}
	clear(w.open)
}

func (w *wire) close() error { return w.listener.Close() }

// connection carries one connection to its end.
func (c *Cable) connection(w *wire, near net.Conn) {
	defer w.forget(near)
	if !c.awaitVoice(0) {
		return
	}
	far, err := net.DialTimeout("tcp", c.to.String(), connectTime)
	if err != nil {
		return
	}
	defer w.forget(far)
	w.note(far)
	c.connected()
	var back sync.WaitGroup
	back.Go(func() { c.pass(far, near) })
	c.pass(near, far)
	back.Wait()
}

// pass copies in one direction while the cable is whole. An end of one direction is passed on like anything else.
func (c *Cable) pass(from, to net.Conn) {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		if !c.awaitVoice(n) {
			break
		}
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				break
			}
		}
		if err != nil {
			if t, ok := to.(*net.TCPConn); ok {
				_ = t.CloseWrite() // it may be gone
			}
			return
		}
	}
	_ = from.Close()
	_ = to.Close()
}
