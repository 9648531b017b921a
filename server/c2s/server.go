package c2s

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/stream"
)

// Accounts answers what a login needs to know. Errors mean that nothing is known now.
type Accounts interface {
	LookUp(ctx context.Context, q stream.LookUp) (sasl.Reply, error)
	// Grant makes a token (XEP-0484); the zero answer is none.
	Grant(ctx context.Context, q stream.TokenWanted) (stream.TokenGranted, error)
}

// Sessions takes what logged-in clients do. All but Bind are called by the session's own goroutines and must not wait
// for that session.
type Sessions interface {
	// Bind says whether the account may have the resource: stream.Bound or stream.BindRefused.
	Bind(ctx context.Context, s *Session, want stream.BindWanted) stream.Input
	// Arrived takes a stanza; who has taken responsibility for it calls Session.Settled.
	Arrived(s *Session, a stream.Arrival)
	// Event tells what else happened: Authenticated, ClientReady, ClientState, Acked, Unconfirmed. It is called under the
	// lock of the session: it neither waits nor calls the session, and copies the items it keeps.
	Event(s *Session, o stream.Output)
	// Closed is the last word, only for sessions that had a resource.
	Closed(s *Session, end stream.Closed)
}

// MaxPending is how many connections of one address may be unauthenticated at a time (bad-inputs D13).
const MaxPending = 50

// writeTimeout is how long one write may wait for a client that does not read.
const writeTimeout = 30 * time.Second

// Config is what a Server needs.
type Config struct {
	Stream stream.ClientConfig
	// TLS chooses certificates by GetCertificate; nil has no TLS at all.
	TLS      *tls.Config
	Accounts Accounts
	Sessions Sessions
	Log      *zap.Logger // nil: none
}

// Server accepts clients. Any goroutine may call it.
type Server struct {
	cfg     Config
	mu      sync.Mutex
	pending map[netip.Addr]int
}

// New returns a server that listens nowhere yet.
func New(cfg Config) (*Server, error) {
	if cfg.Accounts == nil || cfg.Sessions == nil {
		return nil, errors.New("c2s: accounts and sessions are needed")
	}
	if cfg.TLS != nil && cfg.TLS.GetCertificate == nil {
		return nil, errors.New("c2s: TLS without GetCertificate")
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	cfg.Stream.OfferTLS = cfg.TLS != nil
	cfg.Stream.Manage.ResumeFor = -1 // nobody parks sessions yet, so none is promised
	return &Server{cfg: cfg, pending: make(map[netip.Addr]int)}, nil
}

// Serve accepts connections on which TLS begins by STARTTLS, until the context or the listener ends, and then ends its sessions.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.serve(ctx, ln, false) }

// ServeTLS is Serve for connections that begin with TLS (XEP-0368).
func (s *Server) ServeTLS(ctx context.Context, ln net.Listener) error {
	if s.cfg.TLS == nil {
		return errors.New("c2s: direct TLS without a certificate")
	}
	return s.serve(ctx, ln, true)
}

func (s *Server) serve(ctx context.Context, ln net.Listener, direct bool) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer func() {
		cancel()
		stop()
		running.Wait()
	}()
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept clients on %s: %w", ln.Addr(), err)
		}
		addr := addressOf(conn)
		if !s.admit(addr) {
			s.cfg.Log.Warn("too many connections that have not logged in", zap.Stringer("address", addr))
			_ = conn.Close()
			continue
		}
		running.Go(func() {
			x := newSession(s, conn, addr)
			x.run(ctx, direct)
		})
	}
}

func addressOf(conn net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// admit counts a connection that has not logged in.
func (s *Server) admit(addr netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[addr] >= MaxPending {
		return false
	}
	s.pending[addr]++
	return true
}

func (s *Server) release(addr netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[addr]--; s.pending[addr] <= 0 {
		delete(s.pending, addr)
	}
}
