package c2s

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"sallyport/internal/accept"
)

// What a server of HTTP does for strangers. Without these somebody has a connection, or a hundred streams of one, for nothing and for good.
const (
	MaxWeb      = 1_000 // connections of a network, but those that have become WebSockets, where nothing else is said
	MaxWebAll   = 10_000
	maxStreams  = 16            // of HTTP/2, on one connection
	bodyPiece   = 16 << 10      // bytes of a body that have to come within bodyTimeout
	answerLimit = 1 * time.Hour // for a request and its answer, the largest file to the slowest client included
)

// Bounds are what a Guard goes by.
type Bounds struct {
	Each    int                   // connections of a network; 0: MaxWeb
	Crowded func(from netip.Addr) // is told of one too many, now and then; nil: nobody
}

// Guard bounds how much of a server that is not serving yet strangers can hold, whichever handlers it has.
func Guard(s *http.Server, o Bounds) {
	if o.Each == 0 {
		o.Each = MaxWeb
	}
	g := &guard{crowd: accept.NewCrowd(o.Each, MaxWebAll), crowded: o.Crowded, conns: make(map[net.Conn]netip.Addr)}
	s.ConnState, s.WriteTimeout, s.Handler = g.changed, answerLimit, timely(s.Handler)
	s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams}
}

// guard counts connections.
type guard struct {
	crowd   *accept.Crowd
	crowded func(from netip.Addr)
	told    accept.Seldom

	mu    sync.Mutex
	conns map[net.Conn]netip.Addr // that were let in
}

// changed is told of a new connection before anything is read from it.
func (g *guard) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		addr := addressOf(conn)
		if !g.crowd.Enter(addr) {
			if g.crowded != nil && g.told.May(time.Now()) {
				g.crowded(addr)
			}
			_ = conn.Close()
			return
		}
		g.mu.Lock()
		g.conns[conn] = addr
		g.mu.Unlock()
	case http.StateHijacked, http.StateClosed: // a WebSocket is counted as what has not logged in
		g.mu.Lock()
		addr, in := g.conns[conn]
		delete(g.conns, conn)
		g.mu.Unlock()
		if in {
			g.crowd.Leave(addr)
		}
	case http.StateActive, http.StateIdle:
	}
}

// timely has the bodies of requests come in time, those that no handler reads as well: the server reads them for the next request.
func timely(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 { // else the server is reading already, for its own purposes
			b := &timelyBody{ReadCloser: r.Body, control: http.NewResponseController(w)}
			b.extend()
			r.Body = b
		}
		h.ServeHTTP(w, r)
	})
}

// timelyBody is read as long as it comes fast enough.
type timelyBody struct {
	io.ReadCloser
	control *http.ResponseController
	left    int // of a piece
}

func (b *timelyBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left <= 0 {
		b.extend()
	}
	return n, err
}

func (b *timelyBody) extend() {
	b.left = bodyPiece
	_ = b.control.SetReadDeadline(time.Now().Add(bodyTimeout)) // not all of them can
}
