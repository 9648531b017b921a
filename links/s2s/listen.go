package s2s

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"go.uber.org/zap"

	"sallyport/internal/accept"
	"sallyport/internal/xmpp/stream"
)

// listenKey names a listener.
type listenKey struct {
	side   string
	addr   netip.AddrPort
	direct bool
}

func (t *table) listenKeys() []listenKey {
	var keys []listenKey
	for _, s := range t.cfg.Sides {
		for _, a := range s.Listen {
			keys = append(keys, listenKey{s.Name, a, false})
		}
		for _, a := range s.ListenDirect {
			keys = append(keys, listenKey{s.Name, a, true})
		}
	}
	return keys
}

// listen opens what the table wants and is not open yet. On an error nothing new stays open.
func (l *Link) listen(ctx context.Context, t *table) (opened map[listenKey]net.Listener, err error) {
	opened = make(map[listenKey]net.Listener)
	for _, k := range t.listenKeys() {
		l.mu.RLock()
		_, have := l.listeners[k]
		l.mu.RUnlock()
		if have {
			continue
		}
		ln, err := l.env.Listen(ctx, "tcp", k.addr.String())
		if err != nil {
			for _, o := range opened {
				_ = o.Close()
			}
			return nil, fmt.Errorf("side %q: listen on %v: %w", k.side, k.addr, err)
		}
		opened[k] = ln
	}
	return opened, nil
}

// accept serves one listener until it is closed.
func (l *Link) accept(k listenKey, ln net.Listener) {
	failed := func(err error) {
		l.log.Error("accept", zap.String("side", k.side), zap.Stringer("address", k.addr), zap.Error(err))
	}
	_ = accept.Each(l.ctx, ln.Accept, failed, func(conn net.Conn) { l.take(k, conn) }) // a listener is closed where the configuration has it no more
}

// take starts a stream on an accepted connection, unless its address has too many that never authenticated (D13).
func (l *Link) take(k listenKey, conn net.Conn) {
	noDelay(conn)
	s := l.newStream(l.ctx, conn, k.side, stream.Responder)
	if !l.admit(s) {
		l.counters.RefusedSource.Add(1)
		s.observe(Event{Kind: EventSourceLimit})
		s.cancel()
		_ = conn.Close()
		return
	}
	l.counters.Accepted.Add(1)
	s.setup(nil)
	l.start(s, k.direct)
}

func (l *Link) admit(s *serverStream) bool {
	limits := l.table().limits
	l.mu.Lock()
	defer l.mu.Unlock()
	a := s.remote.Addr()
	if l.unproven[a] >= limits.PerAddress || l.pending >= limits.Unproven {
		return false
	}
	l.unproven[a]++
	l.pending++
	s.counted = true
	return true
}

// authenticated gives back the place among the connections nobody knows. Caller holds s.mu.
func (l *Link) authenticated(s *serverStream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release(s)
}

// release does so once. Caller holds mu.
func (l *Link) release(s *serverStream) {
	if !s.counted {
		return
	}
	s.counted = false
	l.pending--
	a := s.remote.Addr()
	if l.unproven[a]--; l.unproven[a] <= 0 {
		delete(l.unproven, a)
	}
}

// noDelay: a stanza leaves when it is written; the writer does the batching.
func noDelay(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetNoDelay(true)
	}
}
