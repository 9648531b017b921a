package server

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"

	"sallyport/internal/crew"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// Server knows who is connected and routes. Any goroutine may call its exported methods.
//
// Locks, in this order: user.rosters, resource.telling, resource.sending, the lock of a session, user.mu; those of shards and queues
// are the innermost. None but the first three is held while somebody else is called.
type Server struct {
	cfg      Config
	domains  atomic.Pointer[map[string]bool] // not changed, but for another map
	features []Feature                       // ours first
	routes   map[routeKey]func(context.Context, *Request) Answer
	shards   [64]shard

	ctx    context.Context //nolint:containedctx // of what is kept: it ends when nothing goes on any more
	stop   context.CancelFunc
	saying context.Context //nolint:containedctx // of what is said: after Close nobody waits for room
	hush   context.CancelFunc

	life    sync.Mutex
	idle    sync.Cond // on life: running is zero
	running int       // goroutines
	dead    bool      // nothing begins any more
	crew    crew.Crew
	over    atomic.Bool // nothing is taken any more

	addresses paces
	limits    atomic.Pointer[Limits]

	regroups chan struct{} // a look at groups is asked for

	asking  sync.Mutex
	waiting map[string]waiter // by the id of the request
}

// shard is a part of the accounts, so that they do not share one lock.
type shard struct {
	mu    sync.Mutex
	users map[jid.JID]*user
}

// seed spreads accounts over shards.
var seed = maphash.MakeSeed()

// session is a *c2s.Session.
type session interface {
	Address() jid.JID
	Send(e *xmlstream.Element, token uint64) stream.Verdict
	Settled(a *stream.Arrival)
	Close(in stream.Close)
	// Managed: what is sent will come out in Acked, Unconfirmed or Closed.
	Managed() bool
	// Standing is Managed, and whether the client is away, so that what is sent now only waits for it.
	Standing() (managed, away bool)
}

// Close takes nothing more, and returns when what was taken is delivered or kept. Those who own the sessions have ended them before:
// what a client had not acknowledged then is kept, too.
func (s *Server) Close() {
	s.hush()
	s.over.Store(true)
	s.life.Lock()
	for s.running > 0 {
		s.idle.Wait()
	}
	s.dead = true
	s.life.Unlock()
	s.crew.Close()
	s.stop()
}

// spawn runs a function on a goroutine that Close waits for. False: it is too late.
func (s *Server) spawn(f func()) bool {
	s.life.Lock()
	defer s.life.Unlock()
	if s.dead {
		return false
	}
	s.running++
	s.crew.Go(func() {
		f()
		s.life.Lock()
		defer s.life.Unlock()
		if s.running--; s.running == 0 {
			s.idle.Broadcast()
		}
	})
	return true
}

func (h *shard) all() []*user {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*user, 0, len(h.users))
	for _, u := range h.users {
		list = append(list, u)
	}
	return list
}

func (s *Server) shard(bare jid.JID) *shard {
	return &s.shards[maphash.String(seed, bare.String())%uint64(len(s.shards))]
}

// find gives a user that somebody holds, or nil. It may end at once; only what it says now is of use.
func (s *Server) find(bare jid.JID) *user {
	h := s.shard(bare)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.users[bare]
}

// hold gives the user of an address, who exists until it is let go as often.
func (s *Server) hold(bare jid.JID) *user {
	h := s.shard(bare)
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[bare]
	if u == nil {
		u = &user{bare: bare.Clone(), server: s}
		h.users[u.bare] = u
	}
	u.refs++
	return u
}

func (u *user) release() {
	h := u.server.shard(u.bare)
	h.mu.Lock()
	defer h.mu.Unlock()
	if u.refs--; u.refs == 0 {
		delete(h.users, u.bare)
	}
}

// ours reports whether a domain is served here.
func (s *Server) ours(j jid.JID) bool { return (*s.domains.Load())[j.Domain()] }

// AddDomains serves these as well from now on. None is given up while the server runs: whoever is connected there would have to go, and
// everybody who sees him be told, before the policy gives his domain away.
func (s *Server) AddDomains(list []jid.JID) error {
	for _, d := range list {
		if !d.IsDomain() {
			return fmt.Errorf("server: %s is no domain", d)
		}
	}
	for {
		was := s.domains.Load()
		next := maps.Clone(*was)
		for _, d := range list {
			next[d.Domain()] = true
		}
		if s.domains.CompareAndSwap(was, &next) {
			return nil
		}
	}
}
