package c2s

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/accept"
	"sallyport/internal/crew"
	"sallyport/internal/rawconn"
	"sallyport/internal/sasl"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
)

// Accounts answers what a login needs to know. Errors mean that nothing is known now.
type Accounts interface {
	LookUp(ctx context.Context, q stream.LookUp) (sasl.Reply, error)
}

// Tokens keeps what clients log in with the next time (XEP-0484).
type Tokens interface {
	// Tokens gives those of an account's agent for a mechanism. It works as long for a name without account.
	Tokens(ctx context.Context, q stream.LookUp) ([]sasl.Token, error)
	// Grant makes one; the zero answer is none.
	Grant(ctx context.Context, q stream.TokenWanted) (stream.TokenGranted, error)
	// Used voids what a login by a token makes void.
	Used(ctx context.Context, a stream.Authenticated) error
}

// Sessions takes what logged-in clients do. All but Bind are called by goroutines of this package and must not wait
// for that session.
type Sessions interface {
	// Bind says whether the account may have the resource: stream.Bound or stream.BindRefused.
	Bind(ctx context.Context, s *Session, want stream.BindWanted) stream.Input
	// Arrived takes stanzas in their order, at least one; who has taken responsibility for one calls Session.Settled. It keeps copies: the
	// list is used again.
	Arrived(s *Session, list []stream.Arrival)
	// Event tells what else happened: Authenticated, ClientReady, ClientState, Acked, Unconfirmed; a stream.Closed when the
	// connection was lost and the session waits to be resumed, and then stream.Resumed and ClientReady once it was. It is
	// called under the lock of the session: it neither waits nor calls the session, and copies the items it keeps. Who
	// logs in to resume is told as Authenticated of a session that never binds.
	Event(s *Session, o stream.Output)
	// Closed is the last word, only for sessions that had a resource. A session that was not resumed in time ends with
	// what its client never acknowledged.
	Closed(s *Session, end stream.Closed)
}

// Config is what a Server needs.
type Config struct {
	Stream stream.ClientConfig
	// TLS chooses certificates by GetCertificate; nil has no TLS at all.
	TLS      *tls.Config
	Accounts Accounts
	Tokens   Tokens // nil: none
	Sessions Sessions
	// Registrar makes accounts where the policy of a domain lets it; nil: nobody does.
	Registrar Registrar
	// Clients gives what a client's certificate must show now so that its XmppAddr is believed (SASL EXTERNAL); nil: none is asked for.
	Clients func() *tlsid.Policy
	Park    ParkLimits
	// Observe, where set, is told what is worth a line in an audit. It is called under locks and must not wait.
	Observe func(Observation)
	Log     *zap.Logger // nil: none
}

// Server accepts clients. Any goroutine may call it.
type Server struct {
	cfg             Config
	stream          atomic.Pointer[stream.ClientConfig] // of streams that begin now
	plain           *tls.Config                         // after STARTTLS
	direct          *tls.Config
	park            *park
	brake           *brake
	tasks           sync.WaitGroup // short ones: writing, last words
	crew            crew.Crew      // does them
	web             sync.WaitGroup // sessions inside HTTP
	pending         *accept.Crowd
	tellCrowd       accept.Seldom // that there are too many
	tellCertificate accept.Seldom // that one is not good

	mu      sync.Mutex
	leaving bool // no session begins inside HTTP
	closing bool // nothing is added to tasks
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
	s := &Server{cfg: cfg, park: newPark(cfg.Park), brake: newBrake(), pending: accept.NewCrowd(MaxPending, maxPendingAll)}
	s.SetStream(cfg.Stream)
	if cfg.TLS != nil {
		s.plain, s.direct = showing(cfg.TLS, cfg.Clients != nil), showing(cfg.TLS, cfg.Clients != nil)
		s.direct.NextProtos = []string{"xmpp-client"}
	}
	return s, nil
}

// SetStream has streams that begin from now on satisfy something else.
func (s *Server) SetStream(cfg stream.ClientConfig) {
	cfg.OfferTLS = s.cfg.TLS != nil
	if policy := cfg.Policy; policy != nil && s.cfg.Tokens == nil { // nothing is promised that nobody keeps
		cfg.Policy = func(domain jid.JID) stream.ClientPolicy {
			p := policy(domain)
			p.Tokens = false
			return p
		}
	}
	s.stream.Store(&cfg)
}

// SetPending bounds how many connections may be unauthenticated at a time, of one address (of IPv6: of one /64) and of all. Those that are
// open stay. At first they are MaxPending and 20,000.
func (s *Server) SetPending(each, all int) { s.pending.SetBounds(each, all) }

// Close waits for the sessions inside HTTP, ends those that wait to be resumed, and waits for what is under way. It is called when all that
// serve have returned, and the contexts of the handlers have ended.
func (s *Server) Close() {
	s.mu.Lock()
	s.leaving = true
	s.mu.Unlock()
	s.web.Wait() // one of them may still be parked
	for _, x := range s.park.all() {
		x.expireNow()
	}
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.tasks.Wait()
	s.crew.Close()
}

// spawn starts a short task that Close waits for.
func (s *Server) spawn(task func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing { // nobody may be added while somebody waits
		go task()
		return
	}
	s.tasks.Add(1)
	s.crew.Go(func() {
		defer s.tasks.Done()
		task()
	})
}

// enter counts a session that Close waits for, until web.Done. False: it is too late.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return false
	}
	s.web.Add(1)
	return true
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
	failed := func(err error) {
		s.cfg.Log.Error("accept clients", zap.Stringer("at", ln.Addr()), zap.Error(err))
	}
	err := accept.Each(ctx, ln.Accept, failed, func(conn net.Conn) {
		addr := addressOf(conn)
		if !s.admit(addr) {
			s.crowded(addr)
			_ = conn.Close()
			return
		}
		running.Go(func() {
			s.serveConn(ctx, conn, direct, &running)
		})
	})
	if err != nil {
		return fmt.Errorf("accept clients on %s: %w", ln.Addr(), err)
	}
	return nil
}

func (s *Server) serveConn(ctx context.Context, conn net.Conn, direct bool, group *sync.WaitGroup) {
	addr := addressOf(conn)
	conn = rawconn.New(conn)
	var start stream.Start
	if direct {
		secured, facts, err := s.secure(ctx, conn, jid.JID{})
		if err != nil {
			_ = conn.Close()
			s.release(addr)
			return
		}
		conn, start.TLS = secured, &facts
	}
	cfg := s.stream.Load()
	newLink(s, newSocket(conn, cfg.FirstLimits()), addr, *cfg).run(ctx, start, group)
}

func addressOf(conn net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// admit counts a connection that has not logged in.
func (s *Server) admit(addr netip.Addr) bool { return s.pending.Enter(addr) }

func (s *Server) crowded(addr netip.Addr) {
	s.note(Observation{What: TooManyPending, From: addr})
	if s.tellCrowd.May(time.Now()) {
		s.cfg.Log.Warn("too many connections that have not logged in, of one address or of all: limits.unauthenticated-per-address and limits.unauthenticated let more in",
			zap.Stringer("address", addr))
	}
}

func (s *Server) release(addr netip.Addr) { s.pending.Leave(addr) }
