package sis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	stallTimeout = 60 * time.Second // how long a client may let one write wait
	lingerTime   = 2 * time.Second  // how long the last bytes may take to a client that goes on sending
	acceptTries  = 10               // failures to accept in a row that end a listener
)

// Port is what a Listener serves: a Server, or the node around it, behind the lock of whoever
// owns it. The methods are those of Server with the time left to the owner; they are called
// from several goroutines.
type Port interface {
	Attach() (ClientID, error)
	Bytes(id ClientID, b []byte)
	Closed(id ClientID)
	Output(id ClientID) (b []byte, closing bool)
}

// Listener connects sockets to a Port. Each client has a reader and a writer of its own, so
// that one that does not read delays nobody else. Safe for concurrent use.
type Listener struct {
	port Port
	mu   sync.Mutex
	open map[ClientID]session
	wg   sync.WaitGroup
}

// session is one connected client.
type session struct {
	conn net.Conn
	wake chan struct{} // there may be output
}

// NewListener makes a Listener; Serve starts it.
func NewListener(port Port) *Listener {
	return &Listener{port: port, open: make(map[ClientID]session)}
}

// Listen opens a TCP port for clients; the usual one is 5066. The protocol has neither encryption
// nor authentication: keep it on loopback or inside a protected network.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

// Serve accepts clients until ctx ends, then closes the listener and all connections and
// waits for their goroutines. The error is that of the listener, nil if ctx ended first.
func (l *Listener) Serve(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	defer l.wg.Wait()
	defer l.closeAll()
	for failures := 0; ; {
		conn, err := ln.Accept()
		if err != nil {
			failures++
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.Is(err, net.ErrClosed) || failures > acceptTries:
				return fmt.Errorf("accept clients: %w", err)
			}
			pause(ctx) // mostly there are too many open files
			continue
		}
		failures = 0
		id, err := l.port.Attach()
		if err != nil {
			_ = conn.Close()
			continue
		}
		l.start(ctx, id, conn)
	}
}

// pause waits a second, or until ctx ends.
func pause(ctx context.Context) {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (l *Listener) start(ctx context.Context, id ClientID, conn net.Conn) {
	s := session{conn, make(chan struct{}, 1)}
	l.mu.Lock()
	l.open[id] = s
	l.mu.Unlock()
	if ctx.Err() != nil {
		_ = conn.Close()
	}
	l.wg.Go(func() { l.read(id, s) })
}

// Wake lets the writers look for output. Call it after whatever the node did outside of Bytes.
func (l *Listener) Wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.open {
		select {
		case s.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

func (l *Listener) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.open {
		_ = s.conn.Close()
	}
}

// read feeds the port until the connection ends, and takes care of the writer.
func (l *Listener) read(id ClientID, s session) {
	done, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		l.write(id, s, done)
	}()
	buf := make([]byte, 16<<10)
	var err error
	for err == nil {
		var n int
		if n, err = s.conn.Read(buf); n > 0 {
			l.port.Bytes(id, buf[:n])
			l.Wake()
		}
	}
	close(done)
	if errors.Is(err, io.EOF) { // it may still read what it has been told
		_ = s.conn.SetWriteDeadline(time.Now().Add(lingerTime))
	} else {
		_ = s.conn.Close()
	}
	<-written
	_ = s.conn.Close()
	l.mu.Lock()
	delete(l.open, id)
	l.mu.Unlock()
	l.port.Closed(id)
	l.Wake()
}

// write writes what the port has for the client, what is left when the reader is done included. It
// closes the connection when the port says so, or when a write stalls.
func (l *Listener) write(id ClientID, s session, done <-chan struct{}) {
	patience := stallTimeout
	for last := false; ; {
		b, closing := l.port.Output(id)
		if len(b) > 0 {
			_ = s.conn.SetWriteDeadline(time.Now().Add(patience))
			if _, err := s.conn.Write(b); err != nil {
				_ = s.conn.Close()
				return
			}
		}
		switch {
		case closing:
			hangUp(s.conn)
			return
		case len(b) > 0:
			continue
		case last:
			return
		}
		select {
		case <-s.wake:
		case <-done:
			last, patience = true, lingerTime
		}
	}
}

// hangUp says that nothing more is written, and lets the reader go on for a moment: closing
// a TCP connection that has unread bytes would take the last words away from the client.
func hangUp(conn net.Conn) {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || conn.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		_ = conn.Close()
	}
}
